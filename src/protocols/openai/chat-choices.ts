// Several answers to one request (`n`): one stream whose chunks say to which answer they belong, or one body with all of
// them. Each answer is written as if it were the only one. Invariant: usage and the end of the stream come once, at the end.
import { GatewayError } from "../../core/errors.ts";
import type { EventBatch, GenerationEvent, Usage } from "../../core/events.ts";
import {
  type ChatCompletionBody,
  type ChatStreamEncoder,
  type ChatStreamOptions,
  chatStreamEnd,
  chatStreamFailure,
  createChatStreamEncoder,
} from "./chat-response.ts";

/** A batch of one of several answers, as the gateway tells them apart. */
export interface ChoicePart {
  readonly index: number;
  readonly events: EventBatch;
  /** All answers have finished; what they cost together. */
  readonly end: { readonly usage: Usage | null } | null;
}

export interface ChoicesOptions {
  readonly count: number;
  readonly partOf: (batch: EventBatch) => ChoicePart | undefined;
}

export const createChoicesEncoder = (
  options: ChatStreamOptions,
  { count, partOf }: ChoicesOptions,
): Pick<ChatStreamEncoder, "push"> => {
  const encoders = Array.from({ length: count }, (_, choice) => createChatStreamEncoder({ ...options, choice }));
  let failed = false;
  return {
    push(batch) {
      const failure = batch.find((event): event is GenerationEvent & { type: "failure" } => event.type === "failure");
      if (failed) return "";
      if (failure) {
        // One answer's failure is that of the request, whichever others have ended well.
        failed = true;
        return chatStreamFailure(failure.error);
      }
      const part = partOf(batch);
      if (!part) return "";
      const text = encoders[part.index]?.push(part.events) ?? "";
      return part.end === null ? text : text + chatStreamEnd(options, part.end.usage);
    },
  };
};

type ChatChoice = ChatCompletionBody["choices"][number];

export interface ChatChoicesBody extends Omit<ChatCompletionBody, "choices"> {
  readonly choices: readonly (Omit<ChatChoice, "index"> & { readonly index: number })[];
}

/** One body out of several; the prompt is counted once, as OpenAI does. */
export const mergeChatBodies = (bodies: readonly ChatCompletionBody[]): ChatChoicesBody => {
  const [first] = bodies;
  if (!first) throw new GatewayError("upstream_empty", "There is no answer.");
  const sum = (of: (usage: NonNullable<ChatCompletionBody["usage"]>) => number) =>
    bodies.reduce((total, { usage }) => total + (usage ? of(usage) : 0), 0);
  const completion = sum((usage) => usage.completion_tokens);
  return {
    ...first,
    choices: bodies.map(({ choices: [choice] }, index) => ({ ...choice, index })),
    ...(first.usage === undefined
      ? {}
      : {
          usage: {
            ...first.usage,
            completion_tokens: completion,
            total_tokens: first.usage.prompt_tokens + completion,
            completion_tokens_details: {
              ...first.usage.completion_tokens_details,
              reasoning_tokens: sum((usage) => usage.completion_tokens_details.reasoning_tokens),
            },
          },
        }),
  };
};
