// The clips that are shown and the lines in which they are filmed. Lives as long as the document, so that looking at another
// page ends nothing. Invariants: every clip that is begun ends; a graceful stop begins nothing more and lets what runs finish.
import { computed, signal } from "@preact/signals";
import { saveAs } from "../../shared/api.ts";
import { confirm } from "../../shared/modal.tsx";
import { ownFile } from "../../shared/place.ts";
import { toast } from "../../shared/toast.tsx";
import type { NamedFile } from "../media/archive.ts";
import { isFinal, problemOf } from "../media/problem.ts";
import { createPromptBook } from "../media/prompts.tsx";
import { createReferences } from "../media/references.tsx";
import { stampOf } from "../media/saving.ts";
import { createSelection } from "../media/selection.tsx";
import { beginWork } from "../running.ts";
import { type Clip, type ClipState, isOpen, keepClips, linkOf, readClips } from "./clips.ts";
import { beginTask, readTask, tellStop, type Wish } from "./film.ts";
import { settings } from "./settings.ts";
import { say } from "./words.ts";

export const prompt = signal("");
export const references = createReferences(1);
export const promptBook = createPromptBook("grok2api.video.prompts");
export const selection = createSelection();

export const clips = signal<readonly Clip[]>(readClips());
/** The clip in the player. */
export const watched = signal<string | null>(null);
export const isRunning = computed(() => clips.value.some(isOpen));
/** Nothing more is begun; what is filmed is let finish. */
export const isEnding = signal(false);
export const finished = computed(() => clips.value.filter((clip) => linkOf(clip) !== null));

/** What is filmed: how to stop it, and the picture that it is filmed from. */
const lines = new Map<string, AbortController>();
const wishes = new Map<string, Wish>();

/** A line of the waterfall that fails this often in a row goes nowhere. */
const MOST_FAILURES = 5;

/** Whatever breaks because the page is left is no end that it may keep: the next visit looks for itself. */
let isLeaving = false;
addEventListener("pagehide", () => (isLeaving = true));
addEventListener("pageshow", () => (isLeaving = false));

const setClips = (next: readonly Clip[]): void => {
  clips.value = next;
  if (!isLeaving) keepClips(next);
};

const update = (id: string, next: Partial<Clip>): void =>
  setClips(clips.value.map((clip) => (clip.id === id ? { ...clip, ...next } : clip)));

const newId = (): string => crypto.getRandomValues(new Uint32Array(2)).join("");

const add = (wish: Wish): Clip => {
  const { prompt: words, form, picture } = wish;
  const about = { id: newId(), prompt: words, form, fromPicture: picture !== null, createdMs: Date.now() };
  const clip: Clip = { ...about, taskId: null, state: { kind: "waiting" } };
  wishes.set(clip.id, wish);
  setClips([clip, ...clips.value]);
  return clip;
};

export const nameOf = (clip: Clip): string => `video-${stampOf(clip.createdMs)}-${clip.id.slice(-4)}.mp4`;

const open = async (clip: Clip): Promise<Response> => {
  const address = ownFile(linkOf(clip) ?? "");
  if (address === null) throw new Error(say("goneFile"));
  const response = await fetch(address);
  if (!response.ok) throw new Error(say("goneFile"));
  return response;
};

export const save = async (clip: Clip): Promise<void> => {
  try {
    await saveAs(await open(clip), nameOf(clip));
  } catch (thrown) {
    toast(say("notSaved", { why: thrown instanceof Error ? thrown.message : String(thrown) }), "error");
  }
};

export const filesOf = async (ids: readonly string[]): Promise<readonly NamedFile[]> => {
  const files: NamedFile[] = [];
  for (const clip of clips.value) {
    if (ids.includes(clip.id)) files.push({ name: nameOf(clip), blob: await (await open(clip)).blob() });
  }
  return files;
};

/** Whether another one of the same may be begun. */
const film = async (clip: Clip, wish: Wish | null): Promise<"done" | "failed" | "final" | "stopped"> => {
  const { id } = clip;
  const controller = new AbortController();
  const { signal: stopped } = controller;
  const sinceMs = clip.state.kind === "filming" ? clip.state.sinceMs : Date.now();
  const over = beginWork();
  let taskId = clip.taskId;
  lines.set(id, controller);
  const filming = (percent: number | null): ClipState => ({ kind: "filming", sinceMs, percent });
  update(id, { state: filming(null) });
  try {
    if (wish) taskId = await beginTask(wish, stopped);
    if (taskId === null) throw new Error("a clip without a task");
    update(id, { taskId });
    const onProgress = (percent: number) => update(id, { state: filming(percent) });
    const { link, poster } = await readTask(taskId, { signal: stopped, onProgress });
    update(id, { state: { kind: "done", link, poster, tookMs: Date.now() - sinceMs } });
    if (settings.value.mode === "single") watched.value = id;
    const ready = clips.value.find((one) => one.id === id);
    if (ready && settings.value.autoSave) void save(ready);
    return "done";
  } catch (thrown) {
    if (stopped.aborted) {
      if (taskId !== null) void tellStop(taskId);
      update(id, { state: { kind: "stopped" } });
      return "stopped";
    }
    const problem = problemOf(thrown);
    // A clip of an earlier visit whose task is gone was ended with that visit.
    update(id, { state: wish === null && problem.status === 404 ? { kind: "cut" } : { kind: "failed", problem } });
    return isFinal(problem) ? "final" : "failed";
  } finally {
    lines.delete(id);
    over();
  }
};

/** Films one after the other until the share is done, somebody stops it, or it goes nowhere. */
const filmLine = async (wish: Wish, share: number): Promise<void> => {
  let failures = 0;
  for (let made = 0; (share === 0 || made < share) && !isEnding.value; made++) {
    const how = await film(add(wish), wish);
    if (how === "stopped" || how === "final") return;
    failures = how === "failed" ? failures + 1 : 0;
    if (failures < MOST_FAILURES) continue;
    toast(say("gaveUp"), "error");
    return;
  }
};

const dataAddress = (blob: Blob): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result as string));
    reader.addEventListener("error", () => reject(reader.error ?? new Error("the picture cannot be read")));
    reader.readAsDataURL(blob);
  });

export const start = async (): Promise<void> => {
  const { mode, ratio, seconds, resolution, preset, count, runs } = settings.value;
  const words = prompt.value.trim();
  if (words === "") return;
  promptBook.add(words);
  const [reference] = references.list.value;
  const picture = reference ? await dataAddress(reference.blob) : null;
  const wish: Wish = { prompt: words, form: { ratio, seconds, resolution, preset }, picture };
  isEnding.value = false;
  if (mode === "single") return void film(add(wish), wish);
  const atOnce = count === 0 ? runs : Math.min(runs, count);
  for (let at = 0; at < atOnce; at++) {
    void filmLine(wish, count === 0 ? 0 : Math.ceil((count - at) / atOnce));
  }
};

/** First nothing more is begun; asked again, what is filmed ends too. */
export const stop = (): void => {
  if (settings.value.mode === "waterfall" && !isEnding.value && isRunning.value) isEnding.value = true;
  else for (const line of lines.values()) line.abort();
};

export const stopOne = (id: string): void => lines.get(id)?.abort();

export const again = (clip: Clip): void => {
  const wish = wishes.get(clip.id) ?? { prompt: clip.prompt, form: clip.form, picture: null };
  remove(new Set([clip.id]));
  isEnding.value = false;
  void film(add(wish), wish);
};

export const remove = (ids: ReadonlySet<string>): void => {
  for (const id of ids) {
    stopOne(id);
    wishes.delete(id);
    if (watched.value === id) watched.value = null;
  }
  setClips(clips.value.filter((clip) => !ids.has(clip.id)));
};

export const clear = async (): Promise<void> => {
  const closed = clips.value.filter((clip) => !isOpen(clip));
  const question = { title: say("clearTitle"), text: say("clearText", { n: closed.length }), action: say("clear") };
  if (await confirm({ ...question, danger: true })) remove(new Set(closed.map(({ id }) => id)));
  selection.turn(false);
};

let hasBegun = false;

/** Clips that were filmed when the page was left: read on where their tasks are still there. */
export const goOn = (): void => {
  if (hasBegun) return;
  hasBegun = true;
  for (const clip of clips.value.filter(isOpen)) {
    if (clip.taskId === null) update(clip.id, { state: { kind: "cut" } });
    else void film(clip, null);
  }
};
