// The dialog itself: options, turns, the answer that is arriving. Draws nothing.
// Invariant: at most one answer arrives at a time, and stopping it closes the request.
import { batch, signal } from "@preact/signals";
import { messageOf, post } from "../../shared/api.ts";
import { keep, kept } from "../../shared/keeping.ts";
import { at } from "../../shared/place.ts";
import type { KnownModel } from "../models.tsx";
import { type Api, answerTo, APIS, isImages, type PictureFormat, type Piece, type Turn } from "./calls.ts";
import { say } from "./words.ts";

export interface Message {
  readonly id: number;
  readonly role: "user" | "assistant";
  readonly text: string;
  readonly reasoning: string;
  readonly pictures: readonly string[];
  readonly error: string | null;
  readonly request: string;
  readonly raw: readonly string[];
  readonly tookMs: number | null;
  readonly firstMs: number | null;
}

const KEY = "grok2api.dialog.key";
const API = "grok2api.dialog.api";
const SIZE = "1024x1024";
export const SIZES = [SIZE, "1024x1792", "1792x1024"] as const;

export const api = signal<Api>(APIS.find((one) => one === kept(API)) ?? "chat");
export const model = signal("");
export const stream = signal(true);
export const system = signal("");
export const number = signal(1);
export const size = signal<string>(SIZE);
export const format = signal<PictureFormat>("b64_json");
export const key = signal(kept(KEY) ?? "");
export const messages = signal<readonly Message[]>([]);
export const arriving = signal(false);

export const models = signal<readonly KnownModel[]>([]);
export const modelsProblem = signal<string | null>(null);

export const setKey = (value: string): void => {
  key.value = value.trim();
  keep(KEY, key.value === "" ? null : key.value);
};

export const setApi = (value: Api): void => {
  api.value = value;
  keep(API, value);
  chooseModel();
};

export const fitting = (): readonly KnownModel[] =>
  models.value.filter(({ capabilities }) => capabilities.includes(isImages(api.value) ? "image" : "chat"));

/** Asked for when the list names none of the kind; any other name can be typed. */
const USUAL = { pictures: "grok-imagine-image", words: "grok-4-fast" } as const;

const chooseModel = (): void => {
  const all = fitting();
  if (all.some(({ id }) => id === model.value)) return;
  model.value = all[0]?.id ?? (isImages(api.value) ? USUAL.pictures : USUAL.words);
};

export const loadModels = async (): Promise<void> => {
  try {
    const headers: Record<string, string> = key.value === "" ? {} : { authorization: `Bearer ${key.value}` };
    const response = await fetch(at("/v1/models"), { headers });
    const body = (await response.json()) as { data?: KnownModel[]; error?: { message: string } };
    if (!response.ok) throw new Error(body.error?.message ?? response.statusText);
    batch(() => {
      models.value = body.data ?? [];
      modelsProblem.value = null;
    });
    chooseModel();
  } catch (thrown) {
    modelsProblem.value = messageOf(thrown);
  }
};

export const makeKey = async (): Promise<void> => {
  const { data } = await post<{ data: { secret: string } }>("/keys", { name: "dashboard" });
  setKey(data.secret);
  await loadModels();
};

let last = 0;
const blank = (role: Message["role"], text: string): Message => {
  last += 1;
  return {
    id: last,
    role,
    text,
    reasoning: "",
    pictures: [],
    error: null,
    request: "",
    raw: [],
    tookMs: null,
    firstMs: null,
  };
};

let stopper: AbortController | null = null;
export const stop = (): void => stopper?.abort();

const change = (id: number, with_: (message: Message) => Partial<Message>): void => {
  messages.value = messages.value.map((one) => (one.id === id ? { ...one, ...with_(one) } : one));
};

const MOST_RAW = 2000;

const take = (id: number, piece: Piece, sinceMs: number): void =>
  change(id, (message) => {
    const firstMs = message.firstMs ?? (piece.kind === "raw" || piece.kind === "request" ? null : sinceMs);
    switch (piece.kind) {
      case "text":
        return { firstMs, text: message.text + piece.text };
      case "reasoning":
        return { firstMs, reasoning: message.reasoning + piece.text };
      case "picture":
        return { firstMs, pictures: [...message.pictures, piece.source] };
      case "raw":
        return { raw: [...message.raw, piece.text].slice(-MOST_RAW) };
      case "request":
        return { request: piece.text };
      case "error":
        return { error: piece.text };
      default:
        return piece satisfies never;
    }
  });

/** The turns up to here; a picture or an error is no turn. */
const turnsOf = (all: readonly Message[]): Turn[] =>
  all.filter(({ text }) => text !== "").map(({ role, text }) => ({ role, text: withoutThinking(text) }));

const withoutThinking = (text: string): string => text.replace(/^\s*<think>[\s\S]*?<\/think>\s*/, "");

export const ask = async (text: string): Promise<void> => {
  if (arriving.value || text.trim() === "") return;
  messages.value = [...messages.value, blank("user", text)];
  await answer();
};

/** The last question once more. */
export const again = async (): Promise<void> => {
  if (arriving.value) return;
  const question = messages.value.findLastIndex(({ role }) => role === "user");
  messages.value = messages.value.slice(0, question + 1);
  if (question >= 0) await answer();
};

const answer = async (): Promise<void> => {
  const turns = turnsOf(messages.value);
  const reply = blank("assistant", "");
  const started = performance.now();
  stopper = new AbortController();
  batch(() => {
    messages.value = [...messages.value, reply];
    arriving.value = true;
  });
  const options = { api: api.value, model: model.value, stream: stream.value, system: system.value };
  const about = {
    ...options,
    turns,
    count: number.value,
    size: size.value,
    format: format.value,
    key: key.value,
    signal: stopper.signal,
  };
  try {
    for await (const piece of answerTo(about)) take(reply.id, piece, performance.now() - started);
  } catch (thrown) {
    change(reply.id, () => ({ error: about.signal.aborted ? say("stopped") : messageOf(thrown) }));
  } finally {
    change(reply.id, () => ({ tookMs: performance.now() - started }));
    arriving.value = false;
  }
};

export const clear = (): void => {
  stop();
  messages.value = [];
};
