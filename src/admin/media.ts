// What an administrator can do with stored pictures and clips, without HTTP. Knows no upstream.
// Invariant: a name that could lead elsewhere is refused before anything is touched, and every removal leaves an audit row.
import type { Actor, Audit } from "../access/audit.ts";
import { GatewayError } from "../core/errors.ts";
import { zipFiles } from "../media/archive.ts";
import type { FileName, FoundFile } from "../media/folder.ts";
import type { MediaKind } from "../media/links.ts";
import { indexPreviews } from "../media/previews.ts";
import type { MediaStore, StoredFile } from "../media/store.ts";

export interface KindTotals {
  readonly count: number;
  readonly bytes: number;
}

export interface MediaUse {
  readonly image: KindTotals;
  readonly video: KindTotals;
  /** Of both together; null while nothing is cleaned up. */
  readonly limitBytes: number | null;
}

export interface MediaItem {
  readonly kind: MediaKind;
  readonly name: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  /** Name of the picture that shows a clip. */
  readonly preview: string | null;
}

export interface MediaPage {
  readonly total: number;
  readonly items: readonly MediaItem[];
}

export type MediaDownload =
  | { readonly form: "file"; readonly file: StoredFile }
  | { readonly form: "zip"; readonly name: string; readonly pieces: AsyncGenerator<Uint8Array<ArrayBuffer>, void> };

export interface MediaAdmin {
  use(): Promise<MediaUse>;
  /** Newest first. */
  list(kind: MediaKind | null, range: { readonly offset: number; readonly limit: number }): Promise<MediaPage>;
  clear(kinds: readonly MediaKind[], by: Actor): Promise<KindTotals>;
  /** A clip's preview goes with it. */
  remove(kind: MediaKind, names: readonly string[], by: Actor): Promise<{ deleted: number; missing: number }>;
  /** One file as it is, several as a zip. Throws `file_not_found` when none is there. */
  download(kind: MediaKind, names: readonly string[]): Promise<MediaDownload>;
}

export interface MediaAdminDeps {
  readonly store: MediaStore;
  readonly audit: Pick<Audit, "row">;
  readonly clock: { now(): number };
  readonly limitBytes: () => number | null;
}

const totals = (files: readonly FoundFile[]): KindTotals => ({
  count: files.length,
  bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
});

export const createMediaAdmin = ({ store, audit, clock, limitBytes }: MediaAdminDeps): MediaAdmin => {
  const pictureNames = async (): Promise<string[]> => (await store.all("image")).map(({ name }) => name);

  const all = async (kind: MediaKind | null): Promise<FoundFile[]> => {
    if (kind !== null) return store.all(kind);
    const both = [...(await store.all("image")), ...(await store.all("video"))];
    return both.sort((one, other) => other.modifiedMs - one.modifiedMs);
  };

  const removal = (by: Actor, action: string) => (gone: readonly FoundFile[]) => [
    audit.row({
      by,
      action,
      target: `${gone.length} stored files`,
      before: { ...totals(gone), names: gone.map(({ kind, name }) => `${kind}/${name}`) },
    }),
  ];

  return {
    async use() {
      const [image, video] = [await store.use("image"), await store.use("video")];
      return {
        image: { count: image.files, bytes: image.bytes },
        video: { count: video.files, bytes: video.bytes },
        limitBytes: limitBytes(),
      };
    },
    async list(kind, { offset, limit }) {
      const files = await all(kind);
      const page = files.slice(offset, offset + limit);
      const clips = page.some((file) => file.kind === "video");
      const previews = indexPreviews(clips ? await pictureNames() : []);
      const items = page.map((file) => ({
        kind: file.kind,
        name: file.name,
        bytes: file.bytes,
        modifiedMs: file.modifiedMs,
        preview: file.kind === "video" ? (previews(file.name)[0] ?? null) : null,
      }));
      return { total: files.length, items };
    },
    async clear(kinds, by) {
      const files = (await Promise.all(kinds.map((kind) => store.all(kind)))).flat();
      return totals(await store.remove(files, removal(by, "cache.clear")));
    },
    async remove(kind, names, by) {
      const wanted = [...new Set(names)].map((name): FileName => ({ kind, name }));
      const previews = indexPreviews(kind === "video" ? await pictureNames() : []);
      const shown = kind === "video" ? wanted.flatMap(({ name }) => previews(name)) : [];
      const files = [...wanted, ...shown.map((name): FileName => ({ kind: "image", name }))];
      const gone = await store.remove(files, removal(by, "cache.delete"));
      const deleted = gone.filter((file) => file.kind === kind).length;
      return { deleted, missing: wanted.length - deleted };
    },
    async download(kind, names) {
      const [only = "", ...more] = [...new Set(names)];
      if (more.length === 0) {
        const file = await store.find(kind, only);
        if (file === null) throw noFile();
        return { form: "file", file };
      }
      const files = await store.locate([only, ...more].map((name) => ({ kind, name })));
      if (files.length === 0) throw noFile();
      return { form: "zip", name: `${kind}_${stamp(clock.now())}.zip`, pieces: zipFiles(files) };
    },
  };
};

const noFile = (): GatewayError =>
  new GatewayError("file_not_found", "No such file; it may have been deleted to make room.");

/** YYYYMMDD_HHMMSS by the machine's own clock. */
const stamp = (ms: number): string => {
  const time = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${time.getFullYear()}${two(time.getMonth() + 1)}${two(time.getDate())}`;
  return `${date}_${two(time.getHours())}${two(time.getMinutes())}${two(time.getSeconds())}`;
};
