// Emulated tool calls as events: the grammar, what passes, what ends an answer, and what a failure takes with it.
import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/core/errors.ts";
import type { GenerationEvent } from "../../src/core/events.ts";
import type { GenerationRequest, ToolChoice, ToolDefinition } from "../../src/core/request.ts";
import { callableTools, createToolCalls } from "../../src/core/tool-calls.ts";
import { createVerifier } from "../../src/core/verify.ts";

const tools: readonly ToolDefinition[] = ["get_weather", "get_time"].map((name) => ({ name, parameters: {} }));
const CALLS =
  '<tool_calls>\n<tool_call><tool_name>get_weather</tool_name><parameters>{"city": "Paris"}</parameters></tool_call>\n' +
  "<tool_call><tool_name>get_time</tool_name><parameters>{}</parameters></tool_call>\n</tool_calls>";

const START: GenerationEvent = { type: "start", id: "chatcmpl-1", model: "grok-4", created: 1_760_000_000 };
const FINISH: GenerationEvent = { type: "finish", reason: "stop", raw: null };
const text = (...pieces: string[]): GenerationEvent[] => [
  { type: "text-start", block: 4 },
  ...pieces.map((piece): GenerationEvent => ({ type: "text-delta", block: 4, text: piece })),
  { type: "text-end", block: 4 },
];
const thinking: GenerationEvent[] = [
  { type: "reasoning-start", block: 2 },
  { type: "reasoning-delta", block: 2, text: CALLS },
  { type: "reasoning-end", block: 2 },
];

const pass = (events: readonly GenerationEvent[], parallel = true): GenerationEvent[] => {
  let count = 0;
  const step = createToolCalls({ tools, parallel, callId: () => `call_${++count}` });
  const verifier = createVerifier();
  const out = events.flatMap((event) => [...step.push([event])]);
  for (const event of out) verifier.accept(event);
  verifier.end();
  return out;
};
const kinds = (events: readonly GenerationEvent[]) => events.map(({ type }) => type);

describe("the step", () => {
  test("calls follow the text, each as one block, and the finish says so", () => {
    expect(pass([START, ...thinking, ...text("Well. ", CALLS, " Bye."), FINISH])).toEqual([
      START,
      { type: "reasoning-start", block: 1 },
      { type: "reasoning-delta", block: 1, text: CALLS },
      { type: "reasoning-end", block: 1 },
      { type: "text-start", block: 2 },
      { type: "text-delta", block: 2, text: "Well." },
      { type: "text-end", block: 2 },
      { type: "tool-start", block: 3, callId: "call_1", name: "get_weather" },
      { type: "tool-delta", block: 3, text: '{"city":"Paris"}' },
      { type: "tool-end", block: 3, arguments: '{"city":"Paris"}' },
      { type: "tool-start", block: 4, callId: "call_2", name: "get_time" },
      { type: "tool-delta", block: 4, text: "{}" },
      { type: "tool-end", block: 4, arguments: "{}" },
      { type: "finish", reason: "tool-calls", raw: null },
    ]);
  });

  test("a block may go on over two text blocks, with other events between", () => {
    const activity: GenerationEvent = { type: "activity", kind: "code", phase: "start", detail: "x" };
    const out = pass([START, ...text(CALLS.slice(0, 40)), activity, ...text(CALLS.slice(40)), FINISH]);
    expect(kinds(out).filter((kind) => kind === "tool-start")).toHaveLength(2);
    expect(kinds(out)).not.toContain("text-delta");
  });

  test("without a call nothing but block numbers changes", () => {
    const out = pass([START, ...text("Hello", " <b>there</b>"), FINISH]);
    expect(out.map((event) => (event.type === "text-delta" ? event.text : "")).join("")).toBe("Hello <b>there</b>");
    expect(out.at(-1)).toEqual(FINISH);
  });

  test("a withheld answer stays withheld", () => {
    const out = pass([START, ...text(CALLS), { type: "finish", reason: "content-filter", raw: null }]);
    expect(out.at(-1)).toMatchObject({ reason: "content-filter" });
  });

  test("calls of the provider's own pass", () => {
    const own: GenerationEvent[] = [
      { type: "tool-start", block: 9, callId: "own", name: "get_time" },
      { type: "tool-delta", block: 9, text: "{}" },
      { type: "tool-end", block: 9, arguments: "{}" },
    ];
    const out = pass([START, ...text("Hm"), ...own, FINISH]);
    expect(out.find(({ type }) => type === "tool-start")).toMatchObject({ callId: "own", name: "get_time" });
    expect(out.at(-1)).toMatchObject({ reason: "tool-calls" });
  });

  test("a failure takes what is held back with it, so that nothing of it was seen", () => {
    const failure: GenerationEvent = { type: "failure", error: new GatewayError("upstream_cut", "cut") };
    expect(kinds(pass([START, ...text(CALLS.slice(0, 90)).slice(0, 2), failure]))).toEqual(["start", "failure"]);
  });

  test("places of citations in dropped text are dropped with it", () => {
    const citation: GenerationEvent = { type: "citation", url: "https://example.com", title: "", range: [0, 4] };
    expect(kinds(pass([START, ...text("Hi"), citation, ...text(CALLS), FINISH]))).toContain("citation");
    expect(kinds(pass([START, ...text(CALLS), citation, FINISH]))).not.toContain("citation");
  });
});

describe("tools that a turn may call", () => {
  const request = (toolChoice?: ToolChoice): GenerationRequest => ({
    model: "grok-4",
    messages: [],
    stream: false,
    tools,
    ...(toolChoice ? { toolChoice } : {}),
  });
  test.each([
    [undefined, ["get_weather", "get_time"]],
    [{ mode: "none" }, []],
    [{ mode: "required" }, ["get_weather", "get_time"]],
    [{ mode: "auto", allowed: ["get_time"] }, ["get_time"]],
    [{ mode: "forced", name: "get_weather" }, ["get_weather"]],
  ] as [ToolChoice | undefined, string[]][])("%j", (choice, names) => {
    expect(callableTools(request(choice)).map(({ name }) => name)).toEqual(names);
  });
});
