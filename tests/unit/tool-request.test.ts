// The tool fields of a request: what is refused, with which code and field, and what the accepted shapes become.
import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/core/errors.ts";
import { parseChatRequest } from "../../src/protocols/openai/chat-request.ts";
import { parseResponseFormat } from "../../src/protocols/openai/response-format.ts";
import { explicitSession } from "../../src/protocols/openai/session-key.ts";

const LIMITS = { maxAttachments: 8, maxAttachmentBytes: 1000 };
const parse = (fields: object) =>
  parseChatRequest({ model: "grok-4", messages: [{ role: "user", content: "hi" }], ...fields }, LIMITS);

const refusal = (fields: object): readonly [code: string, param: string | null] => {
  try {
    parse(fields);
  } catch (thrown) {
    if (thrown instanceof GatewayError) return [thrown.code, thrown.param];
    throw thrown;
  }
  throw new Error("nothing was refused");
};

const tool = (more: object = {}) => ({ type: "function", function: { name: "f", ...more } });
const tools = [tool()];
const schema = { type: "object", properties: { a: { type: "string" } } };

describe("refused", () => {
  test.each([
    [{ tools: {} }, "invalid_tools", "tools"],
    [{ tools: "f" }, "invalid_tools", "tools"],
    [{ tools: [1] }, "invalid_tools", "tools.0"],
    [{ tools: [{}] }, "invalid_tools", "tools.0.type"],
    [{ tools: [{ type: "computer_use_preview" }] }, "invalid_tools", "tools.0.type"],
    [{ tools: [{ type: "custom", custom: { name: "f" } }] }, "invalid_tools", "tools.0.type"],
    [{ tools: [{ type: "function" }] }, "invalid_tools", "tools.0.name"],
    [{ tools: [{ type: "function", function: "f" }] }, "invalid_tools", "tools.0.function"],
    [{ tools: [{ type: "function", function: {} }] }, "invalid_tools", "tools.0.function.name"],
    [{ tools: [tool({ name: "" })] }, "invalid_tools", "tools.0.function.name"],
    [{ tools: [tool({ name: "a b" })] }, "invalid_tools", "tools.0.function.name"],
    [{ tools: [tool({ name: "a.b" })] }, "invalid_tools", "tools.0.function.name"],
    [{ tools: [tool({ name: "x".repeat(65) })] }, "invalid_tools", "tools.0.function.name"],
    [{ tools: [tool(), tool({ name: "g", description: 1 })] }, "invalid_tools", "tools.1.function.description"],
    [{ tools: [tool({ description: "é".repeat(8193) })] }, "invalid_tools", "tools.0.function.description"],
    [{ tools: [tool({ parameters: [] })] }, "invalid_tools", "tools.0.function.parameters"],
    [{ tools: [tool({ parameters: "{}" })] }, "invalid_tools", "tools.0.function.parameters"],
    [{ tools: [tool({ strict: "yes" })] }, "invalid_tools", "tools.0.function.strict"],
    [{ tools: [tool(), tool()] }, "invalid_tools", "tools"],
    [{ tools: Array.from({ length: 129 }, (_, at) => tool({ name: `f${at}` })) }, "invalid_tools", "tools"],
    [{ functions: {} }, "invalid_tools", "functions"],
    [{ functions: [{ description: "x" }] }, "invalid_tools", "functions.0.name"],
    [{ tools, tool_choice: "always" }, "invalid_tool_choice", "tool_choice"],
    [{ tools, tool_choice: 1 }, "invalid_tool_choice", "tool_choice"],
    [{ tools, tool_choice: { type: "function" } }, "invalid_tool_choice", "tool_choice"],
    [{ tools, tool_choice: { type: "function", function: { name: "g" } } }, "invalid_tool_choice", "tool_choice"],
    [{ tools, tool_choice: { type: "function", name: "g" } }, "invalid_tool_choice", "tool_choice"],
    [{ tools, tool_choice: { type: "web_search" } }, "invalid_tool_choice", "tool_choice"],
    [{ tools, tool_choice: { type: "allowed_tools" } }, "invalid_tool_choice", "tool_choice"],
    [{ tools, tool_choice: { type: "allowed_tools", tools: [{ name: "g" }] } }, "invalid_tool_choice", "tool_choice"],
    [
      { tools, tool_choice: { type: "allowed_tools", mode: "required", tools: [] } },
      "invalid_tool_choice",
      "tool_choice",
    ],
    [{ tool_choice: "required" }, "invalid_tool_choice", "tool_choice"],
    [{ tools: [], tool_choice: "required" }, "invalid_tool_choice", "tool_choice"],
    [{ functions: [{ name: "f" }], function_call: { name: "g" } }, "invalid_tool_choice", "function_call"],
    [{ tools, parallel_tool_calls: "no" }, "invalid_value", "parallel_tool_calls"],
    [{ response_format: { type: "json_schema" } }, "invalid_value", "response_format.name"],
    [{ response_format: { type: "json_schema", json_schema: [] } }, "invalid_value", "response_format.json_schema"],
    [
      { response_format: { type: "json_schema", json_schema: { name: "a b", schema } } },
      "invalid_value",
      "response_format.json_schema.name",
    ],
    [
      { response_format: { type: "json_schema", json_schema: { name: "a", schema: [] } } },
      "invalid_value",
      "response_format.json_schema.schema",
    ],
    [
      {
        messages: [
          { role: "user", content: "a" },
          { role: "tool", content: "b" },
        ],
      },
      "invalid_value",
      "messages.1.tool_call_id",
    ],
    [
      {
        messages: [
          { role: "user", content: "a" },
          { role: "tool", tool_call_id: "call_0", content: "b" },
        ],
      },
      "invalid_value",
      "messages.1.tool_call_id",
    ],
  ] as [object, string, string][])("%j → %s (%s)", (fields, code, param) => {
    expect(refusal(fields)).toEqual([code, param] as never);
  });
});

describe("accepted", () => {
  test("the nested and the flat shape are the same; a missing schema takes nothing", () => {
    const nested = parse({ tools: [tool({ description: "d", parameters: schema, strict: true })] }).tools;
    const flat = parse({
      tools: [{ type: "function", name: "f", description: "d", parameters: schema, strict: true }],
    });
    expect(nested).toEqual([{ name: "f", description: "d", parameters: schema, strict: true }]);
    expect(flat.tools).toEqual(nested as never);
    expect(parse({ tools }).tools).toEqual([{ name: "f", parameters: { type: "object", properties: {} } }]);
    expect(parse({ tools: [tool({ description: null, parameters: null, strict: null })] }).tools).toEqual(
      parse({ tools }).tools as never,
    );
  });

  test("the limits themselves", () => {
    const many = Array.from({ length: 128 }, (_, at) => tool({ name: `f${at}` }));
    expect(parse({ tools: many }).tools).toHaveLength(128);
    const one = parse({ tools: [tool({ name: "x".repeat(64), description: "d".repeat(16_384) })] }).tools?.[0];
    expect(one?.description).toHaveLength(16_384);
  });

  test("the upstream's own search may be declared, and then nothing is injected", () => {
    for (const type of ["web_search", "web_search_preview", "web_search_preview_2025_03_11"]) {
      const request = parse({ tools: [{ type }], tool_choice: "required" });
      expect(request.tools).toBeUndefined();
      expect(request.toolChoice).toBeUndefined();
      expect(request.webSearch).toBe(true);
    }
    const both = parse({ tools: [{ type: "web_search" }, ...tools], tool_choice: { type: "web_search" } });
    expect(both.tools).toHaveLength(1);
    expect(both.toolChoice).toEqual({ mode: "auto" });
  });

  test.each([
    ["auto", { mode: "auto" }],
    ["none", { mode: "none" }],
    ["required", { mode: "required" }],
    [
      { type: "function", function: { name: "f" } },
      { mode: "forced", name: "f" },
    ],
    [
      { type: "function", name: "f" },
      { mode: "forced", name: "f" },
    ],
    [
      { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "f" }] },
      { mode: "auto", allowed: ["f"] },
    ],
    [
      {
        type: "allowed_tools",
        allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "f" } }] },
      },
      { mode: "required", allowed: ["f"] },
    ],
  ] as [unknown, object][])("the choice %j", (choice, expected) => {
    expect(parse({ tools, tool_choice: choice }).toolChoice).toEqual(expected as never);
  });

  test("the older names, with one call an answer", () => {
    const request = parse({ functions: [{ name: "f", parameters: schema }], function_call: { name: "f" } });
    expect(request).toMatchObject({
      tools: [{ name: "f", parameters: schema }],
      toolChoice: { mode: "forced", name: "f" },
      parallelToolCalls: false,
    });
    expect(parse({ functions: [{ name: "f" }], function_call: "auto" }).toolChoice).toEqual({ mode: "auto" });
  });

  test("parallel calls unless the caller says no", () => {
    expect(parse({ tools }).parallelToolCalls).toBe(true);
    expect(parse({ tools, parallel_tool_calls: false }).parallelToolCalls).toBe(false);
  });

  test("formats, nested as in Chat Completions and flat as in Responses", () => {
    const expected = { type: "json_schema", name: "n", schema, strict: true } as const;
    const nested = { type: "json_schema", json_schema: { name: "n", schema, strict: true } };
    expect(parse({ response_format: nested }).responseFormat).toEqual(expected);
    expect(parseResponseFormat(expected, "text.format")).toEqual(expected);
    expect(parse({ response_format: { type: "json_object" } }).responseFormat).toEqual({ type: "json_object" });
  });

  test.each([
    [{}, undefined],
    [{ web_search_options: {} }, true],
    [{ web_search_options: null }, undefined],
    [{ search_parameters: { mode: "off" } }, false],
    [{ search_parameters: { mode: "on" } }, true],
    [{ search_parameters: { mode: "auto" } }, undefined],
    [{ search_parameters: { mode: "off" }, tools: [{ type: "web_search" }] }, false],
    [{ web_search: false }, false],
  ] as [object, boolean | undefined][])("search: %j", (fields, expected) => {
    expect(parse(fields).webSearch).toBe(expected as never);
  });
});

describe("session keys", () => {
  const key = (body: object, headers: Record<string, string> = {}) => explicitSession(body, new Headers(headers));
  test("the body's ids come before headers, the cache key before others", () => {
    expect(key({ prompt_cache_key: "a", session_id: "b", conversation_id: "c" })).toBe("a");
    expect(key({ session_id: "b", conversation_id: "c" }, { "x-session-id": "d" })).toBe("b");
    expect(key({ conversation_id: "c" }, { "x-session-id": "d" })).toBe("c");
    expect(key({}, { "x-session-id": "d", session_id: "e" })).toBe("d");
    expect(key({}, { session_id: "e", conversation_id: "f" })).toBe("e");
    expect(key({}, { conversation_id: "f" })).toBe("f");
  });
  test("blank, foreign and huge values are none", () => {
    expect(key({ session_id: " ", conversation_id: 5 })).toBeUndefined();
    expect(key({ session_id: "x".repeat(2000) })).toBeUndefined();
  });
});
