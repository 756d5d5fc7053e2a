// Bodies in the shapes that Claude Code and Cline send them, and what the gateway understands of each.
import { describe, expect, test } from "bun:test";
import type { Message } from "../../src/core/request.ts";
import { countRequest } from "../../src/core/usage.ts";
import { parseCountRequest, parseMessagesRequest } from "../../src/protocols/anthropic/messages-request.ts";

const LIMITS = { maxAttachments: 8, maxAttachmentBytes: 1024 * 1024 };
const body = (name: string): Promise<unknown> =>
  Bun.file(`${import.meta.dir}/../fixtures/anthropic/${name}.json`).json();
const read = async (name: string) => parseMessagesRequest(await body(name), LIMITS);

const outline = (messages: readonly Message[]): string[] =>
  messages.map(({ role, content, toolCalls, toolCallId, name }) => {
    const parts = content.map((part) =>
      part.type === "text" ? part.text.trim().slice(0, 20).trim() : `<${part.type}>`,
    );
    const calls = (toolCalls ?? []).map((call) => `${call.name}${call.arguments}`);
    const answers = toolCallId === undefined ? "" : ` ${name} ${toolCallId}`;
    return `${role}${answers}: ${[...parts, ...calls].join(" | ")}`;
  });

describe("Claude Code", () => {
  test("a first request: system blocks, reminder, 16 tools, thinking", async () => {
    const request = await read("claude-code-first");
    expect(outline(request.messages)).toEqual([
      "system: You are Claude Code, | You help with softwa",
      "user: <system-reminder>\nAs | What does main.ts do",
    ]);
    expect(request).toMatchObject({ stream: true, maxTokens: 32_000, showReasoning: true, reasoningEffort: "high" });
    expect(request.tools?.map(({ name }) => name)).toEqual([
      ..."Task Bash Glob Grep ExitPlanMode Read Edit Write NotebookEdit WebFetch WebSearch TodoWrite".split(" "),
      ..."AskUserQuestion KillShell Skill mcp__issue-tracker__search_issues_by_label_and_state".split(" "),
    ]);
    expect(request.tools?.at(-1)).toEqual({
      name: "mcp__issue-tracker__search_issues_by_label_and_state",
      parameters: { type: "object", properties: { label: { type: "string" }, state: { type: ["string", "null"] } } },
    });
    expect(request.toolChoice).toBeUndefined();
    expect(request.temperature).toBeUndefined();
  });

  test("the accounting line never reaches a model, and the session does not hang on it", async () => {
    const first = await read("claude-code-first");
    const loop = await read("claude-code-loop");
    expect(JSON.stringify([first, loop])).not.toContain("billing");
    expect(first.sessionKey).toBe(loop.sessionKey ?? "none");
    expect(first.sessionKey).toContain("5a0c5d0e-7f0b-4c5e-9d57-0a1b2c3d4e5f");
  });

  test("a later request: calls, results, a picture, a failure, an inline system message", async () => {
    const request = await read("claude-code-loop");
    expect(outline(request.messages)).toEqual([
      "system: You are Claude Code, | You help with softwa",
      "system: The following tools",
      "user: <system-reminder>\nAs | What does main.ts do",
      'assistant: I\'ll read the file a | Read{"file_path":"/project/src/main.ts"} | ' +
        'Read{"file_path":"/project/shot.png"} | Bash{"command":"cat missing.txt","description":"Shows a file"}',
      "tool Read toolu_01aaaa: 1→import { cli } fro",
      "tool Read toolu_01bbbb: [The attachments of",
      "tool Bash toolu_01cccc: Tool execution faile",
      "user: [These are the attac | <image> | <system-reminder>\nTh",
      'assistant: Bash{"command":"true"}',
      "tool Bash toolu_01dddd: ",
    ]);
    expect(request).toMatchObject({ showReasoning: true, reasoningEffort: "medium" });
  });

  test("a probe for the quota: one token", async () => {
    expect(await read("claude-code-quota")).toMatchObject({ maxTokens: 1, stream: false, showReasoning: false });
  });

  test("a title as JSON by a schema", async () => {
    const request = await read("claude-code-title");
    expect(request.responseFormat).toMatchObject({
      type: "json_schema",
      strict: true,
      schema: { required: ["title"] },
    });
    expect(request.temperature).toBe(1);
    expect(request.tools).toBeUndefined();
    expect(outline(request.messages)[0]).toBe("system: Give the conversatio");
  });

  test("a web search of its own is the upstream's", async () => {
    const request = await read("claude-code-search");
    expect(request).toMatchObject({ webSearch: true, showReasoning: false, reasoningEffort: "none" });
    expect(request.tools).toBeUndefined();
    expect(request.toolChoice).toBeUndefined();
  });

  test("blank texts and messages after interruptions are left out", async () => {
    expect(outline((await read("claude-code-interrupted")).messages)).toEqual([
      "user: Rename the function.",
      "user: [Request interrupted",
      "assistant: (no content)",
      "user: Go on.",
    ]);
  });

  test("counting tools: no max_tokens", async () => {
    const request = parseCountRequest(await body("claude-code-count"), LIMITS);
    const without = countRequest({ ...request, tools: [] }, 765);
    expect(without).toBe(5);
    expect(countRequest(request, 765)).toBeGreaterThan(without + 300);
  });
});

describe("Cline", () => {
  test("tools in text, temperature 0, an older picture", async () => {
    const request = await read("cline");
    expect(request.temperature).toBe(0);
    expect(outline(request.messages)).toEqual([
      "system: You are a careful en",
      "user: <task>\nExplain a.ts | <image> | <environment_details",
      "assistant: <read_file>\n<path>a.",
      "user: [read_file for 'a.ts | export const a = 1; | <environment_details",
    ]);
  });

  test("tools of the API, one at a time", async () => {
    expect(await read("cline-native")).toMatchObject({
      toolChoice: { mode: "required" },
      parallelToolCalls: false,
      tools: [{ name: "read_file" }, { name: "attempt_completion" }],
    });
  });
});
