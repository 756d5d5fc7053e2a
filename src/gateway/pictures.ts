// Brings a picture or clip that an account has made into our own store and says how to link it. The caller never gets the
// upstream's address: it would need the account's cookie.
import type { Config } from "../config/schema.ts";
import { asGatewayError, GatewayError } from "../core/errors.ts";
import type { MediaSource } from "../core/events.ts";
import type { Clock } from "../lib/clock.ts";
import { createGate } from "../lib/lock.ts";
import { dataLink, type MediaKind } from "../media/links.ts";
import type { FetchedMedia, FileBody, Provider, ProviderCall } from "../providers/port.ts";

export interface KeptClip {
  readonly name: string;
  readonly mime: string;
  readonly link: string;
}

export interface KeptFile extends KeptClip {
  readonly bytes: Uint8Array;
}

export interface Pictures {
  /** The stored file and its public link, whatever the settings say. Not waited for long when it is an extra. Throws GatewayError. */
  keep(source: MediaSource, call: ProviderCall & { baseUrl: string; isExtra?: boolean }): Promise<KeptFile>;
  /** The same for a clip, which goes to the disk without being held. Throws GatewayError. */
  keepClip(source: MediaSource, call: ProviderCall & { baseUrl: string }): Promise<KeptClip>;
  /** The bytes alone, for what is not worth storing. Throws GatewayError. */
  fetch(source: MediaSource, call: ProviderCall): Promise<FetchedMedia>;
  /** A public link, or a data URI when the caller wants the bytes or `app.image_format` says so. Throws GatewayError. */
  store(source: MediaSource, call: ProviderCall & { baseUrl: string; inline: boolean }): Promise<string>;
}

export interface PictureDeps {
  readonly provider: Pick<Provider, "download" | "openFile">;
  readonly config: () => Config;
  readonly clock: Clock;
  /** Keeps the bytes and returns the stored name and the type that they really have. */
  readonly keep: (file: {
    kind: MediaKind;
    bytes: Uint8Array;
    origin: string;
    account: string;
  }) => Promise<{ name: string; mime: string }>;
  readonly keepBody: (file: {
    kind: MediaKind;
    body: FileBody;
    origin: string;
    account: string;
  }) => Promise<{ name: string; mime: string }>;
  readonly link: (baseUrl: string, file: { kind: MediaKind; name: string }) => string;
}

/** The file may not be there yet when its frame comes (observed 2026-08). The last pause is repeated. */
const PAUSES_MS = [200, 750, 1500, 3000, 5000];
const NOT_YET = new Set([403, 404, 408, 425, 429, 500, 502, 503, 504]);

/** Whether the same account may get the file by asking again; what is too large or no picture stays so. */
const mayYetCome = ({ code, row, detail }: GatewayError): boolean => {
  const status = detail.upstream?.status;
  if (status !== undefined) return NOT_YET.has(status);
  return code !== "upstream_malformed" && (row.blame === "upstream" || row.blame === "egress");
};

/** Previews and stills are not worth holding the picture or the clip back for. */
const EXTRA_SECONDS = 2.5;

export const createPictures = ({ provider, config, clock, keep, keepBody, link }: PictureDeps): Pictures => {
  const gate = createGate(() => config().asset.download_concurrent);
  const inTurn = async <T>(call: ProviderCall, ask: () => Promise<T>): Promise<T> => {
    const leave = await gate.enter(call.signal);
    try {
      return await ask();
    } finally {
      leave();
    }
  };

  /**
   * A finished file is worth waiting for: made anew by another account it costs both. So the same account asks until
   * `asset.download_timeout` is over.
   */
  const patiently = async <T>(call: ProviderCall & { isExtra?: boolean }, ask: () => Promise<T>): Promise<T> => {
    const limitSeconds = config().asset.download_timeout;
    const until = clock.monotonic() + (call.isExtra ? Math.min(EXTRA_SECONDS, limitSeconds) : limitSeconds) * 1000;
    for (let count = 0; ; count++) {
      try {
        return await inTurn(call, ask);
      } catch (thrown) {
        call.signal.throwIfAborted();
        const error = asGatewayError(thrown);
        const pause = PAUSES_MS[count] ?? PAUSES_MS.at(-1) ?? 0;
        if (!mayYetCome(error) || clock.monotonic() + pause > until) throw blameless(error);
        call.log.info("a file of an answer is asked for again", {
          account: call.credential.accountId,
          reason: error.code,
        });
        await clock.sleep(pause, call.signal);
      }
    }
  };

  /** A refused download says nothing about the account: the answer itself was served. */
  const blameless = (error: GatewayError): GatewayError => {
    if (error.code === "storage_full") return error;
    const within = mayYetCome(error) ? ` within asset.download_timeout (${config().asset.download_timeout} s)` : "";
    const message = `A file of the answer could not be fetched from the upstream${within}.`;
    return new GatewayError("upstream_error", message, { cause: error });
  };
  const download = (source: MediaSource, call: ProviderCall & { isExtra?: boolean }): Promise<FetchedMedia> => {
    const maxBytes = config().asset.max_download_mb * 1024 * 1024;
    return patiently(call, () => provider.download(source, { ...call, maxBytes }));
  };
  const stored: Pictures["keep"] = async (source, call) => {
    const { bytes } = await download(source, call);
    const kind = "image";
    const origin = source.url ?? "inline";
    const { name, mime } = await keep({ kind, bytes, origin, account: call.credential.accountId });
    return { name, mime, bytes, link: link(call.baseUrl, { kind, name }) };
  };

  return {
    fetch: (source, call) => download(source, { ...call, isExtra: true }),
    keep: stored,
    async keepClip(source, call) {
      const kind = "video";
      const { accountId: account } = call.credential;
      const origin = source.url ?? "inline";
      // A body that breaks off is asked for again like one that is refused.
      const { name, mime } = await patiently(call, async () => {
        const body = await provider.openFile(source, call);
        try {
          return await keepBody({ kind, body, origin, account });
        } catch (thrown) {
          body.cancel();
          throw thrown;
        }
      });
      return { name, mime, link: link(call.baseUrl, { kind, name }) };
    },
    async store(source, call) {
      const file = await stored(source, call);
      const inline = call.inline || config().app.image_format !== "url";
      return inline ? dataLink(file.mime, file.bytes) : file.link;
    },
  };
};
