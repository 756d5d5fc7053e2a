// Finds the files of the pages: inside the executable, or beside the sources after a build of the pages. Knows no page.
// Invariant: only names of one plain segment are looked for, so that nothing outside the folder is ever sent.
import { existsSync } from "node:fs";
import { join } from "node:path";

export interface PageFile {
  readonly path: string;
  readonly mime: string;
  readonly gzip: boolean;
}

export interface Pages {
  /** Null: there is no such page in this build. */
  html(name: string): Promise<PageFile | null>;
  asset(name: string, accepts: { readonly gzip: boolean }): Promise<PageFile | null>;
}

const MIME: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  html: "text/html; charset=utf-8",
};

const SAFE_NAME = /^[a-z0-9][a-z0-9-]*\.(js|css|svg|html)$/i;

/** The executable carries its pages beside its own modules. */
export const pagesFolder = (): string => {
  const embedded = join(import.meta.dir, "dist");
  return existsSync(embedded) ? embedded : join(import.meta.dir, "../../static/dist");
};

export const createPages = (folder: () => string): Pages => {
  const find = async (name: string, { gzip }: { gzip: boolean }): Promise<PageFile | null> => {
    const mime = MIME[SAFE_NAME.exec(name)?.[1]?.toLowerCase() ?? ""];
    if (mime === undefined) return null;
    const path = join(folder(), name);
    if (gzip && (await Bun.file(`${path}.gz`).exists())) return { path: `${path}.gz`, mime, gzip: true };
    return (await Bun.file(path).exists()) ? { path, mime, gzip: false } : null;
  };
  return {
    html: (name) => find(`${name}.html`, { gzip: false }),
    asset: async (name, accepts) => (name.endsWith(".html") ? null : find(name, accepts)),
  };
};
