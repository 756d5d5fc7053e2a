// Owns how the pages become files that a browser can load: one bundle a folder of static/, names that change with the content.
// Must not know what a page does. Invariant: while it runs, the files of the last build stay usable.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface PagesOptions {
  readonly root: string;
  readonly minify?: boolean;
}

export interface BuiltPages {
  readonly folder: string;
  readonly files: readonly string[];
  readonly bytes: number;
}

interface Output {
  readonly name: string;
  readonly content: Uint8Array<ArrayBuffer> | string;
}

/** Smaller files are not worth a second request header. */
const COMPRESS_FROM_BYTES = 1024;

export async function buildPages({ root, minify = true }: PagesOptions): Promise<BuiltPages> {
  const source = join(root, "static");
  const folder = join(source, "dist");
  const shared = await bundle([join(source, "shared/boot.ts")], { minify, name: "boot" });
  const icon = await hashed(join(source, "shared/icon.svg"), "icon");
  const outputs: Output[] = [...shared, icon];
  for (const set of pageSets(source)) {
    const own = await bundle([join(source, set, "main.tsx"), join(source, set, "style.css")], { minify, name: set });
    outputs.push(...own, await htmlOf(join(source, set), { set, outputs: [...own, ...shared, icon] }));
  }
  return { folder, ...writeOutputs(folder, outputs) };
}

/** Every folder beside the shared one that has something to start. */
function pageSets(source: string): string[] {
  return readdirSync(source, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(source, entry.name, "main.tsx")))
    .map(({ name }) => name);
}

async function bundle(entrypoints: string[], { minify, name }: { minify: boolean; name: string }): Promise<Output[]> {
  const result = await Bun.build({
    entrypoints,
    target: "browser",
    format: "esm",
    minify,
    // What a page loads later stands in files of its own.
    splitting: true,
    naming: { entry: `${name}-[hash].[ext]`, chunk: "part-[hash].[ext]" },
    define: { "process.env.NODE_ENV": '"production"' },
  });
  if (!result.success) throw new AggregateError(result.logs, `the bundle of ${name} failed`);
  return Promise.all(
    result.outputs.map(async (output) => ({
      name: output.path.replace(/^.*\//, ""),
      content: new Uint8Array(await output.arrayBuffer()),
    })),
  );
}

async function hashed(path: string, name: string): Promise<Output> {
  const content = new Uint8Array(await Bun.file(path).arrayBuffer());
  const ending = path.slice(path.lastIndexOf("."));
  return { name: `${name}-${Bun.hash(content).toString(36)}${ending}`, content };
}

/** The page with the names of this build in it: `{main.js}`, `{style.css}`, `{boot.js}`, `{icon.svg}`. Whoever serves it fills in `{root}`. */
async function htmlOf(folder: string, { set, outputs }: { set: string; outputs: readonly Output[] }): Promise<Output> {
  const find = (start: string, ending: string): string => {
    const found = outputs.find(({ name }) => name.startsWith(`${start}-`) && name.endsWith(ending));
    if (!found) throw new Error(`the bundle of ${set} has no ${start}${ending}`);
    return `{root}static/${found.name}`;
  };
  const html = await Bun.file(join(folder, "index.html")).text();
  return {
    name: `${set}.html`,
    content: html
      .replace("{main.js}", find(set, ".js"))
      .replace("{style.css}", find(set, ".css"))
      .replace("{boot.js}", find("boot", ".js"))
      .replace("{icon.svg}", find("icon", ".svg")),
  };
}

/** New files first, then the pages that name them, then the old files go. */
function writeOutputs(folder: string, outputs: readonly Output[]): { files: string[]; bytes: number } {
  mkdirSync(folder, { recursive: true });
  const all = outputs.flatMap((output) => {
    const bytes = typeof output.content === "string" ? new TextEncoder().encode(output.content) : output.content;
    const isPage = output.name.endsWith(".html");
    if (isPage || bytes.byteLength < COMPRESS_FROM_BYTES) return [{ name: output.name, bytes }];
    return [
      { name: output.name, bytes },
      { name: `${output.name}.gz`, bytes: Bun.gzipSync(bytes, { level: 9 }) },
    ];
  });
  const pagesLast = all.toSorted(
    (one, other) => Number(one.name.endsWith(".html")) - Number(other.name.endsWith(".html")),
  );
  for (const { name, bytes } of pagesLast) {
    const unfinished = join(folder, `${name}.${process.pid}`);
    writeFileSync(unfinished, bytes);
    renameSync(unfinished, join(folder, name));
  }
  const files = all.map(({ name }) => name);
  for (const name of readdirSync(folder)) if (!files.includes(name)) rmSync(join(folder, name), { force: true });
  return { files, bytes: all.reduce((sum, { bytes }) => sum + bytes.byteLength, 0) };
}

if (import.meta.main) {
  const built = await buildPages({ root: join(import.meta.dir, "..") });
  console.log(`${built.folder}: ${built.files.length} files, ${(built.bytes / 1e3).toFixed(0)} kB`);
}
