// Owns the release command: every executable with its bill of materials, one notices file, one file of checksums.
// Must not know how an executable is made. Invariant: an executable that cannot be made is named with its reason, the others
// are made all the same, and the command fails unless --partial allows it; nothing unchecked is listed in SHA256SUMS.
import { chmodSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compileExecutable } from "./compile.ts";
import { buildPages } from "./pages.ts";
import { type Addon, fetchAddon } from "./release-addons.ts";
import { bundledPackages, cratesIn, type PackageInside, runtimeLicences } from "./release-contents.ts";
import { readElf } from "./release-elf.ts";
import { thirdPartyNotices } from "./release-notices.ts";
import { readManifest } from "./release-packages.ts";
import { releaseTargets, type ReleaseTarget } from "./release-targets.ts";
import { sbom } from "./sbom.ts";

const root = join(import.meta.dir, "..");
const usage = `usage: npm run build:all -- [--only NAME]… [--out FOLDER] [--commit HASH] [--partial]
names: ${releaseTargets.map(({ name }) => name).join(" ")}
--partial   succeed although an executable could not be made`;

interface Made {
  readonly file: string;
  readonly sha256: string;
  readonly addon: Addon;
}

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    args: Bun.argv.slice(2),
    options: {
      only: { type: "string", multiple: true, default: [] },
      out: { type: "string", default: join(root, "dist/release") },
      commit: { type: "string" },
      partial: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const unknown = values.only.find((name) => !releaseTargets.some((target) => target.name === name));
  if (values.help || unknown !== undefined) {
    console.log(unknown === undefined ? usage : `there is no executable "${unknown}"\n${usage}`);
    return values.help;
  }
  const wanted = releaseTargets.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
  const folder = resolve(values.out);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // File names inside the executable are relative to the working folder: the same everywhere, or the bytes differ.
  process.chdir(root);
  await buildPages({ root });
  const packages = await bundledPackages(root);
  const made: Made[] = [];
  const failed: string[] = [];
  for (const target of wanted) {
    try {
      made.push(await release(target, { folder, packages, commit: values.commit }));
    } catch (thrown) {
      const reasons = thrown instanceof AggregateError ? thrown.errors.map(String) : [];
      failed.push(target.name);
      console.error([`${target.name}: NOT MADE: ${messageOf(thrown)}`, ...reasons].join("\n"));
    }
  }
  if (made.length > 0) await writeCompanions(made, { folder, packages });
  console.log(`${made.length} of ${wanted.length} executables in ${folder}`);
  return failed.length === 0 || (values.partial && made.length > 0);
}

interface Place {
  readonly folder: string;
  readonly packages: readonly PackageInside[];
  readonly commit?: string | undefined;
}

async function release(target: ReleaseTarget, { folder, packages, commit }: Place): Promise<Made> {
  const addon = await fetchAddon(root, target);
  const { version } = await readManifest(root);
  const file = `grok2api-${version}-${target.name}`;
  const outfile = join(folder, file);
  const built = await compileExecutable({
    root,
    target: target.target,
    outfile,
    addonPath: addon.path,
    ...(addon.clientFolder === undefined ? {} : { clientFolder: addon.clientFolder }),
    ...(commit === undefined ? {} : { commit }),
  });
  try {
    check(outfile, { target, addon });
  } catch (thrown) {
    rmSync(outfile, { force: true });
    throw thrown;
  }
  chmodSync(outfile, 0o755);
  const sha256 = await hashOf(outfile);
  const bill = sbom({
    name: "grok2api",
    version: built.version,
    commit: built.commit,
    file: { name: file, sha256 },
    // An older client comes with its addon in one package, instead of the installed one.
    packages: addon.clientFolder === undefined ? packages : packages.filter(({ name }) => name !== "wreq-js"),
    runtime: Bun.version,
    addon: { name: addon.name, version: addon.version, sha256: await hashOf(addon.path) },
    crates: await cratesIn(addon.path),
  });
  await Bun.write(`${outfile}.cdx.json`, bill);
  const size = `${(built.sizeBytes / 1e6).toFixed(0)} MB`;
  console.log(`${file}: ${built.client}, ${size}, sha256 ${sha256}${addon.note ? `\n  ${addon.note}` : ""}`);
  return { file, sha256, addon };
}

/** The file and the addon in it say for which machine they are; where this is that machine, the file also has to start. */
function check(outfile: string, { target, addon }: { target: ReleaseTarget; addon: Addon }): void {
  const elf = readElf(outfile);
  if (elf.machine !== target.machine || elf.interpreter !== target.interpreter) {
    throw new Error(`the file is for machine ${elf.machine} and starts through ${elf.interpreter}`);
  }
  const inside = readElf(addon.path);
  if (inside.machine !== target.machine) throw new Error(`the addon is for machine ${inside.machine}`);
  if (!startsHere(target)) return;
  const run = Bun.spawnSync([outfile, "version"], { stdout: "pipe", stderr: "pipe", timeout: 20_000 });
  if (run.exitCode !== 0) throw new Error(`it does not start here: ${run.stderr.toString().trim() || run.signalCode}`);
}

function startsHere({ machine, interpreter }: ReleaseTarget): boolean {
  const ours = process.platform === "linux" ? readElf(process.execPath) : null;
  return ours !== null && ours.machine === machine && ours.interpreter === interpreter && existsSync(interpreter);
}

async function writeCompanions(made: readonly Made[], { folder, packages }: Place): Promise<void> {
  const addons = new Map(made.map(({ addon }) => [`${addon.name} ${addon.path}`, addon]));
  const listed = await Promise.all(
    [...addons.values()].map(async ({ name, version, path }) => ({ name, version, crates: await cratesIn(path) })),
  );
  const runtime = { version: Bun.version, licences: await runtimeLicences(root) };
  const notices = await thirdPartyNotices({ root, packages, runtime, addons: listed });
  await Bun.write(join(folder, "THIRD_PARTY_NOTICES"), notices);
  const others = ["THIRD_PARTY_NOTICES", ...made.map(({ file }) => `${file}.cdx.json`)];
  const sums = await Promise.all(others.map(async (file) => ({ file, sha256: await hashOf(join(folder, file)) })));
  const lines = [...made, ...sums]
    .map(({ file, sha256 }) => `${sha256}  ${file}\n`)
    .toSorted((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1));
  await Bun.write(join(folder, "SHA256SUMS"), lines.join(""));
}

async function hashOf(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest("hex");
}

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

process.exitCode = (await main()) ? 0 : 1;
