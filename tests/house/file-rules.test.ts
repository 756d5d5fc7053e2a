import { describe, expect, test } from "bun:test";
import { dataTables, fileRules, machineNames, registryHosts } from "./file-rules.ts";
import { readTextFiles, root } from "./sources.ts";

const files = await readTextFiles();

describe("every file keeps the rule:", () => {
  test.each(fileRules.map((rule) => [rule.name, rule] as const))("%s", (_, rule) => {
    const broken = files
      .filter((file) => rule.applies(file.path))
      .flatMap((file) => rule.find(file).map((what) => `${file.path}: ${what} (${rule.reason})`));
    expect(broken).toEqual([]);
  });
});

describe("a planted violation is seen by the rule:", () => {
  test.each(fileRules.map((rule) => [rule.name, rule] as const))("%s", (_, rule) => {
    expect(rule.applies(rule.planted.path)).toBe(true);
    expect(rule.find(rule.planted)).not.toEqual([]);
    expect(rule.find(rule.clean)).toEqual([]);
  });
});

test("the list of long tables names only long files", () => {
  const long = new Set(files.filter((file) => file.text.split("\n").length > 400).map((file) => file.path));
  expect([...dataTables.keys()].filter((path) => !long.has(path))).toEqual([]);
});

test("names of the machine are its unusual folders and a telling host name", () => {
  const builder = { checkout: "/somewhere/grok2api", home: "/var/lib/builder", host: "build-host-7" };
  expect(machineNames(builder)).toEqual(["/somewhere/grok2api/", "/somewhere/", "/var/lib/builder/", "build-host-7"]);
  expect(machineNames({ checkout: "/app", home: "/", host: "0123456789ab" })).toEqual([]);
});

test("a configured registry is recognised by its host", () => {
  expect(registryHosts("https://packages.invalid/npm/")).toEqual(["packages.invalid"]);
  expect(registryHosts(undefined)).toEqual([]);
});

test("every dependency has an exact version", async () => {
  const manifest = await Bun.file(`${root}/package.json`).json();
  const versions = Object.entries<string>({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(versions.length).toBeGreaterThan(0);
  expect(versions.filter(([, version]) => !/^(npm:[@a-z/-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
});

test("the lockfile belongs to this package.json", async () => {
  const manifest = await Bun.file(`${root}/package.json`).json();
  const locked = (await Bun.file(`${root}/package-lock.json`).json()).packages[""];
  for (const kind of ["version", "dependencies", "devDependencies"]) expect(locked[kind]).toEqual(manifest[kind]);
});
