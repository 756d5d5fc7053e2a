// Reads the operator's TOML file. It is never written by this program.
// A fault in it gives one message with file, line and column, and never quotes the line: it may hold a password.
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse, TomlError } from "smol-toml";
import type { Tree } from "./tree.ts";

export interface ConfigFile {
  path: string;
  tree: Tree;
}

/** Null when there is no such file. */
export async function readConfigFile(path: string): Promise<ConfigFile | null> {
  try {
    return { path, tree: parseConfigText(await readFile(path, "utf8"), path) };
  } catch (thrown) {
    // A folder that cannot exist is for the storage to report, which says what to do about it.
    if (thrown instanceof Error && "code" in thrown && ["ENOENT", "ENOTDIR"].includes(String(thrown.code))) return null;
    if (thrown instanceof Error && "code" in thrown) {
      throw new Error(`cannot read the configuration file ${path}: ${thrown.message}`, { cause: thrown });
    }
    throw thrown;
  }
}

export function parseConfigText(text: string, path: string): Tree {
  try {
    return parse(text.replace(/^\uFEFF/, ""));
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown;
    const reason = (thrown.message.split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "");
    // oxlint-disable-next-line preserve-caught-error -- the parser's error quotes the line, which may hold a password
    throw new Error(`${path}:${thrown.line}:${thrown.column}: not valid TOML: ${reason}`);
  }
}

/** The operator's file and, below it, the `setting.toml` that the earliest program kept in the same folder. */
export async function readConfigFiles(path: string): Promise<ConfigFile[]> {
  const files = [await readConfigFile(join(dirname(path), "setting.toml")), await readConfigFile(path)];
  return files.filter((file) => file !== null);
}
