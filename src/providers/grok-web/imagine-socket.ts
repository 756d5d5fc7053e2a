// The site's picture socket: what to send, and how its frames become pictures. Pure; opening the socket is pictures.ts's.
// One request a socket. Frames as captured 2026-08. Invariant: nothing of a picture is told before the site has closed its
// slot unmoderated, previews included; a slot that was moderated leaves no trace but the verdict.
import { GatewayError } from "../../core/errors.ts";
import type { GenerationEvent, MediaSource } from "../../core/events.ts";
import { numberAt, parseObject, stringAt, type JsonObject } from "../../lib/json.ts";
import type { PictureTask } from "../port.ts";
import { classifyFrame } from "./failures.ts";

export interface ImagineAsk {
  readonly requestId: string;
  readonly nowMs: number;
  readonly task: PictureTask;
  /** The slower mode with finer pictures. */
  readonly quality: boolean;
}

/** The browser clears the canvas, then asks. */
export const askFrames = ({ requestId, nowMs, task, quality }: ImagineAsk): readonly string[] => {
  const frame = (content: object) =>
    JSON.stringify({
      type: "conversation.item.create",
      timestamp: nowMs,
      item: { type: "message", content: [content] },
    });
  return [
    frame({ type: "reset" }),
    frame({
      requestId,
      text: task.prompt,
      type: "input_text",
      properties: {
        section_count: 0,
        is_kids_mode: false,
        enable_nsfw: task.adult,
        skip_upsampler: false,
        enable_side_by_side: true,
        is_initial: false,
        aspect_ratio: task.ratio ?? "1:1",
        enable_pro: quality,
        num_generations: task.count,
        enable_watermark: false,
      },
    }),
  ];
};

/**
 * What the reader waits for: the first frame, any frame, finished pictures after their previews, the verdicts on finished
 * ones, or nothing but slots that were asked for and never opened.
 */
export type Waiting = "start" | "frames" | "finals" | "verdicts" | "more";

export interface ImagineReader {
  /** Takes one text frame. */
  accept(frame: string): void;
  /** The verdicts do not come: what is finished and was not moderated is told as it is. */
  settle(): void;
  /** The socket is closed. */
  end(): void;
  fail(error: GatewayError): void;
  /** Takes the events written since the last call. */
  take(): GenerationEvent[];
  readonly waiting: Waiting;
  readonly over: boolean;
}

interface Slot {
  readonly previews: MediaSource[];
  final: MediaSource | null;
  closed: boolean;
  withheld: boolean;
}

const PICTURE_ID = /\/images\/([a-f0-9-]+)\.(?:png|jpe?g)/;
const MODERATED = /moderat|safety|policy|violat/i;

const slotKey = (frame: JsonObject): string | undefined =>
  stringAt(frame, "image_id") ??
  stringAt(frame, "job_id") ??
  stringAt(frame, "id") ??
  PICTURE_ID.exec(stringAt(frame, "url") ?? "")?.[1];

const sourceOf = (frame: JsonObject): MediaSource | null => {
  const base64 = stringAt(frame, "blob");
  const url = stringAt(frame, "url");
  const id = stringAt(frame, "id");
  if (!base64 && !url) return null;
  return { ...(url ? { url } : {}), ...(base64 ? { base64 } : {}), ...(id ? { id } : {}) };
};

export const createImagineReader = (
  { requestId, task }: Pick<ImagineAsk, "requestId" | "task">,
  start: { readonly id: string; readonly model: string; readonly created: number },
): ImagineReader => {
  const slots = new Map<string, Slot>();
  let out: GenerationEvent[] = [{ type: "start", ...start }];
  let told = 0;
  let withheld = 0;
  let over = false;

  const slotOf = (frame: JsonObject): Slot => {
    const key = slotKey(frame) ?? `slot ${slots.size}`;
    const known = slots.get(key);
    if (known) return known;
    const slot: Slot = { previews: [], final: null, closed: false, withheld: false };
    slots.set(key, slot);
    return slot;
  };
  const open = () => [...slots.values()].filter((slot) => !slot.closed);

  const conclude = () => {
    if (over) return;
    over = true;
    if (told > 0) {
      out.push({ type: "finish", reason: withheld > 0 ? "content-filter" : "stop", raw: null });
    } else if (withheld > 0) {
      const message = "The upstream withheld every picture on content grounds.";
      out.push({ type: "failure", error: new GatewayError("content_policy_violation", message) });
    } else {
      const message = "The upstream ended its answer without a picture.";
      out.push({ type: "failure", error: new GatewayError("upstream_empty", message) });
    }
  };
  const close = (slot: Slot) => {
    if (slot.closed) return;
    slot.closed = true;
    if (slot.withheld) {
      withheld++;
      slot.previews.length = 0;
      slot.final = null;
    } else if (slot.final && told < task.count) {
      const index = told++;
      const previews = task.previews > 0 ? slot.previews.slice(-task.previews) : [];
      for (const source of previews) out.push({ type: "image", index, source, partial: true });
      out.push({ type: "image", index, source: slot.final, partial: false });
    }
    const done = [...slots.values()].filter((one) => one.closed).length;
    if (told >= task.count || done >= task.count) conclude();
  };

  const settle = () => {
    for (const slot of open()) if (slot.final || slot.withheld) close(slot);
  };
  const status = (frame: JsonObject) => {
    const slot = slotOf(frame);
    if (frame["moderated"] === true) slot.withheld = true;
    if (stringAt(frame, "current_status") === "completed") close(slot);
  };
  const image = (frame: JsonObject) => {
    const slot = slotOf(frame);
    const progress = numberAt(frame, "percentage_complete") ?? 100;
    if (frame["moderated"] === true) slot.withheld = true;
    const source = sourceOf(frame);
    if (progress >= 100) slot.final = source;
    else {
      if (task.previews > 0 && source) slot.previews.push(source);
      else slot.previews.splice(0, slot.previews.length, {});
      out.push({ type: "progress", value: progress / 100, note: "image" });
    }
  };
  const fail = (error: GatewayError) => {
    if (over) return;
    over = true;
    out.push({ type: "failure", error });
  };
  const refusal = (frame: JsonObject): GatewayError => {
    const code = stringAt(frame, "err_code") ?? "";
    const message = stringAt(frame, "err_msg") ?? stringAt(frame, "err_message") ?? "";
    if (MODERATED.test(code)) {
      return new GatewayError("content_policy_violation", "The upstream refused the prompt on content grounds.");
    }
    return (
      classifyFrame({ code, message }, "image") ?? new GatewayError("upstream_error", "The upstream reported an error.")
    );
  };

  return {
    get over() {
      return over;
    },
    get waiting() {
      const left = open();
      if (slots.size === 0) return "start";
      if (left.length === 0) return "more";
      if (slots.size < task.count) return "frames";
      if (left.every((slot) => slot.final !== null || slot.withheld)) return "verdicts";
      return left.every((slot) => slot.final !== null || slot.withheld || slot.previews.length > 0)
        ? "finals"
        : "frames";
    },
    accept(text) {
      const frame = parseObject(text);
      if (over || !frame) return;
      // The socket may still tell of a request that the account's browser has made.
      const request = stringAt(frame, "request_id");
      if (request !== undefined && request !== requestId) return;
      if (frame["type"] === "error") return fail(refusal(frame));
      if (frame["type"] === "json") return status(frame);
      if (frame["type"] === "image") return image(frame);
    },
    settle,
    end() {
      settle();
      if (over) return;
      if (told === 0 && withheld === 0 && slots.size > 0) {
        return fail(new GatewayError("upstream_cut", "The upstream closed the picture socket before it had finished."));
      }
      conclude();
    },
    fail,
    take() {
      const events = out;
      out = [];
      return events;
    },
  };
};
