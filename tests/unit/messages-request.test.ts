import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/core/errors.ts";
import type { Message } from "../../src/core/request.ts";
import { toAnthropicError } from "../../src/protocols/errors.ts";
import { parseCountRequest, parseMessagesRequest } from "../../src/protocols/anthropic/messages-request.ts";

const LIMITS = { maxAttachments: 2, maxAttachmentBytes: 100 };
const ASK = { model: "grok-4", max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };
const parse = (more: object = {}) => parseMessagesRequest({ ...ASK, ...more }, LIMITS);
const messagesOf = (...messages: object[]): readonly Message[] => parse({ messages }).messages;
const PNG = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } };
const CALL = { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "f", input: {} }] };
const user = (...content: object[]) => ({ role: "user", content });
const result = (more: object = {}) => ({ type: "tool_result", tool_use_id: "toolu_1", ...more });
const text = (words: string) => ({ type: "text", text: words });

const failure = (run: () => unknown): GatewayError => {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown;
    throw thrown;
  }
  throw new Error("expected a refusal");
};

describe("refusals name their place", () => {
  test.each<[string, object, RegExp]>([
    ["model", { model: undefined }, /^model: this field is required/],
    ["model", { model: "" }, /^model: must be a non-empty string/],
    ["model", { model: 4 }, /^model: /],
    ["max_tokens", { max_tokens: undefined }, /^max_tokens: this field is required/],
    ["max_tokens", { max_tokens: 0 }, /^max_tokens: must be a whole number of at least 1/],
    ["max_tokens", { max_tokens: "100" }, /^max_tokens: /],
    ["messages", { messages: undefined }, /^messages: this field is required/],
    ["messages", { messages: "Hi" }, /^messages: must be a list/],
    ["messages", { messages: [] }, /^messages: at least one message/],
    ["messages", { messages: [{ role: "system", content: "only" }] }, /^messages: at least one message/],
    ["messages.0", { messages: ["Hi"] }, /must be an object/],
    ["messages.0.role", { messages: [{ role: "tool", content: "x" }] }, /user, assistant, system, developer/],
    ["messages.0.role", { messages: [{ content: "x" }] }, /must be one of/],
    ["messages.0.content", { messages: [{ role: "user", content: 3 }] }, /must be a list/],
    ["messages.0.content", { messages: [{ role: "user", content: " " }] }, /the last message must not be empty/],
    ["messages.0.content", { messages: [user(text(""))] }, /the last message must not be empty/],
    ["messages.0.content.0", { messages: [{ role: "user", content: ["x"] }] }, /must be an object/],
    ["messages.0.content.0.type", { messages: [user({ text: "x" })] }, /must be a non-empty string/],
    ["messages.0.content.0.type", { messages: [user({ type: "hologram" })] }, /'hologram' are not supported/],
    ["messages.0.content.0.text", { messages: [user({ type: "text", text: 3 })] }, /must be a string/],
    ["messages.0.content.0.source", { messages: [user({ type: "image" })] }, /this field is required/],
    ["messages.0.content.0.source.type", { messages: [user({ type: "image", source: {} })] }, /base64, url/],
    [
      "messages.0.content.0.source",
      { messages: [user({ type: "image", source: { type: "file", file_id: "file_1" } })] },
      /cannot be referred to by id/,
    ],
    [
      "messages.0.content.0.source.media_type",
      { messages: [user({ type: "image", source: { type: "base64", media_type: "text/html", data: "AAAA" } })] },
      /'text\/html' is not accepted/,
    ],
    [
      "messages.0.content.0.source.media_type",
      { messages: [user({ type: "image", source: { type: "base64", data: "AAAA" } })] },
      /must be a non-empty string/,
    ],
    [
      "messages.0.content.0.source.data",
      { messages: [user({ type: "image", source: { type: "base64", media_type: "image/png", data: "A*" } })] },
      /valid base64/,
    ],
    [
      "messages.0.content.0.source.data",
      { messages: [user({ type: "image", source: { type: "base64", media_type: "image/png", data: "AAA==" } })] },
      /valid base64/,
    ],
    [
      "messages.0.content.0.source.url",
      { messages: [user({ type: "image", source: { type: "url", url: "file:///etc/passwd" } })] },
      /must be an http\(s\) URL/,
    ],
    ["messages.0.content.0", { messages: [user(PNG, PNG, PNG)] }, /at most 2 attachments/],
    [
      "messages.0.content.0",
      { messages: [user({ ...PNG, source: { ...PNG.source, data: "A".repeat(400) } })] },
      /larger than 100 bytes/,
    ],
    ["messages.0.content.0.tool_use_id", { messages: [user(result())] }, /'toolu_1' answers no tool_use/],
    ["messages.1.content.0.tool_use_id", { messages: [CALL, user({ type: "tool_result" })] }, /must be a non-empty/],
    ["messages.1.content.1", { messages: [CALL, user(text("x"), result())] }, /must come before/],
    [
      "messages.3.content.0.tool_use_id",
      { messages: [CALL, user(result()), { role: "assistant", content: "done" }, user(result())] },
      /answers no tool_use block of the message before/,
    ],
    ["messages.0.content.0.type", { messages: [{ role: "assistant", content: [PNG] }] }, /not allowed in assistant/],
    [
      "messages.0.content.0.name",
      { messages: [{ role: "assistant", content: [{ type: "tool_use", id: "a", input: {} }] }] },
      /must be a non-empty/,
    ],
    [
      "messages.0.content.0.input",
      { messages: [{ role: "assistant", content: [{ type: "tool_use", id: "a", name: "f", input: "{}" }] }] },
      /must be an object/,
    ],
    ["system", { system: 3 }, /must be a list/],
    ["system.0.type", { system: [PNG] }, /only text blocks/],
    ["temperature", { temperature: 1.5 }, /from 0 to 1/],
    ["temperature", { temperature: "0" }, /from 0 to 1/],
    ["top_p", { top_p: -1 }, /from 0 to 1/],
    ["top_k", { top_k: -1 }, /whole number/],
    ["stream", { stream: 1 }, /must be a boolean/],
    ["thread", { thread: { type: "create" } }, /send the whole history/],
    ["stop_sequences", { stop_sequences: "x" }, /must be a list/],
    ["stop_sequences", { stop_sequences: Array.from({ length: 65 }, () => "x") }, /at most 64/],
    ["stop_sequences.1", { stop_sequences: ["a", ""] }, /at least one character/],
    ["metadata", { metadata: "me" }, /must be an object/],
    ["metadata.user_id", { metadata: { user_id: 7 } }, /must be a string/],
    ["thinking", { thinking: "enabled" }, /must be an object/],
    ["thinking.type", { thinking: { type: "deep" } }, /enabled, adaptive/],
    ["thinking.budget_tokens", { thinking: { type: "enabled", budget_tokens: 0 } }, /at least 1/],
    ["output_config.effort", { output_config: { effort: "huge" } }, /low, medium, high, xhigh, max/],
    ["output_config.format.type", { output_config: { format: { type: "yaml" } } }, /json_schema/],
    ["output_config.format.schema", { output_config: { format: { type: "json_schema" } } }, /required/],
    ["tools", { tools: {} }, /must be a list/],
    ["tools", { tools: Array.from({ length: 129 }, () => ({})) }, /at most 128/],
    ["tools.0.name", { tools: [{ input_schema: {} }] }, /must be a non-empty/],
    ["tools.0.name", { tools: [{ name: "a b", input_schema: {} }] }, /letters, digits/],
    ["tools.0.input_schema", { tools: [{ name: "f" }] }, /JSON schema/],
    ["tools.0.description", { tools: [{ name: "f", description: 1, input_schema: {} }] }, /must be a string/],
    ["tools.0.type", { tools: [{ type: "bash_20250124", name: "bash" }] }, /'bash_20250124' is not offered/],
    ["tools.0.type", { tools: [{ type: "web_fetch_20250910", name: "web_fetch" }] }, /not offered/],
    [
      "tools.1.name",
      {
        tools: [
          { name: "f", input_schema: {} },
          { name: "f", input_schema: {} },
        ],
      },
      /must be unique/,
    ],
    ["tool_choice", { tool_choice: "auto" }, /must be an object/],
    ["tool_choice.type", { tool_choice: { type: "required" } }, /auto, any, tool, none/],
    ["tool_choice.type", { tool_choice: { type: "any" } }, /at least one tool/],
    ["tool_choice.name", { tool_choice: { type: "tool", name: "g" } }, /'g' was declared/],
    ["tool_choice.name", { tool_choice: { type: "tool" } }, /must be a non-empty/],
  ])("%s: %j", (param, more, message) => {
    const error = failure(() => parse(more));
    expect(error.param).toBe(param);
    expect(error.message).toStartWith(`${param}: `);
    expect(error.message).toMatch(message);
    const { status, body } = toAnthropicError(error, "req_1");
    expect([status === 400 || status === 413, body.error.message]).toEqual([true, error.message]);
    expect(body.error.type).toBe(status === 413 ? "request_too_large" : "invalid_request_error");
  });

  test.each([[null], [[]], ["x"], [1]])("a body that is %j", (body) => {
    expect(failure(() => parseMessagesRequest(body, LIMITS)).code).toBe("invalid_json");
  });
});

describe("accepted and ignored", () => {
  test.each<[string, object]>([
    ["cache_control everywhere", { cache_control: { type: "ephemeral" } }],
    ["context_management", { context_management: { edits: [{ type: "clear_tool_uses_20250919" }] } }],
    ["container", { container: { id: "c", skills: [] } }],
    ["mcp_servers", { mcp_servers: [{ type: "url", url: "https://example.com", name: "x" }] }],
    ["service_tier", { service_tier: "auto" }],
    ["top_k", { top_k: 40 }],
    ["a field of next year", { speed: "fast", diagnostics: {}, next_year: [1] }],
    [
      "null for what is not set",
      { system: null, tools: null, tool_choice: null, thinking: null, stop_sequences: null },
    ],
    ["empty lists", { tools: [], stop_sequences: [], system: [] }],
  ])("%s", (_name, more) => {
    expect(parse(more)).toEqual(parse());
  });

  test("the plain request", () => {
    expect(parse()).toEqual({
      model: "grok-4",
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
      stream: false,
      showReasoning: false,
      maxTokens: 100,
    });
  });
});

describe("thinking", () => {
  test.each<[object, object]>([
    [{}, { showReasoning: false }],
    [{ thinking: { type: "enabled", budget_tokens: 1024 } }, { showReasoning: true, reasoningEffort: "low" }],
    [{ thinking: { type: "enabled", budget_tokens: 2048 } }, { showReasoning: true, reasoningEffort: "low" }],
    [{ thinking: { type: "enabled", budget_tokens: 10000 } }, { showReasoning: true, reasoningEffort: "medium" }],
    [{ thinking: { type: "enabled", budget_tokens: 10001 } }, { showReasoning: true, reasoningEffort: "high" }],
    [{ thinking: { type: "enabled" } }, { showReasoning: true }],
    [{ thinking: { type: "adaptive" } }, { showReasoning: true }],
    [{ thinking: { type: "adaptive", display: "omitted" } }, { showReasoning: false }],
    [
      { thinking: { type: "adaptive" }, output_config: { effort: "max" } },
      { showReasoning: true, reasoningEffort: "xhigh" },
    ],
    [
      { thinking: { type: "enabled", budget_tokens: 1024 }, output_config: { effort: "high" } },
      { showReasoning: true, reasoningEffort: "high" },
    ],
    [{ output_config: { effort: "low" } }, { showReasoning: false, reasoningEffort: "low" }],
    [{ thinking: { type: "disabled" } }, { showReasoning: false, reasoningEffort: "none" }],
  ])("%j", (more, expected) => {
    const { showReasoning, reasoningEffort } = parse(more);
    expect({ showReasoning, ...(reasoningEffort === undefined ? {} : { reasoningEffort }) }).toEqual(
      expected as { showReasoning: boolean },
    );
  });
});

describe("values that are kept as they are", () => {
  test.each<[string, object, object]>([
    ["temperature 0", { temperature: 0 }, { temperature: 0 }],
    ["top_p 0", { top_p: 0 }, { topP: 0 }],
    ["stop_sequences", { stop_sequences: ["\n\nHuman:", " "] }, { stop: ["\n\nHuman:", " "] }],
    ["stream", { stream: true }, { stream: true }],
    ["max_tokens", { max_tokens: 1 }, { maxTokens: 1 }],
    ["user_id", { metadata: { user_id: "user_1_session_2" } }, { sessionKey: "user_1_session_2" }],
  ])("%s", (_name, more, expected) => {
    expect(parse(more)).toMatchObject(expected);
  });

  test("a schema under its older name", () => {
    const format = { type: "json_schema", schema: { type: "object" } };
    expect(parse({ output_format: format }).responseFormat).toEqual(
      parse({ output_config: { format } }).responseFormat ?? { type: "text" },
    );
  });
});

describe("tools", () => {
  const tool = (name: string) => ({ name, input_schema: { type: "object" } });
  const search = { type: "web_search_20260209", name: "web_search" };
  test.each<[string, object, object]>([
    ["auto", { tools: [tool("f")], tool_choice: { type: "auto" } }, { toolChoice: { mode: "auto" } }],
    ["any", { tools: [tool("f")], tool_choice: { type: "any" } }, { toolChoice: { mode: "required" } }],
    ["none", { tools: [tool("f")], tool_choice: { type: "none" } }, { toolChoice: { mode: "none" } }],
    [
      "tool",
      { tools: [tool("f")], tool_choice: { type: "tool", name: "f" } },
      { toolChoice: { mode: "forced", name: "f" } },
    ],
    [
      "one at a time",
      { tools: [tool("f")], tool_choice: { type: "auto", disable_parallel_tool_use: true } },
      { toolChoice: { mode: "auto" }, parallelToolCalls: false },
    ],
    ["custom by name", { tools: [{ type: "custom", ...tool("f") }] }, { tools: [{ name: "f" }] }],
    ["search beside a function", { tools: [search, tool("f")] }, { webSearch: true, tools: [{ name: "f" }] }],
    ["strict", { tools: [{ ...tool("f"), strict: true }] }, { tools: [{ name: "f", strict: true }] }],
  ])("%s", (_name, more, expected) => {
    expect(parse(more)).toMatchObject(expected);
  });

  test.each<[string, object]>([
    ["any", { tools: [search], tool_choice: { type: "any" } }],
    ["by name", { tools: [search], tool_choice: { type: "tool", name: "web_search" } }],
  ])("search cannot be called for: %s", (_name, more) => {
    const { toolChoice, tools, webSearch } = parse(more);
    expect({ toolChoice, tools, webSearch }).toEqual({ toolChoice: undefined, tools: undefined, webSearch: true });
  });

  test("a long description is no fault", () => {
    const description = "x".repeat(40_000);
    expect(parse({ tools: [{ ...tool("f"), description }] }).tools?.[0]?.description).toBe(description);
  });
});

describe("system", () => {
  test.each<[string, object, Message[]]>([
    ["a string", { system: "Be brief." }, [{ role: "system", content: [{ type: "text", text: "Be brief." }] }]],
    ["blank", { system: " \n" }, []],
    [
      "blocks, blank ones left out",
      { system: [text("a"), text(""), { ...text("b"), cache_control: { type: "ephemeral" } }] },
      [
        {
          role: "system",
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
        },
      ],
    ],
  ])("%s", (_name, more, expected) => {
    expect(parse(more).messages.filter(({ role }) => role === "system")).toEqual(expected);
  });

  test("inline system and developer messages come first, in their order", () => {
    const { messages } = parse({
      system: "one",
      messages: [
        { role: "user", content: "Hi" },
        { role: "system", content: "two" },
        { role: "developer", content: [text("three")] },
        { role: "assistant", content: "Yes?" },
        { role: "user", content: "Go" },
      ],
    });
    const words = messages.map(({ role, content: [part] }) => `${role} ${part?.type === "text" ? part.text : ""}`);
    expect(words).toEqual(["system one", "system two", "system three", "user Hi", "assistant Yes?", "user Go"]);
  });
});

describe("results of tools", () => {
  test.each<[string, object, string]>([
    ["a string", { content: "42" }, "42"],
    ["blocks", { content: [text("4"), text("2")] }, "4\n2"],
    ["a failure", { content: "no such file", is_error: true }, "Tool execution failed: no such file"],
    ["a failure without words", { is_error: true }, "Tool execution failed:"],
    [
      "a passage of a search",
      { content: [{ type: "search_result", source: "https://a.example", title: "A", content: [text("b")] }] },
      "[A — https://a.example]\nb",
    ],
    ["a reference to a tool", { content: [{ type: "tool_reference", tool_name: "f" }] }, ""],
    ["nothing", {}, ""],
  ])("%s", (_name, more, expected) => {
    const [, message] = messagesOf(CALL, user(result(more)));
    expect(message).toEqual({
      role: "tool",
      toolCallId: "toolu_1",
      name: "f",
      content: expected === "" ? [] : [{ type: "text", text: expected }],
    });
  });

  test("pictures move to the user's words that follow", () => {
    const [, tool, next] = messagesOf(CALL, user(result({ content: [text("shot"), PNG] }), text("What is it?")));
    expect(tool?.content).toEqual([
      { type: "text", text: "shot\n[The attachments of this result follow in the next message.]" },
    ]);
    expect(next?.content.map((part) => (part.type === "text" ? part.text : part.param))).toEqual([
      "[These are the attachments of the tool results above.]",
      "messages.1.content.0.content.1",
      "What is it?",
    ]);
  });

  test("may be spread over several messages, also after an answer in two parts", () => {
    const second = { role: "assistant", content: [{ type: "tool_use", id: "toolu_2", name: "g", input: { a: 1 } }] };
    const messages = messagesOf(
      CALL,
      second,
      user(result()),
      user(result({ tool_use_id: "toolu_2" })),
      user(text("x")),
    );
    expect(messages.map(({ role, toolCallId }) => `${role} ${toolCallId ?? ""}`.trim())).toEqual([
      "assistant",
      "assistant",
      "tool toolu_1",
      "tool toolu_2",
      "user",
    ]);
  });

  test("an inline system message between call and result does no harm", () => {
    const messages = messagesOf(CALL, { role: "system", content: "note" }, user(result({ content: "1" })));
    expect(messages.map(({ role }) => role)).toEqual(["system", "assistant", "tool"]);
  });
});

describe("an answer's history", () => {
  test("other servers' work is left out, and of reasoning only what its upstream can read is kept", () => {
    const foreign = [
      { type: "thinking", thinking: "hm", signature: "s" },
      { type: "redacted_thinking", data: "x" },
      { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} },
      { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] },
      { type: "mcp_tool_use", id: "m", name: "x", server_name: "y", input: {} },
      { type: "block_of_next_year", data: 1 },
    ];
    expect(
      messagesOf(user(text("a")), { role: "assistant", content: [...foreign, text("b")] }, user(text("c")))[1],
    ).toEqual({ role: "assistant", content: [{ type: "text", text: "b" }], sealedReasoning: ["s"] });
  });

  test("a beginning of the answer may stand last", () => {
    expect(messagesOf(user(text("a")), { role: "assistant", content: "{" }).at(-1)?.role).toBe("assistant");
  });
});

describe("pictures and documents", () => {
  test.each<[string, object, object]>([
    ["base64", PNG, { type: "image", source: { kind: "data", mime: "image/png", data: "iVBORw0KGgo=" } }],
    [
      "base64 with line breaks",
      { type: "image", source: { type: "base64", media_type: "IMAGE/PNG", data: "iVBO\r\nRw0KGgo=" } },
      { type: "image", source: { kind: "data", mime: "image/png", data: "iVBORw0KGgo=" } },
    ],
    [
      "a data URI where base64 should be",
      { type: "image", source: { type: "base64", media_type: "image/png", data: "data:image/webp;base64,AAAA" } },
      { type: "image", source: { kind: "data", mime: "image/webp", data: "AAAA" } },
    ],
    [
      "a link",
      { type: "image", source: { type: "url", url: "https://example.com/a.png" } },
      { type: "image", source: { kind: "url", url: "https://example.com/a.png" } },
    ],
    [
      "a PDF",
      {
        type: "document",
        title: "notes/report.pdf",
        source: { type: "base64", media_type: "application/pdf", data: "JVBERg==" },
      },
      { type: "file", source: { kind: "data", mime: "application/pdf", data: "JVBERg==", name: "report.pdf" } },
    ],
    [
      "a PDF with a title that is no file name",
      { type: "document", title: "My report", source: { type: "url", url: "https://example.com/r" } },
      { type: "file", source: { kind: "url", url: "https://example.com/r" } },
    ],
    [
      "a document of text",
      {
        type: "document",
        title: "Notes",
        context: "From 2025",
        source: { type: "text", media_type: "text/plain", data: "abc" },
      },
      { type: "text", text: "[document: Notes]\nFrom 2025\nabc" },
    ],
    [
      "a document of blocks",
      { type: "document", source: { type: "content", content: [text("a"), text("b")] } },
      { type: "text", text: "[document]\na\nb" },
    ],
  ])("%s", (_name, block, expected) => {
    expect(messagesOf(user(text("look"), block))[0]?.content[1]).toMatchObject(expected);
  });

  test("older ones are left out when the cap is spent, with a note", () => {
    const messages = messagesOf(user(PNG, text("a")), { role: "assistant", content: "ok" }, user(PNG, PNG, text("b")));
    expect(messages[0]?.content[0]).toEqual({ type: "text", text: "[An attachment of an earlier turn was left out.]" });
    expect(messages[2]?.content.filter(({ type }) => type === "image")).toHaveLength(2);
  });
});

test("counting checks what it counts, and nothing else", () => {
  const { max_tokens: _, ...body } = ASK;
  expect(parseCountRequest({ ...body, temperature: "hot" }, LIMITS).messages).toHaveLength(1);
  expect(failure(() => parseCountRequest({ ...body, messages: [] }, LIMITS)).param).toBe("messages");
  expect(failure(() => parseCountRequest({ ...body, tools: [{}] }, LIMITS)).param).toBe("tools.0.name");
});
