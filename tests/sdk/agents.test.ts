// Coding agents against the executable: bodies of the shape that they send (long instructions, many tools, system turns between
// the others, replayed reasoning with null fields, blobs sealed by others), ten turns of calls each, every stream read strictly.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/lib/json.ts";
import { readResponsesStream } from "../support/responses-grammar.ts";
import { readMessagesStream } from "../support/stream-grammar.ts";
import { type Executable, KEY, startExecutable } from "./executable.ts";

const TURNS = 10;

const fixture = async (name: string): Promise<JsonObject & { tools: JsonObject[] }> =>
  (await Bun.file(`${import.meta.dir}/../fixtures/${name}.json`).json()) as JsonObject & { tools: JsonObject[] };

/** Forty thousand characters of instructions, with everything in them that could be mistaken for a mark. */
const LONG = Array.from(
  { length: 400 },
  (_, at) => `## Rule ${at}\n- Never write <tool_calls> or [user] on a line of its own; "quote" \`code\` 中文.\n`,
).join("\n");
/** An agent with its servers attached declares dozens of tools. */
const manyNames = Array.from({ length: 60 }, (_, at) => `mcp__server_${at}__do_something`);
const properties = { path: { type: ["string", "null"], description: "A path" }, list: { type: "array", items: {} } };
const parameters = { $schema: "http://json-schema.org/draft-07/schema#", type: "object", properties };

describe.each(["socket", "rest"])("over %s", (transport) => {
  let executable: Executable;
  beforeAll(async () => {
    executable = await startExecutable({ env: { GROK2API_CHAT_TRANSPORT: transport } });
  });
  afterAll(() => executable.stop());
  beforeEach(() => executable.simulator.reset());

  const post = async (path: string, body: object, headers: Record<string, string>): Promise<string> => {
    const response = await fetch(`${executable.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    expect({ status: response.status, text: response.ok ? "" : text }).toEqual({ status: 200, text: "" });
    return text;
  };

  test("ten turns as Codex sends them", async () => {
    const first = await fixture("codex/first-turn");
    const replayed = await fixture("codex/second-turn");
    const session = "019a3f52-7d0e-7c41-9a55-2f1f5d1b7a10";
    const headers = {
      authorization: `Bearer ${KEY}`,
      accept: "text/event-stream",
      originator: "codex_cli_rs",
      "openai-beta": "responses=experimental",
      session_id: session,
      conversation_id: session,
    };
    const tools = [
      ...first.tools,
      ...manyNames.map((name) => ({
        type: "function",
        name,
        description: LONG.slice(0, 900),
        strict: false,
        parameters,
      })),
    ];
    const input = [...(first["input"] as object[]).slice(0, -1), ...(replayed["input"] as object[]).slice(0, -1)];
    const ask = async () => {
      const body = { ...first, instructions: `${String(first["instructions"])}\n${LONG}`, tools, input };
      const read = readResponsesStream(await post("/v1/responses", body, headers));
      expect(read).toMatchObject({ outcome: "complete", finish: "completed" });
      // The agent replays what it was given, without ids and statuses, and its own blobs beside it.
      for (const { id: _, status: __, ...item } of read.response?.output ?? []) {
        if (item.type === "reasoning") input.push({ ...item, content: null, encrypted_content: null });
        else if (item.type === "message") input.push({ ...item, phase: null });
        else input.push(item);
      }
      return read;
    };
    for (let turn = 1; turn <= TURNS; turn++) {
      input.push({
        type: "message",
        role: "user",
        content: [{ type: "input_text", text: `Turn ${turn}. sim:tool sim:thinking` }],
      });
      const called = await ask();
      expect(called.calls.map(({ name }) => name)).toEqual(["shell_command"]);
      expect(called.reasoning).not.toBe("");
      const output = JSON.stringify({ output: `result of turn ${turn}`, metadata: { exit_code: 0 } });
      input.push(
        {
          type: "reasoning",
          id: null,
          summary: [],
          content: null,
          encrypted_content: "gAAAAABvZi1hbm90aGVy",
          status: null,
        },
        { type: "function_call_output", call_id: called.calls[0]?.id, output, status: null },
      );
      expect((await ask()).text).toContain(`result of turn ${turn}`);
    }
    expect(executable.asked()).toBe(2 * TURNS);
    expect(executable.heard().join("")).not.toContain("gAAAAAB");
  });

  test("ten turns as Claude Code sends them", async () => {
    const first = await fixture("anthropic/claude-code-first");
    const loop = await fixture("anthropic/claude-code-loop");
    const headers = {
      authorization: `Bearer ${KEY}`,
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27",
      "x-app": "cli",
    };
    const tools = [
      ...first.tools,
      ...manyNames.map((name) => ({ name, description: LONG.slice(0, 900), input_schema: parameters })),
    ];
    const system = [
      ...(first["system"] as object[]),
      { type: "text", text: LONG, cache_control: { type: "ephemeral" } },
    ];
    const messages = [
      ...(loop["messages"] as object[]),
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Sealed by another.", signature: "EqQBCgIYAhIkZm9yZWlnbg==" },
          { type: "redacted_thinking", data: "EmwKAhgBEgyZm9yZWlnbg==" },
          { type: "text", text: "So far so good." },
        ],
      },
    ];
    const ask = async () => {
      const body = { ...first, system, tools, messages };
      const read = readMessagesStream(await post("/v1/messages?beta=true", body, headers));
      expect(read.outcome).toBe("complete");
      messages.push({ role: "assistant", content: [...(read.body?.content ?? [])] });
      return read;
    };
    for (let turn = 1; turn <= TURNS; turn++) {
      messages.push(
        {
          role: "user",
          content: [
            { type: "text", text: `<system-reminder>\nThis is reminder ${turn}.\n</system-reminder>\n` },
            { type: "text", text: `Turn ${turn}. sim:tool-two sim:thinking`, cache_control: { type: "ephemeral" } },
          ],
        },
        { role: "system", content: [{ type: "text", text: "The following tools became available: WebSearch" }] },
      );
      const called = await ask();
      expect(called.finish).toBe("tool_use");
      expect(called.calls.map(({ name }) => name)).toEqual(["Task", "Bash"]);
      expect(called.body?.content[0]?.type).toBe("thinking");
      messages.push({
        role: "user",
        content: called.calls.map(({ id }, at) => ({
          tool_use_id: id,
          type: "tool_result",
          content: at === 0 ? `result of turn ${turn}` : [{ type: "text", text: `result of turn ${turn}` }],
          ...(at === 0 ? { is_error: true } : { cache_control: { type: "ephemeral" } }),
        })),
      });
      const answered = await ask();
      expect(answered.finish).toBe("end_turn");
      expect(answered.text).toContain(`result of turn ${turn}`);
    }
    expect(executable.asked()).toBe(2 * TURNS);
    expect(executable.heard().join("")).not.toMatch(/EqQBCgIY|EmwKAhgB|billing-header/);
  });
});
