// Files that go with a question: taken from a picker, the camera, the clipboard or a drop, made ready, turned into what is sent.
// Invariant: what the gateway would refuse for its size or number is refused here already, with the reason.
import { bytes } from "../../shared/format.ts";
import { shrunk } from "../../shared/shrink.ts";
import { toast } from "../../shared/toast.tsx";
import { type Attachment, newId } from "./conversation.ts";
import type { SentFile } from "./answer.ts";
import { openVault } from "./vault.ts";
import { say } from "./words.ts";

/** The gateway's own limits for one question; as text in JSON a file is a third larger. */
export const MOST_FILES = 8;
export const MOST_BYTES = 22 * 1024 * 1024;

export interface Draft extends Attachment {
  readonly blob: Blob;
  /** Address of the preview; pictures only. */
  readonly preview: string | null;
}

const isPicture = (mime: string): boolean => /^image\/(png|jpeg|webp|gif)$/.test(mime);

const draftOf = async (file: File): Promise<Draft> => {
  const blob = await shrunk(file);
  const mime = blob.type === "" ? "application/octet-stream" : blob.type;
  return {
    id: newId(),
    name: file.name === "" ? say("pasted") : file.name,
    mime,
    bytes: blob.size,
    blob,
    preview: isPicture(mime) ? URL.createObjectURL(blob) : null,
  };
};

/** Those that may come along with what is there; says why others may not. */
export const take = async (files: readonly File[], there: readonly Draft[]): Promise<Draft[]> => {
  const drafts: Draft[] = [];
  let total = there.reduce((sum, draft) => sum + draft.bytes, 0);
  for (const file of files) {
    if (there.length + drafts.length >= MOST_FILES) {
      toast(say("tooMany", { most: MOST_FILES }), "error");
      break;
    }
    if (file.size === 0) {
      toast(say("emptyFile", { name: file.name }), "error");
      continue;
    }
    const draft = await draftOf(file);
    if (total + draft.bytes > MOST_BYTES) {
      toast(say("tooLarge", { name: file.name, most: bytes(MOST_BYTES) }), "error");
      letGo(draft);
      continue;
    }
    total += draft.bytes;
    drafts.push(draft);
  }
  return drafts;
};

export const letGo = ({ preview }: Draft): void => {
  if (preview !== null) URL.revokeObjectURL(preview);
};

export const keepFiles = async (drafts: readonly Draft[], conversation: string): Promise<Attachment[]> => {
  const vault = await openVault();
  for (const { id, blob } of drafts) await vault.addFile({ id, conversation, blob });
  return drafts.map(({ id, name, mime, bytes: size }) => ({ id, name, mime, bytes: size }));
};

const dataUrlOf = (blob: Blob, mime: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      const { result } = reader;
      if (typeof result === "string") resolve(result.replace(/^data:[^,]*,/, `data:${mime};base64,`));
    });
    reader.addEventListener("error", () => reject(reader.error ?? new Error("a file cannot be read")));
    reader.readAsDataURL(blob);
  });

/** Whatever is still there of them, ready to be sent. */
export const sentFiles = async (attachments: readonly Attachment[]): Promise<SentFile[]> => {
  const vault = await openVault();
  const files: SentFile[] = [];
  for (const { id, name, mime } of attachments) {
    const blob = await vault.file(id);
    if (blob) files.push({ name, mime, dataUrl: await dataUrlOf(blob, mime) });
  }
  return files;
};

export const filesIn = (transfer: DataTransfer | null): File[] => [...(transfer?.files ?? [])];
