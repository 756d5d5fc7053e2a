// Requests of the Responses API: every shape of input, every refusal with its code and place, and the conversation that
// comes of it.
import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/core/errors.ts";
import type { ContentPart } from "../../src/core/request.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { converse, type Past } from "../../src/protocols/openai/responses-conversation.ts";
import { referenceOf, sealOf, storedItems } from "../../src/protocols/openai/responses-input.ts";
import { parseResponsesRequest } from "../../src/protocols/openai/responses-request.ts";

const LIMITS = { maxAttachments: 3, maxAttachmentBytes: 1000 };
const PIXEL = "data:image/png;base64,iVBORw0KGgo=";
const NOTHING = { items: new Map<string, JsonObject>(), summaries: new Map<string, string>() };
const base = { model: "grok-4", input: "hi" };

const parse = (body: unknown, headers: Record<string, string> = {}) =>
  parseResponsesRequest(body, new Headers(headers));
const conversation = (body: object, past: Past | null = null, found = NOTHING) =>
  converse(parse({ ...base, ...body }), { past, found, limits: LIMITS });

const text = (content: readonly ContentPart[]): string =>
  content.map((part) => (part.type === "text" ? part.text : `<${part.type}>`)).join("|");
const told = (body: object, past: Past | null = null, found = NOTHING): string[] =>
  conversation(body, past, found).generation.messages.map(({ role, content, toolCalls, toolCallId }) => {
    const calls = (toolCalls ?? []).map((call) => `${call.id}=${call.name}(${call.arguments})`).join(",");
    return [role, toolCallId, text(content), calls].filter((part) => part !== undefined && part !== "").join(": ");
  });

const refusal = (work: () => unknown): { code: string; param: string | null } => {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof GatewayError) return { code: thrown.code, param: thrown.param };
    throw thrown;
  }
  throw new Error("expected a refusal");
};

describe("input", () => {
  const inputs: [name: string, input: unknown, messages: string[]][] = [
    ["a string", "hello", ["user: hello"]],
    ["a list of strings", ["one", "two"], ["user: one", "user: two"]],
    ["one item", { role: "user", content: "x" }, ["user: x"]],
    [
      "messages of every role",
      [
        { role: "system", content: "s" },
        { role: "developer", content: "d" },
        { type: "message", role: "user", content: [{ type: "input_text", text: "u" }] },
        {
          type: "message",
          role: "assistant",
          id: "msg_1",
          status: "completed",
          content: [{ type: "output_text", text: "a", annotations: [] }],
        },
      ],
      ["system: s", "system: d", "user: u", "assistant: a"],
    ],
    [
      "parts under chat's names, a refusal, and blank ones",
      [
        {
          role: "user",
          content: [
            { type: "text", text: "a" },
            { type: "input_text", text: " " },
            { type: "image_url", image_url: { url: PIXEL } },
          ],
        },
        { role: "assistant", content: [{ type: "refusal", refusal: "no" }] },
      ],
      ["user: a|<image>", "assistant: no"],
    ],
    [
      "bare parts in a row",
      [
        { type: "input_text", text: "What is it?" },
        { type: "input_image", image_url: PIXEL },
        { role: "user", content: "y" },
      ],
      ["user: What is it?|<image>", "user: y"],
    ],
    [
      "images and files in every shape",
      [
        {
          role: "user",
          content: [
            { type: "input_image", image_url: "https://example.com/a.png", detail: "low" },
            { type: "input_image", image_url: { url: PIXEL } },
            { type: "input_file", filename: "a.txt", file_data: "data:text/plain;base64,aGk=" },
          ],
        },
      ],
      ["user: <image>|<image>|<file>"],
    ],
    [
      "calls and results",
      [
        { role: "user", content: "go" },
        { type: "message", role: "assistant", content: "on it" },
        { type: "function_call", call_id: "c1", name: "f", arguments: '{"a":1}' },
        { type: "function_call", call_id: "c2", name: "g", arguments: "{}", id: "fc_1", status: "completed" },
        { type: "function_call_output", call_id: "c1", output: "one" },
        { type: "function_call_output", call_id: "c2", output: [{ type: "input_text", text: "two" }] },
      ],
      ["user: go", 'assistant: on it: c1=f({"a":1}),c2=g({})', "tool: c1: one", "tool: c2: two"],
    ],
    [
      "a result that is a picture",
      [
        { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
        { type: "function_call_output", call_id: "c", output: [{ type: "input_image", image_url: PIXEL }] },
      ],
      ["assistant: c=f({})", "tool: c: [The result is attached to the next message.]", "user: <image>"],
    ],
    [
      "calls of an agent's other tools",
      [
        { type: "custom_tool_call", call_id: "c", name: "apply_patch", input: "*** Begin" },
        { type: "custom_tool_call_output", call_id: "c", output: "ok" },
        { type: "local_shell_call", call_id: "s", action: { command: ["ls"] }, status: "completed" },
        { type: "local_shell_call_output", call_id: "s", output: "a.txt" },
      ],
      [
        'assistant: c=apply_patch({"input":"*** Begin"})',
        "tool: c: ok",
        'assistant: s=shell({"command":["ls"]})',
        "tool: s: a.txt",
      ],
    ],
    [
      "reasoning and searches are left out",
      [
        { role: "user", content: "u" },
        { type: "reasoning", id: "rs_1", summary: [], content: null, encrypted_content: "gAAA" },
        { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "q" } },
      ],
      ["user: u"],
    ],
    [
      "a summary that somebody else has sealed",
      [
        { type: "compaction", encrypted_content: "gAAA" },
        { role: "user", content: "u" },
      ],
      [
        "system: [An earlier part of this conversation was summarised by another service and cannot be read here.]",
        "user: u",
      ],
    ],
    [
      "an empty assistant turn",
      [
        { role: "assistant", content: "" },
        { role: "user", content: "u" },
      ],
      ["user: u"],
    ],
  ];
  test.each(inputs)("%s", (_, input, messages) => {
    expect(told({ input })).toEqual(messages);
  });

  test("references and summaries are put in place of what names them", () => {
    const input = [
      { id: "msg_1" },
      { type: "item_reference", id: "fc_1" },
      { type: "function_call_output", call_id: "c", output: "r" },
      { type: "compaction", encrypted_content: "ours" },
    ];
    const items = parse({ ...base, input }).input;
    expect(items.map(referenceOf)).toEqual(["msg_1", "fc_1", null, null]);
    expect(items.map(sealOf)).toEqual([null, null, null, "ours"]);
    const found = {
      items: new Map<string, JsonObject>([
        ["msg_1", { id: "msg_1", type: "message", role: "user", content: "before" }],
        ["fc_1", { id: "fc_1", type: "function_call", call_id: "c", name: "f", arguments: "{}" }],
      ]),
      summaries: new Map([["ours", "it rained"]]),
    };
    expect(told({ input }, null, found)).toEqual([
      "user: before",
      "assistant: c=f({})",
      "tool: c: r",
      "system: Summary of the conversation so far:\nit rained",
    ]);
  });

  test("kept items have ids that lead back to their response, and parts", () => {
    const { input } = parse({
      ...base,
      input: ["a", { role: "assistant", content: "b" }, { id: "mine", role: "user", content: "c" }],
    });
    expect(storedItems(input, `resp_${"ab".repeat(16)}`)).toEqual([
      {
        id: `msg_${"ab".repeat(14)}8000`,
        type: "message",
        role: "user",
        status: "completed",
        content: [{ type: "input_text", text: "a" }],
      },
      {
        id: `msg_${"ab".repeat(14)}8001`,
        type: "message",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: "b" }],
      },
      { id: "mine", type: "message", role: "user", status: "completed", content: [{ type: "input_text", text: "c" }] },
    ]);
  });
});

describe("refusals", () => {
  const call = { type: "function_call", call_id: "c", name: "f", arguments: "{}" };
  const user = (...content: unknown[]) => ({ input: [{ role: "user", content }] });
  const cases: [body: object, code: string, param: string][] = [
    [{ model: undefined }, "missing_required_parameter", "model"],
    [{ model: 4 }, "invalid_value", "model"],
    [{ input: undefined }, "missing_required_parameter", "input"],
    [{ input: "" }, "missing_required_parameter", "input"],
    [{ input: " \n" }, "missing_required_parameter", "input"],
    [{ input: [] }, "missing_required_parameter", "input"],
    [{ input: 7 }, "invalid_value", "input"],
    [{ input: ["a", 7] }, "invalid_value", "input.1"],
    [{ input: [{ role: "robot", content: "x" }] }, "invalid_role", "input.0.role"],
    [{ input: [{ role: "user", content: "" }] }, "empty_content", "input.0.content"],
    [{ input: [{ role: "user" }] }, "empty_content", "input.0.content"],
    [{ input: [{ role: "user", content: 7 }] }, "invalid_value", "input.0.content"],
    [user(7), "invalid_block", "input.0.content.0"],
    [user({}), "missing_type", "input.0.content.0.type"],
    [user({ type: "input_video" }), "invalid_type", "input.0.content.0.type"],
    [user({ type: "input_text", text: 7 }), "invalid_value", "input.0.content.0.text"],
    [user({ type: "input_text", text: "x" }, { type: "input_image" }), "missing_url", "input.0.content.1.image_url"],
    [user({ type: "input_image", image_url: "iVBORw0" }), "invalid_media", "input.0.content.0.image_url"],
    [user({ type: "input_image", image_url: { url: "ftp://x" } }), "invalid_media", "input.0.content.0.image_url.url"],
    [user({ type: "input_image", file_id: "f" }), "unsupported_parameter", "input.0.content.0.file_id"],
    [user({ type: "input_file", file_id: "f" }), "unsupported_parameter", "input.0.content.0.file_id"],
    [user({ type: "input_file" }), "missing_file", "input.0.content.0.file_data"],
    [user({ type: "input_file", file_url: "nowhere" }), "invalid_media", "input.0.content.0.file_url"],
    [user({ type: "input_audio", input_audio: {} }), "missing_audio", "input.0.content.0.input_audio.data"],
    [{ input: [{ type: "input_text", text: "x" }, { type: "input_image" }] }, "missing_url", "input.1.image_url"],
    [
      { input: [{ role: "assistant", content: [{ type: "input_image", image_url: PIXEL }] }] },
      "invalid_type",
      "input.0.content.0.type",
    ],
    [
      user(...Array.from({ length: 4 }, () => ({ type: "input_image", image_url: PIXEL }))),
      "too_many_attachments",
      "input.0.content.0.image_url",
    ],
    [{ input: [{ type: "mcp_call" }] }, "invalid_type", "input.0.type"],
    [{ input: [{ foo: 1 }] }, "missing_type", "input.0.type"],
    [{ input: [{ type: "item_reference", id: "x" }] }, "invalid_value", "input.0.id"],
    [{ input: [{ ...call, call_id: undefined }] }, "missing_required_parameter", "input.0.call_id"],
    [{ input: [{ ...call, call_id: 7 }] }, "invalid_value", "input.0.call_id"],
    [{ input: [{ ...call, name: undefined }] }, "missing_required_parameter", "input.0.name"],
    [{ input: [{ type: "function_call_output", call_id: "c", output: "x" }] }, "invalid_value", "input.0.call_id"],
    [{ input: [call, { type: "function_call_output", call_id: "c" }] }, "missing_required_parameter", "input.1.output"],
    [{ input: [call, { type: "function_call_output", call_id: "c", output: 7 }] }, "invalid_value", "input.1.output"],
    [{ stream: "yes" }, "invalid_stream", "stream"],
    [{ temperature: 3 }, "invalid_temperature", "temperature"],
    [{ top_p: -1 }, "invalid_top_p", "top_p"],
    [{ max_output_tokens: 0 }, "invalid_value", "max_output_tokens"],
    [{ max_tool_calls: "1" }, "invalid_value", "max_tool_calls"],
    [{ instructions: 7 }, "invalid_value", "instructions"],
    [{ previous_response_id: 7 }, "invalid_value", "previous_response_id"],
    [{ store: "perhaps" }, "invalid_value", "store"],
    [{ background: true }, "unsupported_parameter", "background"],
    [{ conversation: "conv_1" }, "unsupported_parameter", "conversation"],
    [{ prompt: { id: "p" } }, "unsupported_parameter", "prompt"],
    [{ top_logprobs: 2 }, "unsupported_parameter", "top_logprobs"],
    [{ include: ["message.output_text.logprobs"] }, "unsupported_parameter", "include.0"],
    [{ include: ["everything"] }, "invalid_value", "include.0"],
    [{ include: "x" }, "invalid_value", "include"],
    [{ truncation: "middle" }, "invalid_value", "truncation"],
    [{ metadata: { a: 1 } }, "invalid_value", "metadata.a"],
    [
      { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`k${at}`, "v"])) },
      "invalid_value",
      "metadata",
    ],
    [{ reasoning: "high" }, "invalid_value", "reasoning"],
    [{ reasoning: { effort: "huge" } }, "invalid_reasoning_effort", "reasoning.effort"],
    [{ reasoning: { summary: "long" } }, "invalid_value", "reasoning.summary"],
    [{ reasoning: { generate_summary: "long" } }, "invalid_value", "reasoning.generate_summary"],
    [{ text: { format: { type: "xml" } } }, "invalid_value", "text.format.type"],
    [{ text: { format: { type: "json_schema" } } }, "invalid_value", "text.format.name"],
    [{ text: { verbosity: "max" } }, "invalid_value", "text.verbosity"],
    [{ tools: [{ type: "function", name: "a b" }] }, "invalid_tools", "tools.0.name"],
    [{ tools: [{ type: "image_generation", partial_images: 9 }] }, "invalid_value", "tools.0.partial_images"],
    [{ tools: [{ type: "computer_use_preview" }] }, "invalid_tools", "tools.0.type"],
    [{ tool_choice: "required" }, "invalid_tool_choice", "tool_choice"],
    [{ tool_choice: { type: "function", name: "f" } }, "invalid_tool_choice", "tool_choice"],
    [{ parallel_tool_calls: "often" }, "invalid_value", "parallel_tool_calls"],
    [{ prompt_cache_key: 7 }, "invalid_value", "prompt_cache_key"],
    [{ user: 7 }, "invalid_value", "user"],
  ];
  test.each(cases.map(([body, code, param]) => [JSON.stringify(body).slice(0, 90), body, code, param] as const))(
    "%s",
    (_, body, code, param) => {
      expect(refusal(() => conversation(body))).toEqual({ code, param });
    },
  );

  test("a body that is no object", () => {
    for (const body of [null, [], "x"]) expect(refusal(() => parse(body)).code).toBe("invalid_json");
  });
});

describe("fields", () => {
  test("what was asked is repeated, what was not has its default", () => {
    expect(parse(base).echo).toEqual({
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
    });
  });

  test("null means not given, unknown fields are ignored", () => {
    const nulls = Object.fromEntries(
      [
        "instructions",
        "stream",
        "store",
        "tools",
        "tool_choice",
        "reasoning",
        "text",
        "metadata",
        "include",
        "user",
      ].map((key) => [key, null]),
    );
    expect(parse({ ...base, ...nulls, stream_options: { include_obfuscation: false }, novelty: 1 })).toEqual(
      parse(base),
    );
  });

  test("options of the model", () => {
    const tool = { type: "function", name: "f", description: "d", parameters: { type: "object" }, strict: true };
    const { options } = parse({
      ...base,
      stream: true,
      temperature: 0,
      top_p: 0.5,
      max_output_tokens: 7,
      reasoning: { effort: "high" },
      tools: [tool, { type: "web_search_preview" }],
      tool_choice: { type: "function", name: "f" },
      parallel_tool_calls: false,
      text: { format: { type: "json_schema", name: "n", schema: { type: "object" }, strict: true } },
      prompt_cache_key: "k",
    });
    expect(options).toEqual({
      model: "grok-4",
      stream: true,
      temperature: 0,
      topP: 0.5,
      maxTokens: 7,
      reasoningEffort: "high",
      showReasoning: true,
      tools: [{ name: "f", description: "d", parameters: { type: "object" }, strict: true }],
      toolChoice: { mode: "forced", name: "f" },
      parallelToolCalls: false,
      webSearch: true,
      serverTools: [{ type: "web_search", options: {} }],
      responseFormat: { type: "json_schema", name: "n", schema: { type: "object" }, strict: true },
      sessionKey: "k",
    });
  });

  test.each([
    [{}, undefined],
    [{ reasoning: { effort: "none" } }, false],
    [{ reasoning: { effort: "none", summary: "auto" } }, false],
    [{ reasoning: { summary: "auto" } }, true],
    [{ reasoning: { effort: "low" } }, true],
    [{ thinking: "disabled" }, false],
    [{ thinking: "disabled", reasoning: { effort: "low" } }, true],
  ])("%j shows reasoning: %p", (body, shown) => {
    expect(parse({ ...base, ...body }).options.showReasoning).toBe(shown);
  });

  test("a session's name may stand in a header", () => {
    expect(parse(base, { session_id: "s-1" }).options.sessionKey).toBe("s-1");
    expect(parse({ ...base, prompt_cache_key: "k" }, { session_id: "s-1" }).options.sessionKey).toBe("k");
  });

  test("instructions and a wish for length are one system turn before the input", () => {
    expect(told({ instructions: "Be kind.", text: { verbosity: "low" } })).toEqual([
      "system: Be kind.\n\nKeep the answer short and to the point.",
      "user: hi",
    ]);
    expect(told({ text: { verbosity: "medium" } })).toEqual(["user: hi"]);
  });
});

describe("going on", () => {
  const thread = { accountId: "a", conversationId: "c", responseId: "r" };
  const items = [
    { type: "message", role: "user", content: "one" },
    { type: "reasoning", summary: [] },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "two" }] },
    { type: "function_call", call_id: "k", name: "f", arguments: "{}" },
  ];
  const response = {
    model: "grok-4",
    instructions: null,
    tools: [],
    tool_choice: "auto",
    text: { format: { type: "text" } },
  };
  const past = (more: object = {}, where: Past["thread"] = thread): Past => ({
    items,
    response: { ...response, ...more },
    thread: where,
  });

  test("earlier turns come first, and a result may answer an earlier call", () => {
    const input = [{ type: "function_call_output", call_id: "k", output: "r" }];
    expect(told({ input, instructions: "I" }, past())).toEqual([
      "user: one",
      "assistant: two: k=f({})",
      "system: I",
      "tool: k: r",
    ]);
  });

  const tool = { type: "function", name: "f", parameters: {} };
  test.each([
    ["nothing was told", {}, {}, 2],
    ["the same instructions", { instructions: "I" }, { instructions: "I" }, 3],
    ["the first instructions", {}, { instructions: "I" }, 2],
    ["other instructions", { instructions: "I" }, { instructions: "J" }, null],
    ["no instructions any more", { instructions: "I" }, {}, null],
    ["the same tools", { tools: [tool] }, { tools: [tool] }, 2],
    ["other tools", { tools: [tool] }, {}, null],
    ["another form", { text: { format: { type: "json_object" } } }, {}, null],
    ["another model", { model: "grok-3" }, {}, null],
    ["words put into the assistant's mouth", {}, { input: [{ role: "assistant", content: "x" }, "y"] }, null],
  ])("%s", (_, before, now, known) => {
    const { continuation } = conversation(now, past(before)).generation;
    const expected = { accountId: "a", conversationId: "c", parentResponseId: "r", known: known ?? 0 };
    expect(continuation).toEqual(known === null ? undefined : expected);
  });

  test("without a thread there is nothing to go on with", () => {
    expect(conversation({}, past({}, null)).generation.continuation).toBeUndefined();
  });
});
