// Owns finding out what is inside an executable: the npm packages that the bundler really took, and the Rust crates whose
// names the addon carries in its messages. Must not know how that is written down.
// Invariant: nothing is listed from memory; what is listed was found in the thing itself.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { lockedIntegrity, readManifest } from "./release-packages.ts";

export interface PackageInside {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** As the lockfile has it; null for a package that the lockfile does not know. */
  readonly integrity: string | null;
  /** The licence's text; null when the package ships none. */
  readonly text: string | null;
}

export interface Crate {
  readonly name: string;
  readonly version: string;
}

/** Every npm package with at least one file in the program or in its pages. */
export async function bundledPackages(root: string): Promise<PackageInside[]> {
  const pages = [...new Bun.Glob("static/*/main.tsx").scanSync({ cwd: root })];
  const entrypoints = [
    { entrypoints: [join(root, "src/main.ts")], target: "bun" as const },
    ...(pages.length > 0 ? [{ entrypoints: pages.map((page) => join(root, page)), target: "browser" as const }] : []),
  ];
  const names = new Set<string>();
  for (const part of entrypoints) {
    const result = await Bun.build({ ...part, metafile: true, throw: true });
    for (const input of Object.keys(result.metafile?.inputs ?? {})) {
      const name = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
      if (name !== undefined) names.add(name);
    }
  }
  if (!names.has("hono")) throw new Error("the bundler did not say which packages it took");
  return Promise.all([...names].toSorted().map((name) => describePackage(root, name)));
}

async function describePackage(root: string, name: string): Promise<PackageInside> {
  const folder = join(root, "node_modules", name);
  const { version, license } = await readManifest(folder);
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(entry));
  if (license === undefined) throw new Error(`${name} names no licence`);
  return {
    name,
    version,
    licence: license,
    integrity: await lockedIntegrity(root, { name, version }),
    text: file === undefined ? null : await Bun.file(join(folder, file)).text(),
  };
}

const CRATE = /\/index\.crates\.io-[0-9a-f]+\/([A-Za-z0-9_-]+?)-(\d+\.\d+\.\d+[A-Za-z0-9.+-]*)\//g;

/** Crates without a message of their own leave no trace, so the list is not complete. */
export async function cratesIn(addon: string): Promise<Crate[]> {
  const text = Buffer.from(await Bun.file(addon).arrayBuffer()).toString("latin1");
  const found = new Map<string, Crate>();
  for (const [, name = "", version = ""] of text.matchAll(CRATE)) found.set(`${name} ${version}`, { name, version });
  return [...found.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, crate]) => crate);
}

/** The runtime's own page about its licences and those of the libraries that it links. */
export async function runtimeLicences(root: string): Promise<string> {
  const page = join(root, "node_modules/bun-types/docs/project/license.mdx");
  if (!existsSync(page)) throw new Error("bun-types carries no licence page any more; the notices need another source");
  return (await Bun.file(page).text()).replace(/^---[\s\S]*?---\n/, "").trim();
}
