// Brings pictures and clips to the visitor's own disk: one as a download, many as an archive, or into a folder of their choice.
// Invariant: nothing leaves the browser for it, and what packs the archive is loaded only when it is wanted.
import { signal } from "@preact/signals";
import type { NamedFile } from "./archive.ts";

const KEPT_MS = 60_000;

export const download = ({ name, blob }: NamedFile): void => {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
};

const ENDINGS: Readonly<Record<string, string>> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "image/gif": "gif",
  "video/mp4": "mp4",
  "video/webm": "webm",
};

export const endingOf = (mime: string): string => ENDINGS[mime] ?? "bin";

/** `20261121-093015`, of this moment or another one. */
export const stampOf = (ms: number): string => {
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
};

export const zipped = async (files: readonly NamedFile[]): Promise<Blob> =>
  (await import("./archive.ts")).zipped(files);

interface PickingWindow {
  readonly showDirectoryPicker?: (options: { id: string; mode: "readwrite" }) => Promise<FileSystemDirectoryHandle>;
}

const picking = (): PickingWindow["showDirectoryPicker"] => (window as PickingWindow).showDirectoryPicker;

/** Some browsers have it, and only on safe addresses. */
export const canPickFolder = (): boolean => isSecureContext && picking() !== undefined;

/** The folder that was chosen in this visit. */
export const folder = signal<FileSystemDirectoryHandle | null>(null);

/** False where the visitor has changed their mind. */
export const pickFolder = async (): Promise<boolean> => {
  try {
    folder.value = (await picking()?.call(window, { id: "grok2api", mode: "readwrite" })) ?? null;
    return folder.value !== null;
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === "AbortError") return false;
    throw thrown;
  }
};

/** Into the chosen folder, else as a download. */
export const keepFile = async ({ name, blob }: NamedFile): Promise<void> => {
  if (folder.value === null) return download({ name, blob });
  const file = await folder.value.getFileHandle(name, { create: true });
  const writing = await file.createWritable();
  await writing.write(blob);
  await writing.close();
};
