// The executable carries the upstream client's addon only because the build rewrites one line of that package; these tests
// notice an upgrade that moves the line or drops a platform before a release does.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { addonSpecifier, compileTargets, isCompileTarget, replaceLoaderCall } from "../../scripts/wreq-plugin.ts";
import { root } from "./sources.ts";

const installed = join(root, "node_modules/wreq-js");

test("the installed client's loader is replaced by a static require", async () => {
  for (const name of ["wreq-js.cjs", "wreq-js.js"]) {
    const patched = replaceLoaderCall(await Bun.file(join(installed, "dist", name)).text(), "@wreq-js/binding-x");
    expect(patched).toContain('nativeBinding = require("@wreq-js/binding-x");');
    expect(patched).not.toContain("nativeBinding = loadNativeBinding()");
  }
});

test("a loader without the line, or with two of them, fails the build", () => {
  expect(() => replaceLoaderCall("nativeBinding = load();", "a")).toThrow("found it 0 times");
  const twice = "nativeBinding = loadNativeBinding();".repeat(2);
  expect(() => replaceLoaderCall(twice, "a")).toThrow("found it 2 times");
});

test("every target names an addon that the client publishes, of the same processor and C library", async () => {
  const manifest = await Bun.file(join(installed, "package.json")).json();
  for (const target of compileTargets()) {
    if (!isCompileTarget(target)) throw new Error(target);
    const addon = addonSpecifier(target);
    expect(manifest.optionalDependencies).toHaveProperty([addon]);
    expect(addon).toContain(target.includes("arm64") ? "-arm64" : "-x64");
    if (target.startsWith("bun-linux")) expect(addon.endsWith(target.includes("musl") ? "-musl" : "-gnu")).toBe(true);
  }
});

test("an addon named by path wins over the package", () => {
  expect(addonSpecifier("bun-linux-arm64", "/tmp/a.node")).toBe("/tmp/a.node");
});
