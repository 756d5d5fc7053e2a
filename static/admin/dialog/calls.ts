// Requests to the API that clients use, one shape an API, read back into one kind of piece. Draws nothing.
// Invariant: every event of the stream is kept as it came, for the raw view.
import { errorOf, messageOf } from "../../shared/api.ts";
import { at as here } from "../../shared/place.ts";
import { eventsOf } from "../../shared/sse.ts";

export const APIS = ["chat", "responses", "messages", "images", "images_nsfw"] as const;
export type Api = (typeof APIS)[number];
export const isImages = (api: Api): boolean => api === "images" || api === "images_nsfw";

export const FORMATS = ["b64_json", "url"] as const;
export type PictureFormat = (typeof FORMATS)[number];

export interface Turn {
  readonly role: "user" | "assistant";
  readonly text: string;
}

export interface Ask {
  readonly api: Api;
  readonly model: string;
  readonly stream: boolean;
  readonly system: string;
  readonly turns: readonly Turn[];
  readonly count: number;
  readonly size: string;
  readonly format: PictureFormat;
  readonly key: string;
  readonly signal: AbortSignal;
}

export type Piece =
  | { readonly kind: "text" | "reasoning"; readonly text: string }
  | { readonly kind: "picture"; readonly source: string }
  | { readonly kind: "raw"; readonly text: string }
  | { readonly kind: "request"; readonly text: string }
  | { readonly kind: "error"; readonly text: string };

const PATHS: Record<Api, string> = {
  chat: "/v1/chat/completions",
  responses: "/v1/responses",
  messages: "/v1/messages",
  images: "/v1/images/generations",
  images_nsfw: "/v1/images/generations/nsfw",
};

const MOST_TOKENS = 8192;

const bodyOf = ({ api, model, stream, system, turns, count, size, format }: Ask): object => {
  const messages = turns.map(({ role, text }) => ({ role, content: text }));
  switch (api) {
    case "chat": {
      const before = system === "" ? [] : [{ role: "system", content: system }];
      return { model, stream, messages: [...before, ...messages] };
    }
    case "responses":
      return { model, stream, input: messages, store: false, ...(system === "" ? {} : { instructions: system }) };
    case "messages":
      return { model, stream, messages, max_tokens: MOST_TOKENS, ...(system === "" ? {} : { system }) };
    case "images":
    case "images_nsfw":
      return { model, prompt: turns.at(-1)?.text ?? "", n: count, size, response_format: format };
    default:
      return api satisfies never;
  }
};

export async function* answerTo(ask: Ask): AsyncGenerator<Piece, void> {
  const body = bodyOf(ask);
  yield { kind: "request", text: `POST ${PATHS[ask.api]}\n${JSON.stringify(body, null, 2)}` };
  const response = await fetch(here(PATHS[ask.api]), {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(ask.key === "" ? {} : { authorization: `Bearer ${ask.key}` }),
    },
    body: JSON.stringify(body),
    signal: ask.signal,
  });
  if (!response.ok) {
    const text = await response.clone().text();
    yield { kind: "raw", text: `${response.status}\n${text}` };
    yield { kind: "error", text: messageOf(await errorOf(response)) };
    return;
  }
  if (response.headers.get("content-type")?.includes("event-stream") !== true) {
    const whole: unknown = await response.json();
    yield { kind: "raw", text: JSON.stringify(shortened(whole), null, 2) };
    yield* wholePieces(ask.api, whole);
    return;
  }
  for await (const data of eventsOf(response)) {
    yield { kind: "raw", text: data };
    if (data !== "[DONE]") yield* eventPieces(ask.api, JSON.parse(data) as unknown);
  }
}

/** Whatever stands at the path; foreign JSON is read leniently. */
const at = (value: unknown, ...path: readonly (string | number)[]): unknown => {
  let here = value;
  for (const step of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Readonly<Record<string | number, unknown>>)[step];
  }
  return here;
};
const textAt = (value: unknown, ...path: readonly (string | number)[]): string => {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
};
const listAt = (value: unknown, ...path: readonly (string | number)[]): readonly unknown[] => {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
};

function* some(kind: "text" | "reasoning" | "error", text: string): Generator<Piece, void> {
  if (text !== "") yield { kind, text };
}

function* eventPieces(api: Api, event: unknown): Generator<Piece, void> {
  yield* some("error", textAt(event, "error", "message"));
  if (api === "chat") {
    yield* some("reasoning", textAt(event, "choices", 0, "delta", "reasoning_content"));
    yield* some("text", textAt(event, "choices", 0, "delta", "content"));
  } else if (api === "responses") {
    const type = textAt(event, "type");
    if (type === "response.output_text.delta") yield* some("text", textAt(event, "delta"));
    else if (/^response\.reasoning\w*\.delta$/.test(type)) yield* some("reasoning", textAt(event, "delta"));
    else if (type === "response.failed") yield* some("error", textAt(event, "response", "error", "message"));
  } else if (api === "messages") {
    yield* some("text", textAt(event, "delta", "text"));
    yield* some("reasoning", textAt(event, "delta", "thinking"));
  }
}

function* wholePieces(api: Api, whole: unknown): Generator<Piece, void> {
  switch (api) {
    case "chat":
      yield* some("reasoning", textAt(whole, "choices", 0, "message", "reasoning_content"));
      return yield* some("text", textAt(whole, "choices", 0, "message", "content"));
    case "responses":
      for (const item of listAt(whole, "output")) {
        for (const part of listAt(item, "summary")) yield* some("reasoning", textAt(part, "text"));
        for (const part of listAt(item, "content")) yield* some("text", textAt(part, "text"));
      }
      return;
    case "messages":
      for (const part of listAt(whole, "content")) {
        yield* some("reasoning", textAt(part, "thinking"));
        yield* some("text", textAt(part, "text"));
      }
      return;
    case "images":
    case "images_nsfw":
      for (const item of listAt(whole, "data")) {
        const packed = textAt(item, "b64_json");
        const source = packed === "" ? textAt(item, "url") : dataAddress(packed);
        if (source !== "") yield { kind: "picture", source };
      }
      return;
    default:
      return api satisfies never;
  }
}

const MIMES = [
  ["/9j/", "jpeg"],
  ["UklGR", "webp"],
  ["R0lGOD", "gif"],
] as const;

/** What a picture is stands in its first bytes. */
const dataAddress = (packed: string): string => {
  const mime = MIMES.find(([start]) => packed.startsWith(start))?.[1] ?? "png";
  return `data:image/${mime};base64,${packed}`;
};

const LONGEST_RAW = 2000;

/** A picture in text form is too long to be looked at. */
const shortened = (value: unknown): unknown => {
  if (typeof value === "string") return value.length > LONGEST_RAW ? `${value.slice(0, 80)}… (${value.length})` : value;
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shortened(inner)]));
};
