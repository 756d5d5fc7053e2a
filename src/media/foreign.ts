// Fetches what callers link to, and nothing that a caller should not reach: every hop's addresses are checked and the
// connection goes to a checked address, so that a name cannot change its mind in between. Knows no store and no upstream.
// Invariant: no request leaves for an address that `reachOf` does not allow, and none carries a cookie or credential.
import { lookup } from "node:dns/promises";
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { type Address, parseAddress, reachOf } from "./addresses.ts";
import { uploadType } from "./sniff.ts";

export interface ForeignFile {
  readonly bytes: Uint8Array;
  /** Proven by the bytes, else as declared. */
  readonly mime: string;
}

export interface ForeignOptions {
  readonly maxBytes: number;
  /** For everything together: names, redirects and body. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The caller's field that holds the link. */
  readonly param: string;
}

export type FetchForeign = (url: string, options: ForeignOptions) => Promise<ForeignFile>;

export interface PinnedInit {
  readonly method: "GET";
  readonly headers: Readonly<Record<string, string>>;
  readonly redirect: "manual";
  readonly credentials: "omit";
  readonly keepalive: false;
  readonly signal: AbortSignal;
  /** The name that the certificate must have, although the connection goes to an address. */
  readonly tls?: { readonly serverName: string };
}

export interface ForeignDeps {
  /** Bun's fetch, or a fake. */
  readonly fetch: (url: string, init: PinnedInit) => Promise<Response>;
  /** All addresses of a host name. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly clock: Clock;
  /** The operator's own networks may be linked to; services of the host and the cloud stay closed. */
  readonly allowPrivate: () => boolean;
}

const MAX_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Addresses of one host that are tried when connecting fails. */
const MAX_TRIES = 2;

const HEADERS = {
  accept: "*/*",
  // A compressed body could unfold to many times the size that was asked for.
  "accept-encoding": "identity",
  "user-agent": "Mozilla/5.0 (compatible; Grok2API)",
} as const;

export const resolveHost = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true, order: "verbatim" })).map((entry) => entry.address);

/** One fetch on its way: its limits, and an abort that also ends waits which know no signal. */
interface Journey extends ForeignOptions {
  readonly until: <T>(work: Promise<T>) => Promise<T>;
}

const unreachable = (journey: Pick<ForeignOptions, "param">, message: string, cause?: unknown): GatewayError =>
  new GatewayError("unreachable_media", message, { param: journey.param, ...(cause === undefined ? {} : { cause }) });

export const createForeignFetcher = (deps: ForeignDeps): FetchForeign => {
  /** The addresses that may be connected to; one bad address refuses the whole host. */
  const addressesOf = async (url: URL, journey: Journey): Promise<readonly string[]> => {
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const names = parseAddress(host) === null ? await journey.until(deps.resolve(host)).catch(() => []) : [host];
    journey.signal.throwIfAborted();
    const addresses = names.map(parseAddress);
    const allowed = (address: Address | null): boolean => {
      const reach = address === null ? "forbidden" : reachOf(address);
      return reach === "public" || (reach === "private" && deps.allowPrivate());
    };
    if (addresses.length > 0 && addresses.every(allowed)) return names.toSorted(v4First);
    // One message for "no such name" and "inside": callers must not learn the names of the operator's network.
    throw unreachable(journey, `The host '${url.hostname.slice(0, 100)}' has no public address.`);
  };

  const connect = async (url: URL, journey: Journey): Promise<Response> => {
    const addresses = await addressesOf(url, journey);
    let cause: unknown;
    for (const address of addresses.slice(0, MAX_TRIES)) {
      try {
        return await journey.until(deps.fetch(pinned(url, address), pinnedInit(url, journey.signal)));
      } catch (thrown) {
        journey.signal.throwIfAborted();
        cause = thrown;
      }
    }
    throw unreachable(journey, `The host '${url.hostname.slice(0, 100)}' could not be reached.`, cause);
  };

  const follow = async (link: string, journey: Journey): Promise<ForeignFile> => {
    let url = readUrl(link, journey);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await connect(url, journey);
      if (!REDIRECTS.has(response.status)) return readFile(response, journey);
      discard(response);
      const location = response.headers.get("location") ?? "";
      if (!URL.canParse(location, url)) throw unreachable(journey, "The link redirects to no valid address.");
      url = readUrl(new URL(location, url).href, journey);
    }
    throw unreachable(journey, `The link redirects more than ${MAX_REDIRECTS} times.`);
  };

  return async (link, options) => {
    options.signal.throwIfAborted();
    const late = unreachable(options, `The link did not deliver within ${options.timeoutMs / 1000} seconds.`);
    const stop = new AbortController();
    const onGone = () => stop.abort(options.signal.reason);
    options.signal.addEventListener("abort", onGone, { once: true });
    const done = new AbortController();
    void deps.clock.sleep(options.timeoutMs, done.signal).then(
      () => stop.abort(late),
      () => {},
    );
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    aborted.catch(() => {});
    stop.signal.addEventListener("abort", () => reject(stop.signal.reason), { once: true });
    const until = <T>(work: Promise<T>): Promise<T> => Promise.race([work, aborted]);
    try {
      return await follow(link, { ...options, signal: stop.signal, until });
    } finally {
      done.abort();
      // Ends whatever is still open, such as the rest of a body that was too large.
      stop.abort();
      options.signal.removeEventListener("abort", onGone);
    }
  };
};

const v4First = (a: string, b: string): number => Number(a.includes(":")) - Number(b.includes(":"));

const readUrl = (link: string, { param }: Pick<ForeignOptions, "param">): URL => {
  const refuse = (message: string) => new GatewayError("invalid_media", message, { param });
  if (!URL.canParse(link)) throw refuse("The link is not a valid URL.");
  const url = new URL(link);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw refuse("Only http and https links are fetched.");
  if (url.username !== "" || url.password !== "") throw refuse("Links with a user name or password are not fetched.");
  return url;
};

const pinned = (url: URL, address: string): string => {
  const host = address.includes(":") ? `[${address}]` : address;
  return `${url.protocol}//${host}${url.port === "" ? "" : `:${url.port}`}${url.pathname}${url.search}`;
};

const pinnedInit = (url: URL, signal: AbortSignal): PinnedInit => ({
  method: "GET",
  headers: { ...HEADERS, host: url.host },
  redirect: "manual",
  credentials: "omit",
  keepalive: false,
  signal,
  ...(url.protocol === "https:" ? { tls: { serverName: url.hostname.replace(/^\[(.*)\]$/, "$1") } } : {}),
});

const discard = (response: Response): void => {
  response.body?.cancel().catch(() => {});
};

const readFile = async (response: Response, journey: Journey): Promise<ForeignFile> => {
  if (!response.ok) {
    discard(response);
    throw unreachable(journey, `The link's server answered with status ${response.status}.`);
  }
  const bytes = await readBody(response, journey);
  if (bytes.byteLength === 0) {
    throw new GatewayError("invalid_media", "The link delivers an empty file.", { param: journey.param });
  }
  return { bytes, mime: uploadType(bytes, response.headers.get("content-type")) };
};

const readBody = async (response: Response, journey: Journey): Promise<Uint8Array> => {
  const { maxBytes, param, until } = journey;
  const tooLarge = () => {
    discard(response);
    return new GatewayError("file_too_large", `The linked file is larger than ${maxBytes} bytes.`, { param });
  };
  if (Number(response.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge();
  if (response.body === null) return new Uint8Array();
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await until(reader.read());
      if (done) break;
      size += value.byteLength;
      if (size > maxBytes) throw tooLarge();
      chunks.push(value);
    }
  } catch (thrown) {
    reader.cancel().catch(() => {});
    if (thrown instanceof GatewayError) throw thrown;
    journey.signal.throwIfAborted();
    throw unreachable(journey, "The link's server broke off in the middle of the file.", thrown);
  }
  return join(chunks, size);
};

const join = (chunks: readonly Uint8Array[], size: number): Uint8Array => {
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
};
