// Hand-written event scripts for the encoders of chat answers. Every script obeys the grammar of core/events.ts.
import { GatewayError } from "../../src/core/errors.ts";
import type { GenerationEvent, Usage } from "../../src/core/events.ts";

const usage: Usage = { inputTokens: 12, outputTokens: 9, reasoningTokens: 3, cachedTokens: 0, estimated: true };
const start: GenerationEvent = { type: "start", id: "chatcmpl-1", model: "grok-4", created: 1760000000 };
const finish: GenerationEvent = { type: "finish", reason: "stop", raw: null };

const reasoning = (block: number, ...texts: string[]): GenerationEvent[] => [
  { type: "reasoning-start", block },
  ...texts.map((text): GenerationEvent => ({ type: "reasoning-delta", block, text })),
  { type: "reasoning-end", block },
];
const text = (block: number, ...texts: string[]): GenerationEvent[] => [
  { type: "text-start", block },
  ...texts.map((piece): GenerationEvent => ({ type: "text-delta", block, text: piece })),
  { type: "text-end", block },
];
const tool = (block: number, name: string, pieces: string[], whole = pieces.join("")): GenerationEvent[] => [
  { type: "tool-start", block, callId: `call_${block}`, name },
  ...pieces.map((piece): GenerationEvent => ({ type: "tool-delta", block, text: piece })),
  { type: "tool-end", block, arguments: whole },
];

export const SCRIPTS = {
  plain: [start, ...text(0, "Hel", "lo"), { type: "usage", usage }, finish],
  thinking: [
    start,
    { type: "upstream", conversationId: "c", responseId: "r" },
    ...reasoning(0, "Let me", " think."),
    ...text(1, "Hello", "", "!"),
    { type: "usage", usage: { ...usage, outputTokens: 1 } },
    { type: "usage", usage },
    finish,
  ],
  search: [
    start,
    ...reasoning(0, "I should look."),
    { type: "activity", kind: "web-search", phase: "start", detail: "bun 1.4" },
    { type: "activity", kind: "web-search", phase: "end", detail: "bun 1.4" },
    ...reasoning(1, "Found it.\n"),
    { type: "activity", kind: "browse", phase: "start", detail: "https://example.com/", agent: "Grok 2" },
    ...reasoning(2, "Done."),
    ...text(3, "Bun 1.4 [1]", " is out [2]."),
    { type: "citation", url: "https://example.com/a", title: "A", range: [8, 11] },
    { type: "citation", url: "https://example.com/b", title: 'B "quoted"', range: [19, 22] },
    { type: "citation", url: "https://example.com/b", title: 'B "quoted"', range: [19, 22] },
    { type: "citation", url: "https://example.com/c", title: "C" },
    { type: "usage", usage },
    finish,
  ],
  pictures: [
    start,
    { type: "progress", value: 0.5, note: "drawing" },
    ...text(0, "Two cats:"),
    { type: "image", index: 0, source: { link: "https://gw.example/v1/files/image/part.jpg" }, partial: true },
    { type: "image", index: 0, source: { link: "https://gw.example/v1/files/image/a.jpg" }, partial: false },
    { type: "image", index: 1, source: { link: "data:image/png;base64,AAAA" }, partial: false },
    { type: "image", index: 2, source: { url: "https://assets.example/secret" }, partial: false },
    ...text(1, "Enjoy [1]."),
    { type: "citation", url: "https://example.com/cat", title: "Cat", range: [15, 18] },
    { type: "usage", usage },
    finish,
  ],
  interleaved: [
    start,
    ...reasoning(0, "first"),
    ...text(1, "Half"),
    ...reasoning(2, "second\n"),
    { type: "image", index: 0, source: { link: "https://gw.example/v1/files/image/a.jpg" }, partial: false },
    ...reasoning(3, "third"),
    ...text(4, " and half."),
    { type: "usage", usage },
    { type: "finish", reason: "length", raw: "max" },
  ],
  tools: [
    start,
    ...text(0, "Looking."),
    ...tool(1, "get_weather", ['{"city":', '"Paris"}']),
    ...tool(2, "get_time", [], '{"zone":"CET"}'),
    ...tool(3, "get_rest", ['{"a"'], '{"a":1}'),
    { type: "usage", usage },
    { type: "finish", reason: "tool-calls", raw: null },
  ],
  "tools-only": [
    start,
    ...tool(0, "f", ["{}"]),
    { type: "usage", usage },
    { type: "finish", reason: "tool-calls", raw: null },
  ],
  unusual: [
    start,
    ...text(0, 'line\nbreak "quote" \\ \u2028 中文 ', "\ud83d", "\ude00 data: [DONE]\n\n"),
    { type: "finish", reason: "content-filter", raw: "x" },
  ],
  failed: [
    start,
    ...reasoning(0, "Hm"),
    { type: "text-start", block: 1 },
    { type: "text-delta", block: 1, text: "Half an ans" },
    { type: "failure", error: new GatewayError("upstream_cut", "The upstream's answer ended early.") },
  ],
  "failed-inside": [
    start,
    { type: "text-start", block: 0 },
    { type: "text-delta", block: 0, text: "x" },
    { type: "failure", error: new GatewayError("internal_error", "undefined is not a function at secret.ts") },
  ],
  "failed-early": [{ type: "failure", error: new GatewayError("no_available_account", "No account is free.") }],
} as const satisfies Record<string, readonly GenerationEvent[]>;

export type ScriptName = keyof typeof SCRIPTS;

/** Which options each golden file is written with. */
export const GOLDEN: readonly {
  file: string;
  script: ScriptName;
  includeUsage: boolean;
  reasoningFormat: "reasoning_content" | "think_tags" | "hidden";
  showReasoning: boolean;
}[] = [
  { file: "plain", script: "plain", includeUsage: false, reasoningFormat: "reasoning_content", showReasoning: true },
  {
    file: "thinking-usage",
    script: "thinking",
    includeUsage: true,
    reasoningFormat: "reasoning_content",
    showReasoning: true,
  },
  {
    file: "thinking-tags",
    script: "thinking",
    includeUsage: false,
    reasoningFormat: "think_tags",
    showReasoning: true,
  },
  { file: "thinking-hidden", script: "thinking", includeUsage: false, reasoningFormat: "hidden", showReasoning: true },
  {
    file: "thinking-off",
    script: "thinking",
    includeUsage: false,
    reasoningFormat: "think_tags",
    showReasoning: false,
  },
  { file: "search", script: "search", includeUsage: true, reasoningFormat: "reasoning_content", showReasoning: true },
  { file: "search-tags", script: "search", includeUsage: false, reasoningFormat: "think_tags", showReasoning: true },
  { file: "search-hidden", script: "search", includeUsage: false, reasoningFormat: "hidden", showReasoning: false },
  {
    file: "pictures",
    script: "pictures",
    includeUsage: true,
    reasoningFormat: "reasoning_content",
    showReasoning: true,
  },
  {
    file: "interleaved-tags",
    script: "interleaved",
    includeUsage: true,
    reasoningFormat: "think_tags",
    showReasoning: true,
  },
  { file: "tools", script: "tools", includeUsage: true, reasoningFormat: "reasoning_content", showReasoning: true },
  { file: "unusual", script: "unusual", includeUsage: true, reasoningFormat: "reasoning_content", showReasoning: true },
  { file: "failed", script: "failed", includeUsage: true, reasoningFormat: "reasoning_content", showReasoning: true },
  { file: "failed-tags", script: "failed", includeUsage: false, reasoningFormat: "think_tags", showReasoning: true },
  {
    file: "failed-inside",
    script: "failed-inside",
    includeUsage: false,
    reasoningFormat: "hidden",
    showReasoning: false,
  },
  { file: "failed-early", script: "failed-early", includeUsage: true, reasoningFormat: "hidden", showReasoning: false },
];
