import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/core/errors.ts";
import { parseChatRequest } from "../../src/protocols/openai/chat-request.ts";

const LIMITS = { maxAttachments: 2, maxAttachmentBytes: 30 };
const PNG = "data:image/png;base64,iVBORw0KGgo=";
const hello = { role: "user", content: "hi" };

const parse = (fields: Record<string, unknown>) =>
  parseChatRequest({ model: "grok-4", messages: [hello], ...fields }, LIMITS);
const parseContent = (content: unknown, role = "user") => parse({ messages: [{ role, content }] }).messages;
const withPart = (part: unknown, role = "user") => parseContent([part], role);

const failure = (run: () => unknown): GatewayError => {
  try {
    run();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
};
const expectRefusal = (run: () => unknown, expected: readonly [code: string, param: string | null]) => {
  const error = failure(run);
  expect([error.code, error.param]).toEqual([...expected] as [typeof error.code, string | null]);
  expect(error.message.length).toBeGreaterThan(10);
};

describe("body", () => {
  test.each([[null], [undefined], ["text"], [7], [[hello]]])("%j is not an object", (body) => {
    expectRefusal(() => parseChatRequest(body, LIMITS), ["invalid_json", null]);
  });

  test("a plain request", () => {
    expect(parse({})).toEqual({
      model: "grok-4",
      messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
      stream: false,
      includeUsage: false,
      choices: 1,
    });
  });

  test("every served field", () => {
    const request = parse({
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0,
      top_p: 1,
      n: 1,
      stop: ["a", "b"],
      max_tokens: 5,
      max_completion_tokens: 7,
      reasoning_effort: "low",
    });
    expect(request).toMatchObject({
      stream: true,
      includeUsage: true,
      choices: 1,
      temperature: 0,
      topP: 1,
      stop: ["a", "b"],
      maxTokens: 7,
      reasoningEffort: "low",
      showReasoning: true,
    });
  });

  test("null stands for absent in every optional field", () => {
    const fields = [
      "stream stream_options temperature top_p n stop max_tokens max_completion_tokens reasoning_effort thinking tools",
      "functions tool_choice function_call parallel_tool_calls response_format logprobs top_logprobs audio modalities",
    ];
    const body = Object.fromEntries(
      fields
        .join(" ")
        .split(" ")
        .map((name) => [name, null]),
    );
    expect(parse(body)).toEqual(parse({}));
  });

  test("unknown fields and known ones that mean nothing here are ignored", () => {
    const body = {
      user: "u",
      metadata: { a: 1 },
      store: true,
      seed: 1,
      presence_penalty: 2,
      logit_bias: {},
      service_tier: "auto",
      prediction: {},
      parallel_tool_calls: false,
      image_config: { n: 99 },
      anything: [1],
    };
    expect(parse(body)).toEqual(parse({}));
  });
});

describe("fields", () => {
  const refusals: [fields: Record<string, unknown>, code: string, param: string][] = [
    [{ model: undefined }, "missing_required_parameter", "model"],
    [{ model: "" }, "missing_required_parameter", "model"],
    [{ model: 4 }, "invalid_value", "model"],
    [{ model: "  " }, "invalid_value", "model"],
    [{ messages: undefined }, "missing_required_parameter", "messages"],
    [{ messages: null }, "missing_required_parameter", "messages"],
    [{ messages: "hi" }, "invalid_value", "messages"],
    [{ messages: [] }, "empty_messages", "messages"],
    [{ messages: [{ role: "system", content: "" }] }, "empty_messages", "messages"],
    [{ stream: "yes" }, "invalid_stream", "stream"],
    [{ stream: 1 }, "invalid_stream", "stream"],
    [{ stream_options: { include_usage: true } }, "invalid_value", "stream_options"],
    [{ stream: true, stream_options: true }, "invalid_value", "stream_options"],
    [{ stream: true, stream_options: { include_usage: 1 } }, "invalid_value", "stream_options.include_usage"],
    [{ temperature: -0.1 }, "invalid_temperature", "temperature"],
    [{ temperature: 2.1 }, "invalid_temperature", "temperature"],
    [{ temperature: "1" }, "invalid_temperature", "temperature"],
    [{ top_p: 1.01 }, "invalid_top_p", "top_p"],
    [{ top_p: -1 }, "invalid_top_p", "top_p"],
    [{ n: 5 }, "invalid_n", "n"],
    [{ n: 1.5 }, "invalid_n", "n"],
    [{ n: 0 }, "invalid_n", "n"],
    [{ n: "1" }, "invalid_n", "n"],
    [{ stop: "" }, "invalid_value", "stop"],
    [{ stop: 5 }, "invalid_value", "stop"],
    [{ stop: ["a", "b", "c", "d", "e"] }, "invalid_value", "stop"],
    [{ stop: ["a", ""] }, "invalid_value", "stop.1"],
    [{ stop: [1] }, "invalid_value", "stop.0"],
    [{ max_tokens: 0 }, "invalid_value", "max_tokens"],
    [{ max_tokens: 1.5 }, "invalid_value", "max_tokens"],
    [{ max_tokens: "9" }, "invalid_value", "max_tokens"],
    [{ max_completion_tokens: -1 }, "invalid_value", "max_completion_tokens"],
    [{ max_completion_tokens: 5, max_tokens: 0 }, "invalid_value", "max_tokens"],
    [{ reasoning_effort: "huge" }, "invalid_reasoning_effort", "reasoning_effort"],
    [{ reasoning_effort: 3 }, "invalid_reasoning_effort", "reasoning_effort"],
    [{ thinking: true }, "invalid_value", "thinking"],
    [{ thinking: "on" }, "invalid_value", "thinking"],
    [{ thinking: {} }, "invalid_value", "thinking.type"],
    [{ tools: {} }, "invalid_tools", "tools"],
    [{ tool_choice: "required" }, "invalid_tool_choice", "tool_choice"],
    [{ tool_choice: { type: "function", function: { name: "f" } } }, "invalid_tool_choice", "tool_choice"],
    [{ function_call: { name: "f" } }, "invalid_tool_choice", "function_call"],
    [{ search_parameters: { mode: "never" } }, "invalid_value", "search_parameters.mode"],
    [{ web_search_options: true }, "invalid_value", "web_search_options"],
    [{ response_format: "text" }, "invalid_value", "response_format"],
    [{ response_format: { type: "yaml" } }, "invalid_value", "response_format.type"],
    [
      { response_format: { type: "json_schema", json_schema: {} } },
      "invalid_value",
      "response_format.json_schema.name",
    ],
    [{ logprobs: true }, "unsupported_parameter", "logprobs"],
    [{ logprobs: 3 }, "invalid_value", "logprobs"],
    [{ top_logprobs: 2 }, "unsupported_parameter", "top_logprobs"],
    [{ audio: { voice: "x" } }, "unsupported_parameter", "audio"],
    [{ modalities: ["text", "audio"] }, "unsupported_parameter", "modalities"],
    [{ modalities: "audio" }, "invalid_value", "modalities"],
  ];
  test.each(refusals)("%j → %s (%s)", (fields, code, param) => {
    expectRefusal(() => parse(fields), [code, param]);
  });

  test.each([
    [true, true],
    ["true", true],
    [false, false],
    ["false", false],
    [null, false],
    [undefined, false],
  ])("stream %j means %j", (stream, expected) => {
    expect(parse({ stream }).stream).toBe(expected);
  });

  test.each([
    [{ reasoning_effort: "none" }, { reasoningEffort: "none", showReasoning: false }],
    [{ reasoning_effort: "xhigh" }, { reasoningEffort: "xhigh", showReasoning: true }],
    [{ thinking: "enabled" }, { showReasoning: true }],
    [{ thinking: { type: "disabled" } }, { showReasoning: false }],
    [
      { thinking: "enabled", reasoning_effort: "none" },
      { reasoningEffort: "none", showReasoning: false },
    ],
    [{}, {}],
  ])("%j asks for %j", (fields, expected) => {
    const { reasoningEffort, showReasoning } = parse(fields);
    expect({
      ...(reasoningEffort && { reasoningEffort }),
      ...(showReasoning !== undefined && { showReasoning }),
    }).toEqual(expected as typeof expected & { reasoningEffort?: never });
  });

  test("harmless values of fields that are otherwise refused", () => {
    const body = {
      tools: [],
      functions: [],
      tool_choice: "auto",
      function_call: "none",
      response_format: { type: "text" },
      logprobs: false,
      modalities: ["text"],
      stop: [],
    };
    expect(parse(body)).toEqual(parse({}));
  });

  test("one stop string", () => {
    expect(parse({ stop: "END" }).stop).toEqual(["END"]);
  });
});

describe("messages", () => {
  const refusals: [message: unknown, code: string, param: string][] = [
    ["hi", "invalid_value", "messages.0"],
    [{ content: "hi" }, "invalid_role", "messages.0.role"],
    [{ role: "boss", content: "hi" }, "invalid_role", "messages.0.role"],
    [{ role: "user" }, "empty_content", "messages.0.content"],
    [{ role: "user", content: null }, "empty_content", "messages.0.content"],
    [{ role: "user", content: "" }, "empty_content", "messages.0.content"],
    [{ role: "user", content: " \n" }, "empty_content", "messages.0.content"],
    [{ role: "user", content: [] }, "empty_content", "messages.0.content"],
    [{ role: "user", content: [{ type: "thinking", thinking: "…" }] }, "empty_content", "messages.0.content"],
    [{ role: "user", content: 5 }, "invalid_value", "messages.0.content"],
    [{ role: "assistant", tool_calls: "f" }, "invalid_value", "messages.0.tool_calls"],
    [{ role: "assistant", tool_calls: ["f"] }, "invalid_value", "messages.0.tool_calls.0"],
    [{ role: "assistant", tool_calls: [{ id: "" }] }, "invalid_value", "messages.0.tool_calls.0.id"],
    [{ role: "assistant", tool_calls: [{ id: "c" }] }, "invalid_value", "messages.0.tool_calls.0.function.name"],
    [{ role: "assistant", function_call: {} }, "invalid_value", "messages.0.function_call.name"],
    [{ role: "tool", content: "x" }, "invalid_value", "messages.0.tool_call_id"],
    [{ role: "tool", content: "x", tool_call_id: "call_1" }, "invalid_value", "messages.0.tool_call_id"],
  ];
  test.each(refusals)("%j → %s (%s)", (message, code, param) => {
    expectRefusal(() => parse({ messages: [message] }), [code, param]);
  });

  test("developer is system, and empty system and assistant messages are dropped", () => {
    const messages = [
      { role: "system", content: "" },
      { role: "developer", content: "be brief" },
      { role: "system", content: [{ type: "text", text: " " }] },
      { role: "assistant", content: "" },
      { role: "assistant", content: [{ type: "thinking", thinking: "…" }] },
      { role: "user", content: "hi", name: "ann" },
    ];
    expect(parse({ messages }).messages).toEqual([
      { role: "system", content: [{ type: "text", text: "be brief" }] },
      { role: "user", content: [{ type: "text", text: "hi" }], name: "ann" },
    ]);
  });

  test("the index in `param` is the caller's, also after dropped messages", () => {
    const messages = [
      { role: "system", content: "" },
      { role: "user", content: "" },
    ];
    expectRefusal(() => parse({ messages }), ["empty_content", "messages.1.content"]);
  });

  test("history of tool calls", () => {
    const messages = [
      hello,
      {
        role: "assistant",
        content: null,
        reasoning_content: "dropped",
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "f", arguments: '{"a":1}' } },
          { id: "call_2", type: "function", function: { name: "g", arguments: { b: 2 } } },
        ],
      },
      { role: "tool", tool_call_id: "call_1", content: "" },
      { role: "tool", tool_call_id: "call_2", content: "two" },
      { role: "assistant", content: null, function_call: { name: "old", arguments: "{}" } },
      { role: "function", name: "old", content: "done" },
    ];
    expect(parse({ messages }).messages.slice(1)).toEqual([
      {
        role: "assistant",
        content: [],
        toolCalls: [
          { id: "call_1", name: "f", arguments: '{"a":1}' },
          { id: "call_2", name: "g", arguments: '{"b":2}' },
        ],
      },
      { role: "tool", content: [], toolCallId: "call_1" },
      { role: "tool", content: [{ type: "text", text: "two" }], toolCallId: "call_2" },
      { role: "assistant", content: [], toolCalls: [{ id: "", name: "old", arguments: "{}" }] },
      { role: "tool", content: [{ type: "text", text: "done" }], name: "old" },
    ]);
  });
});

describe("parts", () => {
  const at = "messages.0.content.0";
  const refusals: [part: unknown, code: string, param: string][] = [
    ["text", "invalid_block", at],
    [null, "invalid_block", at],
    [[], "invalid_block", at],
    [{}, "empty_block", at],
    [{ text: "hi" }, "missing_type", `${at}.type`],
    [{ type: null }, "missing_type", `${at}.type`],
    [{ type: " " }, "empty_type", `${at}.type`],
    [{ type: 5 }, "invalid_type", `${at}.type`],
    [{ type: "poem" }, "invalid_type", `${at}.type`],
    [{ type: "refusal", refusal: "no" }, "invalid_type", `${at}.type`],
    [{ type: "text" }, "empty_text", `${at}.text`],
    [{ type: "text", text: " " }, "empty_text", `${at}.text`],
    [{ type: "text", text: 4 }, "empty_text", `${at}.text`],
    [{ type: "image_url" }, "missing_url", `${at}.image_url`],
    [{ type: "image_url", image_url: " " }, "missing_url", `${at}.image_url`],
    [{ type: "image_url", image_url: {} }, "missing_url", `${at}.image_url.url`],
    [{ type: "image_url", image_url: { url: 4 } }, "missing_url", `${at}.image_url.url`],
    [{ type: "image_url", image_url: { url: "iVBORw0KGgo=" } }, "invalid_media", `${at}.image_url.url`],
    [{ type: "image_url", image_url: "ftp://example.com/a.png" }, "invalid_media", `${at}.image_url`],
    [{ type: "image_url", image_url: "file:///etc/passwd" }, "invalid_media", `${at}.image_url`],
    [{ type: "image_url", image_url: "https://" }, "invalid_media", `${at}.image_url`],
    [{ type: "image_url", image_url: "data:image/png,abc" }, "invalid_media", `${at}.image_url`],
    [{ type: "image_url", image_url: "data:image/png;base64" }, "invalid_media", `${at}.image_url`],
    [{ type: "image_url", image_url: "data:image/png;base64," }, "invalid_media", `${at}.image_url`],
    [{ type: "image_url", image_url: "data:image/png;base64,*" }, "invalid_media", `${at}.image_url`],
    [{ type: "image_url", image_url: "data:image/png;base64,AAAAA" }, "invalid_media", `${at}.image_url`],
    [{ type: "image_url", image_url: "data:text/html;base64,AAAA" }, "invalid_media", `${at}.image_url`],
    [{ type: "input_audio" }, "missing_audio", `${at}.input_audio`],
    [{ type: "input_audio", input_audio: { format: "wav" } }, "missing_audio", `${at}.input_audio.data`],
    [{ type: "input_audio", input_audio: { data: "AAAA" } }, "invalid_media", `${at}.input_audio.data`],
    [{ type: "input_audio", input_audio: { data: "!", format: "wav" } }, "invalid_media", `${at}.input_audio.data`],
    [
      { type: "input_audio", input_audio: { data: "AAAA", format: "tape" } },
      "invalid_value",
      `${at}.input_audio.format`,
    ],
    [{ type: "file" }, "missing_file", `${at}.file`],
    [{ type: "file", file: { filename: "a" } }, "missing_file", `${at}.file`],
    [{ type: "file", file: { file_id: "file-1" } }, "unsupported_parameter", `${at}.file.file_id`],
    [{ type: "file", file: { file_data: "AAAA" } }, "invalid_media", `${at}.file.file_data`],
  ];
  test.each(refusals)("%j → %s (%s)", (part, code, param) => {
    expectRefusal(() => withPart(part), [code, param]);
  });

  test.each(["image_url", "input_audio", "file"])("%s is for users only", (type) => {
    for (const role of ["system", "assistant"]) {
      expectRefusal(() => withPart({ type, [type]: PNG }, role), ["invalid_type", `${at}.type`]);
    }
  });

  const accepted: [part: unknown, expected: unknown][] = [
    [
      { type: "image_url", image_url: { url: " https://example.com/a.png ", detail: "low" } },
      { type: "image", source: { kind: "url", url: "https://example.com/a.png" }, param: `${at}.image_url` },
    ],
    [
      { type: "image_url", image_url: PNG },
      { type: "image", source: { kind: "data", mime: "image/png", data: "iVBORw0KGgo=" }, param: `${at}.image_url` },
    ],
    [
      { type: "image_url", image_url: "data:IMAGE/JPEG;name=x;base64,AA\nAA" },
      { type: "image", source: { kind: "data", mime: "image/jpeg", data: "AAAA" }, param: `${at}.image_url` },
    ],
    [
      { type: "input_audio", input_audio: { data: "AAAA", format: "mp3" } },
      { type: "audio", source: { kind: "data", mime: "audio/mpeg", data: "AAAA" }, param: `${at}.input_audio` },
    ],
    [
      { type: "input_audio", input_audio: { data: "data:audio/wav;base64,AAAA", format: "wav" } },
      { type: "audio", source: { kind: "data", mime: "audio/wav", data: "AAAA" }, param: `${at}.input_audio` },
    ],
    [
      { type: "file", file: { file_data: "data:application/pdf;base64,AAAA", filename: "a.pdf" } },
      {
        type: "file",
        source: { kind: "data", mime: "application/pdf", data: "AAAA", name: "a.pdf" },
        param: `${at}.file`,
      },
    ],
    [
      { type: "file", file: { data: "data:;base64,AAAA" } },
      {
        type: "file",
        source: { kind: "data", mime: "application/octet-stream", data: "AAAA" },
        param: `${at}.file`,
      },
    ],
    ...["file_url", "url"].map((key): [unknown, unknown] => [
      { type: "file", file: { [key]: "http://example.com/a" } },
      { type: "file", source: { kind: "url", url: "http://example.com/a" }, param: `${at}.file` },
    ]),
    [
      { type: "file", file: "http://example.com/a" },
      { type: "file", source: { kind: "url", url: "http://example.com/a" }, param: `${at}.file` },
    ],
  ];
  test.each(accepted)("%j", (part, expected) => {
    expect(withPart(part)).toEqual([{ role: "user", content: [expected] }] as ReturnType<typeof withPart>);
  });

  test("whatever passes as base64 can be decoded, and everything that can be decoded passes", () => {
    const alphabet = ["A", "Q", "=", "-", "*"];
    const texts = [""];
    for (let length = 1; length <= 6; length++) {
      for (const text of texts.filter((item) => item.length === length - 1)) {
        texts.push(...alphabet.map((letter) => text + letter));
      }
    }
    const succeeds = (run: () => unknown): boolean => {
      try {
        run();
        return true;
      } catch {
        return false;
      }
    };
    const disagreeing = texts.filter((text) => {
      const decodes = text !== "" && succeeds(() => Uint8Array.fromBase64(text));
      return decodes !== succeeds(() => withPart({ type: "image_url", image_url: `data:image/png;base64,${text}` }));
    });
    expect(disagreeing).toEqual([]);
  });

  test.each([
    ["report.pdf", "report.pdf"],
    [" ../../etc/passwd ", "passwd"],
    ["C:\\temp\\a.txt", "a.txt"],
    ["a\r\nb\0.txt", "ab.txt"],
    ["报告.pdf", "报告.pdf"],
    ["folder/", undefined],
    ["x".repeat(300), "x".repeat(200)],
    [7, undefined],
  ])("the file name %j becomes %j", (filename, expected) => {
    const [message] = withPart({ type: "file", file: { file_data: PNG, filename } });
    const [part] = message?.content ?? [];
    expect(part?.type === "file" ? part.source.name : "no file").toBe(expected);
  });

  test("a refusal in the history becomes text; thinking is dropped", () => {
    const content = [
      { type: "thinking", thinking: "…" },
      { type: "text", text: "" },
      { type: "refusal", refusal: "I cannot." },
    ];
    expect(parseContent(content, "assistant")).toEqual([
      { role: "assistant", content: [{ type: "text", text: "I cannot." }] },
    ]);
  });
});

describe("attachment caps", () => {
  const image = { type: "image_url", image_url: PNG };
  const turn = (count: number) => ({ role: "user", content: Array.from({ length: count }, () => image) });
  const answer = { role: "assistant", content: "ok" };
  const kinds = (messages: unknown[]) =>
    parse({ messages }).messages.map((message) => message.content.map((part) => part.type).join(","));

  test("too many in the newest turn are refused", () => {
    expectRefusal(() => parse({ messages: [turn(3)] }), ["too_many_attachments", "messages.0.content.0.image_url"]);
    expectRefusal(
      () => parse({ messages: [turn(2), turn(1)] }),
      ["too_many_attachments", "messages.0.content.0.image_url"],
    );
  });

  test("too many bytes in the newest turn are refused", () => {
    const big = { type: "image_url", image_url: `data:image/png;base64,${"A".repeat(44)}` };
    expectRefusal(
      () => parse({ messages: [{ role: "user", content: [big] }] }),
      ["file_too_large", "messages.0.content.0.image_url"],
    );
  });

  test("older ones give way to newer ones, with a note", () => {
    expect(kinds([turn(2), answer, turn(1)])).toEqual(["text,image", "text", "image"]);
    const [first] = parse({ messages: [turn(2), answer, turn(2)] }).messages;
    expect(first?.content[0]).toEqual({ type: "text", text: "[An attachment of an earlier turn was left out.]" });
  });

  test("a history that ends with an answer still protects the newest user turn", () => {
    expectRefusal(
      () => parse({ messages: [turn(3), answer] }),
      ["too_many_attachments", "messages.0.content.0.image_url"],
    );
  });
});
