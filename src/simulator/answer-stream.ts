// Plays timed objects as a response body: pull based, so that a slow reader slows the simulator down.
// Knows nothing of what the objects mean. Invariant: the call is closed exactly once, and at once when the
// client leaves, whichever of `cancel` and the request's signal notices first.
import { pause } from "./chance.ts";
import type { Framing } from "./framing.ts";
import type { OpenCall } from "./journal.ts";

export type Beat = { send: object; delayMs?: number } | { pauseMs: number } | { stop: "cut" | "hang" };

export interface AnswerStream {
  beats: Iterator<Beat>;
  framing: Framing;
  call: OpenCall;
  signal: AbortSignal;
  headers?: Headers;
}

const CHUNK_CHARS = 16_384;

export function answerStream({ beats, framing, call, signal, headers }: AnswerStream): Response {
  const encoder = new TextEncoder();
  let held: Beat | undefined;
  let index = 0;
  let ended = false;
  let backlog = new Uint8Array(0);

  function leave(): void {
    ended = true;
    call.close("aborted");
    beats.return?.();
  }
  signal.addEventListener("abort", leave, { once: true });

  /** The next text to send: everything up to the next pause, at most one chunk; undefined at the end. */
  async function gather(): Promise<{ text: string; stop?: "cut" | "end" }> {
    let text = "";
    while (!ended) {
      const beat = held ?? next();
      held = undefined;
      if (beat === undefined) return { text: text + framing.end(), stop: "end" };
      const waitMs = waitOf(beat);
      // Headers leave with the first byte only: a hang must show them, and a blank line means nothing to a parser.
      if (index === 0 && waitMs === Number.POSITIVE_INFINITY) {
        held = beat;
        index++;
        return { text: "\n" };
      }
      if (text !== "" && (waitMs > 0 || "stop" in beat)) {
        held = beat;
        return { text };
      }
      if (waitMs > 0) await pause(waitMs, signal);
      if (ended) break;
      if ("stop" in beat) return { text, stop: "cut" };
      if ("send" in beat) text += framing.write(beat.send, index++);
      if (text.length >= CHUNK_CHARS) return { text };
    }
    return { text: "" };
  }
  function next(): Beat | undefined {
    const result = beats.next();
    return result.done === true ? undefined : result.value;
  }
  function finish(outcome: "completed" | "cut"): void {
    ended = true;
    signal.removeEventListener("abort", leave);
    call.close(outcome);
  }

  let stop: "cut" | "end" | undefined;
  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (backlog.length === 0 && stop === undefined && !ended) {
      const gathered = await gather();
      stop = gathered.stop;
      backlog = encoder.encode(gathered.text);
    }
    if (backlog.length > 0 && !ended) {
      const size = framing.pieceSize?.() ?? backlog.length;
      // Without a turn of the event loop in between, the pieces would leave in one packet.
      if (framing.pieceSize !== undefined) await new Promise((resolve) => setImmediate(resolve));
      if (ended) return;
      controller.enqueue(backlog.slice(0, size));
      backlog = backlog.subarray(size);
      if (backlog.length > 0 || stop !== "end") return;
    }
    if (ended && stop === undefined) return;
    finish(stop === "cut" ? "cut" : "completed");
    if (stop === "cut") {
      await Bun.sleep(1);
      controller.error(new Error("simulated cut"));
    } else controller.close();
  }

  const body = new ReadableStream<Uint8Array>({ pull, cancel: leave }, { highWaterMark: 0 });
  const all = headers ?? new Headers();
  all.set("content-type", framing.contentType);
  all.set("server", "cloudflare");
  all.set("cache-control", "no-cache");
  return new Response(body, { headers: all });
}

function waitOf(beat: Beat): number {
  if ("pauseMs" in beat) return beat.pauseMs;
  if ("stop" in beat) return beat.stop === "hang" ? Number.POSITIVE_INFINITY : 0;
  return beat.delayMs ?? 0;
}
