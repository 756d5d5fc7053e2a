// A picture run against a scripted gateway and a manual clock: pauses, limits and ends.
import { describe, expect, test } from "bun:test";
import { type ErrorCode, GatewayError } from "../../src/core/errors.ts";
import type { EventBatch } from "../../src/core/events.ts";
import type { PictureRequest } from "../../src/core/media-request.ts";
import type { ImagineEvent, ImagineWish } from "../../src/core/playground.ts";
import { createImagine } from "../../src/gateway/playground-imagine.ts";
import type { CallContext } from "../../src/gateway/port.ts";
import { createRecord, type RequestRecord } from "../../src/gateway/record.ts";
import { createManualClock, fromBatches, settled } from "../api/harness.ts";

const WISH: ImagineWish = { prompt: "a cat", ratio: "2:3", adult: null, quality: false, count: null };

const picture = (index: number): EventBatch => [
  { type: "image", index, partial: false, source: { base64: "AA==", link: "http://here/file" } },
];
const failure = (code: ErrorCode): EventBatch => [{ type: "failure", error: new GatewayError(code, `it was ${code}`) }];

type Script = (request: PictureRequest, context: CallContext) => readonly EventBatch[] | GatewayError;

const run = (script: Script, wish: Partial<ImagineWish> = {}, limitMs = 1_800_000) => {
  const clock = createManualClock();
  const reader = new AbortController();
  const asked: PictureRequest[] = [];
  const closed: RequestRecord[] = [];
  let told = 0;
  const imagine = createImagine({
    clock,
    media: {
      async pictures(request, context) {
        asked.push(request);
        const answer = script(request, context);
        if (answer instanceof GatewayError) throw answer;
        return fromBatches(answer);
      },
    },
  });
  const events = imagine({
    ...{ wish: { ...WISH, ...wish }, signal: reader.signal, baseUrl: "http://here", limitMs },
    number: () => ++told,
    openRecord: () => createRecord({ id: "req_1", startedMs: clock.monotonic(), method: "GET", path: "/" }),
    closeRecord: (record) => closed.push(record),
  });
  const seen: ImagineEvent[] = [];
  let over = false;
  const reading = (async () => {
    for await (const event of events) seen.push(event);
    over = true;
  })();
  return { clock, reader, asked, closed, seen, events, reading, isOver: () => over };
};

const types = (seen: readonly ImagineEvent[]) => seen.map(({ type }) => type);

describe("a run", () => {
  test("asks for no more than is missing", async () => {
    const { reading, asked, seen } = run(({ count }) => Array.from({ length: count }, (_, at) => picture(at)), {
      count: 14,
    });
    await reading;
    expect(asked.map(({ count }) => count)).toEqual([6, 6, 2]);
    expect(seen.at(-1)).toMatchObject({ type: "ended", how: "completed" });
  });

  test("tells what every call was asked for and what did not come, to whoever wants to know", async () => {
    const finish = (reason: "content-filter" | "other"): EventBatch => [{ type: "finish", reason, raw: null }];
    const answers: readonly (readonly EventBatch[])[] = [
      [picture(0), picture(1), picture(2), picture(3), finish("content-filter")],
      [picture(0), finish("other")],
      [picture(0)],
    ];
    let call = 0;
    const { reading, seen } = run(() => answers[call++] ?? [], { count: 6, batches: true });
    await reading;
    const about = { runId: seen[0]?.type === "running" ? seen[0].runId : "" };
    expect(seen.filter(({ type }) => type.startsWith("batch"))).toEqual([
      { type: "batch-begun", ...about, count: 6 },
      { type: "batch-over", ...about, withheld: 2, missing: 0 },
      { type: "batch-begun", ...about, count: 2 },
      { type: "batch-over", ...about, withheld: 0, missing: 1 },
      { type: "batch-begun", ...about, count: 1 },
    ]);
    expect(types(seen).filter((type) => type === "picture")).toHaveLength(6);
    const silent = run(() => [picture(0), finish("content-filter")], { count: 1 });
    await silent.reading;
    expect(types(silent.seen)).toEqual(["running", "picture", "ended"]);
  });

  test.each([
    [null, false, undefined],
    [true, true, undefined],
    [false, false, true],
  ])("says about adult content what was said: %p", async (adult, asks, tame) => {
    const { reading, asked } = run(() => [picture(0)], { adult, count: 1 });
    await reading;
    expect(asked[0]?.adult).toBe(asks);
    expect(asked[0]?.tame).toBe(tame as undefined);
  });

  test("waits two seconds when no account can be had, then longer, and gives up after five in a row", async () => {
    const { clock, reading, asked, seen, closed } = run(() => new GatewayError("no_available_account", "none"));
    const at: number[] = [];
    for (let second = 0; second <= 60; second++) {
      await clock.advance(second === 0 ? 0 : 1000);
      for (let tick = 0; tick < 5; tick++) await settled();
      if (asked.length > at.length) at.push(second);
    }
    await reading;
    expect(at).toEqual([0, 2, 6, 14, 29]);
    expect(types(seen)).toEqual(["running", "failed", "failed", "failed", "failed", "failed", "ended"]);
    expect(seen.at(-1)).toMatchObject({ how: "stopped", reason: "errors" });
    expect(closed.map(({ error }) => error?.code)).toEqual(Array(5).fill("no_available_account"));
  });

  test("a picture between two failures begins the count of failures anew", async () => {
    let call = 0;
    const { clock, asked, reader, reading } = run(() =>
      ++call % 2 === 0 ? [picture(0)] : [failure("upstream_error")],
    );
    for (let second = 0; second < 30; second++) {
      await clock.advance(1000);
      for (let tick = 0; tick < 10; tick++) await settled();
      if (asked.length > 15) break;
    }
    expect(asked.length).toBeGreaterThan(15);
    reader.abort(new GatewayError("client_closed", "gone"));
    await clock.advance(10);
    await reading;
  });

  test("a refusal of what was asked is not asked again", async () => {
    const { reading, asked, seen } = run(() => new GatewayError("content_policy_violation", "no"));
    await reading;
    expect(asked).toHaveLength(1);
    expect(seen.at(-1)).toMatchObject({ how: "stopped", reason: "refused" });
  });

  test("ends when its time is over, in the middle of a pause too", async () => {
    const { clock, reading, seen, isOver } = run(() => new GatewayError("no_available_account", "none"), {}, 1000);
    await clock.advance(999);
    for (let tick = 0; tick < 5; tick++) await settled();
    expect(isOver()).toBe(false);
    await clock.advance(1);
    await reading;
    expect(seen.at(-1)).toMatchObject({ how: "stopped", reason: "time_limit" });
  });

  test("that was stopped tells its end and asks nothing more", async () => {
    const { clock, reader, reading, asked, seen } = run(() => new GatewayError("upstream_error", "broken"));
    await clock.advance(100);
    reader.abort(new GatewayError("client_closed", "stopped"));
    await reading;
    await clock.advance(60_000);
    expect(asked).toHaveLength(1);
    expect(seen.at(-1)).toMatchObject({ type: "ended", how: "stopped" });
    expect(seen.at(-1)).not.toHaveProperty("reason");
  });

  test("an answer with neither picture nor error is a failure, with its pause", async () => {
    const { clock, reader, reading, asked, seen } = run(() => []);
    await clock.advance(100);
    expect(asked).toHaveLength(1);
    expect(types(seen)).toEqual(["running", "failed"]);
    reader.abort(new GatewayError("client_closed", "gone"));
    await reading;
  });

  test("previews are not told", async () => {
    const preview: EventBatch = [{ type: "image", index: 0, partial: true, source: { base64: "AA==" } }];
    const { reading, seen } = run(() => [preview, picture(0)], { count: 1 });
    await reading;
    expect(types(seen)).toEqual(["running", "picture", "ended"]);
  });
});
