// Speech as streams of events for the attempt loop: answers in one piece, conversations that stand for a while, and sound taken
// out of its events. Knows no account and no model. Invariant: every stream ends with `finish` or `failure`, once.
import { asGatewayError, GatewayError } from "../core/errors.ts";
import type { EventBatch, GenerationEvent, GenerationStream, Usage } from "../core/events.ts";
import { TICKS_PER_TALKED_MINUTE } from "../core/speech.ts";
import type { Clock } from "../lib/clock.ts";
import { pullStream, readFrom } from "../lib/pull.ts";
import type { Conversation } from "../providers/port.ts";
import type { CallContext } from "./port.ts";

/** Ends that are nobody's fault (RFC 6455): done, going away, no reason given. */
const FRIENDLY = [1000, 1001, 1005];
const MINUTE_MS = 60_000;

/** By the minute. */
export const talkedTicks = (ms: number): number => Math.round((ms / MINUTE_MS) * TICKS_PER_TALKED_MINUTE);

export const FINISH = { type: "finish", reason: "stop", raw: null } as const;

const NO_TOKENS = { inputTokens: 0, outputTokens: 0, reasoningTokens: 0, cachedTokens: 0, estimated: true };

export const billed = (usage: Usage | null): GenerationEvent[] => (usage === null ? [] : [{ type: "usage", usage }]);

export const note = (event: GenerationEvent, { record }: CallContext): void => {
  if (event.type === "usage") record.usage = event.usage;
  else if (event.type === "finish") record.finish = event.reason;
  else if (event.type === "failure") record.error = event.error;
};

/** The first visible events; a failure before them is thrown. */
export const opening = async (events: GenerationStream, context: CallContext): Promise<EventBatch> => {
  const batch = (await readFrom(events)) ?? [];
  const failure = batch.find((event) => event.type === "failure");
  if (!failure) return batch;
  note(failure, context);
  await events.return();
  throw failure.error;
};

export const rest = async (events: GenerationStream, context: CallContext): Promise<void> => {
  for await (const batch of events) for (const event of batch) note(event, context);
};

const failureOf = (thrown: unknown, signal: AbortSignal): EventBatch => {
  const reason: unknown = signal.reason;
  const gone = signal.aborted && reason instanceof GatewayError;
  return [{ type: "failure", error: gone ? reason : asGatewayError(thrown) }];
};

/** One batch and the end. */
export const single = (work: () => Promise<EventBatch>, signal: AbortSignal): GenerationStream => {
  let asked = false;
  const pull = async (): Promise<EventBatch | null> => {
    if (asked) return null;
    asked = true;
    return work().catch((thrown: unknown) => failureOf(thrown, signal));
  };
  return pullStream(pull, () => {});
};

/** Stands, and some time later is over. */
export const conversing = (
  connect: () => Promise<Conversation>,
  about: {
    signal: AbortSignal;
    stands: (conversation: Conversation) => void;
    hasLeft: () => boolean;
    clock: Pick<Clock, "monotonic">;
  },
): GenerationStream => {
  const { clock } = about;
  let conversation: Conversation | null = null;
  let startedMs = 0;
  let isOver = false;
  /** By the minute where the upstream names no price. */
  const billOf = (own: Conversation): Usage => {
    const usage = own.usage();
    const costTicks = usage?.costTicks ?? talkedTicks(clock.monotonic() - startedMs);
    return { ...(usage ?? NO_TOKENS), costTicks };
  };
  const end = async (own: Conversation): Promise<EventBatch> => {
    const { code, reason } = await own.ended;
    const bill: EventBatch = [{ type: "usage", usage: billOf(own) }];
    if (about.hasLeft() || FRIENDLY.includes(code)) return [...bill, FINISH];
    const why = reason === "" ? "" : `: ${reason}`;
    const error = new GatewayError("upstream_cut", `The upstream ended the conversation (${code})${why}.`);
    return [...bill, { type: "failure", error }];
  };
  const pull = async (): Promise<EventBatch | null> => {
    if (isOver) return null;
    if (conversation) {
      isOver = true;
      return end(conversation);
    }
    try {
      conversation = await connect();
    } catch (thrown) {
      isOver = true;
      return failureOf(thrown, about.signal);
    }
    startedMs = clock.monotonic();
    about.stands(conversation);
    return [{ type: "connected" }];
  };
  return pullStream(pull, () => conversation?.close({ code: 1000, reason: "" }));
};

/** Sound without the events around it. */
export const soundOf = (
  events: GenerationStream,
  { first, context }: { first: EventBatch; context: CallContext },
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> => {
  const waiting = [...first];
  const pull = async (): Promise<Uint8Array<ArrayBuffer> | null> => {
    for (;;) {
      const event = waiting.shift();
      if (event === undefined) {
        const batch = await readFrom(events);
        if (batch === null) return null;
        waiting.push(...batch);
        continue;
      }
      note(event, context);
      if (event.type === "audio") return event.bytes;
      if (event.type === "failure") throw event.error;
    }
  };
  return pullStream(pull, () => void events.return());
};
