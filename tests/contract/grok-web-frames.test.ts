// The reading of recorded answers: the same events for every way of cutting the bytes, and no markup left.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createObjectSplitter } from "../../src/lib/ndjson.ts";
import { createAnswer } from "../../src/providers/grok-web/answer.ts";
import { createFrameReader } from "../../src/providers/grok-web/chat-stream.ts";
import { createSocketReader } from "../../src/providers/grok-web/chat-socket.ts";
import { tell } from "../support/events.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dir, "../fixtures/grok-web", name));

const answer = () =>
  createAnswer({
    id: "chatcmpl-1",
    model: "grok-4",
    created: 1,
    filterTags: ["xaiartifact", "xai:tool_usage_card", "grok:render"],
    assetsUrl: "https://assets.example",
  });

/** Reads the bytes in the given pieces. */
const read = (pieces: Uint8Array[]) => {
  const splitter = createObjectSplitter();
  const out = answer();
  const reader = createFrameReader(out, "fast");
  for (const piece of pieces) for (const object of splitter.push(piece)) reader.accept(object);
  for (const object of splitter.end().objects) reader.accept(object);
  out.end();
  return tell(out.take());
};

const cutEvery = (bytes: Uint8Array, size: number): Uint8Array[] => {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
};

const RECORDED = [
  {
    name: "chat-new.ndjson",
    expected: { text: "早安！😄 今晚过得怎么样呀？", reasoning: "", citations: 0, images: [], activities: [] },
  },
  {
    name: "chat-followup.ndjson",
    expected: {
      text: "哈哈，那就好～😄  \n今天有啥开心的事儿，或者有什么想聊的吗？随便扯都行～",
      reasoning: "",
      citations: 0,
      images: [],
      activities: [],
    },
  },
  {
    name: "chat-tool-card.ndjson",
    expected: {
      text: "运行成功：ok",
      reasoning: "",
      citations: 0,
      images: [],
      activities: ['code: print("测试Header精简功能是否正常")'],
    },
  },
  {
    name: "chat-citations.ndjson",
    expected: {
      text: "Several servers stand out. The official one[[1]](https://example.org/diff-servers) excels at API work. For local work, another[[2]](https://example.net/git-tools) offers more.",
      reasoning: "",
      citations: 2,
      images: [],
      activities: [],
    },
  },
  {
    name: "chat-image.sse.ndjson",
    expected: {
      text: "",
      reasoning: "",
      citations: 0,
      images: ["https://assets.example/users/user-1/generated/cat/image.jpg"],
      activities: [],
    },
  },
];

describe.each(RECORDED)("$name", ({ name, expected }) => {
  const bytes = fixture(name);
  const check = (pieces: Uint8Array[], how: string) => {
    const told = read(pieces);
    expect({ ...told, citations: told.citations.length, failure: told.failure?.message ?? null }, how).toMatchObject({
      ...expected,
      failure: null,
      finish: "stop",
    });
    for (const { range, url } of told.citations) {
      if (range) expect(told.text.slice(...range), how).toContain(`](${url})`);
    }
    expect(told.text, how).not.toMatch(/<\/?(grok:|xai)/);
  };

  test("whole", () => check([bytes], "whole"));
  test("in pieces of 1 to 16 bytes", () => {
    for (let size = 1; size <= 16; size++) check(cutEvery(bytes, size), `pieces of ${size}`);
  });
  test("cut once at every byte", () => {
    for (let at = 0; at <= bytes.length; at++) check([bytes.subarray(0, at), bytes.subarray(at)], `cut at ${at}`);
  });
  test("objects without newlines between them, pretty-printed, with prefixes and without the last newline", () => {
    const objects = createObjectSplitter().push(bytes);
    const encode = (text: string) => [new TextEncoder().encode(text)];
    check(encode(objects.map((object) => JSON.stringify(object)).join("")), "concatenated");
    check(encode(objects.map((object) => JSON.stringify(object, null, 2)).join("\n")), "pretty");
    check(encode(objects.map((object) => `event: x\ndata: ${JSON.stringify(object)}\n`).join("\n")), "sse");
    check(encode(objects.map((object) => `${JSON.stringify(object)}\r\n\r\n`).join("")), "crlf");
    check(encode(objects.map((object) => JSON.stringify(object)).join("\n")), "no last newline");
  });
  test("a broken-off answer is never a finished one", () => {
    const ends = bytes.toString().search(/"modelResponse"|"isSoftStop":\s*true/);
    for (let at = 0; at < ends; at += 97) {
      const told = read([bytes.subarray(0, at)]);
      expect(told.finish, `cut off at ${at}`).toBeNull();
      expect(told.failure?.code).toBe("upstream_cut");
    }
  });
});

test("the socket's recorded search: links in the text, titles from the results, both tools shown", () => {
  const out = answer();
  const reader = createSocketReader(out, {
    mode: "fast",
    message: "x",
    fileIds: [],
    temporary: true,
    disableMemory: true,
    ids: { init: "a", message: "b" },
    nowMs: 0,
  });
  for (const line of fixture("socket-search.ndjson").toString().split("\n")) if (line) reader.accept(line);
  reader.accept(JSON.stringify({ event: { type: "response.done", response: { id: "r1", status: "completed" } } }));
  const told = tell(out.take());
  expect(told.text).toBe(
    "预计发布[[1]](https://x.com/example_user/status/1900000000000000001)[[2]](https://news.example.com/grok-46)。",
  );
  expect(told.citations.map(({ title }) => title)).toEqual([
    "𝕏/@example_user: And Grok 4.6 comes out in a week",
    "Grok 4.6",
  ]);
  expect(told.activities).toEqual(["web-search: grok 4.6", "x-search: from:example_user"]);
  expect(told).toMatchObject({ finish: "stop", responseId: "r1" });
});
