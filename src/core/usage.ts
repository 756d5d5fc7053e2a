// The one token estimator: stream, non-stream, logs and quotas all count with it, so that their numbers agree.
// The web upstream reports no tokens. Rule: a CJK character is about one token, four characters of other scripts are.
import type { GenerationRequest, Message } from "./request.ts";
import type { Usage } from "./events.ts";

/** The official API counts money in these (docs.x.ai, 2026-09). */
export const TICKS_PER_USD = 10_000_000_000;

/** Tokens that every message costs beside its text (role and separators, as in OpenAI's published counting recipe). */
const PER_MESSAGE = 4;

/** Han, kana, hangul and full-width forms: scripts where one character is about one token. */
const isWide = (code: number): boolean =>
  (code >= 0x2e80 && code <= 0x9fff) ||
  (code >= 0xac00 && code <= 0xd7af) ||
  (code >= 0xf900 && code <= 0xfaff) ||
  (code >= 0xff00 && code <= 0xff60) ||
  (code >= 0xd800 && code <= 0xdbff);

export interface TextCounter {
  add(text: string): void;
  readonly tokens: number;
}

/** Counts a text that arrives in pieces; the pieces' borders do not change the result. */
export const createTextCounter = (): TextCounter => {
  let wide = 0;
  let narrow = 0;
  return {
    add(text) {
      let wideHere = 0;
      for (let index = 0; index < text.length; index++) {
        if (isWide(text.charCodeAt(index))) wideHere++;
      }
      wide += wideHere;
      narrow += text.length - wideHere;
    },
    get tokens() {
      return wide + Math.ceil(narrow / 4);
    },
  };
};

export const countText = (text: string): number => {
  const counter = createTextCounter();
  counter.add(text);
  return counter.tokens;
};

/** Tokens of a whole conversation; a picture costs `imageTokens`, other attachments the same. */
const countMessages = (messages: readonly Message[], imageTokens: number): number => {
  let total = 0;
  for (const message of messages) {
    total += PER_MESSAGE;
    for (const part of message.content) total += part.type === "text" ? countText(part.text) : imageTokens;
    for (const call of message.toolCalls ?? []) total += countText(call.name) + countText(call.arguments);
  }
  return total;
};

/** Tokens of everything that a request brings: its conversation and the tools that it declares. */
export const countRequest = (request: GenerationRequest, imageTokens: number): number => {
  let total = countMessages(request.messages, imageTokens);
  for (const tool of request.tools ?? []) {
    total += countText(`${tool.name} ${tool.description ?? ""} ${JSON.stringify(tool.parameters)}`);
  }
  return total;
};

/** Reasoning is counted inside the output and again on its own, as OpenAI does. */
export const estimateUsage = (counts: { input: number; text: number; reasoning: number }): Usage => ({
  inputTokens: counts.input,
  outputTokens: counts.text + counts.reasoning,
  reasoningTokens: counts.reasoning,
  cachedTokens: 0,
  estimated: true,
});
