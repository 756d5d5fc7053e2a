// Event scripts that only the blocks of a message make interesting, and which golden file is written from which script.
// Every script obeys the grammar of core/events.ts.
import type { GenerationEvent, Usage } from "../../src/core/events.ts";
import { SCRIPTS as CHAT } from "./chat-scripts.ts";

const usage: Usage = { inputTokens: 12, outputTokens: 9, reasoningTokens: 3, cachedTokens: 0, estimated: true };
const start: GenerationEvent = { type: "start", id: "msg_1", model: "grok-4", created: 1760000000 };

export const SCRIPTS = {
  ...CHAT,
  stopped: [
    start,
    { type: "text-start", block: 0 },
    { type: "text-delta", block: 0, text: "One, two" },
    { type: "text-end", block: 0 },
    { type: "usage", usage },
    { type: "finish", reason: "stop", raw: "three" },
  ],
  "tools-woven": [
    start,
    { type: "reasoning-start", block: 0 },
    { type: "reasoning-delta", block: 0, text: "Two cities." },
    { type: "reasoning-end", block: 0 },
    { type: "tool-start", block: 1, callId: "call_a1", name: "get_weather" },
    { type: "tool-delta", block: 1, text: '{"city":' },
    { type: "tool-start", block: 2, callId: "call_b2", name: "get_weather" },
    { type: "tool-delta", block: 2, text: '{"city":"Rome"' },
    { type: "tool-delta", block: 1, text: '"Paris"}' },
    { type: "tool-start", block: 3, callId: "call_c3", name: "list_cities" },
    { type: "tool-end", block: 3, arguments: "{}" },
    { type: "tool-end", block: 1, arguments: '{"city":"Paris"}' },
    { type: "text-start", block: 4 },
    { type: "text-delta", block: 4, text: "Asked." },
    { type: "text-end", block: 4 },
    { type: "tool-end", block: 2, arguments: '{"city":"Rome"}' },
    { type: "usage", usage },
    { type: "finish", reason: "tool-calls", raw: null },
  ],
  silent: [
    start,
    { type: "usage", usage: { ...usage, outputTokens: 0 } },
    { type: "finish", reason: "length", raw: null },
  ],
} as const satisfies Record<string, readonly GenerationEvent[]>;

export type ScriptName = keyof typeof SCRIPTS;

/** Golden files of streams: the script and whether thinking was asked for. */
export const GOLDEN: readonly { readonly file: string; readonly script: ScriptName; readonly showThinking: boolean }[] =
  [
    { file: "plain", script: "plain", showThinking: false },
    { file: "thinking", script: "thinking", showThinking: true },
    { file: "thinking-off", script: "thinking", showThinking: false },
    { file: "search", script: "search", showThinking: true },
    { file: "pictures", script: "pictures", showThinking: true },
    { file: "interleaved", script: "interleaved", showThinking: true },
    { file: "tools", script: "tools", showThinking: true },
    { file: "tools-woven", script: "tools-woven", showThinking: true },
    { file: "stopped", script: "stopped", showThinking: false },
    { file: "unusual", script: "unusual", showThinking: false },
    { file: "silent", script: "silent", showThinking: false },
    { file: "failed", script: "failed", showThinking: true },
    { file: "failed-inside", script: "failed-inside", showThinking: false },
    { file: "failed-early", script: "failed-early", showThinking: false },
  ];
