// Recorded clips of both eras, an edit and the picture socket: the same pictures and clips for every way of cutting the bytes
// or of interleaving the slots, and no clip or picture from a recording that broke off before its last frame.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GenerationEvent } from "../../src/core/events.ts";
import { createObjectSplitter } from "../../src/lib/ndjson.ts";
import { createImagineReader } from "../../src/providers/grok-web/imagine-socket.ts";
import {
  createClipFrames,
  createEditFrames,
  type MediaFrames,
  type MediaFramesOptions,
} from "../../src/providers/grok-web/media-frames.ts";
import { tell } from "../support/events.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dir, "../fixtures/grok-web", name));
const start = { id: "img_1", model: "grok-imagine", created: 1 };
const options: MediaFramesOptions = { start, assetsUrl: "https://assets.example", window: "image_edit" };
const clip = () => createClipFrames({ ...options, window: "video", resolution: "480p" });
const edit = () => createEditFrames({ ...options, count: 1, previews: 3 });

const read = (frames: MediaFrames, pieces: readonly Uint8Array[]): readonly GenerationEvent[] => {
  const splitter = createObjectSplitter();
  const events: GenerationEvent[] = [];
  for (const piece of pieces) {
    for (const object of splitter.push(piece)) frames.accept(object);
    events.push(...frames.take());
  }
  for (const object of splitter.end().objects) frames.accept(object);
  frames.end();
  return [...events, ...frames.take()];
};

/** What was made, without the progress towards it. */
const made = (events: readonly GenerationEvent[]): readonly object[] =>
  events.flatMap((event): readonly object[] => {
    if (event.type === "video") return [{ url: event.source.url, still: event.thumbnail?.url, as: event.resolution }];
    return event.type === "image" ? [{ url: event.source.url, partial: event.partial }] : [];
  });

const ASSETS = "https://assets.example/users";
const FILMED = "10000004-aaaa-4aaa-8aaa-000000000004/generated/10000005-aaaa-4aaa-8aaa-000000000005";
const EDITED = "10000000-bbbb-4bbb-8bbb-000000000001/generated/10000000-bbbb-4bbb-8bbb-000000000002";
const RECORDED = [
  {
    name: "video-2025.ndjson",
    reader: clip,
    expected: [
      {
        url: `${ASSETS}/10000006-aaaa-4aaa-8aaa-000000000006/generated/10000005-aaaa-4aaa-8aaa-000000000005/generated_video.mp4`,
        still: undefined,
        as: "480p",
      },
    ],
  },
  {
    name: "video-2026.ndjson",
    reader: clip,
    expected: [
      { url: `${ASSETS}/${FILMED}/generated_video.mp4`, still: `${ASSETS}/${FILMED}/preview_image.jpg`, as: "480p" },
    ],
  },
  {
    name: "edit-2026.ndjson",
    reader: edit,
    expected: [
      { url: `${ASSETS}/${EDITED}-part-0/image.jpg`, partial: true },
      { url: `${ASSETS}/${EDITED}-part-0/image.jpg`, partial: true },
      { url: `${ASSETS}/${EDITED}/image.jpg`, partial: false },
    ],
  },
];

describe.each(RECORDED)("$name", ({ name, reader, expected }) => {
  const bytes = fixture(name);
  const whole = read(reader(), [bytes]);

  test("what it holds is found", () => {
    expect(tell(whole)).toMatchObject({ failure: null, finish: "stop" });
    expect(made(whole)).toEqual(expected);
  });

  test("every single cut reads the same", () => {
    for (let at = 1; at < bytes.length; at++) {
      const events = read(reader(), [bytes.subarray(0, at), bytes.subarray(at)]);
      if (!Bun.deepEquals(events, whole)) expect({ at, events }).toEqual({ at, events: [...whole] });
    }
  });

  test.each([1, 2, 3, 7, 64, 1000])("pieces of %d bytes read the same", (size) => {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    expect(read(reader(), pieces)).toEqual([...whole]);
  });

  test("a recording that ends early is a failure, or holds what the whole one holds", () => {
    const last = made(whole);
    for (let at = 0; at < bytes.length; at++) {
      const events = read(reader(), [bytes.subarray(0, at)]);
      const failure = tell(events).failure;
      if (failure === null) expect(made(events)).toEqual(last);
      else expect({ at, made: made(events), code: failure.code }).toEqual({ at, made: [], code: "upstream_cut" });
    }
  });
});

describe("imagine-socket.ndjson", () => {
  const REQUEST = "10000000-aaaa-4aaa-8aaa-000000000000";
  const frames = fixture("imagine-socket.ndjson").toString("utf8").trim().split("\n");
  const requestId = /"request_id":"([^"]+)"/.exec(frames.join("\n"))?.[1] ?? REQUEST;
  const run = (given: readonly string[], batch: number) => {
    const task = { prompt: "a stump", count: 2, ratio: "2:3", previews: 1, adult: false };
    const reader = createImagineReader({ requestId, task }, start);
    const events: GenerationEvent[] = [];
    for (const [at, frame] of given.entries()) {
      reader.accept(frame);
      if ((at + 1) % batch === 0) events.push(...reader.take());
    }
    if (!reader.over) reader.end();
    return [...events, ...reader.take()];
  };
  const urls = (events: readonly GenerationEvent[]) =>
    events.flatMap((event) => (event.type === "image" && !event.partial ? [event.source.url] : []));
  const whole = run(frames, frames.length);

  test("two pictures, each behind its preview", () => {
    expect(tell(whole).finish).toBe("stop");
    expect(whole.flatMap((event) => (event.type === "image" ? [[event.index, event.partial]] : []))).toEqual([
      [0, true],
      [0, false],
      [1, true],
      [1, false],
    ]);
  });

  test.each([1, 2, 3, 4, 5])("taken every %d frames they are the same", (batch) => {
    expect(run(frames, batch)).toEqual(whole);
  });

  test("every way of interleaving the two slots brings the same pictures", () => {
    const [session = "", ...rest] = frames;
    const slot = (frame: string) => /"job_id":"([^"]+)"/.exec(frame)?.[1];
    const first = rest.filter((frame) => slot(frame) === slot(rest[0] ?? ""));
    const second = rest.filter((frame) => slot(frame) !== slot(rest[0] ?? ""));
    let ways = 0;
    const weave = (made: readonly string[], a: readonly string[], b: readonly string[]): void => {
      const [nextA] = a;
      const [nextB] = b;
      if (nextA !== undefined) weave([...made, nextA], a.slice(1), b);
      if (nextB !== undefined) weave([...made, nextB], a, b.slice(1));
      if (nextA !== undefined || nextB !== undefined) return;
      ways++;
      const events = run([session, ...made], 1);
      expect(tell(events).finish).toBe("stop");
      expect(new Set(urls(events))).toEqual(new Set(urls(whole)));
    };
    weave([], first, second);
    expect(ways).toBe(70);
  });

  test("a socket that closes early tells finished pictures only", () => {
    for (let count = 0; count <= frames.length; count++) {
      const events = run(frames.slice(0, count), 1);
      const closed = frames
        .slice(0, count)
        .filter((frame) => frame.includes('"percentage_complete":100.0,"model')).length;
      const { failure } = tell(events);
      expect(failure === null).toBe(urls(events).length > 0);
      expect(urls(events).length).toBeLessThanOrEqual(2);
      if (closed === 0 && failure) expect(failure.code).toBe(count < 2 ? "upstream_empty" : "upstream_cut");
    }
  });
});
