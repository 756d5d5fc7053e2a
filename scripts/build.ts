// Owns the build command: one executable for one target, dist/grok2api for this machine by default.
// Must not know how the executable is made (compile.ts) or released.
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type CompiledExecutable, compileExecutable } from "./compile.ts";
import { buildPages } from "./pages.ts";
import { type CompileTarget, compileTargets, isCompileTarget } from "./wreq-plugin.ts";

const usage = `usage: npm run build -- [--target NAME] [--outfile FILE] [--addon FILE.node] [--no-minify]
targets: ${compileTargets().join(" ")}`;

async function main(): Promise<number> {
  const root = join(import.meta.dir, "..");
  const { values } = parseArgs({
    args: Bun.argv.slice(2),
    options: {
      target: { type: "string", default: hostTarget() },
      outfile: { type: "string" },
      addon: { type: "string" },
      minify: { type: "boolean", default: true },
      help: { type: "boolean", short: "h", default: false },
    },
    allowNegative: true,
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (!isCompileTarget(values.target)) {
    console.error(`unknown target "${values.target}"\n${usage}`);
    return 2;
  }
  const outfile = resolve(values.outfile ?? join(root, "dist", defaultName(values.target)));
  mkdirSync(dirname(outfile), { recursive: true });
  // A running executable cannot be written over, but its name can be taken away from it.
  rmSync(outfile, { force: true });
  const startedMs = performance.now();
  await buildPages({ root, minify: values.minify });
  const built = await compileExecutable({
    root,
    target: values.target,
    outfile,
    minify: values.minify,
    ...(values.addon ? { addonPath: resolve(values.addon) } : {}),
  });
  console.log(describe(built, values.target, performance.now() - startedMs));
  return 0;
}

/** Only this machine's executable takes the plain name, so that a cross build never takes its place. */
function defaultName(target: CompileTarget): string {
  const plain = target === hostTarget() ? "grok2api" : target.replace("bun-", "grok2api-");
  return target.startsWith("bun-windows") ? `${plain}.exe` : plain;
}

function hostTarget(): CompileTarget {
  const os = process.platform === "win32" ? "windows" : process.platform;
  const libc = process.platform === "linux" && isMusl() ? "-musl" : "";
  const name = `bun-${os}-${process.arch}${libc}`;
  if (!isCompileTarget(name)) throw new Error(`no build target for this machine (${name}); choose one with --target`);
  return name;
}

function isMusl(): boolean {
  const report: unknown = process.report.getReport();
  const header = typeof report === "object" && report !== null && "header" in report ? report.header : undefined;
  return !(typeof header === "object" && header !== null && "glibcVersionRuntime" in header);
}

function describe(built: CompiledExecutable, target: CompileTarget, tookMs: number): string {
  const commit = built.commit ? ` (${built.commit})` : "";
  const size = `${(built.sizeBytes / 1e6).toFixed(1)} MB`;
  const pages = built.assets.length > 0 ? "pages embedded" : "without pages";
  return `${built.path}: ${built.version}${commit}, ${target}, ${built.addon}, ${pages}, ${size}, ${(tookMs / 1000).toFixed(1)} s`;
}

try {
  process.exitCode = await main();
} catch (error) {
  const reasons = error instanceof AggregateError ? error.errors : [];
  console.error(`build failed: ${error instanceof Error ? error.message : String(error)}`);
  for (const reason of reasons) console.error(String(reason));
  process.exitCode = 1;
}
