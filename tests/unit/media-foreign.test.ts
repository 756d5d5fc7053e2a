import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Clock } from "../../src/lib/clock.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createForeignFetcher, type ForeignDeps, type PinnedInit } from "../../src/media/foreign.ts";

const PNG = "\x89PNG\r\n\x1a\n";
const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (char) => char.charCodeAt(0));
const png = () => new Response(bytes(PNG), { headers: { "content-type": "text/html" } });

interface Asked {
  url: string;
  init: PinnedInit;
}

const NAMES: Record<string, string[]> = {
  "pics.example": ["93.184.216.34"],
  "v6.example": ["2606:4700::1", "93.184.216.34"],
  "inside.example": ["10.0.0.5"],
  "half.example": ["93.184.216.34", "127.0.0.1"],
  "meta.example": ["169.254.169.254"],
  "mapped.example": ["::ffff:127.0.0.1"],
  "empty.example": [],
  localhost: ["127.0.0.1", "::1"],
};

const setUp = (over: Partial<ForeignDeps> = {}) => {
  const asked: Asked[] = [];
  const deps: ForeignDeps = {
    fetch: async () => png(),
    resolve: async (host) => {
      const found = NAMES[host];
      if (found === undefined) throw new Error(`ENOTFOUND ${host}`);
      return found;
    },
    clock: systemClock,
    allowPrivate: () => false,
    ...over,
  };
  const fetchForeign = createForeignFetcher({
    ...deps,
    fetch: async (url, init) => {
      asked.push({ url, init });
      return deps.fetch(url, init);
    },
  });
  const signal = new AbortController().signal;
  const get = (url: string, options: { maxBytes?: number; timeoutMs?: number; signal?: AbortSignal } = {}) =>
    fetchForeign(url, { maxBytes: 100, timeoutMs: 5000, signal, param: "messages.0.content.0.image_url", ...options });
  const failure = async (...args: Parameters<typeof get>) =>
    get(...args).then(
      () => ({ code: "nothing", message: "" }),
      (thrown: unknown) => thrown as { code: string; message: string },
    );
  return { asked, get, failure };
};
const redirect = (location: string, status = 302) => new Response(null, { status, headers: { location } });

describe("which addresses are asked", () => {
  test("a public name is asked at its checked address, under its own name", async () => {
    const { get, asked } = setUp();
    expect(await get("https://pics.example:8443/a.png?x=1#y")).toEqual({ bytes: bytes(PNG), mime: "image/png" });
    expect(asked.length).toBe(1);
    expect(asked[0]?.url).toBe("https://93.184.216.34:8443/a.png?x=1");
    expect(asked[0]?.init).toMatchObject({
      redirect: "manual",
      credentials: "omit",
      keepalive: false,
      tls: { serverName: "pics.example" },
    });
    expect(asked[0]?.init.headers).toMatchObject({ host: "pics.example:8443", "accept-encoding": "identity" });
    expect(Object.keys(asked[0]?.init.headers ?? {})).not.toContain("cookie");
  });

  test("plain http has no certificate name; a literal address needs no resolver", async () => {
    const { get, asked } = setUp({ resolve: () => Promise.reject(new Error("must not be asked")) });
    await get("http://93.184.216.34/a");
    await get("http://[2606:4700::1]/a");
    expect(asked.map(({ url, init }) => [url, init.tls])).toEqual([
      ["http://93.184.216.34/a", undefined],
      ["http://[2606:4700::1]/a", undefined],
    ]);
  });

  test("IPv4 is tried first, the next address when connecting fails", async () => {
    let calls = 0;
    const { get, asked } = setUp({
      fetch: async () => {
        if (++calls === 1) throw new Error("ECONNREFUSED");
        return png();
      },
    });
    await get("http://v6.example/a");
    expect(asked.map(({ url }) => url)).toEqual(["http://93.184.216.34/a", "http://[2606:4700::1]/a"]);
  });

  test.each([
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://10.0.0.1/",
    "http://100.64.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1:8080/",
    "http://169.254.169.254/latest/meta-data/",
    "http://168.63.129.16/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://[fd00:ec2::254]/",
    "http://[ff02::1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://localhost/",
    "https://inside.example/",
    "https://half.example/",
    "https://meta.example/",
    "https://mapped.example/",
    "https://empty.example/",
    "https://unknown.example/",
  ])("%s is never asked", async (url) => {
    const { failure, asked } = setUp();
    expect(await failure(url)).toMatchObject({ code: "unreachable_media", param: "messages.0.content.0.image_url" });
    expect(asked).toEqual([]);
  });

  test("a name inside and a name that does not exist cannot be told apart", async () => {
    const { failure } = setUp();
    const message = async (host: string) => (await failure(`http://${host}/`)).message.replace(host, "HOST");
    expect(await message("inside.example")).toBe(await message("unknown.example"));
  });

  test.each([
    "ftp://pics.example/a",
    "file:///etc/passwd",
    "gopher://pics.example/",
    "data:image/png;base64,AAAA",
    "http://user:pw@pics.example/",
    "http://user@pics.example/",
    "not a url",
    "",
  ])("%p is no link", async (url) => {
    const { failure, asked } = setUp();
    expect(await failure(url)).toMatchObject({ code: "invalid_media" });
    expect(asked).toEqual([]);
  });

  test("the operator may open private networks, but not this host, metadata, link-local or multicast", async () => {
    const { get, failure, asked } = setUp({ allowPrivate: () => true });
    for (const host of ["10.0.0.5", "[fd00::1]", "inside.example"]) await get(`http://${host}/`);
    expect(asked.length).toBe(3);
    const closed = ["127.0.0.1", "[::1]", "localhost", "half.example", "0.0.0.0"];
    for (const host of [...closed, "169.254.169.254", "meta.example", "224.0.0.1", "[fe80::1]", "100.100.100.200"]) {
      expect(await failure(`http://${host}/`)).toMatchObject({ code: "unreachable_media" });
    }
    expect(asked.length).toBe(3);
  });

  test("a name that answers differently the second time gains nothing", async () => {
    let questions = 0;
    const { get, asked } = setUp({
      resolve: async () => (++questions === 1 ? ["93.184.216.34"] : ["127.0.0.1"]),
    });
    await get("http://rebind.example/");
    expect(questions).toBe(1);
    expect(asked[0]?.url).toBe("http://93.184.216.34/");
  });
});

describe("redirects", () => {
  test("are followed three times, relative ones too", async () => {
    const steps = [redirect("/b"), redirect("https://v6.example/c", 307), redirect("d", 308), png()];
    const { get, asked } = setUp({ fetch: async () => steps.shift() ?? png() });
    await get("http://pics.example/a");
    expect(asked.map(({ url, init }) => [url, init.headers["host"]])).toEqual([
      ["http://93.184.216.34/a", "pics.example"],
      ["http://93.184.216.34/b", "pics.example"],
      ["https://93.184.216.34/c", "v6.example"],
      ["https://93.184.216.34/d", "v6.example"],
    ]);
  });

  test("a fourth is refused", async () => {
    const { failure, asked } = setUp({ fetch: async () => redirect("/again") });
    expect(await failure("http://pics.example/")).toMatchObject({ code: "unreachable_media" });
    expect(asked.length).toBe(4);
  });

  test.each([
    ["http://127.0.0.1/", "unreachable_media"],
    ["http://inside.example/", "unreachable_media"],
    ["http://169.254.169.254/", "unreachable_media"],
    ["//localhost/", "unreachable_media"],
    ["file:///etc/passwd", "invalid_media"],
    ["http://a:b@pics.example/", "invalid_media"],
    ["http://", "unreachable_media"],
  ])("to %s is refused with %s, unasked", async (location, code) => {
    const { failure, asked } = setUp({ fetch: async () => redirect(location) });
    expect(await failure("http://pics.example/")).toMatchObject({ code });
    expect(asked.length).toBe(1);
  });
});

describe("answers", () => {
  test.each([404, 403, 500, 304])("status %d is unreachable", async (status) => {
    const { failure } = setUp({ fetch: async () => new Response(null, { status }) });
    expect(await failure("http://pics.example/")).toMatchObject({
      code: "unreachable_media",
      message: expect.stringContaining(String(status)) as string,
    });
  });

  test("an empty file", async () => {
    const { failure } = setUp({ fetch: async () => new Response("") });
    expect(await failure("http://pics.example/")).toMatchObject({ code: "invalid_media" });
  });

  test("the type is proven by bytes, else declared", async () => {
    const { get } = setUp({ fetch: async () => new Response("a,b", { headers: { "content-type": "text/csv" } }) });
    expect((await get("http://pics.example/")).mime).toBe("text/csv");
  });

  test("a declared size over the cap is not read", async () => {
    const headers = { "content-length": "101" };
    const { failure } = setUp({ fetch: async () => new Response(bytes(PNG), { headers }) });
    expect(await failure("http://pics.example/")).toMatchObject({ code: "file_too_large" });
  });

  test("a body without a declared size ends at the cap, and is cancelled", async () => {
    let cancelled = false;
    let pulled = 0;
    const body = new ReadableStream({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(30));
      },
      cancel() {
        cancelled = true;
      },
    });
    const { failure } = setUp({ fetch: async () => new Response(body) });
    expect(await failure("http://pics.example/")).toMatchObject({ code: "file_too_large" });
    expect(cancelled).toBe(true);
    expect(pulled).toBeLessThan(8);
  });

  test("a file of exactly the cap passes", async () => {
    const { get } = setUp({ fetch: async () => new Response(new Uint8Array(100)) });
    expect((await get("http://pics.example/")).bytes.length).toBe(100);
  });

  test("a body that breaks off", async () => {
    const body = new ReadableStream({
      pull(controller) {
        controller.error(new Error("reset"));
      },
    });
    const { failure } = setUp({ fetch: async () => new Response(body) });
    expect(await failure("http://pics.example/")).toMatchObject({ code: "unreachable_media" });
  });
});

describe("time", () => {
  /** Fires every sleep when told to, and drops those that were given up. */
  const manualClock = () => {
    const waiting = new Set<() => void>();
    const clock: Clock = {
      ...systemClock,
      sleep: (_ms, signal) =>
        new Promise((resolve, reject) => {
          waiting.add(resolve);
          signal?.addEventListener("abort", () => {
            waiting.delete(resolve);
            reject(new Error("given up"));
          });
        }),
    };
    return { clock, waiting, fire: () => waiting.forEach((run) => run()) };
  };
  const never = <T>() => new Promise<T>(() => {});
  const stuck: [what: string, over: Partial<ForeignDeps>][] = [
    ["the resolver", { resolve: () => never() }],
    ["the server", { fetch: () => never() }],
    ["the body", { fetch: async () => new Response(new ReadableStream({ pull: () => never<undefined>() })) }],
  ];

  test.each(stuck)("the limit ends the wait for %s", async (_what, over) => {
    const { clock, fire } = manualClock();
    const { failure } = setUp({ ...over, clock });
    const waiting = failure("http://pics.example/", { timeoutMs: 7000 });
    await Bun.sleep(1);
    fire();
    expect(await waiting).toMatchObject({
      code: "unreachable_media",
      message: expect.stringContaining("7 s") as string,
    });
  });

  test.each(stuck)("the caller's leaving ends the wait for %s, with the caller's reason", async (_what, over) => {
    const gone = new AbortController();
    const { failure } = setUp(over);
    const waiting = failure("http://pics.example/", { signal: gone.signal });
    await Bun.sleep(1);
    gone.abort(new Error("left"));
    expect(await waiting).toMatchObject({ message: "left" });
  });

  test("no timer outlives the fetch, and the request's signal is ended", async () => {
    const { clock, waiting } = manualClock();
    const { get, asked } = setUp({ clock });
    await get("http://pics.example/");
    expect(waiting.size).toBe(0);
    expect(asked[0]?.init.signal.aborted).toBe(true);
  });
});

describe("with Bun's own fetch", () => {
  let server: ReturnType<typeof Bun.serve>;
  const seen: Headers[] = [];
  beforeAll(() => {
    server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request) => {
        seen.push(request.headers);
        return new URL(request.url).pathname === "/hop" ? redirect("/file") : png();
      },
    });
  });
  afterAll(() => server.stop(true));

  test("the pinned request reaches the address and carries the name", async () => {
    // Loopback itself stays closed, so a private address stands for it.
    const viaLoopback = (url: string, init: RequestInit) => fetch(url.replace("//10.0.0.5:", "//127.0.0.1:"), init);
    const { get } = setUp({ fetch: viaLoopback, resolve: async () => ["10.0.0.5"], allowPrivate: () => true });
    expect((await get(`http://pics.example:${server.port}/hop`)).mime).toBe("image/png");
    expect(seen.map((headers) => headers.get("host"))).toEqual(Array(2).fill(`pics.example:${server.port}`));
    expect(seen.every((headers) => headers.get("cookie") === null && headers.get("authorization") === null)).toBe(true);
  });
});
