// Owns the one patch that lets wreq-js live inside the executable: its loader builds the addon's name at run time, which a
// bundler cannot follow, so the loader's call is replaced by a static require of the addon of the build's target.
// Must not know what else is built. Invariant: when the call is not found exactly once the build fails, never falls back.
import { join } from "node:path";
import type { BunPlugin } from "bun";

// The addon must match the target's operating system, processor and C library; Bun embeds a wrong one without a word.
const addonPackages = {
  "bun-linux-x64": "@wreq-js/binding-linux-x64-gnu",
  "bun-linux-x64-baseline": "@wreq-js/binding-linux-x64-gnu",
  "bun-linux-x64-modern": "@wreq-js/binding-linux-x64-gnu",
  "bun-linux-x64-musl": "@wreq-js/binding-linux-x64-musl",
  "bun-linux-x64-baseline-musl": "@wreq-js/binding-linux-x64-musl",
  "bun-linux-arm64": "@wreq-js/binding-linux-arm64-gnu",
  "bun-linux-arm64-musl": "@wreq-js/binding-linux-arm64-musl",
  "bun-darwin-x64": "@wreq-js/binding-darwin-x64",
  "bun-darwin-arm64": "@wreq-js/binding-darwin-arm64",
  "bun-windows-x64": "@wreq-js/binding-win32-x64-msvc",
} as const satisfies Partial<Record<Bun.Build.CompileTarget, string>>;

export type CompileTarget = keyof typeof addonPackages;

const loaderCall = "nativeBinding = loadNativeBinding();";
const loaderFile = /[\\/]dist[\\/]wreq-js\.c?js$/;

export function isCompileTarget(name: string): name is CompileTarget {
  return Object.hasOwn(addonPackages, name);
}

export function compileTargets(): string[] {
  return Object.keys(addonPackages);
}

/** The package or file that holds the addon; `addonPath` is for targets whose package npm refuses on this machine. */
export function addonSpecifier(target: CompileTarget, addonPath?: string): string {
  return addonPath ?? addonPackages[target];
}

export function replaceLoaderCall(source: string, addon: string): string {
  const parts = source.split(loaderCall);
  if (parts.length !== 2) {
    throw new Error(
      `wreq-js: expected the line "${loaderCall}" once, found it ${parts.length - 1} times; the patch needs a look after an upgrade`,
    );
  }
  return parts.join(`nativeBinding = require(${JSON.stringify(addon)});`);
}

/** The one method that the program calls and wreq-js had not before version 3. */
export function addMissingMethods(source: string): string {
  if (source.includes("getSetCookie(")) return source;
  if (!/\n\t?store = .*new Map\(\);/.test(source))
    throw new Error("wreq-js: this version keeps its headers in another way");
  return `${source}\nHeaders.prototype.getSetCookie = function () { return [...(this.store.get("set-cookie")?.values ?? [])]; };\n`;
}

export interface WreqPlugin {
  plugin: BunPlugin;
  /** How many loader files were patched; a build of the program that patched none has no addon inside. */
  patched: () => number;
}

/** `clientFolder` holds another copy of the package, for an addon that does not belong to the installed version. */
export function createWreqPlugin(addon: string, clientFolder?: string): WreqPlugin {
  let patchedFiles = 0;
  const plugin: BunPlugin = {
    name: "wreq-addon",
    setup(build) {
      if (clientFolder !== undefined) {
        const path = join(clientFolder, "dist/wreq-js.cjs");
        build.onResolve({ filter: /^wreq-js$/ }, () => ({ path }));
      }
      build.onLoad({ filter: loaderFile }, async ({ path }) => {
        const contents = addMissingMethods(replaceLoaderCall(await Bun.file(path).text(), addon));
        patchedFiles += 1;
        return { contents, loader: "js" };
      });
    },
  };
  return { plugin, patched: () => patchedFiles };
}
