// The table of settings: what every key must have, and what each kind of value accepts.
import { describe, expect, test } from "bun:test";
import { loadConfig, readValue } from "../../src/config/load.ts";
import { configKeys, configSchema } from "../../src/config/schema.ts";

const read = (path: string, raw: unknown): unknown => {
  const key = configKeys.get(path);
  if (key === undefined) throw new Error(`no setting ${path}`);
  const result = readValue(key, raw);
  return result.ok ? result.value : `refused: ${result.reason}`;
};

describe("the table", () => {
  test("every key has help in both languages, and a name of its own in the environment", () => {
    for (const { path, meta } of configKeys.values()) {
      expect([path, meta.help.en]).toEqual([path, expect.stringMatching(/^[A-Z].*\.$|^wreq .*\.$/)]);
      expect([path, meta.help.zh]).toEqual([path, expect.stringMatching(/[\u4e00-\u9fff].*。$/)]);
    }
    const names = [...configKeys.values()].map(({ env }) => env);
    expect(new Set(names).size).toBe(names.length);
  });

  test("every key that may hold a credential is secret", () => {
    const paths = [...configKeys.values()].filter(({ meta }) => meta.secret === true).map(({ path }) => path);
    expect(paths).toEqual([
      "app.app_key",
      "app.api_key",
      "app.public_key",
      "proxy.base_proxy_url",
      "proxy.asset_proxy_url",
      "proxy.cf_clearance",
      "proxy.cf_cookies",
      "xai.api_keys",
      "xai.proxy_url",
      "metrics.token",
    ]);
  });

  test("a default is allowed, and reading a value twice changes nothing", () => {
    for (const { path, defaultValue } of configKeys.values())
      expect([path, read(path, defaultValue)]).toEqual([path, defaultValue]);
    const config = configSchema.parse({});
    expect(configSchema.parse(config)).toEqual(config);
  });

  test("names that users know keep their variables", () => {
    const loaded = loadConfig({
      environment: { SERVER_HOST: "127.0.0.1", SERVER_PORT: "0", DATA_DIR: "/data", LOG_LEVEL: "WARNING" },
    });
    expect(loaded.ok && loaded.config.server).toMatchObject({
      host: "127.0.0.1",
      port: 0,
      data_dir: "/data",
      log_level: "warn",
    });
  });
});

const soft = "proxy.base_proxy_url";

const accepted: [string, unknown, unknown][] = [
  ["server.port", 0, 0],
  ["server.port", "8080", 8080],
  ["server.port", " 65535 ", 65_535],
  ["server.grace_seconds", "0.5", 0.5],
  ["app.temporary", "no", false],
  ["app.temporary", "1", true],
  ["app.temporary", 0, false],
  ["app.temporary", "TRUE", true],
  ["server.log_level", "DEBUG", "debug"],
  ["server.log_level", "Critical", "error"],
  ["app.api_key", "one", ["one"]],
  ["app.api_key", " one, two ,,one", ["one", "two"]],
  ["app.api_key", ["one", " two "], ["one", "two"]],
  ["app.api_key", '["a,b", "c"]', ["a,b", "c"]],
  ["app.api_key", "", []],
  ["app.image_format", "B64_JSON", "b64_json"],
  ["app.app_url", "https://api.example.com/base/", "https://api.example.com/base"],
  ["app.app_url", "", ""],
  ["grok.base_url", "http://127.0.0.1:9000/", "http://127.0.0.1:9000"],
  ["retry.retry_status_codes", "401, 429", [401, 429]],
  ["retry.retry_status_codes", 500, [500]],
  ["retry.retry_status_codes", [403, "403", "502"], [403, 502]],
  ["retry.retry_status_codes", "[429]", [429]],
  ["retry.retry_status_codes", [], []],
  ["server.trusted_proxies", "10.0.0.1, fd00::/8", ["10.0.0.1", "fd00::/8"]],
  ["server.cors_origins", "https://a.example, http://localhost:3000", ["https://a.example", "http://localhost:3000"]],
  [soft, "socks5h://user:p%40ss@proxy.example:1080", "socks5h://user:p%40ss@proxy.example:1080"],
  [soft, "SOCKS://proxy.example:1080", "socks5://proxy.example:1080"],
  [soft, "\u200bhttp://proxy\u2010one.example:8080 ", "http://proxy-one.example:8080"],
  [soft, "", ""],
  ["proxy.browser", "chrome136", "chrome_136"],
  ["proxy.browser", "Chrome-136", "chrome_136"],
  ["proxy.browser", "chrome\u2011136", "chrome_136"],
  ["proxy.browser", "firefox_private_135", "firefox_private_135"],
  ["proxy.browser", "safari17.2.1", "safari_17.2.1"],
  ["proxy.cf_clearance", " cf_clearance=abc\n def; Path=/", "abcdef"],
  ["proxy.cf_cookies", "a=1;\u00a0b=\u201c2\u201d\ufeff ", 'a=1; b="2"'],
  ["proxy.user_agent", "Mozilla/5.0\u3000(X11) 中 ", "Mozilla/5.0 (X11)"],
  ["app.custom_instruction", "two\nlines “kept”", "two\nlines “kept”"],
];

test.each(accepted)("%s takes %j", (path, raw, value) => {
  expect(read(path, raw)).toEqual(value);
});

const refused: [string, unknown, string][] = [
  ["server.port", 65_536, "a whole number from 0 to 65535"],
  ["server.port", 1.5, "a whole number"],
  ["server.port", "eighty", "a whole number"],
  ["server.port", "", "a whole number"],
  ["server.port", true, "a whole number"],
  ["chat.timeout", 0, "a number from 0.05 to 3600"],
  ["chat.timeout", Infinity, "a number from"],
  ["app.temporary", "maybe", "true or false"],
  ["app.temporary", 2, "true or false"],
  ["server.log_level", "loud", "one of debug, info, warn, error"],
  ["server.log_level", "constructor", "one of debug"],
  ["app.api_key", 5, "a list of texts"],
  ["app.api_key", "[1", "a list of texts"],
  ["app.api_key", { a: 1 }, "a list of texts"],
  ["app.app_key", 12_345, "text in quotes"],
  ["app.app_url", "example.com", "http:// or https://"],
  ["grok.base_url", "", "http:// or https://"],
  ["grok.base_url", "ftp://grok.com", "http:// or https://"],
  ["retry.retry_status_codes", "200", "from 400 to 599"],
  ["retry.retry_status_codes", "all", "from 400 to 599"],
  ["server.trusted_proxies", "10.0.0.0/33", "IP addresses or ranges"],
  ["server.trusted_proxies", "proxy.example", "IP addresses or ranges"],
  ["server.cors_origins", "chat.example.com", "origins"],
  ["server.cors_origins", "https://a.example/path", "origins"],
  [soft, "socks4://proxy.example:1080", "socks4 is not supported"],
  [soft, "proxy.example:1080", "scheme"],
  [soft, "http://", "a host"],
  ["proxy.browser", "chrome", "such as chrome_136"],
  ["proxy.browser", "chrome133a", "such as chrome_136"],
  ["proxy.user_agent", "  ", "not empty"],
];

test.each(refused)("%s refuses %j", (path, raw, reason) => {
  expect(read(path, raw)).toStartWith("refused: must be ");
  expect(read(path, raw)).toContain(reason);
});
