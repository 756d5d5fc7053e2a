// The clips of this browser: what was asked for, how far each has come, where it lies. Kept over visits. Pure but for keeping.
// Invariants: newest first; a clip that the page was left in is never shown as one that goes on.
import { keep, kept } from "../../shared/keeping.ts";
import type { Problem } from "../media/problem.ts";
import { type Form, formOf } from "./settings.ts";

export type ClipState =
  | { readonly kind: "waiting" }
  | { readonly kind: "filming"; readonly sinceMs: number; readonly percent: number | null }
  | { readonly kind: "done"; readonly link: string; readonly poster: string | null; readonly tookMs: number }
  | { readonly kind: "failed"; readonly problem: Problem }
  | { readonly kind: "stopped" }
  /** The page was left while it was filmed. */
  | { readonly kind: "cut" };

export interface Clip {
  readonly id: string;
  readonly prompt: string;
  readonly form: Form;
  /** It was filmed from a picture, which is not kept. */
  readonly fromPicture: boolean;
  readonly createdMs: number;
  readonly taskId: string | null;
  readonly state: ClipState;
}

const NAME = "grok2api.video.history";
const MOST = 60;

export const isOpen = ({ state }: Clip): boolean => state.kind === "waiting" || state.kind === "filming";

const isClip = (value: unknown): value is Clip => {
  const clip = Object(value) as Partial<Clip>;
  return typeof clip.id === "string" && typeof clip.prompt === "string" && typeof clip.state?.kind === "string";
};

export const readClips = (): readonly Clip[] => {
  try {
    const value: unknown = JSON.parse(kept(NAME) ?? "[]");
    const clips = Array.isArray(value) ? value.filter(isClip) : [];
    return clips
      .filter(({ state }) => state.kind !== "waiting")
      .map((clip) => ({ ...clip, form: formOf({ ...clip.form }) }));
  } catch {
    return [];
  }
};

export const keepClips = (clips: readonly Clip[]): void => keep(NAME, JSON.stringify(clips.slice(0, MOST)));

export const linkOf = ({ state }: Clip): string | null => (state.kind === "done" ? state.link : null);

const FILE = /(?:https?:\/\/[^\s"'<>()[\]]+)?\/v1\/files\/(video|image)\/[^\s"'<>()[\]]+/g;

/** Where the clip and its still lie, in whatever form the operator lets answers be written. */
export const linksIn = (text: string): { link: string | null; poster: string | null } => {
  const found = [...text.replaceAll("&amp;", "&").matchAll(FILE)];
  const of = (kind: string) => found.find(([, own]) => own === kind)?.[0] ?? null;
  return { link: of("video"), poster: of("image") };
};

export const percentIn = (text: string): number | null => {
  const last = [...text.matchAll(/(\d{1,3})%/g)].at(-1)?.[1];
  return last === undefined ? null : Math.min(100, Number(last));
};
