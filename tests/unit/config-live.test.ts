// Settings that change while the program runs.
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLiveConfig, type LiveConfigOptions } from "../../src/config/live.ts";
import { type Log, silentLog } from "../../src/lib/log.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import type { Documents } from "../../src/storage/port.ts";

const folders: string[] = [];

function configFile(text?: string): string {
  const folder = mkdtempSync(join(tmpdir(), "config-"));
  folders.push(folder);
  const path = join(folder, "config.toml");
  if (text !== undefined) writeFileSync(path, text);
  return path;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function options(overrides: Partial<LiveConfigOptions> = {}): LiveConfigOptions {
  return { documents: createMemoryDocuments(), path: configFile(), environment: {}, log: silentLog, ...overrides };
}

function listeningLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const log = { ...silentLog, at: (level: string, message: string) => void lines.push(`${level} ${message}`) };
  return { log: { ...log, error: (message) => void lines.push(`error ${message}`) }, lines };
}

const storedBody = async (documents: Documents): Promise<unknown> => (await documents.get("settings", "config"))?.body;

describe("a patch", () => {
  test("acts at once, is stored, and survives a restart", async () => {
    const given = options();
    const live = await createLiveConfig(given);
    const result = await live.patch({ chat: { timeout: 33 }, app: { api_key: "a,b" } });
    expect(result).toEqual({ ok: true, revision: 1, changed: ["app.api_key", "chat.timeout"], restart: [], notes: [] });
    expect(live.current().chat.timeout).toBe(33);
    expect(live.snapshot().origins.get("chat.timeout")).toBe("stored");
    const restarted = await createLiveConfig(given);
    expect(restarted.current()).toEqual(live.current());
    expect(restarted.snapshot().revision).toBe(1);
  });

  test("with one bad value changes nothing and names all of them", async () => {
    const documents = createMemoryDocuments();
    const live = await createLiveConfig(options({ documents }));
    const result = await live.patch({ chat: { timeout: 33, transport: "pigeon" }, server: { port: -1 } });
    expect(result).toMatchObject({
      ok: false,
      reason: "invalid",
      problems: [
        { key: "chat.transport", value: '"pigeon"', source: "request", reason: "must be one of auto, socket, rest" },
        { key: "server.port", value: "-1" },
      ],
    });
    expect(live.current().chat.timeout).toBe(120);
    expect(await documents.list("settings")).toEqual([]);
  });

  test("of a key that the environment holds is refused by name, unless it asks for what is", async () => {
    const live = await createLiveConfig(options({ environment: { SERVER_PORT: "9000" } }));
    expect(await live.patch({ server: { port: 1 }, chat: { timeout: 1 } })).toEqual({
      ok: false,
      reason: "locked",
      locked: [{ key: "server.port", reason: "is set by the environment variable SERVER_PORT" }],
      notes: [],
    });
    expect(live.current().chat.timeout).toBe(120);
    expect(await live.patch({ server: { port: 9000 }, chat: { timeout: 1 } })).toMatchObject({
      changed: ["chat.timeout"],
    });
  });

  test("of the data folder is refused", async () => {
    const live = await createLiveConfig(options());
    expect(await live.patch({ server: { data_dir: "/elsewhere" } })).toMatchObject({
      reason: "locked",
      locked: [{ key: "server.data_dir" }],
    });
  });

  test("stores only what differs from file and default", async () => {
    const documents = createMemoryDocuments();
    const live = await createLiveConfig(options({ documents, path: configFile("[chat]\ntimeout = 50") }));
    const everything = structuredClone(live.current());
    everything.chat.stream_timeout = 70;
    expect(await live.patch(everything)).toMatchObject({ changed: ["chat.stream_timeout"] });
    expect(await storedBody(documents)).toEqual({ "chat.stream_timeout": { value: 70, replaced: null } });
    await live.patch({ chat: { timeout: 60 } });
    expect(await live.patch({ chat: { timeout: 50, stream_timeout: 90 } })).toMatchObject({
      changed: ["chat.timeout", "chat.stream_timeout"],
    });
    expect(await storedBody(documents)).toEqual({});
  });

  test("that changes nothing writes nothing", async () => {
    const documents = createMemoryDocuments();
    const live = await createLiveConfig(options({ documents }));
    expect(await live.patch({ chat: { timeout: "120" } })).toMatchObject({ ok: true, revision: 0, changed: [] });
    expect(await documents.list("settings")).toEqual([]);
  });

  test("with null goes back to the file", async () => {
    const live = await createLiveConfig(options({ path: configFile("[chat]\ntimeout = 50") }));
    await live.patch({ chat: { timeout: 60 } });
    expect(await live.patch({ chat: { timeout: null } })).toMatchObject({ changed: ["chat.timeout"], revision: 2 });
    expect(live.current().chat.timeout).toBe(50);
    expect(live.snapshot().origins.get("chat.timeout")).toBe("file");
  });

  test("understands old names and tells about unknown ones", async () => {
    const live = await createLiveConfig(options());
    const result = await live.patch({ grok: { max_retry: 7, imagine_blocked_retry: 1 }, chat: { timeuot: 1 } });
    expect(live.current().retry.max_retry).toBe(7);
    expect(result.ok && result.notes.map(({ message }) => message)).toEqual([
      "request: grok.max_retry is now called retry.max_retry; the old name still works",
      "request: grok.imagine_blocked_retry is ignored: a moderation verdict is final here and is never tried again",
      "request: chat.timeuot is not a setting; did you mean chat.timeout?",
    ]);
    expect(await live.patch({ grok: { max_retry: null } })).toMatchObject({ changed: ["retry.max_retry"] });
  });

  test("says which keys wait for a restart", async () => {
    const live = await createLiveConfig(options());
    expect(await live.patch({ server: { port: 9000, log_level: "debug" } })).toMatchObject({
      restart: ["server.port"],
    });
    expect(live.snapshot().pendingRestart).toEqual(["server.port"]);
    await live.patch({ server: { port: null } });
    expect(live.snapshot().pendingRestart).toEqual([]);
  });
});

describe("masked secrets in a patch", () => {
  const secrets =
    "[app]\napi_key = ['first-secret-of-a-caller', 'short']\napp_key = 'long-admin-password'\n[proxy]\nbase_proxy_url = 'http://u:pw@h:1'";
  const start = () => createLiveConfig(options({ path: configFile(secrets) }));

  test("that come back as they were shown change nothing", async () => {
    const live = await start();
    const shown = {
      app: { api_key: ["firs…ller", "****"], app_key: "long…word" },
      proxy: { base_proxy_url: "http://u:****@h:1" },
    };
    expect(await live.patch(shown)).toMatchObject({ ok: true, changed: [], revision: 0 });
    expect(await live.patch({ app: { api_key: "firs…ller, ****" } })).toMatchObject({ ok: true, changed: [] });
  });

  test("keep the others when a list grows or shrinks", async () => {
    const live = await start();
    await live.patch({ app: { api_key: ["new-key", "firs…ller", "****"] } });
    expect(live.current().app.api_key).toEqual(["new-key", "first-secret-of-a-caller", "short"]);
    await live.patch({ app: { api_key: ["****", "****"] } });
    expect(live.current().app.api_key).toEqual(["new-key", "short"]);
    expect(await live.patch({ app: { api_key: ["****"] } })).toMatchObject({ ok: false });
    expect(live.current().app.api_key).toEqual(["new-key", "short"]);
  });

  test.each([
    [{ proxy: { base_proxy_url: "http://u:****@other:1" } }],
    [{ app: { app_key: "****" } }],
    [{ app: { api_key: ["****", "****"] } }],
    [{ app: { api_key: ["abcd…wxyz"] } }],
  ])("that do not match are refused instead of stored: %j", async (tree) => {
    const live = await start();
    const before = live.current();
    expect(await live.patch(tree)).toMatchObject({
      reason: "invalid",
      problems: [{ reason: "is partly masked; type the whole value again" }],
    });
    expect(live.current()).toEqual(before);
  });
});

describe("two editors", () => {
  test("the second one is told", async () => {
    const live = await createLiveConfig(options());
    expect(await live.patch({ chat: { timeout: 1 } }, { expectRevision: 0 })).toMatchObject({ ok: true, revision: 1 });
    expect(await live.patch({ chat: { timeout: 2 } }, { expectRevision: 0 })).toEqual({
      ok: false,
      reason: "conflict",
      revision: 1,
    });
    expect(live.current().chat.timeout).toBe(1);
  });

  test("in two programs over one store: the stale one is told, and sees the change", async () => {
    const given = options();
    const [one, other] = [await createLiveConfig(given), await createLiveConfig(given)];
    await one.patch({ chat: { timeout: 1 } });
    expect(await other.patch({ chat: { timeout: 2 } }, { expectRevision: 0 })).toEqual({
      ok: false,
      reason: "conflict",
      revision: 1,
    });
    expect(other.current().chat.timeout).toBe(1);
  });

  test("without an expectation both changes are kept", async () => {
    const given = options();
    const [one, other] = [await createLiveConfig(given), await createLiveConfig(given)];
    await Promise.all([
      one.patch({ chat: { timeout: 1 } }),
      other.patch({ chat: { stream_timeout: 2 } }),
      one.patch({ chat: { total_timeout: 3 } }),
    ]);
    await Promise.all([one.reload(), other.reload()]);
    expect(one.current().chat).toMatchObject({ timeout: 1, stream_timeout: 2, total_timeout: 3 });
    expect(other.current()).toEqual(one.current());
  });
});

describe("the file", () => {
  test("wins when it is edited after a stored change, which is then forgotten for good", async () => {
    const { log, lines } = listeningLog();
    const given = options({ path: configFile("[chat]\ntimeout = 50"), log });
    const first = await createLiveConfig(given);
    await first.patch({ chat: { timeout: 60, stream_timeout: 61 } });
    writeFileSync(given.path, "[chat]\ntimeout = 70");
    const second = await createLiveConfig(given);
    expect(second.current().chat).toMatchObject({ timeout: 70, stream_timeout: 61 });
    expect(lines).toEqual([
      "info stored settings: chat.timeout was changed in the file after it was stored; the file wins",
    ]);
    expect(second.snapshot().revision).toBe(2);
    writeFileSync(given.path, "[chat]\ntimeout = 50");
    expect((await createLiveConfig(given)).current().chat.timeout).toBe(50);
  });

  test("is read again on demand; a fault leaves everything as it was", async () => {
    const given = options({ path: configFile("[chat]\ntimeout = 50") });
    const live = await createLiveConfig(given);
    writeFileSync(given.path, "[chat]\ntimeout = 51\nstream_timeout = 5");
    expect(await live.reload()).toEqual({ ok: true, changed: ["chat.timeout", "chat.stream_timeout"], notes: [] });
    writeFileSync(given.path, "[chat]\ntimeout = 'x'");
    expect(await live.reload()).toEqual({ ok: false, message: expect.stringContaining('chat.timeout = "x"') });
    writeFileSync(given.path, "[chat");
    expect(await live.reload()).toEqual({ ok: false, message: expect.stringContaining("config.toml:1:") });
    expect(live.current().chat).toMatchObject({ timeout: 51, stream_timeout: 5 });
  });

  test("of the earliest program lies below it", async () => {
    const path = configFile("[app]\napp_url = 'http://new'");
    writeFileSync(join(path, "..", "setting.toml"), "[global]\nbase_url = 'http://old'\nadmin_username = 'root'");
    const live = await createLiveConfig(options({ path }));
    expect(live.current().app).toMatchObject({ app_url: "http://new", admin_username: "root" });
  });

  test("with a bad value stops the start with its name", () => {
    const path = configFile("[server]\nport = 'x'");
    expect(createLiveConfig(options({ path }))).rejects.toThrow(/not valid:\nserver\.port = "x" \(.*config\.toml\)/);
  });

  test("that cannot be read stops the start", () => {
    const folder = configFile("").replace("/config.toml", "");
    expect(createLiveConfig(options({ path: folder }))).rejects.toThrow("cannot read the configuration file");
  });
});

describe("listeners", () => {
  test("hear of changes, once each, until they leave", async () => {
    const live = await createLiveConfig(options());
    const heard: string[][] = [];
    const leave = live.subscribe(({ config, changed }) => heard.push([...changed, String(config.chat.timeout)]));
    await live.patch({ chat: { timeout: 1 } });
    await live.patch({ chat: { timeout: 1 } });
    leave();
    await live.patch({ chat: { timeout: 2 } });
    expect(heard).toEqual([["chat.timeout", "1"]]);
  });

  test("that fail do not stop a change or the others", async () => {
    const { log, lines } = listeningLog();
    const live = await createLiveConfig(options({ log }));
    let heard = 0;
    live.subscribe(() => {
      throw new Error("broken");
    });
    live.subscribe(() => void heard++);
    expect(await live.patch({ chat: { timeout: 1 } })).toMatchObject({ ok: true });
    expect([heard, lines]).toEqual([1, ["error a listener failed after a change of settings"]]);
  });

  test("cannot change the configuration", async () => {
    const live = await createLiveConfig(options());
    expect(() => live.current().app.api_key.push("x")).toThrow();
    expect(() => Object.assign(live.current().chat, { timeout: 1 })).toThrow();
  });
});
