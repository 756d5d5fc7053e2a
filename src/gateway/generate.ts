// The chat use case: model, attachments, attempts, cutting, counting, storing of drawn pictures, and the commit point.
// Knows no protocol: routes hand in a GenerationRequest and get events back.
import type { Lease, Pool } from "../accounts/pool.ts";
import type { Config } from "../config/schema.ts";
import { asGatewayError, GatewayError } from "../core/errors.ts";
import { isLast, isVisible, type EventBatch, type GenerationEvent, type GenerationStream } from "../core/events.ts";
import { findModel, type Model } from "../core/models.ts";
import { showsReasoning, type GenerationRequest, type UploadFile } from "../core/request.ts";
import { createCut, createReasoningFilter, createUsageCount, type Step } from "../core/transforms.ts";
import { countMessages } from "../core/usage.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Provider, ProviderCall } from "../providers/port.ts";
import { createAttempts } from "./attempts.ts";
import type { CallContext, ChatGateway, ChatRun } from "./port.ts";
import type { Pictures } from "./pictures.ts";

export interface GenerateDeps {
  readonly pool: Pool;
  readonly provider: Provider;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly attachments: (request: GenerationRequest, signal: AbortSignal) => Promise<readonly UploadFile[]>;
  readonly pictures: Pictures;
}

const chatModel = (id: string): Model => {
  const model = findModel(id);
  if (!model) {
    throw new GatewayError("model_not_found", `The model '${id}' does not exist or you do not have access to it.`, {
      param: "model",
    });
  }
  if (model.kind !== "chat") {
    throw new GatewayError("unsupported_value", `The model '${id}' does not answer in conversations.`, {
      param: "model",
    });
  }
  return model;
};

export const createGenerate = (deps: GenerateDeps): ChatGateway => {
  const { pool, provider, config, clock, log, attachments, pictures } = deps;
  const attempts = createAttempts({ pool, clock, config, resetEgress: () => provider.resetEgress() });

  const callFor = (lease: Lease, signal: AbortSignal): ProviderCall => ({
    credential: lease.credential,
    signal,
    log,
    learn: lease.learn,
  });

  /** Provider events of one lease, with drawn pictures stored: that needs the same account. */
  async function* served(
    lease: Lease,
    work: {
      model: Model;
      request: GenerationRequest;
      context: CallContext;
      files: readonly UploadFile[];
      signal: AbortSignal;
    },
  ): GenerationStream {
    const { model, request, context, files, signal } = work;
    const call = callFor(lease, signal);
    const stream = provider.generate(request, { ...call, model, files, id: context.id, created: context.created });
    for await (const batch of stream) {
      if (!batch.some((event) => event.type === "image")) {
        yield batch;
        continue;
      }
      const ready: GenerationEvent[] = [];
      for (const event of batch) {
        if (event.type !== "image" || event.partial) {
          ready.push(event);
          continue;
        }
        // What was said before the picture need not wait for it.
        if (ready.length > 0) yield ready.splice(0);
        try {
          const link = await pictures.store(event.source, { ...call, baseUrl: context.baseUrl });
          ready.push({ ...event, source: { ...event.source, link } });
        } catch (thrown) {
          const error =
            signal.aborted && signal.reason instanceof GatewayError ? signal.reason : asGatewayError(thrown);
          return yield [...ready, { type: "failure", error }];
        }
      }
      if (ready.length > 0) yield ready;
    }
  }

  /** Applies the steps in order and ends as soon as one of them has ended the answer. */
  async function* through(source: GenerationStream, steps: readonly Step[]): GenerationStream {
    for await (const batch of source) {
      let passed: EventBatch = batch;
      for (const step of steps) passed = step.push(passed);
      if (passed.length > 0) yield passed;
      if (steps.some((step) => step.over)) return;
    }
  }

  const chat: ChatGateway["chat"] = async (request, context) => {
    const { record } = context;
    const settings = config();
    const model = chatModel(request.model);
    record.model = request.model;
    const files = await attachments(request, context.signal);

    // The total limit and the client's leaving end the same work.
    const stop = new AbortController();
    const onAbort = () => stop.abort(context.signal.reason);
    if (context.signal.aborted) onAbort();
    context.signal.addEventListener("abort", onAbort, { once: true });
    const limit = setTimeout(() => {
      const seconds = settings.chat.total_timeout;
      stop.abort(new GatewayError("upstream_timeout", `The limit chat.total_timeout (${seconds} s) fired.`));
    }, settings.chat.total_timeout * 1000);
    const release = () => {
      clearTimeout(limit);
      context.signal.removeEventListener("abort", onAbort);
    };

    const source = attempts({
      model,
      signal: stop.signal,
      run: (lease) => served(lease, { model, request, context, files, signal: stop.signal }),
      onAttempt: (attempt, lease) => {
        record.attempts.push(attempt);
        record.account = lease.credential.accountId;
        record.mode = lease.mode;
      },
    });
    const usage = createUsageCount(countMessages(request.messages, settings.usage.image_tokens));
    const cut = createCut({ stop: request.stop ?? [], maxTokens: request.maxTokens });
    const hide = showsReasoning(request, settings.app.thinking) && settings.chat.reasoning_format !== "hidden";
    const steps = [...(cut ? [cut] : []), usage, ...(hide ? [] : [createReasoningFilter()])];

    async function* recorded(): GenerationStream {
      try {
        for await (const batch of through(source, steps)) {
          if (record.firstByteMs === null && batch.some(isVisible)) {
            record.firstByteMs = clock.monotonic() - record.startedMs;
          }
          const last = batch[batch.length - 1];
          if (last && isLast(last)) {
            if (last.type === "finish") record.finish = last.reason;
            if (last.type === "failure") record.error = last.error;
          }
          yield batch;
        }
      } finally {
        record.usage = usage.usage();
        release();
      }
    }
    return { model, events: await commit(recorded(), request, settings, clock) };
  };

  return { chat };
};

/** Waits for the first visible event (or the grace time of a stream); an early failure is thrown instead. */
const commit = async (
  events: GenerationStream,
  request: GenerationRequest,
  settings: Config,
  clock: Clock,
): Promise<GenerationStream> => {
  const first = events.next();
  const grace = request.stream ? settings.chat.commit_grace_seconds * 1000 : Number.POSITIVE_INFINITY;
  const early = grace === Number.POSITIVE_INFINITY ? await first : await orAfter(first, grace, clock);
  if (early && !early.done) {
    const [only] = early.value.slice(-1);
    if (only?.type === "failure" && !early.value.some(isVisible)) {
      await events.return();
      throw only.error;
    }
  }
  return resume(early ? Promise.resolve(early) : first, events);
};

const orAfter = async <T>(work: Promise<T>, ms: number, clock: Clock): Promise<T | null> => {
  const waiting = new AbortController();
  const timer = clock.sleep(ms, waiting.signal).then(
    () => null,
    () => null,
  );
  try {
    return await Promise.race([work, timer]);
  } finally {
    waiting.abort();
  }
};

async function* resume(first: Promise<IteratorResult<EventBatch, void>>, rest: GenerationStream): GenerationStream {
  try {
    const { done, value } = await first;
    if (done) return;
    yield value;
    yield* rest;
  } finally {
    await rest.return();
  }
}

export type { ChatRun };
