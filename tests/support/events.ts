// Reading streams of events in tests: always through the grammar's verifier.
import type { GatewayError } from "../../src/core/errors.ts";
import type { EventBatch, GenerationEvent } from "../../src/core/events.ts";
import { createVerifier } from "../../src/core/verify.ts";

export interface Told {
  readonly text: string;
  readonly reasoning: string;
  readonly citations: readonly { url: string; title: string; range?: readonly [number, number] | undefined }[];
  readonly images: readonly string[];
  readonly activities: readonly string[];
  readonly failure: GatewayError | null;
  readonly finish: string | null;
  readonly conversationId: string | undefined;
  readonly responseId: string | undefined;
}

/** What a person would see of the events; throws when they break the grammar. */
export const tell = (events: Iterable<GenerationEvent>): Told => {
  const verifier = createVerifier();
  let text = "";
  let reasoning = "";
  const citations: { url: string; title: string; range?: readonly [number, number] | undefined }[] = [];
  const images: string[] = [];
  const activities: string[] = [];
  let failure: GatewayError | null = null;
  let finish: string | null = null;
  let conversationId: string | undefined;
  let responseId: string | undefined;
  for (const event of events) {
    verifier.accept(event);
    if (event.type === "text-delta") text += event.text;
    else if (event.type === "reasoning-delta") reasoning += event.text;
    else if (event.type === "citation") citations.push({ url: event.url, title: event.title, range: event.range });
    else if (event.type === "image" && !event.partial) images.push(event.source.link ?? event.source.url ?? "inline");
    else if (event.type === "activity") activities.push(`${event.kind}: ${event.detail}`);
    else if (event.type === "failure") failure = event.error;
    else if (event.type === "finish") finish = event.reason;
    else if (event.type === "upstream") {
      conversationId = event.conversationId ?? conversationId;
      responseId = event.responseId ?? responseId;
    }
  }
  verifier.end();
  return { text, reasoning, citations, images, activities, failure, finish, conversationId, responseId };
};

export const gather = async (stream: AsyncIterable<EventBatch>): Promise<GenerationEvent[]> => {
  const events: GenerationEvent[] = [];
  for await (const batch of stream) events.push(...batch);
  return events;
};

/** What a promise rejects with. (`expect().rejects` waits in a way that starves servers in the same process.) */
export const rejection = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work;
  } catch (thrown) {
    return thrown;
  }
  throw new Error("expected a rejection");
};
