// The pictures of this visit and the runs that draw them. What is shown follows from it. Lives as long as the document, so that
// looking at another page ends nothing.
// Invariants: every run ends, and with it everything that it had begun; an object address is given back with its card.
import { computed, signal } from "@preact/signals";
import { confirm } from "../../shared/modal.tsx";
import { toast } from "../../shared/toast.tsx";
import { problemOf } from "../media/problem.ts";
import type { NamedFile } from "../media/archive.ts";
import { createPromptBook } from "../media/prompts.tsx";
import { createReferences } from "../media/references.tsx";
import { endingOf, folder, keepFile, stampOf } from "../media/saving.ts";
import { createSelection } from "../media/selection.tsx";
import { beginWork } from "../running.ts";
import { type About, type Card, type Cards, ended, failed, fresh, pictureOf } from "./cards.ts";
import type { Easel, LineKind } from "./easel.ts";
import { drawByRun } from "./run.ts";
import { editByRun } from "./edit-run.ts";
import { type Mode, settings } from "./settings.ts";
import { say } from "./words.ts";

export const MOST_REFERENCES = 8;

export const prompt = signal("");
export const references = createReferences(MOST_REFERENCES);
export const promptBook = createPromptBook("grok2api.imagine.prompts");

export const cards = signal<Cards>([]);
export const selection = createSelection();

export interface Run {
  readonly id: number;
  readonly over: LineKind | null;
  stop(): void;
}

export const runs = signal<readonly Run[]>([]);
/** When the runs that are going on began, and when the last of them ended. */
export const begunMs = signal<number | null>(null);
export const endedMs = signal<number | null>(null);
/** Why the last run ended that nobody stopped. */
export const endReason = signal<string | null>(null);

export const pictures = computed(() => cards.value.filter((card) => card.state.kind === "done"));
const isSmall = (card: Card): boolean => (pictureOf(card)?.blob.size ?? Infinity) < settings.value.hideBelowBytes;
export const hidden = computed(() => pictures.value.filter(isSmall));
export const shown = computed(() => cards.value.filter((card) => !isSmall(card)));
export const meanMs = computed(() => {
  const times = pictures.value.flatMap((card) => pictureOf(card)?.tookMs ?? []);
  return times.length === 0 ? null : times.reduce((sum, ms) => sum + ms, 0) / times.length;
});

export const nameOf = (card: Card): string => {
  const drawn = pictureOf(card);
  return `imagine-${stampOf(drawn?.atMs ?? 0)}-${drawn?.number ?? 0}.${endingOf(drawn?.blob.type ?? "")}`;
};

let lastRun = 0;
let lastPicture = 0;

const saveSoon = (id: number): void => {
  const card = cards.value.find((one) => one.id === id);
  const drawn = card && pictureOf(card);
  if (!card || !drawn || !settings.value.autoSave || isSmall(card)) return;
  keepFile({ name: nameOf(card), blob: drawn.blob }).catch((thrown: unknown) => {
    folder.value = null;
    toast(say("notSaved", { why: thrown instanceof Error ? thrown.message : String(thrown) }), "error");
  });
};

const begin = (about: Omit<About, "run">, work: (easel: Easel) => Promise<void>): void => {
  lastRun += 1;
  const id = lastRun;
  const own = { ...about, run: id };
  const controller = new AbortController();
  const over = beginWork();
  const set = (change: Partial<Run>) =>
    (runs.value = runs.value.map((run) => (run.id === id ? { ...run, ...change } : run)));
  if (runs.value.length === 0) {
    begunMs.value = Date.now();
    endedMs.value = null;
    endReason.value = null;
  }
  runs.value = [...runs.value, { id, over: null, stop: () => controller.abort() }];
  const update: Easel["update"] = (change) => {
    const before = new Set(cards.value.filter((card) => card.run === id && pictureOf(card)).map((card) => card.id));
    cards.value = change(cards.value);
    for (const card of cards.value) if (card.run === id && pictureOf(card) && !before.has(card.id)) saveSoon(card.id);
  };
  const run = async () => {
    try {
      await work({
        about: own,
        signal: controller.signal,
        update,
        arrive(blob, tookMs) {
          lastPicture += 1;
          return { blob, tookMs, address: URL.createObjectURL(blob), number: lastPicture, atMs: Date.now() };
        },
        openedOver: (kind) => set({ over: kind }),
        tellEnd: (reason) => (endReason.value = reason),
      });
    } catch (thrown) {
      if (!controller.signal.aborted) {
        update((all) => failed(all, { ...own, problem: problemOf(thrown), goesOn: false }));
      }
    } finally {
      cards.value = ended(cards.value, id);
      runs.value = runs.value.filter((one) => one.id !== id);
      if (runs.value.length === 0) endedMs.value = Date.now();
      over();
    }
  };
  void run();
};

interface Wish {
  readonly mode: Mode;
  readonly prompt: string;
  readonly ratio: string;
  /** 0 goes on until it is stopped. */
  readonly count: number;
  readonly references: readonly NamedFile[];
}

/** What each run was asked for, for as long as a card of it may ask again. */
const wishes = new Map<number, Wish>();

const beginOne = (wish: Wish): void => {
  const { mode, count, ratio, prompt: words } = wish;
  begin({ prompt: words, ratio }, (easel) => {
    wishes.set(easel.about.run, wish);
    if (count > 0) easel.update((all) => [...fresh(easel.about, count), ...all]);
    return mode === "edit" ? editByRun(easel, wish) : drawByRun(easel, wish);
  });
};

/** Begins as many runs as are chosen, over which the pictures are shared out. */
export const start = (): void => {
  const { mode, runs: wanted, count, editCount, ratio, editRatio } = settings.value;
  const words = prompt.value.trim();
  if (words === "" || (mode === "edit" && references.list.value.length === 0)) return;
  promptBook.add(words);
  const total = mode === "edit" ? editCount : count;
  const pictures = mode === "edit" ? references.list.value.map(({ blob, name }) => ({ blob, name })) : [];
  const atOnce = total === 0 ? wanted : Math.min(wanted, total);
  for (let at = 0; at < atOnce; at++) {
    const share = total === 0 ? 0 : Math.ceil((total - at) / atOnce);
    beginOne({
      ...{ mode, prompt: words, count: share, references: pictures },
      ratio: mode === "edit" ? editRatio : ratio,
    });
  }
};

export const stop = (): void => {
  for (const run of runs.value) run.stop();
};

/** What did not come is asked for again, as it was asked for. */
export const retry = (card: Card): void => {
  const wish = wishes.get(card.run);
  if (!wish) return;
  cards.value = cards.value.filter((one) => one !== card);
  beginOne({ ...wish, count: card.state.kind === "failed" ? Math.max(1, card.state.count) : 1 });
};

export const remove = (ids: ReadonlySet<number>): void => {
  for (const card of cards.value) {
    const drawn = ids.has(card.id) ? pictureOf(card) : null;
    if (drawn) URL.revokeObjectURL(drawn.address);
  }
  cards.value = cards.value.filter((card) => !ids.has(card.id));
  const alive = new Set([...cards.value.map(({ run }) => run), ...runs.value.map(({ id }) => id)]);
  for (const run of wishes.keys()) if (!alive.has(run)) wishes.delete(run);
};

export const clear = async (): Promise<void> => {
  const closed = cards.value.filter(({ state }) => state.kind !== "waiting" && state.kind !== "drawing");
  const text = say("clearText", { n: pictures.value.length });
  const question = { title: say("clearTitle"), text, action: say("clear"), danger: true };
  if (pictures.value.length > 0 && !(await confirm(question))) return;
  remove(new Set(closed.map(({ id }) => id)));
  selection.turn(false);
};
