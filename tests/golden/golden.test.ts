// Every script by every encoder, streamed and whole, byte for byte as it was written down: `<protocol>-<script>.sse` and `.json`.
// GROK2API_WRITE_GOLDEN=1 writes the files instead; what changed is then for a person to read.
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import type { GenerationEvent } from "../../src/core/events.ts";
import { createVerifier } from "../../src/core/verify.ts";
import { type Presentation, PROTOCOLS, SHOWN, type WrittenProtocol } from "./answers.ts";
import { type ScriptName, SCRIPTS } from "./scripts.ts";

const NAMES = Object.keys(SCRIPTS) as ScriptName[];
const tags: Presentation = { reasoningFormat: "think_tags", showReasoning: true, includeUsage: false };

/** Scripts that are also written in another way than the usual one. */
const VARIANTS: readonly [protocol: WrittenProtocol["name"], script: ScriptName, variant: string, how: Presentation][] =
  [
    ["chat", "plain", "uncounted", { ...SHOWN, includeUsage: false }],
    ["chat", "thinking", "tags", tags],
    ["chat", "thinking", "hidden", { ...SHOWN, reasoningFormat: "hidden" }],
    ["chat", "thinking", "off", { ...tags, showReasoning: false }],
    ["chat", "search", "tags", tags],
    ["chat", "search", "hidden", { ...SHOWN, reasoningFormat: "hidden" }],
    ["chat", "interleaved", "tags", { ...tags, includeUsage: true }],
    ["chat", "failed", "tags", tags],
    ["messages", "thinking", "off", { ...SHOWN, showReasoning: false }],
  ];

const ROWS = PROTOCOLS.flatMap((protocol) => [
  ...NAMES.map((script) => ({ file: `${protocol.name}-${script}`, protocol, script, how: SHOWN })),
  ...VARIANTS.filter(([name]) => name === protocol.name).map(([name, script, variant, how]) => ({
    file: `${name}-${script}-${variant}`,
    protocol,
    script,
    how,
  })),
]);

const compare = async (file: string, written: string) => {
  const golden = Bun.file(`${import.meta.dir}/${file}`);
  if (process.env["GROK2API_WRITE_GOLDEN"] === "1") await golden.write(written);
  expect(written).toBe(await golden.text());
};

test.each(NAMES)("script %s obeys the grammar, and its name tells how it ends", (name) => {
  const events: readonly GenerationEvent[] = SCRIPTS[name];
  const verifier = createVerifier();
  for (const event of events) verifier.accept(event);
  verifier.end();
  expect(events.at(-1)?.type).toBe(name.startsWith("failed") ? "failure" : "finish");
});

describe.each(ROWS)("$file", ({ file, protocol, script, how }) => {
  test("streamed", () => compare(`${file}.sse`, protocol.stream(SCRIPTS[script], how)));

  test("whole", async () => {
    const { status, body } = await protocol.whole(SCRIPTS[script], how);
    expect(status === 200).toBe(!script.startsWith("failed"));
    await compare(`${file}.json`, `${JSON.stringify({ status, body }, null, 2)}\n`);
  });

  test("the stream obeys its protocol, and never calls a failure an end", () => {
    const read = protocol.read(protocol.stream(SCRIPTS[script], how));
    expect(read.outcome).toBe(script.startsWith("failed") ? "failed" : "complete");
  });
});

/** A stream that lost or repeated a frame, or goes on after its end. */
const SPOILED: [how: string, spoil: (frames: readonly string[]) => readonly string[]][] = [
  ["without its first frame", (frames) => frames.slice(1)],
  ["without its last frame", (frames) => frames.slice(0, -1)],
  ["with its first frame twice", (frames) => [frames[0] ?? "", ...frames]],
  ["with its last frame twice", (frames) => [...frames, frames.at(-1) ?? ""]],
  ["told twice", (frames) => [...frames, ...frames]],
  ["with its last two frames swapped", (frames) => [...frames.slice(0, -2), ...frames.slice(-2).toReversed()]],
];

describe.each(PROTOCOLS)("the grammar of $name refuses a stream", (protocol) => {
  test.each(SPOILED)("%s", (_, spoil) => {
    for (const name of NAMES.filter((script) => script !== "failed-early")) {
      const frames = protocol.stream(SCRIPTS[name]).split(/(?<=\n\n)/);
      expect(() => protocol.read(spoil(frames).join("")), name).toThrow("stream grammar");
    }
  });
});

test("every file belongs to a row", () => {
  const written = readdirSync(import.meta.dir).filter((name) => !name.endsWith(".ts"));
  expect(written.toSorted()).toEqual(ROWS.flatMap(({ file }) => [`${file}.json`, `${file}.sse`]).toSorted());
});
