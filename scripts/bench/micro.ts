// The micro lane: what our own code costs a token, without sockets, which would hide a regression behind 30 µs of client.
// Knows the pure functions of the chat path. Invariant: limits are multiples of one JSON.parse of the same frame in the same
// run, so that they hold on any machine; every figure is the best of nine.
import { createChatStreamEncoder } from "../../src/protocols/openai/chat-response.ts";
import { createAnswer } from "../../src/providers/grok-web/answer.ts";
import { createFrameReader } from "../../src/providers/grok-web/chat-stream.ts";
import { createObjectSplitter } from "../../src/lib/ndjson.ts";
import { parseJson } from "./json.ts";
import { measureNoise } from "./noise.ts";
import { burstPieces, expectedText, tokenFrame, tokenText } from "./wire.mjs";

const ROUNDS = 9;
const ROUND_MS = 60;
const TOKENS = 200;

interface Case {
  name: string;
  /** tokens that one call of `run` handles; figures are nanoseconds a token */
  tokens: number;
  /** multiple of one JSON.parse; null for the measure itself */
  limit: number | null;
  run(): number;
}

const encoder = new TextEncoder();
const frames = Array.from({ length: TOKENS }, (_, index) => tokenFrame(tokenText(index)));
const chunks = frames.map((frame) => encoder.encode(frame));
const pieces = burstPieces(TOKENS).map((piece) => encoder.encode(piece));
const whole = encoder.encode(burstPieces(TOKENS).join(""));
const parsed = frames.map((frame) => parseJson<unknown>(frame));
const texts = Array.from({ length: TOKENS }, (_, index) => tokenText(index));

const newAnswer = () =>
  createAnswer({
    id: "chatcmpl-5a0c1e9e7d3b4c7e9b1f2f6a8d4e0b11",
    model: "grok-4",
    created: 1_772_956_652,
    filterTags: ["xaiartifact", "xai:tool_usage_card", "grok:render"],
    assetsUrl: "https://assets.example",
  });
const newEncoder = () =>
  createChatStreamEncoder({
    id: "chatcmpl-5a0c1e9e7d3b4c7e9b1f2f6a8d4e0b11",
    model: "grok-4",
    created: 1_772_956_652,
    reasoningFormat: "reasoning_content",
    showReasoning: true,
    includeUsage: false,
  });

/** The whole way of the hot path, one chunk of the upstream after the other. */
function relay(upstream: readonly Uint8Array[]): string {
  const splitter = createObjectSplitter();
  const answer = newAnswer();
  const reader = createFrameReader(answer, "fast");
  const output = newEncoder();
  let sent = "";
  for (const chunk of upstream) {
    for (const object of splitter.push(chunk)) reader.accept(object);
    sent += output.push(answer.take());
  }
  answer.end();
  return sent + output.push(answer.take());
}

const cases: Case[] = [
  {
    name: "JSON.parse of a frame (the measure)",
    tokens: TOKENS,
    limit: null,
    run() {
      let seen = 0;
      for (const frame of frames) if (JSON.parse(frame) !== null) seen++;
      return seen;
    },
  },
  {
    name: "splitter, a frame a chunk",
    tokens: TOKENS,
    limit: 5,
    run() {
      const splitter = createObjectSplitter();
      let seen = 0;
      for (const chunk of chunks) seen += splitter.push(chunk).length;
      return seen;
    },
  },
  {
    name: "splitter, all frames in one chunk",
    tokens: TOKENS,
    limit: 3.5,
    run: () => createObjectSplitter().push(whole).length,
  },
  {
    name: "frame to events",
    tokens: TOKENS,
    limit: 1,
    run() {
      const answer = newAnswer();
      const reader = createFrameReader(answer, "fast");
      let seen = 0;
      for (const frame of parsed) {
        reader.accept(frame);
        seen += answer.take().length;
      }
      return seen;
    },
  },
  {
    name: "events to SSE",
    tokens: TOKENS,
    limit: 1.2,
    run() {
      const output = newEncoder();
      let length = output.push([{ type: "start", id: "a", model: "grok-4", created: 1 }]).length;
      output.push([{ type: "text-start", block: 1 }]);
      for (const text of texts) length += output.push([{ type: "text-delta", block: 1, text }]).length;
      return length;
    },
  },
  {
    name: "bytes in to SSE out, a frame a chunk",
    tokens: TOKENS,
    limit: 7,
    run: () => relay(pieces).length,
  },
  {
    name: "bytes in to SSE out, one chunk",
    tokens: TOKENS,
    limit: 4.5,
    run: () => relay([whole]).length,
  },
];

/** Best of nine rounds, in nanoseconds a token. */
function measure(one: Case): number {
  let best = Infinity;
  // Half a round to compile what is hot.
  repeat(one, ROUND_MS / 2);
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, repeat(one, ROUND_MS));
  return best / one.tokens;
}

let sink = 0;
function repeat(one: Case, ms: number): number {
  const start = Bun.nanoseconds();
  const end = start + ms * 1e6;
  let calls = 0;
  let now = start;
  while (now < end) {
    sink ^= one.run();
    calls++;
    now = Bun.nanoseconds();
  }
  return (now - start) / calls;
}

/** A fast path that loses text is no path. */
function checkContent(): void {
  for (const upstream of [pieces, [whole]]) {
    const text = relay(upstream)
      .split("\n\n")
      .map((event) => /"delta":\{"content":("(?:[^"\\]|\\.)*")/.exec(event)?.[1])
      .map((quoted) => (quoted ? String(JSON.parse(quoted)) : ""))
      .join("");
    if (text !== expectedText(TOKENS)) throw new Error("the hot path changes the text; nothing was measured");
  }
}

checkContent();
const noise = measureNoise();
const measured = cases.map((one) => ({ ...one, ns: measure(one) }));
const unit = measured[0]?.ns ?? Number.NaN;
const rows = measured.map(({ name, ns, limit }) => ({
  name,
  ns: Math.round(ns),
  ratio: ns / unit,
  limit,
  missed: limit !== null && ns / unit > limit,
}));
console.log("| step | ns a token | × JSON.parse | limit |\n| --- | --- | --- | --- |");
for (const { name, ns, ratio, limit, missed } of rows)
  console.log(`| ${name} | ${ns} | ${ratio.toFixed(2)} | ${limit ?? "–"}${missed ? " **missed**" : ""} |`);
console.log(`\nhost: ${(noise.lostShare * 100).toFixed(1)} % of a busy loop lost; checksum ${sink}`);
process.exit(rows.some((row) => row.missed) ? 1 : 0);
