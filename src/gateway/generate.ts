// The chat use case: model, attachments, attempts, cutting, counting, storing of drawn pictures, and the commit point.
// Knows no protocol: routes hand in a GenerationRequest and get events back.
import type { Lease, Need, Pool } from "../accounts/pool.ts";
import type { Config } from "../config/schema.ts";
import { asGatewayError, GatewayError } from "../core/errors.ts";
import { isVisible, type EventBatch, type GenerationEvent, type GenerationStream } from "../core/events.ts";
import type { Catalogue, Model, PublicModel, Upstream } from "../core/models.ts";
import { showsReasoning, type GenerationRequest, type UploadFile } from "../core/request.ts";
import { callableTools, createToolCalls } from "../core/tool-calls.ts";
import { createCut, createReasoningFilter, createUsageCount, type Step } from "../core/transforms.ts";
import { countRequest } from "../core/usage.ts";
import type { Clock } from "../lib/clock.ts";
import { hexId } from "../lib/ids.ts";
import { pullStream, readFrom } from "../lib/pull.ts";
import type { Log } from "../lib/log.ts";
import type { Provider, ProviderCall } from "../providers/port.ts";
import { createAttempts } from "./attempts.ts";
import { commit } from "./commit.ts";
import { prepareContinuation } from "./continuation.ts";
import type { CallContext, ChatGateway } from "./port.ts";
import type { Pictures } from "./pictures.ts";
import { listedTicks } from "./prices.ts";
import { countMedia, type RequestRecord } from "./record.ts";
import type { Sessions } from "./session.ts";
import { demandingTurn } from "./tool-turn.ts";
import { excludeOthers, type MayUse } from "./key-access.ts";

export interface GenerateDeps {
  readonly pool: Pool;
  readonly catalogue: Catalogue;
  /** Whether a key of the official API may use a model; null while nobody knows. */
  readonly mayUse: MayUse;
  readonly provider: Provider;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly attachments: (request: GenerationRequest, signal: AbortSignal) => Promise<readonly UploadFile[]>;
  readonly pictures: Pictures;
  readonly sessions: Sessions;
}

const chatModel = (catalogue: Catalogue, id: string): PublicModel => {
  const model = catalogue.find(id);
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
  const { pool, catalogue, mayUse, provider, config, clock, log, attachments, pictures, sessions } = deps;
  const attempts = createAttempts({ pool, clock, config, resetEgress: provider.resetEgress });

  const callFor = (lease: Lease, signal: AbortSignal): ProviderCall => ({
    credential: lease.credential,
    signal,
    log,
    learn: lease.learn,
  });

  /** Provider events of one lease, with drawn pictures stored: that needs the same account. */
  const served = (
    lease: Lease,
    work: {
      model: Model;
      request: GenerationRequest;
      context: CallContext;
      files: readonly UploadFile[];
      signal: AbortSignal;
    },
  ): GenerationStream => {
    const { model, request, context, files, signal } = work;
    const call = callFor(lease, signal);
    const stream = provider.generate(request, { ...call, model, files, id: context.id, created: context.created });
    /** Events that wait for the pictures among them. */
    let waiting: GenerationEvent[] = [];

    const storedPicture = async (event: GenerationEvent & { type: "image" }): Promise<GenerationEvent> => {
      try {
        const inline = request.pictureWishes?.inline ?? false;
        const link = await pictures.store(event.source, { ...call, baseUrl: context.baseUrl, inline });
        return { ...event, source: { ...event.source, link } };
      } catch (thrown) {
        waiting = [];
        await stream.return();
        const reason: unknown = signal.reason;
        return {
          type: "failure",
          error: signal.aborted && reason instanceof GatewayError ? reason : asGatewayError(thrown),
        };
      }
    };
    /** What was said before a picture need not wait for it. */
    const fromWaiting = async (): Promise<EventBatch> => {
      const at = waiting.findIndex(isPicture);
      if (at !== 0) return waiting.splice(0, at < 0 ? waiting.length : at);
      const [event] = waiting.splice(0, 1);
      return event && isPicture(event) ? [await storedPicture(event)] : [];
    };
    const pull = async (): Promise<EventBatch | null> => {
      if (waiting.length > 0) return fromWaiting();
      const value = await readFrom(stream);
      if (!value?.some(isPicture)) return value;
      waiting = [...value];
      return fromWaiting();
    };
    return pullStream(pull, () => void stream.return());
  };

  const chat: ChatGateway["chat"] = async (request, context) => {
    const { record } = context;
    const settings = config();
    const offers = ableOffers(chatModel(catalogue, request.model), request);
    record.model = request.model;
    const continuing = await prepareContinuation({
      request,
      record,
      attachments: (asked) => attachments(asked, context.signal),
    });

    const limit = setTimeout(() => {
      const seconds = settings.chat.total_timeout;
      context.abort(new GatewayError("upstream_timeout", `The limit chat.total_timeout (${seconds} s) fired.`));
    }, settings.chat.total_timeout * 1000);

    const session = sessions.open(request, record.key);
    let serving: string | undefined;
    let upstream: Upstream = "web";
    const ask = (asked: GenerationRequest): GenerationStream =>
      attempts({
        offers,
        needs: chatNeeds({ pool, offers, mayUse }, serving ?? request.continuation?.accountId ?? session.account),
        signal: context.signal,
        mayPay: record.mayPay,
        barred: record.barred,
        unbilled: ({ model }, told) => listedTicks(model, told ?? usage.usage()),
        run: (lease) => {
          record.begun++;
          serving = lease.credential.accountId;
          ({ upstream } = lease.model);
          // Inside the attempt: a call that broke off half-way was never seen, so another account may make it.
          const answer = continuing.serve(serving, asked, (turn, files) =>
            served(lease, { model: lease.model, request: turn, context, files, signal: context.signal }),
          );
          return lease.model.upstream === "web" ? withToolCalls(answer, asked) : answer;
        },
        onAttempt: (attempt, lease) => {
          record.attempts.push(attempt);
          record.account = lease.credential.accountId;
          record.mode = lease.mode;
        },
      });
    // The official API holds itself to schemas and demanded calls, and its answers need not be held back for that.
    const emulates = offers.some((offer) => offer.upstream === "web");
    const source = emulates ? demandingTurn({ request, ask }) : ask(request);
    const usage = createUsageCount(countRequest(request, settings.usage.image_tokens));
    const shows = showsReasoning(request, settings.app.thinking) && settings.chat.reasoning_format !== "hidden";
    /** Made when it is known who answers: only web accounts need the limit on tokens kept for them. */
    const makeSteps = (): readonly Step[] => {
      const maxTokens = upstream === "web" ? request.maxTokens : undefined;
      const cut = createCut({ stop: request.stop ?? [], maxTokens });
      return [...(cut ? [cut] : []), usage, ...(shows ? [] : [createReasoningFilter()])];
    };
    let steps: readonly Step[] | null = null;

    let ended = false;
    const pull = async (): Promise<EventBatch | null> => {
      while (!ended) {
        const value = await readFrom(source);
        if (value === null) return null;
        steps ??= makeSteps();
        const batch = through(value, steps);
        ended = steps.some((step) => step.over);
        if (batch.length === 0) continue;
        note(batch, record, clock);
        return batch;
      }
      return null;
    };
    const close = () => {
      clearTimeout(limit);
      record.usage = usage.usage();
      void source.return();
    };
    const events = await commit(pullStream(pull, close), {
      clock,
      graceMs: request.stream ? settings.chat.commit_grace_seconds * 1000 : null,
    }).catch((thrown: unknown) => {
      if (thrown instanceof GatewayError && thrown.row.blame === "account") session.forget();
      throw thrown;
    });
    // Whoever has begun to answer keeps the conversation, however the answer ends.
    if (serving !== undefined) record.session = session.bind(serving);
    return { events };
  };

  return { chat };
};

/** Web accounts search by themselves, but run no tool that a caller names. */
const ableOffers = ({ offers }: PublicModel, { model, serverTools }: GenerationRequest): readonly Model[] => {
  const named = serverTools?.find(({ type }) => type === "code_interpreter");
  if (named === undefined) return offers;
  const able = offers.filter(({ upstream }) => upstream === "xai");
  if (able.length > 0) return able;
  const message = `The tool '${named.type}' needs the official API, which does not serve the model '${model}' here.`;
  throw new GatewayError("unsupported_value", message, { param: "tools" });
};

/** What the accounts of each kind are asked, the preferred kind first. */
const chatNeeds =
  (from: { pool: Pool; offers: readonly Model[]; mayUse: MayUse }, sticky: string | undefined) =>
  (tried: ReadonlySet<string>): readonly Need[] =>
    from.offers.map((model) => ({
      model,
      exclude: excludeOthers(from, { model, tried }),
      ...(sticky === undefined ? {} : { sticky }),
    }));

const isPicture = (event: GenerationEvent): event is GenerationEvent & { type: "image" } =>
  event.type === "image" && !event.partial;

/** Reads the calls that the model writes into its text. */
const withToolCalls = (source: GenerationStream, request: GenerationRequest): GenerationStream => {
  const tools = callableTools(request);
  if (tools.length === 0) return source;
  const parallel = request.parallelToolCalls ?? true;
  const step = createToolCalls({ tools, parallel, callId: () => hexId("call_") });
  const pull = async (): Promise<EventBatch | null> => {
    for (;;) {
      const value = await readFrom(source);
      if (value === null) return null;
      const batch = step.push(value);
      if (batch.length > 0) return batch;
    }
  };
  return pullStream(pull, () => void source.return());
};

const through = (batch: EventBatch, steps: readonly Step[]): EventBatch => {
  let passed = batch;
  for (const step of steps) passed = step.push(passed);
  return passed;
};

const note = (batch: EventBatch, record: RequestRecord, clock: Clock): void => {
  if (record.firstByteMs === null && batch.some(isVisible)) record.firstByteMs = clock.monotonic() - record.startedMs;
  countMedia(batch, record);
  const last = batch[batch.length - 1];
  if (last?.type === "finish") record.finish = last.reason;
  if (last?.type === "failure") record.error = last.error;
};
