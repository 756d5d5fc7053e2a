// Owns how the program becomes one executable: compile options, version defines, embedded pages, the addon of the target.
// Must not know the command line or where releases go. Invariant: the result reads no .env, bunfig.toml, tsconfig.json or
// package.json of the folder it is started in.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { addonSpecifier, type CompileTarget, createWreqPlugin } from "./wreq-plugin.ts";

export interface CompileOptions {
  root: string;
  target: CompileTarget;
  outfile: string;
  entrypoint?: string;
  addonPath?: string;
  /** A folder with the version of wreq-js that the addon belongs to, when that is not the installed one. */
  clientFolder?: string;
  /** Where the checkout is not there to tell, for instance in a container build. */
  commit?: string;
  /** Cheaper to build and with readable stack traces; for development only. */
  minify?: boolean;
}

export interface CompiledExecutable {
  path: string;
  sizeBytes: number;
  version: string;
  commit: string;
  /** Name and version of the upstream client inside. */
  client: string;
  addon: string;
  assets: string[];
}

export async function compileExecutable(options: CompileOptions): Promise<CompiledExecutable> {
  const { root, target, outfile } = options;
  const addon = addonSpecifier(target, options.addonPath);
  requireAddon(addon, root);
  const wreq = createWreqPlugin(addon, options.clientFolder);
  const version = await readVersion(root);
  const commit = options.commit ?? readCommit(root);
  const client = `wreq-js ${await readVersion(options.clientFolder ?? join(root, "node_modules/wreq-js"))}`;
  const assets = embeddedAssets(root);
  const result = await Bun.build({
    entrypoints: [options.entrypoint ?? join(root, "src/main.ts")],
    target: "bun",
    format: "esm",
    minify: options.minify ?? true,
    bytecode: true,
    sourcemap: "none",
    plugins: [wreq.plugin],
    define: {
      BUILD_VERSION: JSON.stringify(version),
      BUILD_COMMIT: JSON.stringify(commit),
      BUILD_CLIENT: JSON.stringify(client),
    },
    compile: {
      target,
      outfile,
      assets,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  if (!result.success) throw new AggregateError(result.logs, "the bundle failed");
  if (wreq.patched() === 0)
    throw new Error("wreq-js is not part of the bundle; the executable would have no upstream client");
  return { path: outfile, sizeBytes: Bun.file(outfile).size, version, commit, client, addon, assets };
}

function requireAddon(addon: string, root: string): void {
  const found = addon.startsWith("/")
    ? existsSync(addon)
    : existsSync(join(root, "node_modules", addon, "package.json"));
  if (found) return;
  throw new Error(
    `the addon ${addon} is not installed; npm installs only the one of this machine: unpack the package of the target and name its .node file with --addon`,
  );
}

function embeddedAssets(root: string): string[] {
  const pages = join(root, "static/dist");
  return existsSync(pages) ? [pages] : [];
}

async function readVersion(root: string): Promise<string> {
  const manifest: unknown = await Bun.file(join(root, "package.json")).json();
  if (typeof manifest === "object" && manifest !== null && "version" in manifest) return String(manifest.version);
  throw new Error(`${root}/package.json names no version`);
}

/** Empty outside a git checkout, for instance in a source archive or a container build without .git. */
function readCommit(root: string): string {
  const git = Bun.which("git");
  if (!git) return "";
  const run = Bun.spawnSync([git, "rev-parse", "--short=12", "HEAD"], { cwd: root, stderr: "ignore" });
  return run.exitCode === 0 ? run.stdout.toString().trim() : "";
}
