// What is shown of the settings: the form, dumps, the example file and the tables; and that no secret is among it.
import { describe, expect, test } from "bun:test";
import { describeForm, dumpConfig, maskedConfig } from "../../src/config/describe.ts";
import { configTables, exampleToml } from "../../src/config/document.ts";
import { parseConfigText } from "../../src/config/file.ts";
import { createLiveConfig } from "../../src/config/live.ts";
import { loadConfig } from "../../src/config/load.ts";
import { maskText, maskUrlPassword } from "../../src/config/mask.ts";
import { type ConfigKey, configKeys, configSchema } from "../../src/config/schema.ts";
import { type Log, silentLog } from "../../src/lib/log.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import { fillRegions, firstDifference } from "../../scripts/docs.ts";

const marker = "Xq7-planted-secret-9Zk";

function plant(key: ConfigKey): unknown {
  if (key.meta.kind === "proxy-url") return `http://user:${marker}@host:1`;
  return key.meta.kind === "text-list" ? [marker, "second"] : marker;
}

describe("secrets", () => {
  const secret = [...configKeys.values()].filter(({ meta }) => meta.secret === true);

  test.each(secret.map((key) => [key.path, key] as const))("%s never shows", async (_, key) => {
    const written: string[] = [];
    const log: Log = { ...silentLog, at: (...entry) => void written.push(JSON.stringify(entry)) };
    const environment = { [key.env]: JSON.stringify(plant(key)).replace(/^"|"$/g, "") };
    const live = await createLiveConfig({
      documents: createMemoryDocuments(),
      path: "/nonexistent/config.toml",
      environment,
      log,
    });
    const { config, origins } = live.snapshot();
    expect(JSON.stringify(config)).toContain(marker);
    const shown = [
      JSON.stringify(describeForm(live.snapshot())),
      JSON.stringify(maskedConfig(config)),
      dumpConfig(config, origins),
      JSON.stringify(await live.patch({ [key.section]: { [key.name]: 5 } })),
      JSON.stringify(await live.patch({ [key.section]: { [key.name]: `ftp://user:${marker}@host` } })),
      ...written,
    ].join("\n");
    expect(shown).not.toContain(marker);
    expect(shown).not.toContain(marker.slice(0, 6));
    expect(shown).toContain("****");
  });

  test.each([
    ["", ""],
    ["short", "****"],
    ["fifteen-letters", "****"],
    ["sixteen--letters", "sixt…ters"],
  ])("%j is shown as %j", (secretText, shown) => {
    expect(maskText(secretText)).toBe(shown);
  });

  test.each([
    ["", ""],
    ["http://host:1", "http://host:1"],
    ["http://user:pw@host:1", "http://user:****@host:1"],
    ["socks5h://user:p@w@host", "socks5h://user:****@host"],
    ["http://token@host", "http://****@host"],
    ["user:pw@host", "****"],
    ["host:1080:user:pw", "****"],
    ["http://host:1080:user:pw", "****"],
  ])("the address %j is shown as %j", (url, shown) => {
    expect(maskUrlPassword(url)).toBe(shown);
  });
});

describe("the form", () => {
  test("shows every key once, where its value comes from, and what is locked", async () => {
    const live = await createLiveConfig({
      documents: createMemoryDocuments(),
      path: "/nonexistent/config.toml",
      environment: { SERVER_PORT: "9000" },
      log: silentLog,
    });
    await live.patch({ server: { host: "127.0.0.1" } });
    const form = describeForm(live.snapshot());
    const fields = form.sections.flatMap((section) => section.fields);
    expect(fields.map(({ path }) => path)).toEqual([...configKeys.keys()]);
    const byPath = new Map(fields.map((field) => [field.path, field]));
    expect(byPath.get("server.port")).toMatchObject({
      origin: "environment",
      locked: true,
      value: 9000,
      defaultValue: 8000,
    });
    expect(byPath.get("server.host")).toMatchObject({
      origin: "stored",
      locked: false,
      value: "127.0.0.1",
      restart: true,
    });
    expect(byPath.get("server.data_dir")).toMatchObject({ origin: "default", locked: true });
    expect(byPath.get("chat.transport")).toMatchObject({ kind: "choice", choices: ["auto", "socket", "rest"] });
    expect([form.revision, form.pendingRestart]).toEqual([1, ["server.host"]]);
  });
});

describe("the example file", () => {
  test("changes nothing as it is", () => {
    const loaded = loadConfig({ files: [{ path: "example", tree: parseConfigText(exampleToml(), "example") }] });
    expect(loaded.ok && [...loaded.origins.values()].every((origin) => origin === "default")).toBe(true);
    expect(loaded.notes).toEqual([]);
  });

  test("holds every key with its default", () => {
    const uncommented = exampleToml().replace(/^# (\w+ = )/gm, "$1");
    const loaded = loadConfig({ files: [{ path: "example", tree: parseConfigText(uncommented, "example") }] });
    expect(loaded.ok && loaded.config).toEqual(configSchema.parse({}));
    expect(loaded.ok && [...loaded.origins.values()].every((origin) => origin === "file")).toBe(true);
  });
});

describe("the documents", () => {
  test.each(["en", "zh"] as const)("the tables in %s have a row of four cells for every key", (language) => {
    const rows = configTables(language)
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    expect(rows).toHaveLength(configKeys.size);
    for (const row of rows) expect(row.replaceAll("\\|", "").split("|")).toHaveLength(6);
  });

  const generators = { list: (language: string) => `in ${language}` };

  test("a region is filled anew and the rest stays", () => {
    const text = "# A\n<!-- generated:list -->\nold\nolder\n<!-- /generated -->\nend\n";
    const filled = fillRegions(text, "zh", generators);
    expect(filled).toBe("# A\n<!-- generated:list -->\n\nin zh\n\n<!-- /generated -->\nend\n");
    expect(fillRegions(filled, "zh", generators)).toBe(filled);
    expect(firstDifference(text, filled)).toBe('line 3: has "old", should have ""');
    expect(firstDifference(filled, filled)).toBeNull();
  });

  test.each([
    ["<!-- generated:list -->\n", "has no end"],
    ["<!-- generated:unknown -->\n<!-- /generated -->", "nothing generates the region unknown"],
    ["<!-- /generated -->", "has no beginning"],
    ["<!-- generated:list -->\n<!-- generated:list -->\n<!-- /generated -->", "has no end before list"],
  ])("%j is an error", (text, message) => {
    expect(() => fillRegions(text, "en", generators)).toThrow(message);
  });
});

describe("settings that need another", () => {
  const needing = [...configKeys.values()].filter(({ meta }) => meta.needs !== undefined);

  test.each(needing.map((key) => [key.path, key] as const))("%s names a switch", (_, key) => {
    expect(configKeys.get(key.meta.needs?.path ?? "")?.meta.kind).toBe("boolean");
  });

  test("the form says so, for pages to explain", async () => {
    const environment = {};
    const live = await createLiveConfig({
      ...{ documents: createMemoryDocuments(), path: "/nonexistent/config.toml", environment, log: silentLog },
    });
    const fields = describeForm(live.snapshot()).sections.flatMap((section) => section.fields);
    expect(fields.find(({ path }) => path === "app.public_key")?.needs).toEqual({
      path: "app.public_enabled",
      is: true,
    });
    expect(fields.find(({ path }) => path === "app.app_key")?.needs).toBeUndefined();
  });
});
