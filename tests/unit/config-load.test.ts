// How the sources rank, and that nothing which is set disappears without a word.
import { describe, expect, test } from "bun:test";
import { configPath } from "../../src/config/environment.ts";
import { parseConfigText } from "../../src/config/file.ts";
import { envNotes, formerKeys, ignoredKeys, legacyRules } from "../../src/config/legacy.ts";
import {
  type ConfigSources,
  fingerprint,
  formatProblems,
  loadConfig,
  type LoadedConfig,
  type StoredSettings,
} from "../../src/config/load.ts";
import { editDistance, nearestName } from "../../src/config/nearest.ts";
import { configKeys, sections } from "../../src/config/schema.ts";

const file = (text: string, path = "config.toml") => ({ path, tree: parseConfigText(text, path) });

function load(sources: ConfigSources): LoadedConfig {
  const result = loadConfig(sources);
  if (!result.ok) throw new Error(formatProblems(result.problems));
  return result;
}

function problemsOf(sources: ConfigSources): string[] {
  const result = loadConfig(sources);
  return result.ok ? [] : formatProblems(result.problems).split("\n");
}

const messages = (loaded: LoadedConfig): string[] => loaded.notes.map(({ message }) => message);

describe("sources", () => {
  test("default, file, stored and environment rank in this order", () => {
    const loaded = load({
      files: [file("[chat]\ntimeout = 1\nstream_timeout = 1\ntotal_timeout = 1")],
      stored: {
        "chat.stream_timeout": { value: 2, replaced: fingerprint(1) },
        "chat.total_timeout": { value: 2, replaced: fingerprint(1) },
      },
      environment: { GROK2API_CHAT_TOTAL_TIMEOUT: "3" },
    });
    expect(loaded.config.chat).toMatchObject({
      timeout: 1,
      stream_timeout: 2,
      total_timeout: 3,
      heartbeat_seconds: 15,
    });
    expect(
      ["timeout", "stream_timeout", "total_timeout", "heartbeat_seconds"].map((name) =>
        loaded.origins.get(`chat.${name}`),
      ),
    ).toEqual(["file", "stored", "environment", "default"]);
    expect(loaded.notes).toEqual([]);
    expect(loaded.droppedStored).toEqual([]);
  });

  test("a later file wins", () => {
    const loaded = load({ files: [file("[global]\nbase_url = 'http://old'"), file("[app]\napp_url = 'http://new'")] });
    expect(loaded.config.app.app_url).toBe("http://new");
  });

  test("sources are left as they were", () => {
    const tree = { app: { api_key: "a,b" } };
    load({ files: [{ path: "config.toml", tree }] });
    expect(tree).toEqual({ app: { api_key: "a,b" } });
  });
});

describe("a stored setting", () => {
  const stored = (replaced: string | null): StoredSettings => ({ "app.api_key": { value: ["stored"], replaced } });

  test.each<[string, string, string | null, string]>([
    ["the file never had a value", "", null, "stored"],
    ["the file's value is the one that was replaced", "api_key = 'old'", fingerprint(["old"]), "stored"],
    ["the file spells the same value differently", "api_key = ['old']", fingerprint(["old"]), "stored"],
    ["the file's value has changed", "api_key = 'new'", fingerprint(["old"]), "new"],
    ["the file got a value later", "api_key = 'new'", null, "new"],
    ["the file lost its value", "", fingerprint(["old"]), "stored"],
  ])("%s", (_, line, replaced, expected) => {
    const loaded = load({ files: [file(`[app]\n${line}`)], stored: stored(replaced) });
    expect(loaded.config.app.api_key).toEqual([expected]);
    const dropped = expected === "new";
    expect(loaded.droppedStored).toEqual(dropped ? ["app.api_key"] : []);
    expect(messages(loaded)).toEqual(
      dropped ? ["stored settings: app.api_key was changed in the file after it was stored; the file wins"] : [],
    );
  });

  test("that is no longer allowed is set aside with its name and kept", () => {
    const loaded = load({ stored: { "chat.transport": { value: "pigeon", replaced: null } } });
    expect(loaded.config.chat.transport).toBe("auto");
    expect(loaded.droppedStored).toEqual([]);
    expect(messages(loaded)).toEqual([
      'chat.transport = "pigeon" (stored settings): must be one of auto, socket, rest; it is not used',
    ]);
  });

  test("of a key that is needed before stored settings are read is not used", () => {
    const loaded = load({ stored: { "server.data_dir": { value: "/elsewhere", replaced: null } } });
    expect(loaded.config.server.data_dir).toBe("./data");
    expect(messages(loaded)).toEqual([expect.stringContaining("server.data_dir")]);
  });
});

describe("problems", () => {
  test("all are named at once, with key, value, source and reason", () => {
    expect(
      problemsOf({
        files: [file("[server]\nport = 70000\n[grok]\nwreq_emulation = 'netscape'", "data/config.toml")],
        environment: { GROK2API_APP_THINKING: "perhaps" },
      }),
    ).toEqual([
      "server.port = 70000 (data/config.toml): must be a whole number from 0 to 65535",
      'proxy.browser = "netscape" (data/config.toml, written as grok.wreq_emulation): must be a browser name with its version, such as chrome_136',
      'app.thinking = "perhaps" (environment variable GROK2API_APP_THINKING): must be true or false',
    ]);
  });

  test("a bad value in the file counts although the environment covers it", () => {
    const sources = { files: [file("[server]\nport = 'x'")], environment: { SERVER_PORT: "1" } };
    expect(problemsOf(sources)).toHaveLength(1);
  });

  test("never show a secret", () => {
    const text = problemsOf({
      files: [file("[app]\napp_key = 987654321\napi_key = [1, 'sekret-sekret-sekret']\n")],
      environment: {
        GROK2API_PROXY_BASE_PROXY_URL: "socks4://user:sekret@h",
        GROK2API_PROXY_ASSET_PROXY_URL: "u:sekret@h",
      },
    }).join("\n");
    expect(text.split("\n")).toHaveLength(4);
    expect(text).not.toMatch(/sekret@|987654321|sekret-sekret/);
    expect(text).toContain("socks4://user:****@h");
  });

  test.each([
    ["[server\nport = 1", "config.toml:1:8: not valid TOML"],
    ["a = 1\na = 2", "config.toml:2:"],
    ['[app]\napp_key = "never-shown', "config.toml:2:"],
  ])("broken TOML names file, line and column: %j", (text, expected) => {
    let message = "";
    try {
      parseConfigText(text, "config.toml");
    } catch (thrown) {
      message = Bun.inspect(thrown);
    }
    expect(message).toContain(expected);
    expect(message).not.toContain("never-shown");
  });

  test("a byte order mark is no fault", () => {
    expect(parseConfigText("\uFEFF[app]\napp_url = ''", "config.toml")).toEqual({ app: { app_url: "" } });
  });
});

describe("the environment", () => {
  test("an empty variable counts as not set", () => {
    expect(load({ environment: { GROK2API_APP_API_KEY: "", SERVER_PORT: "" } }).origins.get("app.api_key")).toBe(
      "default",
    );
  });

  test("the documented name wins over the one made by rule, and that over the old prefix", () => {
    const all = { SERVER_PORT: "1", GROK2API_SERVER_PORT: "2", GROK_SERVER_PORT: "3" };
    expect(load({ environment: all }).config.server.port).toBe(1);
    expect(load({ environment: { ...all, SERVER_PORT: undefined } }).config.server.port).toBe(2);
    expect(load({ environment: { GROK_SERVER_PORT: "3" } }).config.server.port).toBe(3);
  });

  test("old names are understood", () => {
    const loaded = load({ environment: { GROK2API_GROK_MAX_RETRY: "7", GROK_ACCOUNT_SELECTION_MAX_INFLIGHT: "9" } });
    expect([loaded.config.retry.max_retry, loaded.config.token.max_inflight]).toEqual([7, 9]);
    expect(messages(loaded)).toEqual([
      "environment: grok.max_retry is now called retry.max_retry; the old name still works",
      "environment: account.selection.max_inflight is now called token.max_inflight; the old name still works",
    ]);
  });

  test("an unknown variable of ours is named with the nearest one, others are nobody's business", () => {
    const loaded = load({ environment: { GROK2API_CHAT_TIMEOUTS: "1", GROK_API_KEY: "x", PATH: "/bin" } });
    expect(messages(loaded)).toEqual([
      "environment: GROK2API_CHAT_TIMEOUTS is not a setting; did you mean GROK2API_CHAT_TIMEOUT?",
    ]);
  });

  test("a variable that asks for something else than this program does is named, a harmless one is not", () => {
    expect(messages(load({ environment: { SERVER_STORAGE_TYPE: "redis", SERVER_WORKERS: "4" } }))).toEqual([
      expect.stringContaining("SERVER_STORAGE_TYPE is ignored"),
      expect.stringContaining("SERVER_WORKERS is ignored"),
    ]);
    expect(messages(load({ environment: { SERVER_STORAGE_TYPE: "local", SERVER_WORKERS: "1" } }))).toEqual([]);
  });

  test.each([
    [{}, "data/config.toml"],
    [{ DATA_DIR: "/data" }, "/data/config.toml"],
    [{ DATA_DIR: "/data", CONFIG_LOCAL_PATH: "/etc/g.toml" }, "/etc/g.toml"],
  ])("the file is found by %j", (environment, path) => {
    expect(configPath(environment)).toBe(path);
  });
});

describe("names", () => {
  test.each([
    ["[app]\napi_keys = 'a'", "app.api_keys is not a setting; did you mean app.api_key?"],
    ["port = 1", "port is not a setting; did you mean server.port?"],
    ["[http]\nmax_streams = 1", "http.max_streams is not a setting; did you mean server.max_streams?"],
    ["[zebra]\nstripes = 1", "zebra.stripes is not a setting"],
    ["server = 'x'", "server is a section, not a setting; its keys belong below [server]"],
    [
      "[app]\nstream = true",
      "app.stream is ignored: a request without `stream` is answered whole, as the API's specification says",
    ],
    [
      "[grok]\nimagine_blocked_retry = 3",
      "grok.imagine_blocked_retry is ignored: a moderation verdict is final here and is never tried again",
    ],
    [
      "[image]\nblocked_parallel_enabled = true",
      "image.blocked_parallel_enabled is ignored: a moderation verdict is final here and is never tried again",
    ],
    ["[image]\nmax_retries = 5", "image.max_retries has no effect in this version"],
    ["constructor = 1", "constructor is not a setting"],
    ["[constructor]\nname = 1", "constructor.name is not a setting"],
  ])("%j is explained", (text, message) => {
    expect(messages(load({ files: [file(text)] }))).toEqual([`config.toml: ${message}`]);
  });

  test("a new name wins over an old one of the same source, whichever stands first", () => {
    for (const text of ["grok.max_retry = 1\nretry.max_retry = 2", "retry.max_retry = 2\ngrok.max_retry = 1"]) {
      const loaded = load({ files: [file(text)] });
      expect(loaded.config.retry.max_retry).toBe(2);
      expect(messages(loaded)).toEqual(["config.toml: grok.max_retry is ignored, because retry.max_retry is set too"]);
    }
  });

  test("the flat tree of one earlier program becomes ours", () => {
    const { config } = load({
      files: [
        file(`
          [app]
          app_url = "http://127.0.0.1:8000"
          app_key = "grok2api"
          [grok]
          timeout = 90
          temporary = false
          base_proxy_url = "http://127.0.0.1:7890"
          cf_clearance = "abc"
          wreq_emulation = "chrome_136"
          retry_status_codes = [401, 429]
          filter_tags = ["xaiartifact"]
          [performance]
          assets_max_concurrent = 25
          usage_max_concurrent = 24
          [downstream]
          enable_files = false
        `),
      ],
    });
    expect(config.chat.timeout).toBe(90);
    expect(config.app).toMatchObject({ temporary: false, app_key: "grok2api", filter_tags: ["xaiartifact"] });
    expect(config.proxy).toMatchObject({ base_proxy_url: "http://127.0.0.1:7890", cf_clearance: "abc" });
    expect(config.retry.retry_status_codes).toEqual([401, 429]);
    expect([config.asset.upload_concurrent, config.usage.concurrent]).toEqual([25, 24]);
    expect(config.downstream.enable_files).toBe(false);
  });

  test("the earliest program's setting.toml becomes ours", () => {
    const { config } = load({
      files: [
        file(`
          [global]
          base_url = "http://host"
          log_level = "WARNING"
          image_mode = "base64"
          admin_username = "root"
          admin_password = "pass"
          [grok]
          api_key = "k"
          proxy_url = "socks5://h:1"
          cf_clearance = "cf_clearance=v"
          filtered_tags = "a,b"
          show_thinking = false
          stream_first_response_timeout = 30
          stream_chunk_timeout = 120
          stream_total_timeout = 500
          retry_status_codes = "401,429"
        `),
      ],
    });
    expect(config.app).toMatchObject({
      app_url: "http://host",
      image_format: "base64",
      admin_username: "root",
      app_key: "pass",
      api_key: ["k"],
      filter_tags: ["a", "b"],
      thinking: false,
    });
    expect(config.proxy).toMatchObject({ base_proxy_url: "socks5h://h:1", cf_clearance: "v" });
    expect(config.server.log_level).toBe("warn");
    expect(config.chat).toMatchObject({ timeout: 30, stream_timeout: 120, total_timeout: 500 });
  });

  test("the tree with nested sections becomes ours", () => {
    const { config } = load({
      files: [
        file(`
          [features]
          memory = true
          image_format = "local_md"
          [proxy.egress]
          mode = "single_proxy"
          proxy_url = "http://p:1"
          [proxy.clearance]
          mode = "manual"
          browser = "chrome120"
          cf_cookies = "a=1"
          [retry]
          on_codes = "429,503"
          [account.refresh]
          basic_interval_sec = 86400
          super_interval_sec = 5400
          [account.selection]
          max_inflight = 8
        `),
      ],
    });
    expect(config.app).toMatchObject({ disable_memory: false, image_format: "url" });
    expect(config.proxy).toMatchObject({ base_proxy_url: "http://p:1", browser: "chrome_120", cf_cookies: "a=1" });
    expect(config.retry.retry_status_codes).toEqual([429, 503]);
    expect(config.token).toMatchObject({
      refresh_interval_hours: 24,
      super_refresh_interval_hours: 1.5,
      max_inflight: 8,
    });
  });

  test("a proxy that the old file had switched off stays off", () => {
    const { config } = load({
      files: [
        file(
          "[proxy.egress]\nmode = 'direct'\nproxy_url = 'http://p:1'\n[proxy.clearance]\nmode = 'none'\ncf_cookies = 'a=1'",
        ),
      ],
    });
    expect(config.proxy).toMatchObject({ base_proxy_url: "", cf_cookies: "" });
  });
});

describe("the tables of old names", () => {
  const named = (path: string): boolean => configKeys.has(path) || formerKeys.has(path);

  test("lead to settings of today or to names that are known to be without effect", () => {
    const strays = Object.entries(legacyRules).flatMap(([old, { to }]) =>
      to.filter((path) => !named(path)).map((path) => [old, path]),
    );
    expect(strays).toEqual([]);
  });

  test("hold no name that is a setting, and none twice", () => {
    const old = [...Object.keys(legacyRules), ...Object.keys(ignoredKeys)];
    expect(old.filter((path) => configKeys.has(path))).toEqual([]);
    expect(old.filter((path) => formerKeys.has(path) || (path in legacyRules && path in ignoredKeys))).toEqual([]);
    expect(old.filter((path) => Object.hasOwn(sections, path))).toEqual([]);
    expect(Object.keys(envNotes).filter((name) => [...configKeys.values()].some(({ env }) => env === name))).toEqual(
      [],
    );
  });
});

test.each([
  ["kitten", "sitting", 3],
  ["", "abc", 3],
  ["same", "same", 0],
])("the distance of %j and %j is %i", (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
});

test("a name without a likeness has no nearest", () => {
  expect(nearestName("zebra", ["server.port", "app.api_key"])).toBeNull();
});
