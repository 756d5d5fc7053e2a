// Goes on with the upstream's own conversation where that is possible, and tells the whole conversation anew where it is
// not: the account is another one, or the upstream no longer knows the conversation. Knows no provider's wording.
// Invariant: nothing of an answer is seen before it is sure that the conversation goes on, so that replaying is unseen.
import { asGatewayError, type GatewayError } from "../core/errors.ts";
import { isVisible, type EventBatch, type GenerationEvent, type GenerationStream } from "../core/events.ts";
import type { GenerationRequest, UploadFile } from "../core/request.ts";
import { pullStream } from "../lib/pull.ts";
import type { RequestRecord } from "./record.ts";

/** Runs the provider with one account. */
export type Serve = (request: GenerationRequest, files: readonly UploadFile[]) => GenerationStream;

export interface ContinuationDeps {
  readonly request: GenerationRequest;
  readonly record: RequestRecord;
  readonly attachments: (request: GenerationRequest) => Promise<readonly UploadFile[]>;
}

export interface Continuing {
  /** `asked` is the request, or the request with a correction. */
  serve(accountId: string, asked: GenerationRequest, run: Serve): GenerationStream;
}

/** The upstream answers 404 or code 5 for a conversation, or a response in it, that it does not know (2026-08). */
const isGone = ({ code, detail }: GatewayError): boolean =>
  code === "upstream_error" && (detail.upstream?.status === 404 || detail.upstream?.code === "5");

const replayOf = ({ continuation: _continuation, ...request }: GenerationRequest): GenerationRequest => request;

/** Only what the upstream does not have yet. */
const newPart = (request: GenerationRequest): GenerationRequest => ({
  ...request,
  messages: request.messages.slice(request.continuation?.known ?? 0),
});

/** Fetches the attachments that the first try needs; whatever is wrong with them is thrown here. */
export const prepareContinuation = async (deps: ContinuationDeps): Promise<Continuing> => {
  const { request, record, attachments } = deps;
  const fresh = await attachments(newPart(request));
  let whole: Promise<readonly UploadFile[]> | null = request.continuation === undefined ? Promise.resolve(fresh) : null;

  const replay = (asked: GenerationRequest, run: Serve): GenerationStream => {
    let stream: GenerationStream | null = null;
    const pull = async (): Promise<EventBatch | null> => {
      if (stream === null) {
        try {
          whole ??= attachments(request);
          stream = run(replayOf(asked), await whole);
        } catch (thrown) {
          return [{ type: "failure", error: asGatewayError(thrown) }];
        }
      }
      const { done, value } = await stream.next();
      return done ? null : value;
    };
    return pullStream(pull, () => void stream?.return());
  };

  return {
    serve(accountId, asked, run) {
      const { continuation } = asked;
      if (continuation === undefined) return run(asked, fresh);
      record.continued = accountId === continuation.accountId;
      if (!record.continued) return replay(asked, run);
      let stream = run(asked, fresh);
      let held: GenerationEvent[] | null = [];
      const pull = async (): Promise<EventBatch | null> => {
        for (;;) {
          const { done, value } = await stream.next();
          if (done) return null;
          if (held === null) return value;
          held.push(...value);
          const last = value[value.length - 1];
          if (last?.type === "failure" && isGone(last.error) && !held.some(isVisible)) {
            await stream.return();
            record.continued = false;
            stream = replay(asked, run);
            held = null;
          } else if (held.some(isVisible) || last?.type === "finish" || last?.type === "failure") {
            const batch = held;
            held = null;
            return batch;
          }
        }
      };
      return pullStream(pull, () => void stream.return());
    },
  };
};
