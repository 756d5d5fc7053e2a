// Checks a stream of events against the grammar of events.ts. Tests always run it, development servers too.
// Invariant: a stream that passes can be encoded by every protocol without guessing.
import type { GenerationEvent } from "./events.ts";

export interface Verifier {
  /** Throws with the offending event when the grammar is broken. */
  accept(event: GenerationEvent): void;
  /** Throws when the stream ended without `finish` or `failure`. */
  end(): void;
}

type OpenBlock = "text" | "reasoning" | "tool";

export const createVerifier = (): Verifier => {
  let started = false;
  let ended = false;
  let lastBlock = -1;
  const open = new Map<number, OpenBlock>();

  const broken = (event: GenerationEvent | undefined, why: string): never => {
    throw new Error(`event grammar: ${why}${event ? ` (at ${event.type})` : ""}`);
  };
  const openBlock = (event: GenerationEvent & { block: number }, kind: OpenBlock) => {
    if (event.block <= lastBlock) broken(event, `block ${event.block} does not increase`);
    if (kind !== "tool" && [...open.values()].some((other) => other !== "tool")) {
      broken(event, "a second text or reasoning block is open");
    }
    lastBlock = event.block;
    open.set(event.block, kind);
  };
  const inBlock = (event: GenerationEvent & { block: number }, kind: OpenBlock) => {
    if (open.get(event.block) !== kind) broken(event, `no open ${kind} block ${event.block}`);
  };

  return {
    accept(event) {
      if (ended) broken(event, "an event after the last one");
      if (!started && event.type !== "start" && event.type !== "failure") broken(event, "no start");
      switch (event.type) {
        case "start":
          if (started) broken(event, "a second start");
          started = true;
          break;
        case "text-start":
          return openBlock(event, "text");
        case "reasoning-start":
          return openBlock(event, "reasoning");
        case "tool-start":
          return openBlock(event, "tool");
        case "text-delta":
          return inBlock(event, "text");
        case "reasoning-delta":
          return inBlock(event, "reasoning");
        case "tool-delta":
          return inBlock(event, "tool");
        case "text-end":
          inBlock(event, "text");
          open.delete(event.block);
          break;
        case "reasoning-end":
          inBlock(event, "reasoning");
          open.delete(event.block);
          break;
        case "tool-end":
          inBlock(event, "tool");
          open.delete(event.block);
          break;
        case "finish":
          if (open.size > 0) broken(event, "finish with an open block");
          ended = true;
          break;
        case "failure":
          ended = true;
          break;
        case "activity":
        case "citation":
        case "image":
        case "video":
        case "audio":
        case "connected":
        case "progress":
        case "upstream":
        case "usage":
          break;
        default:
          event satisfies never;
      }
    },
    end() {
      if (!ended) broken(undefined, "the stream ended without finish or failure");
    },
  };
};
