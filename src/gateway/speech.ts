// Speech as use cases: a key of the pool is lent for as long as somebody is spoken to, listened to or talked with. Knows no
// protocol and no sound. Invariants: nothing is tried elsewhere once the first sound has come or a connection stands; only keys
// serve it; what ends a conversation is told to the pool exactly once.
import type { Lease, Pool } from "../accounts/pool.ts";
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../core/errors.ts";
import type { GenerationStream, Usage } from "../core/events.ts";
import type { XaiModel } from "../core/models.ts";
import {
  DEFAULT_SPEECH_MODEL,
  findSpeechModel,
  type RealtimeWish,
  type SpeechKind,
  type SpeechModel,
  speechModelNames,
  type SpeechTask,
  TICKS_PER_CHARACTER,
  TICKS_PER_HEARD_SECOND,
  TICKS_PER_TALKED_MINUTE,
  type Transcript,
  type TranscriptionTask,
} from "../core/speech.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Conversation, Provider, ProviderCall, SpeechProvider } from "../providers/port.ts";
import { createAttempts } from "./attempts.ts";
import { callFor, noteAttempt } from "./media-run.ts";
import type { Meter } from "./metered.ts";
import type { CallContext } from "./port.ts";
import { billed, conversing, FINISH, note, opening, rest, single, soundOf, talkedTicks } from "./speech-streams.ts";

export interface SpeechDeps {
  readonly pool: Pool;
  readonly provider: SpeechProvider & Pick<Provider, "resetEgress">;
  readonly meter: Pick<Meter, "speech">;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Spoken {
  readonly mime: string;
  /** Sound as it comes; throws when it breaks off. Returning it early releases everything. */
  readonly pieces: AsyncGenerator<Uint8Array<ArrayBuffer>, void, void>;
}

/** A conversation that stands. */
export interface Talk extends Conversation {
  /** Resolves when it is over and everybody has been told. */
  readonly settled: Promise<void>;
}

/** Models are as the caller wrote them; null takes the usual one. All throw GatewayError. */
export interface Speech {
  /** Resolves with the first sound. */
  speak(task: SpeechTask, about: { model: string | null; context: CallContext }): Promise<Spoken>;
  transcribe(task: TranscriptionTask, about: { model: string | null; context: CallContext }): Promise<Transcript>;
  voices(id: string | null, context: CallContext): Promise<Readonly<Record<string, unknown>>>;
  converse(wish: Pick<RealtimeWish, "query">, about: { model: string | null; context: CallContext }): Promise<Talk>;
}

/** What is held back from a budget before anybody knows how long it will be. */
const USUAL_SECONDS = 600;
const USUAL_MINUTES = 5;

export const createSpeech = (deps: SpeechDeps): Speech => {
  const { pool, provider, meter, config, clock, log } = deps;
  const attempts = createAttempts({ pool, clock, config, resetEgress: provider.resetEgress });

  const modelFor = (kind: SpeechKind, asked: string | null): SpeechModel => {
    if (pool.keyCount === 0) {
      const message =
        "Speech is served by keys of the official xAI API alone, and there is none; add one (xai.api_keys, or the page of tokens).";
      throw new GatewayError("model_not_supported", message, { param: "model" });
    }
    const found = findSpeechModel(kind, asked ?? DEFAULT_SPEECH_MODEL[kind]);
    if (found) return found;
    const message = `The model '${asked}' does not exist here; known are ${speechModelNames(kind).join(", ")}.`;
    throw new GatewayError("model_not_found", message, { param: "model" });
  };
  const begin = (kind: SpeechKind, about: { model: string | null; context: CallContext; ticks: number }) => {
    const { record } = about.context;
    const asked = about.model ?? DEFAULT_SPEECH_MODEL[kind];
    record.model = asked;
    const found = modelFor(kind, about.model);
    meter.speech({ model: found.model.id, asked, ticks: about.ticks }, record);
    return found;
  };
  const over = (
    model: XaiModel,
    about: {
      context: CallContext;
      run: (call: ProviderCall, lease: Lease) => GenerationStream;
      /** What it has cost when it is left before its bill has come. */
      unbilled?: () => number;
    },
  ): GenerationStream => {
    const { context, run, unbilled } = about;
    const { record, signal } = context;
    return attempts({
      offers: [model],
      signal,
      mayPay: record.mayPay,
      ...(unbilled ? { unbilled } : {}),
      run(lease) {
        record.begun++;
        return run(callFor(lease, { signal, log }), lease);
      },
      onAttempt: noteAttempt(context),
    });
  };

  /** What is answered in one piece. */
  const once = async <T>(
    model: XaiModel,
    about: { context: CallContext; ask: (call: ProviderCall) => Promise<{ value: T; usage: Usage | null }> },
  ): Promise<T> => {
    const { context, ask } = about;
    let given: { readonly value: T } | null = null;
    const events = over(model, {
      context,
      run: (call) =>
        single(async () => {
          const { value, usage } = await ask(call);
          given = { value };
          return [...billed(usage), FINISH];
        }, context.signal),
    });
    for await (const batch of events) for (const event of batch) note(event, context);
    const answer = given as { readonly value: T } | null;
    if (context.record.error) throw context.record.error;
    if (answer === null) throw new GatewayError("upstream_empty", "The upstream ended its answer before it began.");
    return answer.value;
  };

  return {
    async speak(task, about) {
      const { context } = about;
      const ticks = task.text.length * TICKS_PER_CHARACTER;
      const { model } = begin("speech", { ...about, ticks });
      const events = over(model, { context, run: (call) => provider.speak(task, call), unbilled: () => ticks });
      const first = await opening(events, context);
      const sound = first.find((event) => event.type === "audio");
      if (!sound) throw new GatewayError("upstream_empty", "The upstream answered without any sound.");
      context.record.firstByteMs = clock.monotonic() - context.record.startedMs;
      return { mime: sound.mime, pieces: soundOf(events, { first, context }) };
    },
    async transcribe(task, about) {
      const { model, upstreamId } = begin("transcription", { ...about, ticks: USUAL_SECONDS * TICKS_PER_HEARD_SECOND });
      const asked = { ...task, ...(upstreamId === null ? {} : { model: upstreamId }) };
      return once(model, {
        context: about.context,
        ask: async (call) => {
          const { transcript, usage } = await provider.transcribe(asked, call);
          return { value: transcript, usage };
        },
      });
    },
    async voices(id, context) {
      const { model } = modelFor("speech", null);
      return once(model, {
        context,
        ask: async (call) => ({ value: await provider.voices(id, call).catch(unknownVoice), usage: null }),
      });
    },
    async converse({ query }, about) {
      const { context } = about;
      const { model, upstreamId } = begin("realtime", { ...about, ticks: USUAL_MINUTES * TICKS_PER_TALKED_MINUTE });
      const wish = { model: upstreamId ?? model.id, query };
      let given: Conversation | null = null;
      let standsSinceMs: number | null = null;
      let left = false;
      const events = over(model, {
        context,
        unbilled: () => (standsSinceMs === null ? 0 : talkedTicks(clock.monotonic() - standsSinceMs)),
        run: (call) =>
          conversing(() => provider.converse(wish, call), {
            signal: context.signal,
            stands(conversation) {
              given = conversation;
              standsSinceMs = clock.monotonic();
            },
            hasLeft: () => left,
            clock,
          }),
      });
      await opening(events, context);
      const conversation = given as Conversation | null;
      if (conversation === null) throw new GatewayError("upstream_empty", "The conversation ended before it began.");
      context.record.firstByteMs = clock.monotonic() - context.record.startedMs;
      return {
        ...conversation,
        close(end) {
          left = true;
          conversation.close(end);
        },
        settled: rest(events, context),
      };
    },
  };
};

const unknownVoice = (thrown: unknown): never => {
  const isMissing = thrown instanceof GatewayError && thrown.code === "upstream_rejected";
  if (isMissing && thrown.detail.upstream?.status === 404) throw new GatewayError("not_found", "No such voice.");
  throw thrown;
};
