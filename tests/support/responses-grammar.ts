// Reads a whole stream of /v1/responses as a strict client would: every frame in its place, every item opened once, told in
// full and closed once, and the last object equal to what was told. Knows the protocol and nothing of the gateway.
// Invariant: what is returned as `complete` ended with an object whose items had all been told and closed.
import { isDeepStrictEqual } from "node:util";
import type { OutputItem, ResponseObject } from "../../src/protocols/openai/responses-object.ts";
import { must, namedFrames, type NamedFrame, type ReadAnswer } from "./stream-grammar.ts";

export interface ResponseFrame extends NamedFrame {
  readonly sequence_number: number;
  readonly output_index?: number;
  readonly item_id?: string;
  readonly content_index?: number;
  readonly summary_index?: number;
  readonly item?: OutputItem;
  readonly part?: { readonly type: string; readonly text: string; readonly annotations?: readonly unknown[] };
  readonly annotation?: unknown;
  readonly annotation_index?: number;
  readonly delta?: string;
  readonly text?: string;
  readonly arguments?: string;
  readonly name?: string;
  readonly response?: ResponseObject;
  readonly code?: string;
  readonly message?: string;
  readonly param?: string | null;
}

const ADDED = "response.output_item.added";
const DONE = "response.output_item.done";

/** By kind of item: which frames may follow a frame. What is in no list may not come at all. */
const FOLLOWERS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  message: {
    [ADDED]: ["response.content_part.added"],
    "response.content_part.added": ["response.output_text.delta", "response.output_text.done"],
    "response.output_text.delta": [
      "response.output_text.delta",
      "response.output_text.annotation.added",
      "response.output_text.done",
    ],
    "response.output_text.annotation.added": [
      "response.output_text.delta",
      "response.output_text.annotation.added",
      "response.output_text.done",
    ],
    "response.output_text.done": ["response.content_part.done"],
    "response.content_part.done": [DONE],
  },
  reasoning: {
    [ADDED]: ["response.reasoning_summary_part.added"],
    "response.reasoning_summary_part.added": ["response.reasoning_summary_text.delta"],
    "response.reasoning_summary_text.delta": [
      "response.reasoning_summary_text.delta",
      "response.reasoning_summary_text.done",
    ],
    "response.reasoning_summary_text.done": ["response.reasoning_summary_part.done"],
    "response.reasoning_summary_part.done": ["response.reasoning_summary_part.added", DONE],
  },
  function_call: {
    [ADDED]: ["response.function_call_arguments.delta", "response.function_call_arguments.done"],
    "response.function_call_arguments.delta": [
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
    ],
    "response.function_call_arguments.done": [DONE],
  },
  web_search_call: {
    [ADDED]: ["response.web_search_call.in_progress"],
    "response.web_search_call.in_progress": ["response.web_search_call.searching"],
    "response.web_search_call.searching": ["response.web_search_call.completed"],
    "response.web_search_call.completed": [DONE],
  },
  image_generation_call: {
    [ADDED]: ["response.image_generation_call.in_progress"],
    "response.image_generation_call.in_progress": ["response.image_generation_call.generating"],
    "response.image_generation_call.generating": [
      "response.image_generation_call.partial_image",
      "response.image_generation_call.completed",
      DONE,
    ],
    "response.image_generation_call.partial_image": [
      "response.image_generation_call.partial_image",
      "response.image_generation_call.completed",
      DONE,
    ],
    "response.image_generation_call.completed": [DONE],
  },
};

/** One item as its frames tell it. */
const createItem = (first: ResponseFrame) => {
  const start = first.item as OutputItem;
  const followers = FOLLOWERS[start.type] ?? {};
  let last = ADDED;
  /** Text of each part, or the arguments. */
  const told: string[] = start.type === "function_call" ? [""] : [];
  let annotations = 0;
  let done: OutputItem | null = null;

  must(start.status === "in_progress", "an item that does not begin", start);
  if (start.type === "message" || start.type === "reasoning") {
    must((start.type === "message" ? start.content : start.summary).length === 0, "an item that begins full", start);
  }
  const whole = (frame: ResponseFrame, text: string | undefined) =>
    must(text === told.at(-1), "the whole differs from its pieces", frame);

  return {
    start,
    accept(frame: ResponseFrame) {
      must(followers[last]?.includes(frame.type) === true, `not after ${last}`, frame);
      last = frame.type;
      if (frame.type === DONE) {
        done = frame.item ?? null;
        must(done?.id === start.id && done.type === start.type, "another item is closed", frame);
        if (done?.type === "image_generation_call") {
          const drawn = done.result !== null && done.result !== "";
          must(done.status === (drawn ? "completed" : "failed"), "a picture of another status", frame);
          return;
        }
        must(done?.status === "completed" || done?.status === "incomplete", "closed without a status", frame);
        return;
      }
      must(frame.item_id === start.id, "a frame of another item", frame);
      const part = frame.content_index ?? frame.summary_index ?? told.length - 1;
      if (frame.type.endsWith("part.added")) {
        must(part === told.length && frame.part?.text === "", "a part out of its place", frame);
        told.push("");
        return;
      }
      must(part === told.length - 1, "a frame of another part", frame);
      if (frame.type.endsWith(".delta")) {
        must((frame.delta ?? "") !== "", "an empty delta", frame);
        told[told.length - 1] += frame.delta ?? "";
      } else if (frame.type.endsWith("annotation.added")) {
        must(frame.annotation_index === annotations++, "an annotation out of its place", frame);
      } else if (frame.type.endsWith("part.done")) {
        whole(frame, frame.part?.text);
        must((frame.part?.annotations?.length ?? 0) === annotations, "annotations that were not told", frame);
      } else if (frame.type.endsWith("text.done")) whole(frame, frame.text);
      else if (frame.type.endsWith("arguments.done")) whole(frame, frame.arguments);
    },
    get done() {
      return done;
    },
    told,
  };
};

const partsOf = (item: OutputItem): string[] => {
  switch (item.type) {
    case "message":
      return item.content.map(({ text }) => text);
    case "reasoning":
      return item.summary.map(({ text }) => text);
    case "function_call":
      return [item.arguments];
    case "web_search_call":
    case "image_generation_call":
      return [];
    default:
      return item satisfies never;
  }
};

/** The last object against what the frames before it have told. */
const checkEnd = (type: string, response: ResponseObject, items: readonly ReturnType<typeof createItem>[]): void => {
  must(type === `response.${response.status}`, "a status of another name", response.status);
  must(response.output.length === items.length, "other items than were told", response.output);
  const failed = response.status === "failed";
  must((response.error !== null) === failed, "an error without failure, or the reverse", response.error);
  must((response.incomplete_details !== null) === (response.status === "incomplete"), "incomplete for no reason");
  must((response.completed_at !== null) === (response.status === "completed"), "a time of completion", response);
  for (const [at, item] of items.entries()) {
    const shown = response.output[at];
    if (item.done) must(isDeepStrictEqual(shown, item.done), "an item changed after it was closed", shown);
    else {
      const unfinished = shown?.type === "image_generation_call" ? "failed" : "incomplete";
      must(failed && shown?.status === unfinished, "an item that was never closed", shown);
    }
    if (shown) must(isDeepStrictEqual(partsOf(shown), item.told), "an item with other words than were told", shown);
  }
};

export interface ReadResponse extends ReadAnswer {
  /** The last object; null when the answer failed before it began. */
  readonly response: ResponseObject | null;
  readonly frames: readonly ResponseFrame[];
}

export const readResponsesStream = (text: string): ReadResponse => {
  const frames = namedFrames<ResponseFrame>(text);
  const items: ReturnType<typeof createItem>[] = [];
  let response: ResponseObject | null = null;
  let error: string | null = null;

  for (const [at, frame] of frames.entries()) {
    must(response === null && error === null, "a frame after the last one", frame);
    must(frame.sequence_number === at, "a gap in the numbers", frame);
    if (frame.type === "error") {
      must(at === 0 && !!frame.code && !!frame.message, "an error inside, or without words", frame);
      error = frame.code ?? "";
    } else if (at < 2) {
      must(frame.type === (at === 0 ? "response.created" : "response.in_progress"), "another beginning", frame);
      must(frame.response?.status === "in_progress" && frame.response.output.length === 0, "a full beginning", frame);
    } else if (frame.response) {
      must(["response.completed", "response.incomplete", "response.failed"].includes(frame.type), "no end", frame);
      must(frame.response.id === frames[0]?.response?.id, "another response", frame.response.id);
      checkEnd(frame.type, frame.response, items);
      response = frame.response;
      error = response.error?.code ?? null;
    } else if (frame.type === ADDED) {
      must(frame.output_index === items.length && !!frame.item, "an item out of its place", frame);
      must(!items.some(({ start }) => start.id === frame.item?.id), "an id twice", frame);
      items.push(createItem(frame));
    } else {
      const item = items[frame.output_index ?? -1];
      must(item !== undefined && item.done === null, "a frame of no open item", frame);
      item?.accept(frame);
    }
  }
  must(response !== null || error !== null, "neither an end nor an error");
  const of = (kind: OutputItem["type"]) => items.filter(({ start }) => start.type === kind);
  const { usage, status } = response ?? {};
  return {
    outcome: status === "completed" || status === "incomplete" ? "complete" : "failed",
    text: of("message")
      .flatMap(({ told }) => told)
      .join(""),
    reasoning: of("reasoning")
      .flatMap(({ told }) => told)
      .join(""),
    calls: items.flatMap(({ start, told }) =>
      start.type === "function_call" ? [{ id: start.call_id, name: start.name, arguments: told[0] ?? "" }] : [],
    ),
    finish: status === undefined || status === "failed" ? null : (response?.incomplete_details?.reason ?? status),
    tokens: usage ? [usage.input_tokens, usage.output_tokens] : null,
    error,
    response,
    frames,
  };
};
