// Sends an answer that stands: as an event stream, or whole once the time for it has passed.
// Knows neither surface. Invariant: the call is closed exactly once, however it ends.
import { answerStream } from "../answer-stream.ts";
import type { Beat } from "../answer-stream.ts";
import { pause } from "../chance.ts";
import type { Framing } from "../framing.ts";
import { cutResponse } from "../refusals.ts";
import type { Words } from "../scenarios.ts";
import type { Fields } from "../fields.ts";
import { answered, generationHeaders, hangHeaders } from "./call.ts";
import type { XaiCall } from "./call.ts";
import { tokenCountOf } from "./plan.ts";
import type { Plan } from "./plan.ts";
import { refuse } from "./refusals.ts";
import type { XaiRefusal } from "./refusals.ts";
import type { EncodedFrame } from "./response-events.ts";

/** Frames are encoded already; `end` is what closes a stream that was not cut. */
function encoded(words: Words, end: string): Framing {
  let turn = 0;
  return {
    contentType: "text/event-stream",
    write: (frame) => (frame as EncodedFrame).text,
    end: () => end,
    pieceSize: words.has("bytes") ? () => 1 + ((turn++ * 5) % 7) : undefined,
  };
}

export interface Streamed {
  beats: Iterator<Beat>;
  words: Words;
  end: string;
}

export async function playStream(call: XaiCall, { beats, words, end }: Streamed): Promise<Response> {
  const open = call.world.journal.open(call.entry, "rest");
  if (words.has("hang-headers")) return hangHeaders(call, open);
  const headers = new Headers(generationHeaders(call.key));
  return answerStream({ beats, framing: encoded(words, end), call: open, signal: call.request.signal, headers });
}

/** No byte leaves before the whole answer is there, as long as that takes. */
export async function playWhole(
  call: XaiCall,
  { plan, words, whole, failed }: { plan: Plan; words: Words; whole: Fields; failed: Fields },
): Promise<Response | XaiRefusal> {
  const acts = [...plan.early, ...plan.middle];
  const open = call.world.journal.open(call.entry, "rest");
  if (words.has("hang-headers") || acts.some((act) => act.do === "hang")) return hangHeaders(call, open);
  const tokens = plan.parts.reduce((sum, part) => sum + tokenCountOf(part), 0);
  const pauses = acts.reduce((sum, act) => sum + (act.do === "pause" ? act.ms : 0), 0);
  await pause(tokens * plan.delayMs + pauses, call.request.signal);
  if (call.request.signal.aborted) {
    open.close("aborted");
    return new Response(null, { status: 499 });
  }
  const verdict = acts.find((act) => act.do !== "pause");
  open.close(verdict?.do === "cut" ? "cut" : "completed");
  if (verdict?.do === "cut") return cutResponse();
  if (verdict?.do === "error") return refuse(500, "internal", "Internal error");
  return answered(verdict?.do === "failed" ? failed : whole, { headers: generationHeaders(call.key) });
}
