// One video job as it is stored: what was asked for, how far it is, where its files are. Pure. Invariant: a stored job that can
// be read has everything that is needed to answer for it; fields that this version does not know are left behind.
import type { Preset, Resolution } from "../core/media-wishes.ts";
import { isObject, numberAt, objectAt, stringAt, type JsonObject } from "../lib/json.ts";

export type VideoStatus = "queued" | "in_progress" | "completed" | "failed";

export interface JobFile {
  readonly name: string;
  readonly mime: string;
}

export interface VideoJob {
  readonly id: string;
  /** Who asked for it: others do not see it. */
  readonly owner: string;
  readonly model: string;
  readonly prompt: string;
  readonly ratio: string;
  readonly seconds: number;
  readonly resolution: Resolution;
  readonly preset: Preset;
  /** Without sound. */
  readonly silent: boolean;
  /** As the caller wrote it. */
  readonly size: string;
  readonly quality: string;
  /** Pictures that were sent along; they are not kept. */
  readonly references: number;
  /** The job that this one carries on. */
  readonly extends: string | null;
  readonly startSeconds: number | null;
  /** The job that this one changes. */
  readonly edits: string | null;
  readonly status: VideoStatus;
  /** 0–100. */
  readonly progress: number;
  /** Unix milliseconds. */
  readonly createdMs: number;
  readonly completedMs: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Where the clip lives upstream, as soon as that is known. */
  readonly account: string | null;
  readonly clipId: string | null;
  /** The first clip of a chain of extensions. */
  readonly firstClipId: string | null;
  /** Length of the stored clip, with what it carries on. */
  readonly totalSeconds: number;
  /** What was delivered, which a basic account's enlargement decides. */
  readonly delivered: string | null;
  /** What the upstream charged for it, where it says; 10,000,000,000 ticks are one US dollar. */
  readonly costTicks: number | null;
  readonly file: JobFile | null;
  readonly thumbnail: JobFile | null;
}

const STATUSES: readonly VideoStatus[] = ["queued", "in_progress", "completed", "failed"];
const RESOLUTIONS: readonly Resolution[] = ["480p", "720p", "1080p"];
const PRESETS: readonly Preset[] = ["fun", "normal", "spicy", "custom"];

export const isEnded = ({ status }: VideoJob): boolean => status === "completed" || status === "failed";

const fileAt = (body: JsonObject, key: string): JobFile | null => {
  const file = objectAt(body, key);
  const name = stringAt(file, "name");
  return name === undefined ? null : { name, mime: stringAt(file, "mime") ?? "application/octet-stream" };
};

const errorAt = (body: JsonObject): VideoJob["error"] => {
  const error = objectAt(body, "error");
  return error ? { code: stringAt(error, "code") ?? "", message: stringAt(error, "message") ?? "" } : null;
};

/** Undefined for a document that is no job. */
export const readJob = (id: string, body: unknown): VideoJob | undefined => {
  if (!isObject(body)) return undefined;
  const oneOf = <T extends string>(key: string, allowed: readonly T[]): T | undefined =>
    allowed.find((value) => value === body[key]);
  const text = (key: string): string => stringAt(body, key) ?? "";
  const maybe = (key: string): string | null => stringAt(body, key) ?? null;
  const status = oneOf("status", STATUSES);
  const createdMs = numberAt(body, "createdMs");
  if (!status || createdMs === undefined || text("owner") === "") return undefined;
  const seconds = numberAt(body, "seconds") ?? 6;
  return {
    id,
    owner: text("owner"),
    model: text("model"),
    prompt: text("prompt"),
    ratio: text("ratio"),
    seconds,
    resolution: oneOf("resolution", RESOLUTIONS) ?? "480p",
    preset: oneOf("preset", PRESETS) ?? "custom",
    silent: body["silent"] === true,
    size: text("size"),
    quality: text("quality"),
    references: numberAt(body, "references") ?? 0,
    extends: maybe("extends"),
    startSeconds: numberAt(body, "startSeconds") ?? null,
    edits: maybe("edits"),
    status,
    progress: numberAt(body, "progress") ?? 0,
    createdMs,
    completedMs: numberAt(body, "completedMs") ?? null,
    error: errorAt(body),
    account: maybe("account"),
    clipId: maybe("clipId"),
    firstClipId: maybe("firstClipId"),
    totalSeconds: numberAt(body, "totalSeconds") ?? seconds,
    delivered: maybe("delivered"),
    costTicks: numberAt(body, "costTicks") ?? null,
    file: fileAt(body, "file"),
    thumbnail: fileAt(body, "thumbnail"),
  };
};
