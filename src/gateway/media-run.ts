// What drawing and filming share: the models that may be asked, one account's call, the total limit and the notes on a request.
// Knows neither a picture nor a clip.
import type { Lease } from "../accounts/pool.ts";
import { GatewayError } from "../core/errors.ts";
import { isVisible, type EventBatch, type GenerationEvent, type GenerationStream } from "../core/events.ts";
import type { Catalogue, ModelKind, PublicModel } from "../core/models.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { ProviderCall } from "../providers/port.ts";
import type { CallContext } from "./port.ts";
import { type Attempt, countMedia } from "./record.ts";

export const mediaModel = (catalogue: Catalogue, id: string, kinds: readonly ModelKind[]): PublicModel => {
  const model = catalogue.find(id);
  if (!model) {
    throw new GatewayError("model_not_found", `The model '${id}' does not exist or you do not have access to it.`, {
      param: "model",
    });
  }
  if (kinds.includes(model.kind)) return model;
  throw new GatewayError("model_not_supported", `The model '${id}' cannot do what this endpoint asks for.`, {
    param: "model",
  });
};

export const callFor = (lease: Lease, { signal, log }: { signal: AbortSignal; log: Log }): ProviderCall => ({
  credential: lease.credential,
  signal,
  log,
  learn: lease.learn,
});

export const noteAttempt =
  ({ record }: CallContext) =>
  (attempt: Attempt, lease: Lease): void => {
    record.attempts.push(attempt);
    record.account = lease.credential.accountId;
    record.mode = lease.window ?? lease.mode;
  };

/** Ends the whole request after so many seconds and names the setting; the result calls that off. */
export const startLimit = (context: CallContext, limit: { seconds: number; setting: string }): (() => void) => {
  const { seconds, setting } = limit;
  const timer = setTimeout(() => {
    context.abort(new GatewayError("upstream_timeout", `The limit ${setting} (${seconds} s) fired.`));
  }, seconds * 1000);
  return () => clearTimeout(timer);
};

/** Whether asking again could help; a verdict on the content never can. */
export const isFinal = (error: GatewayError): boolean =>
  error.row.retry === "never" || error.detail.shouldRetry === false;

/** What a key has made is paid for: when it cannot be fetched, having it made again would be paid for twice. */
export const lostBy = ({ model }: Lease, error: GatewayError): GatewayError =>
  model.upstream === "web"
    ? error
    : new GatewayError(error.code, error.message, { ...error.detail, shouldRetry: false });

/** Progress and the id of what is in the making are told at once: neither commits the answer. */
export const isEarly = (event: GenerationEvent): boolean => event.type === "progress" || event.type === "upstream";

/** Copies what passes into the request's record. */
export async function* noted(
  events: GenerationStream,
  { context, clock, onEnd }: { context: CallContext; clock: Clock; onEnd: () => void },
): GenerationStream {
  const { record } = context;
  const note = (batch: EventBatch) => {
    if (record.firstByteMs === null && batch.some(isVisible)) record.firstByteMs = clock.monotonic() - record.startedMs;
    countMedia(batch, record);
    for (const event of batch) {
      if (event.type === "usage") record.usage = event.usage;
      else if (event.type === "finish") record.finish = event.reason;
      else if (event.type === "failure") record.error = event.error;
    }
  };
  try {
    for await (const batch of events) {
      note(batch);
      yield batch;
    }
  } finally {
    onEnd();
  }
}
