// Tools that run upstream, as callers name them, and reasoning that only its upstream can read.
import { expect, test } from "bun:test";
import { parseToolFields } from "../../src/protocols/openai/tools.ts";
import { parseMessagesRequest } from "../../src/protocols/anthropic/messages-request.ts";
import { messagesOf } from "../../src/protocols/openai/responses-messages.ts";
import { parseInput } from "../../src/protocols/openai/responses-input.ts";

const LIMITS = { maxAttachments: 10, maxAttachmentBytes: 1024 };

test("a hosted tool keeps the options that the upstream knows, wherever its domains stand", () => {
  const { serverTools, webSearch, tools } = parseToolFields({
    tools: [
      { type: "web_search_preview", search_context_size: "high", allowed_domains: ["x.ai"] },
      { type: "web_search" },
      { type: "x_search", from_date: "2026-01-01", limit: 3 },
      { type: "code_execution", container: { type: "auto" } },
    ],
  });
  expect(serverTools).toEqual([
    { type: "web_search", options: { filters: { allowed_domains: ["x.ai"] } } },
    { type: "x_search", options: { from_date: "2026-01-01" } },
    { type: "code_interpreter", options: {} },
  ]);
  expect([webSearch, tools]).toEqual([true, undefined]);
});

test("a search of X alone does not ask for a search of the web", () => {
  expect(parseToolFields({ tools: [{ type: "x_search" }] }).webSearch).toBeUndefined();
});

test("sealed reasoning goes back with the answer that it belongs to, and is dropped without one", () => {
  const reasoning = (sealed: string) => ({ type: "reasoning", summary: [], encrypted_content: sealed });
  const items = parseInput({
    input: [
      { role: "user", content: "one" },
      reasoning("a"),
      reasoning("b"),
      { role: "assistant", content: "first" },
      { role: "user", content: "two" },
      reasoning("c"),
      { type: "function_call", call_id: "call_1", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "call_1", output: "1" },
      reasoning("d"),
      { role: "user", content: "three" },
    ],
  });
  const messages = messagesOf(items).map(({ role, sealedReasoning, toolCalls }) => ({
    role,
    ...(sealedReasoning ? { sealedReasoning } : {}),
    ...(toolCalls ? { calls: toolCalls.length } : {}),
  }));
  expect(messages).toEqual([
    { role: "user" },
    { role: "assistant", sealedReasoning: ["a", "b"] },
    { role: "user" },
    { role: "assistant", sealedReasoning: ["c"], calls: 1 },
    { role: "tool" },
    { role: "user" },
  ]);
});

test("a thinking block's signature goes back to its upstream; a digest of ours does not", () => {
  const answered = (signature: string) => ({
    role: "assistant",
    content: [
      { type: "thinking", thinking: "hm", signature },
      { type: "text", text: "yes" },
    ],
  });
  const { messages } = parseMessagesRequest(
    {
      model: "grok-4.3",
      max_tokens: 10,
      messages: [
        { role: "user", content: "a" },
        answered("xai1.team.rs_1.blob"),
        { role: "user", content: "b" },
        answered("g2a_0123456789abcdef"),
        { role: "user", content: "c" },
      ],
    },
    LIMITS,
  );
  expect(messages.map(({ sealedReasoning }) => sealedReasoning)).toEqual([
    undefined,
    ["xai1.team.rs_1.blob"],
    undefined,
    undefined,
    undefined,
  ]);
});
