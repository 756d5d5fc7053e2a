// Which build this is. The build writes version and commit into the executable; from the sources they are read.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseObject, stringAt } from "../lib/json.ts";
import type { Version } from "./port.ts";

declare const BUILD_VERSION: string | undefined;
declare const BUILD_COMMIT: string | undefined;
declare const BUILD_CLIENT: string | undefined;

export const readVersion = (): Version => ({
  version: typeof BUILD_VERSION === "string" ? BUILD_VERSION : sourceVersion(),
  commit: typeof BUILD_COMMIT === "string" ? BUILD_COMMIT : "",
});

const sourceVersion = (): string => {
  const manifest = parseObject(readFileSync(join(import.meta.dir, "../../package.json"), "utf8"));
  return `${stringAt(manifest, "version") ?? "0.0.0"}-source`;
};

/** The line that belongs in a report. */
export const versionLine = ({ version, commit }: Version): string => {
  const build = commit === "" ? "" : ` (${commit})`;
  const libc = process.platform === "linux" ? ` ${isMusl() ? "musl" : "glibc"}` : "";
  // Not every platform has the newest client, and the two differ under load.
  const client = typeof BUILD_CLIENT === "string" ? `, ${BUILD_CLIENT}` : "";
  return `grok2api ${version}${build}, Bun ${Bun.version}${client}, ${process.platform} ${process.arch}${libc}`;
};

const isMusl = (): boolean => {
  const report: unknown = process.report.getReport();
  const header = typeof report === "object" && report !== null && "header" in report ? report.header : undefined;
  return !(typeof header === "object" && header !== null && "glibcVersionRuntime" in header);
};
