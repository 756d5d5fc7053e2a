// Event scripts for the encoder of responses, and under which name each is written down. The scripts of chat serve here too:
// one answer, two protocols.
import type { GenerationEvent, Usage } from "../../src/core/events.ts";
import type { ResponsesEcho } from "../../src/protocols/openai/responses-object.ts";
import { SCRIPTS as CHAT_SCRIPTS } from "./chat-scripts.ts";

const usage: Usage = { inputTokens: 12, outputTokens: 9, reasoningTokens: 3, cachedTokens: 0, estimated: true };
const start: GenerationEvent = { type: "start", id: "resp_1", model: "grok-4", created: 1760000000 };

/** What every golden stream answers; kept small, because three frames of each repeat it. */
export const ECHO: ResponsesEcho = {
  model: "grok-4",
  instructions: null,
  maxOutputTokens: null,
  maxToolCalls: null,
  parallelToolCalls: true,
  previousResponseId: null,
  reasoning: { effort: null, summary: null },
  store: true,
  temperature: null,
  text: { format: { type: "text" } },
  toolChoice: "auto",
  tools: [],
  topP: null,
  truncation: "disabled",
  user: null,
  metadata: {},
  extra: {},
};

export const HEAD = { id: "resp_00112233445566778899aabbccddeeff", created: 1760000000, echo: ECHO } as const;

export const SCRIPTS = {
  ...CHAT_SCRIPTS,
  cut: [
    start,
    { type: "text-start", block: 0 },
    { type: "text-delta", block: 0, text: "Once upon" },
    { type: "text-end", block: 0 },
    { type: "usage", usage },
    { type: "finish", reason: "length", raw: null },
  ],
  silent: [start, { type: "usage", usage }, { type: "finish", reason: "stop", raw: null }],
  "code-and-agents": [
    start,
    { type: "activity", kind: "agent", phase: "start", detail: "split the work", agent: "Grok" },
    { type: "reasoning-start", block: 0 },
    { type: "reasoning-delta", block: 0, text: "Counting." },
    { type: "reasoning-end", block: 0 },
    { type: "activity", kind: "code", phase: "start", detail: "print(1)" },
    { type: "activity", kind: "web-search", phase: "start", detail: "first" },
    { type: "activity", kind: "x-search", phase: "start", detail: "second" },
    { type: "text-start", block: 1 },
    { type: "text-delta", block: 1, text: "One." },
    { type: "text-end", block: 1 },
    { type: "usage", usage },
    { type: "finish", reason: "stop", raw: null },
  ],
  "calls-woven": [
    start,
    { type: "tool-start", block: 0, callId: "call_a", name: "one" },
    { type: "tool-start", block: 1, callId: "call_b", name: "two" },
    { type: "tool-delta", block: 1, text: '{"b":' },
    { type: "tool-delta", block: 0, text: '{"a":1}' },
    { type: "tool-end", block: 0, arguments: '{"a":1}' },
    { type: "tool-delta", block: 1, text: "2}" },
    { type: "tool-end", block: 1, arguments: '{"b":2}' },
    { type: "usage", usage },
    { type: "finish", reason: "tool-calls", raw: null },
  ],
  "failed-call": [
    start,
    { type: "tool-start", block: 0, callId: "call_a", name: "one" },
    { type: "tool-delta", block: 0, text: '{"a":' },
    CHAT_SCRIPTS.failed[CHAT_SCRIPTS.failed.length - 1] as GenerationEvent,
  ],
  "failed-search": [
    start,
    { type: "activity", kind: "web-search", phase: "start", detail: "bun" },
    CHAT_SCRIPTS.failed[CHAT_SCRIPTS.failed.length - 1] as GenerationEvent,
  ],
} as const satisfies Record<string, readonly GenerationEvent[]>;

export type ScriptName = keyof typeof SCRIPTS;

/** Each is written down as `responses-<name>.sse`. */
export const GOLDEN: readonly ScriptName[] = [
  "plain",
  "thinking",
  "search",
  "pictures",
  "interleaved",
  "tools",
  "tools-only",
  "calls-woven",
  "code-and-agents",
  "cut",
  "silent",
  "unusual",
  "failed",
  "failed-call",
  "failed-search",
  "failed-early",
];
