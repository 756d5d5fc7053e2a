// The one table of hand-written answers, told as events: chat, responses and messages are all written from these, so that
// nobody has to guess what one protocol makes of another's case. Knows no protocol. Invariant: every script obeys the grammar
// of core/events.ts; those named `failed…` end in a failure and no other does.
import { GatewayError } from "../../src/core/errors.ts";
import type { GenerationEvent, Usage } from "../../src/core/events.ts";
import { createToolCalls } from "../../src/core/tool-calls.ts";

const usage: Usage = { inputTokens: 12, outputTokens: 9, reasoningTokens: 3, cachedTokens: 0, estimated: true };
const start: GenerationEvent = { type: "start", id: "answer-1", model: "grok-4", created: 1760000000 };
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

const cut: GenerationEvent = {
  type: "failure",
  error: new GatewayError("upstream_cut", "The upstream's answer ended early."),
};

/** Calls that the model wrote into its text, in uneven pieces, and the step that reads them. */
const WRITTEN_CALLS =
  '<tool_calls>\n<tool_call><tool_name>get_weather</tool_name><parameters>{"city": "Paris"}</parameters></tool_call>\n' +
  "<tool_call><tool_name>get_time</tool_name><parameters>{}</parameters></tool_call>\n</tool_calls>";
const writtenCalls = (): readonly GenerationEvent[] => {
  let count = 0;
  const tools = ["get_weather", "get_time"].map((name) => ({ name, parameters: {} }));
  return createToolCalls({ tools, parallel: true, callId: () => `call_w${++count}` }).push([
    start,
    ...text(0, "Let me look.\n\n", ...(WRITTEN_CALLS.match(/[\s\S]{1,7}/g) ?? [])),
    { type: "usage", usage },
    finish,
  ]);
};

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
  "tools-woven": [
    start,
    ...reasoning(0, "Two cities."),
    { type: "tool-start", block: 1, callId: "call_a1", name: "get_weather" },
    { type: "tool-delta", block: 1, text: '{"city":' },
    { type: "tool-start", block: 2, callId: "call_b2", name: "get_weather" },
    { type: "tool-delta", block: 2, text: '{"city":"Rome"' },
    { type: "tool-delta", block: 1, text: '"Paris"}' },
    { type: "tool-start", block: 3, callId: "call_c3", name: "list_cities" },
    { type: "tool-end", block: 3, arguments: "{}" },
    { type: "tool-end", block: 1, arguments: '{"city":"Paris"}' },
    ...text(4, "Asked."),
    { type: "tool-end", block: 2, arguments: '{"city":"Rome"}' },
    { type: "usage", usage },
    { type: "finish", reason: "tool-calls", raw: null },
  ],
  "tools-written": writtenCalls(),
  "code-and-agents": [
    start,
    { type: "activity", kind: "agent", phase: "start", detail: "split the work", agent: "Grok" },
    ...reasoning(0, "Counting."),
    { type: "activity", kind: "code", phase: "start", detail: "print(1)" },
    { type: "activity", kind: "web-search", phase: "start", detail: "first" },
    { type: "activity", kind: "x-search", phase: "start", detail: "second" },
    ...text(1, "One."),
    { type: "usage", usage },
    { type: "finish", reason: "stop", raw: null },
  ],
  stopped: [start, ...text(0, "One, two"), { type: "usage", usage }, { type: "finish", reason: "stop", raw: "three" }],
  cut: [start, ...text(0, "Once upon"), { type: "usage", usage }, { type: "finish", reason: "length", raw: null }],
  silent: [
    start,
    { type: "usage", usage: { ...usage, outputTokens: 0 } },
    { type: "finish", reason: "length", raw: null },
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
    cut,
  ],
  "failed-inside": [
    start,
    { type: "text-start", block: 0 },
    { type: "text-delta", block: 0, text: "x" },
    { type: "failure", error: new GatewayError("internal_error", "undefined is not a function at secret.ts") },
  ],
  "failed-early": [{ type: "failure", error: new GatewayError("no_available_account", "No account is free.") }],
  "failed-call": [
    start,
    { type: "tool-start", block: 0, callId: "call_a", name: "one" },
    { type: "tool-delta", block: 0, text: '{"a":' },
    cut,
  ],
  "failed-search": [start, { type: "activity", kind: "web-search", phase: "start", detail: "bun" }, cut],
} as const satisfies Record<string, readonly GenerationEvent[]>;

export type ScriptName = keyof typeof SCRIPTS;
