import { describe, expect, test } from "bun:test";
import type { ItemOutcome } from "../../src/admin/tasks.ts";
import { serve } from "../../src/http/serve.ts";
import { API_KEY, APP_KEY, createHarness, settled, type Harness } from "./harness.ts";

const BASE = "/api/v1/admin/batch";

const startTask = ({ deps }: Harness, run: (item: string) => Promise<ItemOutcome> = async () => ({ ok: true })) =>
  deps.tasks.start({
    kind: "test",
    items: ["sim-ok-secret-1", "sim-ok-secret-2"],
    concurrency: 1,
    mask: (item) => `…${item.slice(-1)}`,
    run,
    result: ({ ok }) => ({ status: "success", ok }),
  }).task_id;

const eventsOf = (text: string): unknown[] =>
  text
    .split("\n\n")
    .filter((block) => block.startsWith("data: "))
    .map((block) => JSON.parse(block.slice(6)));

describe("the stream of a task", () => {
  test.each([BASE, "/v1/admin/batch", "/admin/api/batch"])(
    "below %s is unnamed events from snapshot to done",
    async (base) => {
      const harness = createHarness();
      const begin = Promise.withResolvers<ItemOutcome>();
      const task_id = startTask(harness, () => begin.promise);
      const response = await harness.admin(`${base}/${task_id}/stream`);
      begin.resolve({ ok: true });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
      const text = await response.text();
      expect(text).not.toContain("secret");
      expect(text).not.toContain("event:");
      const counts = (processed: number) => ({ task_id, total: 2, processed, ok: processed, fail: 0 });
      expect(eventsOf(text)).toEqual([
        { type: "snapshot", ...counts(0), status: "running", warning: null },
        { type: "progress", ...counts(1), item: "…1" },
        { type: "progress", ...counts(2), item: "…2" },
        { type: "done", ...counts(2), warning: null, result: { status: "success", ok: 2 } },
      ]);
    },
  );

  test("of an ended task is the snapshot and the end, then it closes", async () => {
    const harness = createHarness();
    const id = startTask(harness);
    await settled();
    const events = eventsOf(await (await harness.admin(`${BASE}/${id}/stream`)).text());
    expect(events).toMatchObject([{ type: "snapshot", status: "done", processed: 2 }, { type: "done" }]);
  });

  test.each([
    [`api_key=${APP_KEY}`, 200],
    [`app_key=Bearer ${APP_KEY}`, 200],
    [`access_token=${APP_KEY}`, 200],
    [`token=${APP_KEY}`, 200],
    [`api_key=${API_KEY}`, 401],
    ["", 401],
  ])("takes the operator's credential from the query: %s → %d", async (query, status) => {
    const harness = createHarness();
    const id = startTask(harness);
    const answer = harness.request(`${BASE}/${id}/stream?${query.replaceAll(" ", "%20")}`);
    if (status === 401) await harness.clock.advance(60_000);
    expect((await answer).status).toBe(status);
  });

  test("takes no credential from the query of any other route", async () => {
    const harness = createHarness();
    expect((await harness.request(`/api/v1/admin/verify?app_key=${encodeURIComponent(APP_KEY)}`)).status).toBe(401);
    const id = startTask(harness);
    const cancel = await harness.request(`${BASE}/${id}/cancel?app_key=${encodeURIComponent(APP_KEY)}`, {
      method: "POST",
    });
    expect(cancel.status).toBe(401);
  });

  test("of an unknown task is a 404 in JSON", async () => {
    const response = await createHarness().admin(`${BASE}/none/stream`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { message: "Task not found", code: "task_not_found" } });
  });

  test("pings after 15 silent seconds, and again", async () => {
    const harness = createHarness();
    const id = startTask(harness, () => new Promise(() => {}));
    const response = await harness.admin(`${BASE}/${id}/stream`);
    const reader = response.body!.getReader();
    const decoder = new TextDecoder();
    const read = async () => decoder.decode((await reader.read()).value);
    expect(await read()).toContain("snapshot");
    for (let round = 0; round < 2; round++) {
      const next = read();
      await harness.clock.advance(13_000);
      expect(await Promise.race([next, settled().then(() => "nothing")])).toBe("nothing");
      await harness.clock.advance(2_500);
      expect(await next).toBe(": ping\n\n");
    }
    await reader.cancel();
    await settled();
    expect(harness.records.at(-1)?.outcome).toBe("client-closed");
    expect(harness.clock.tickers).toBe(1);
  });
});

describe("a cancel", () => {
  test("leaves the next item alone and ends the stream", async () => {
    const harness = createHarness();
    const first = Promise.withResolvers<ItemOutcome>();
    const ran: string[] = [];
    const id = startTask(harness, (item) => {
      ran.push(item);
      return first.promise;
    });
    const text = harness.admin(`${BASE}/${id}/stream`).then((response) => response.text());
    await settled();
    const response = await harness.admin(`${BASE}/${id}/cancel`, { method: "POST" });
    expect(await response.json()).toEqual({ status: "success" });
    first.resolve({ ok: true });
    expect(eventsOf(await text).at(-1)).toEqual({
      type: "cancelled",
      task_id: id,
      total: 2,
      processed: 1,
      ok: 1,
      fail: 0,
    });
    expect(ran.length).toBe(1);
  });

  test("of an unknown task is a 404", async () => {
    expect((await createHarness().admin(`${BASE}/none/cancel`, { method: "POST" })).status).toBe(404);
  });
});

test("over a socket a reader that leaves is noticed, and the task goes on", async () => {
  const harness = createHarness();
  const first = Promise.withResolvers<ItemOutcome>();
  const id = startTask(harness, () => first.promise);
  const listening = serve({ server: harness.server, host: "127.0.0.1", port: 0 });
  try {
    const stop = new AbortController();
    const url = `${listening.url}${BASE}/${id}/stream?app_key=${encodeURIComponent(APP_KEY)}`;
    const response = await fetch(url, { signal: stop.signal });
    const reader = response.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain("snapshot");
    stop.abort();
    for (let round = 0; round < 100 && harness.records.length === 0; round++) await Bun.sleep(10);
    expect(harness.records[0]?.outcome).toBe("client-closed");
    first.resolve({ ok: true });
    await settled();
    expect(harness.deps.tasks.get(id)?.status).toBe("done");
  } finally {
    await listening.stop(0);
  }
});
