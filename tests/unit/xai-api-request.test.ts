// What requests become as bodies of the official API: conversations, calls and their outputs, tools, efforts, formats, files.
import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/core/errors.ts";
import type { XaiModel } from "../../src/core/models.ts";
import type { ContentPart, GenerationRequest, Message, ReasoningEffort, UploadFile } from "../../src/core/request.ts";
import { matchFiles } from "../../src/providers/xai-api/content.ts";
import { inputItems } from "../../src/providers/xai-api/input.ts";
import {
  conversationName,
  effortFor,
  responsesBody,
  withoutSealed,
} from "../../src/providers/xai-api/responses-request.ts";
import { sealReasoning } from "../../src/providers/xai-api/sealed.ts";
import { cleanSchema, functionParameters } from "../../src/providers/xai-api/tool-schema.ts";
import { rejection } from "../support/events.ts";

const credential = { accountId: "acc_1", token: "xai-none", tier: "basic", teamId: "team-1" } as const;

const model = (efforts: readonly ReasoningEffort[] | null = ["low", "medium", "high"]): XaiModel => ({
  upstream: "xai",
  id: "grok-4.5",
  aliases: [],
  kind: "chat",
  name: "Grok 4.5",
  description: "",
  reasoning: true,
  created: 1,
  xai: { contextLength: null, prices: null, longContext: null, imagePrice: null, efforts },
});

const text = (value: string): ContentPart => ({ type: "text", text: value });
const user = (...content: ContentPart[]): Message => ({ role: "user", content });
const says = (value: string): Message => user(text(value));

const ask = (messages: readonly Message[], over: Partial<GenerationRequest> = {}): GenerationRequest => ({
  model: "grok-4.5",
  stream: true,
  messages,
  ...over,
});

const uploads: { name: string; param: string }[] = [];
const items = (request: GenerationRequest, files: readonly UploadFile[] = [], instruction = "") => {
  uploads.length = 0;
  return inputItems(request, {
    credential,
    instruction,
    files: matchFiles(request, files),
    upload: async ({ name }, param) => {
      uploads.push({ name, param });
      return `file_${name}`;
    },
  });
};

const body = (over: Partial<GenerationRequest>, of: XaiModel = model()) =>
  responsesBody(ask([says("Hi")], over), { model: of, input: [] });

describe("a conversation", () => {
  test("keeps its roles in order; empty messages are left out", async () => {
    const system = { role: "system", content: [text("Be brief."), text("Be kind.")] } as const;
    const messages: Message[] = [system, says("Hi"), says(""), { role: "assistant", content: [text("Hello")] }, system];
    expect(await items(ask(messages), [], "Standing order.")).toEqual([
      { type: "message", role: "system", content: "Standing order." },
      { type: "message", role: "system", content: "Be brief.\nBe kind." },
      { type: "message", role: "user", content: "Hi" },
      { type: "message", role: "assistant", content: "Hello" },
      { type: "message", role: "system", content: "Be brief.\nBe kind." },
    ]);
  });

  const call = (id: string) => ({ id, name: "get_weather", arguments: '{"city":"Paris"}' });
  const asks = (...ids: string[]): Message => ({ role: "assistant", content: [], toolCalls: ids.map(call) });
  const output = (toolCallId: string, value: string): Message => ({ role: "tool", toolCallId, content: [text(value)] });
  const calls = (id: string) => ({
    type: "function_call",
    call_id: id,
    name: "get_weather",
    arguments: '{"city":"Paris"}',
  });
  const gives = (id: string, value: string) => ({ type: "function_call_output", call_id: id, output: value });

  test("pairs calls with their outputs", async () => {
    expect((await items(ask([says("Hi"), asks("a", "b"), output("b", "2"), output("a", "1")]))).slice(1)).toEqual([
      calls("a"),
      calls("b"),
      gives("b", "2"),
      gives("a", "1"),
    ]);
  });

  test("gives a call without output one, and makes an output without call a message", async () => {
    expect(await items(ask([output("lost", "7"), asks("a", "b"), output("a", "1"), says("Go on")]))).toEqual([
      { type: "message", role: "user", content: "Output of an earlier tool call: 7" },
      calls("a"),
      calls("b"),
      gives("b", "(no output)"),
      gives("a", "1"),
      { type: "message", role: "user", content: "Go on" },
    ]);
  });

  test("shows pictures of tools after all outputs", async () => {
    const picture = {
      type: "image",
      source: { kind: "data", mime: "image/png", data: "QQ==" },
      param: "messages.2",
    } as const;
    const shown: Message = { role: "tool", toolCallId: "a", content: [text("see"), picture] };
    expect((await items(ask([asks("a", "b"), shown, output("b", "2")]))).slice(2)).toEqual([
      gives("a", "see"),
      gives("b", "2"),
      { type: "message", role: "user", content: [{ type: "input_image", image_url: "data:image/png;base64,QQ==" }] },
    ]);
  });

  test("ends with the answer that missed and what was wrong with it", async () => {
    const correction = { answer: "nope", note: "Answer with JSON." };
    expect((await items(ask([says("Hi")], { correction }))).slice(1)).toEqual([
      { type: "message", role: "assistant", content: "nope" },
      { type: "message", role: "user", content: "Answer with JSON." },
    ]);
  });
});

describe("sealed reasoning", () => {
  const item = { id: "rs_1", type: "reasoning", encrypted_content: "Ab.c/+=" };
  const back = (sealed: string, content = [text("Hello")]) =>
    items(ask([{ role: "assistant", content, sealedReasoning: [sealed] }]));
  const own = sealReasoning(item, credential) ?? "";

  test("goes back to the team that made it, and to no other", async () => {
    expect(own).toStartWith("xai1.");
    expect(own).not.toContain("team-1");
    const given = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "Ab.c/+=" };
    expect(await back(own)).toEqual([given, { type: "message", role: "assistant", content: "Hello" }]);
    const strange = sealReasoning(item, { ...credential, teamId: "team-2" }) ?? "";
    expect(await back(strange)).toEqual([{ type: "message", role: "assistant", content: "Hello" }]);
    expect(await back("gAAAAsomebody-elses")).toHaveLength(1);
  });

  test("of a key whose team was unknown comes back once it is known", async () => {
    const early = sealReasoning(item, { accountId: "acc_1", token: "xai-none", tier: "basic" }) ?? "";
    expect(await back(early)).toHaveLength(2);
  });

  test("never goes alone", async () => {
    expect(await back(own, [])).toEqual([]);
  });

  test("can be left out of a body", async () => {
    const input = await back(own);
    const whole = responsesBody(ask([says("Hi")]), { model: model(), input });
    expect(withoutSealed(whole)?.input).toEqual(input.slice(1));
    expect(withoutSealed({ ...whole, input: input.slice(1) })).toBeNull();
  });

  test("an item without a blob has none", () => {
    expect(sealReasoning({ id: "rs_1" }, credential)).toBeUndefined();
  });
});

describe("pictures and files", () => {
  const data = (mime: string) => ({ kind: "data", mime, data: "QQ==" }) as const;
  const image = (param = "p"): ContentPart => ({ type: "image", source: data("image/png"), param });
  const file = (param = "p"): ContentPart => ({ type: "file", source: data("application/pdf"), param });
  const fetched = (name: string, mime: string, content: string): UploadFile => ({
    name,
    mime,
    content: new Blob([content]),
  });
  const content = async (part: ContentPart, given: UploadFile) =>
    (await items(ask([user(text("Look"), part)]), [given]))[0]?.["content"];

  test("a picture goes inline", async () => {
    expect(await content(image(), fetched("a.png", "image/png", "A"))).toEqual([
      { type: "input_text", text: "Look" },
      { type: "input_image", image_url: "data:image/png;base64,QQ==" },
    ]);
  });

  test("a text goes into the message, by its type or its name; another file is uploaded", async () => {
    const seen = async (name: string, mime: string, bytes = "a,b") => {
      const parts = (await content(file("messages.0.content.1"), fetched(name, mime, bytes))) as {
        type: string;
        text?: string;
      }[];
      return parts[1];
    };
    expect(await seen("t.csv", "text/csv")).toEqual({ type: "input_text", text: 'File "t.csv":\n\na,b' });
    expect((await seen("main.rs", "application/octet-stream"))?.type).toBe("input_text");
    expect((await seen("x", "application/json"))?.type).toBe("input_text");
    expect((await seen("a.pdf", "application/pdf")) as object).toEqual({ type: "input_file", file_id: "file_a.pdf" });
    expect(uploads).toEqual([{ name: "a.pdf", param: "messages.0.content.1" }]);
    expect((await seen("big.txt", "text/plain", "x".repeat(1024 * 1024 + 1)))?.type).toBe("input_file");
  });

  test("a file with a text's name and other bytes is uploaded", async () => {
    const broken = { name: "a.txt", mime: "text/plain", content: new Blob([new Uint8Array([255, 254, 0, 200])]) };
    expect(await content(file(), broken)).toContainEqual({ type: "input_file", file_id: "file_a.txt" });
  });

  test.each([
    [
      "sound",
      { type: "audio", source: data("audio/wav"), param: "messages.0" } as const,
      fetched("a.wav", "audio/wav", "A"),
    ],
    ["a moving picture", image("messages.0"), fetched("a.gif", "image/gif", "A")],
  ])("%s is refused with its field", async (_, part, given) => {
    const refused = await rejection(content(part, given));
    expect(refused).toBeInstanceOf(GatewayError);
    expect(refused).toMatchObject({ code: "unsupported_value", param: "messages.0" });
  });

  test("files belong to the newest turn first; what was not fetched is named", async () => {
    const old = user(image("old"), {
      ...file("lost"),
      source: { ...data("application/pdf"), name: "plan.pdf" },
    } as ContentPart);
    const messages = [old, user(file("first"), image("second"))];
    const files = [fetched("1.pdf", "application/pdf", "1"), fetched("2.png", "image/png", "B")];
    const [before, now] = await items(ask(messages), files);
    expect(now?.["content"]).toEqual([
      { type: "input_file", file_id: "file_1.pdf" },
      { type: "input_image", image_url: "data:image/png;base64,Qg==" },
    ]);
    expect(before?.["content"]).toEqual([
      { type: "input_image", image_url: "data:image/png;base64,QQ==" },
      { type: "input_text", text: '[A file was here: "plan.pdf". It is no longer attached.]' },
    ]);
  });
});

describe("reasoning effort", () => {
  const wide: ReasoningEffort[] = ["low", "medium", "high", "xhigh"];
  const old: ReasoningEffort[] = ["low", "medium", "high"];
  test.each([
    ["minimal", old, "low"],
    ["low", old, "low"],
    ["xhigh", wide, "xhigh"],
    ["xhigh", old, "high"],
    ["none", old, undefined],
    ["none", ["none", "low"], "none"],
    ["minimal", null, "low"],
    ["xhigh", null, "high"],
    ["high", [], undefined],
    [undefined, old, undefined],
  ] as const)("%p of %p is %p", (wanted, efforts, sent) => {
    expect(effortFor(wanted, efforts)).toBe(sent);
  });

  test("asks for a summary where the model takes such a parameter", () => {
    expect(body({ reasoningEffort: "high" })["reasoning"]).toEqual({ effort: "high", summary: "auto" });
    expect(body({})["reasoning"]).toEqual({ summary: "auto" });
    expect(body({ showReasoning: false })["reasoning"]).toBeUndefined();
    expect(body({ reasoningEffort: "high" }, model([]))["reasoning"]).toBeUndefined();
    expect(body({ reasoningEffort: "none" }, model(["none", "low"]))["reasoning"]).toEqual({ effort: "none" });
  });
});

describe("tools", () => {
  const weather = {
    name: "get_weather",
    description: "Weather",
    parameters: { type: "object", properties: {} },
    strict: true,
  };
  const now = { name: "now", parameters: {} };

  test("go as functions, the upstream's own before them", () => {
    const serverTools = [{ type: "x_search", options: { from_date: "2026-01-01", type: "evil" } }] as const;
    expect(body({ tools: [weather, now], serverTools, webSearch: true })["tools"]).toEqual([
      { type: "x_search", from_date: "2026-01-01" },
      { type: "web_search" },
      { type: "function", name: "get_weather", description: "Weather", parameters: weather.parameters },
      { type: "function", name: "now", parameters: { type: "object", properties: {} } },
    ]);
  });

  test.each([
    [{}, undefined],
    [{ webSearch: false }, undefined],
    [{ webSearch: true }, [{ type: "web_search" }]],
    [
      {
        webSearch: true,
        serverTools: [{ type: "web_search", options: { filters: { allowed_domains: ["a.example"] } } }],
      },
      [{ type: "web_search", filters: { allowed_domains: ["a.example"] } }],
    ],
  ] as [Partial<GenerationRequest>, unknown][])("%o → %o", (over, tools) => {
    expect(body(over)["tools"]).toEqual(tools as undefined);
  });

  test.each([
    [{ mode: "auto" }, "auto", ["get_weather", "now"]],
    [{ mode: "required" }, "required", ["get_weather", "now"]],
    [{ mode: "none" }, "none", ["get_weather", "now"]],
    [{ mode: "auto", allowed: ["now"] }, "auto", ["now"]],
    [{ mode: "forced", name: "now" }, { type: "function", name: "now" }, ["get_weather", "now"]],
  ] as const)("%o", (toolChoice, choice, names) => {
    const sent = body({ tools: [weather, now], toolChoice });
    expect(sent["tool_choice"]).toEqual(choice as never);
    expect((sent["tools"] as { name: string }[]).map(({ name }) => name)).toEqual([...names]);
  });

  test("a choice without tools is not sent", () => {
    expect(body({ toolChoice: { mode: "auto" }, parallelToolCalls: false })).not.toContainAnyKeys([
      "tool_choice",
      "parallel_tool_calls",
    ]);
    expect(body({ tools: [now], parallelToolCalls: false })["parallel_tool_calls"]).toBe(false);
  });
});

describe("schemas", () => {
  test.each([
    [{ type: "STRING" }, { type: "string" }],
    [{ type: ["Integer", "null"] }, { type: ["integer", "null"] }],
    [{ type: "any", description: "x" }, { description: "x" }],
    [
      { type: "string", nullable: true, enum: ["a"] },
      { type: ["string", "null"], enum: ["a", null] },
    ],
    [{ type: "string", nullable: false }, { type: "string" }],
    [
      { type: "OBJECT", properties: { type: { type: "STRING" }, nullable: { items: { type: "INT" } } } },
      { type: "object", properties: { type: { type: "string" }, nullable: { items: { type: "integer" } } } },
    ],
    [
      { anyOf: [{ type: "NULL" }, { $ref: "#/$defs/A" }], $defs: { A: { type: "Bool" } } },
      { anyOf: [{ type: "null" }, { $ref: "#/$defs/A" }], $defs: { A: { type: "boolean" } } },
    ],
    [
      { enum: ["STRING"], const: { type: "STRING" } },
      { enum: ["STRING"], const: { type: "STRING" } },
    ],
    [true, true],
  ])("%o → %o", (given, clean) => {
    expect(cleanSchema(given)).toEqual(clean);
  });

  test.each([
    [{}, { type: "object", properties: {} }],
    [{ type: "object" }, { type: "object", properties: {} }],
    [{ properties: { a: {} } }, { type: "object", properties: { a: {} } }],
    [
      { type: "object", properties: {}, additionalProperties: false },
      { type: "object", properties: {}, additionalProperties: false },
    ],
    [
      { oneOf: [{ properties: { a: {} } }, { $ref: "#/x" }] },
      { type: "object", oneOf: [{ type: "object", properties: { a: {} } }, { $ref: "#/x" }] },
    ],
    [
      { $ref: "#/$defs/A", $defs: { A: { type: "object" } } },
      { $ref: "#/$defs/A", $defs: { A: { type: "object" } } },
    ],
  ])("parameters %o → %o", (given, sent) => {
    expect(functionParameters(given)).toEqual(sent);
  });
});

describe("the rest of the body", () => {
  test("is never stored, always streamed, and has no parameter that models refuse", () => {
    expect(body({})).not.toHaveProperty("include");
    const wishes = {
      stop: ["END"],
      maxTokens: 9,
      temperature: 0,
      topP: 0.5,
      stream: false,
      wantsSealedReasoning: true,
    };
    const sent = body(wishes);
    expect(sent).toMatchObject({
      model: "grok-4.5",
      stream: true,
      store: false,
      include: ["reasoning.encrypted_content"],
      max_output_tokens: 9,
      temperature: 0,
      top_p: 0.5,
    });
    expect(Object.keys(sent)).not.toContain("stop");
    expect(Object.keys(sent)).not.toContain("user");
  });

  test.each([
    [{ type: "text" }, undefined],
    [{ type: "json_object" }, { format: { type: "json_object" } }],
    [
      { type: "json_schema", name: "city", strict: true, schema: { type: "OBJECT" } },
      { format: { type: "json_schema", name: "city", strict: true, schema: { type: "object" } } },
    ],
  ] as const)("format %o", (responseFormat, sent) => {
    expect(body({ responseFormat })["text"]).toEqual(sent as undefined);
  });

  test("names the conversation without telling its key, the same while it grows", () => {
    const key = { sessionKey: "alice@example.com" };
    const named = conversationName(ask([says("Hi")], key));
    expect(named).toMatch(/^[0-9a-f]{32}$/);
    expect(conversationName(ask([says("Hello"), says("More")], key))).toBe(named);
    expect(conversationName(ask([says("Hi")]))).not.toBe(named);
    const grown = ask([says("Hi"), { role: "assistant", content: [text("Hello")] }, says("More")]);
    expect(conversationName(grown)).toBe(conversationName(ask([says("Hi")])));
    expect(conversationName(ask([says("Hi")]))).not.toBe(conversationName(ask([says("Ho")])));
    expect(body({ ...key })["prompt_cache_key"]).toBe(named);
  });
});
