// Owns getting the upstream client's addon for machines other than this one: npm's own client fetches the package, a cache
// below node_modules keeps it. Must not know how it is embedded. Invariant: what has a known hash is used only with that hash,
// and only a package that does not exist, never a failing network, leads to the older client.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lockedIntegrity, readManifest } from "./release-packages.ts";
import { addonSpecifier } from "./wreq-plugin.ts";
import type { ReleaseTarget } from "./release-targets.ts";

/** The last version that holds the addons of all platforms in one package. */
const older = {
  name: "wreq-js",
  version: "2.3.1",
  integrity: "sha512-vaKasaKeskrDKEuuO5Q5uamEG9a6FrF5ZSicH7TCvYS4RxF7/gzaU/vYqwJzcs+uydyJPVWY1KCvfVCgp0tiGA==",
};

export interface Addon {
  /** The file to embed. */
  readonly path: string;
  /** Package and version that it came in. */
  readonly name: string;
  readonly version: string;
  /** Set when the addon belongs to another version of the client than the installed one. */
  readonly clientFolder?: string;
  /** Why it is not the newest. */
  readonly note?: string;
}

export async function fetchAddon(root: string, target: ReleaseTarget): Promise<Addon> {
  const name = addonSpecifier(target.target);
  const { version } = await readManifest(join(root, "node_modules/wreq-js"));
  const installed = join(root, "node_modules", name, target.addonFile);
  if (existsSync(installed)) return { path: installed, name, version };
  const integrity = await lockedIntegrity(root, { name, version });
  const newest = await fetchPackage(root, { name, version, integrity });
  if (newest !== null) return { path: existing(join(newest, target.addonFile)), name, version };
  const clientFolder = await fetchPackage(root, older);
  if (clientFolder === null) throw new Error(`neither ${name}@${version} nor wreq-js@${older.version} can be had`);
  return {
    path: existing(join(clientFolder, "rust", target.addonFile)),
    name: older.name,
    version: older.version,
    clientFolder,
    note: `${name}@${version} is not in the package registry; wreq-js ${older.version} is inside instead`,
  };
}

interface Wanted {
  readonly name: string;
  readonly version: string;
  readonly integrity: string | null;
}

/** The unpacked package's folder; null when there is no such package. */
async function fetchPackage(root: string, { name, version, integrity }: Wanted): Promise<string | null> {
  const cache = join(root, "node_modules/.cache/addons");
  const folder = join(cache, `${name.replace("/", "-")}-${version}`);
  if (existsSync(folder)) return join(folder, "package");
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const pack = await run(["npm", "pack", "--pack-destination", partial, `${name}@${version}`], root);
  if (pack.exitCode !== 0) {
    if (/\bE404\b/.test(pack.output)) return null;
    throw new Error(`npm pack ${name}@${version} failed:\n${pack.output}`);
  }
  const tarball = join(partial, existing(readdirSync(partial).find((file) => file.endsWith(".tgz"))));
  await checkIntegrity(tarball, { name, integrity });
  const unpack = await run(["tar", "-xzf", tarball, "-C", partial], root);
  if (unpack.exitCode !== 0) throw new Error(`cannot unpack ${tarball}:\n${unpack.output}`);
  renameSync(partial, folder);
  return join(folder, "package");
}

async function checkIntegrity(tarball: string, expected: { name: string; integrity: string | null }): Promise<void> {
  if (expected.integrity === null) return;
  const hasher = new Bun.CryptoHasher("sha512").update(await Bun.file(tarball).arrayBuffer());
  const found = `sha512-${hasher.digest("base64")}`;
  if (found === expected.integrity) return;
  throw new Error(`${expected.name} has the hash ${found} instead of ${expected.integrity}; it is not used`);
}

function existing(path: string | undefined): string {
  if (path === undefined || (path.startsWith("/") && !existsSync(path))) {
    throw new Error(`the package has no ${path ?? "tarball"}`);
  }
  return path;
}

async function run(command: string[], cwd: string): Promise<{ exitCode: number; output: string }> {
  const child = Bun.spawn(command, { cwd, stdio: ["ignore", "pipe", "pipe"], timeout: 5 * 60_000 });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { exitCode: await child.exited, output: `${out}${err}`.trim() };
}
