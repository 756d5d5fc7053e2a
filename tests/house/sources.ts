// The files that house rules look at: everything git tracks or would track, so that ignored output never counts.
import { existsSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dir, "../..");

export interface SourceFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Tracked and not yet added files; an archive without git is listed by folder instead. */
function listFiles(): string[] {
  if (existsSync(join(root, ".git"))) {
    const git = Bun.spawnSync(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
    if (git.exitCode === 0) {
      const names = git.stdout.toString().split("\0");
      return names.filter((name) => name !== "" && existsSync(join(root, name))).toSorted();
    }
  }
  const globs = ["*.*", "{src,scripts,static,tests,docs,.ci}/**/*"];
  const names = globs.flatMap((glob) => [...new Bun.Glob(glob).scanSync({ cwd: root, dot: true })]);
  return names.filter((name) => !name.startsWith("static/dist/")).toSorted();
}

const textKinds =
  /\.(ts|tsx|js|json|jsonc|toml|md|css|html|sh|yml|yaml|txt|ndjson|svg)$|(^|\/)(Dockerfile|run|LICENSE)$/;

export async function readTextFiles(): Promise<SourceFile[]> {
  const paths = listFiles().filter((path) => textKinds.test(path));
  return Promise.all(paths.map(async (path) => ({ path, text: await Bun.file(join(root, path)).text() })));
}

export const isScript = (path: string): boolean => /\.tsx?$/.test(path);
