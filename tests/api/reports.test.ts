import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pngBytes } from "../support/pictures.ts";
import { ADMIN_ENV, ADMIN_PASSWORD, adminCall, ask, makeKey, until, WAYS } from "../support/keys.ts";
import { type Program, PROGRAM_KEY, startProgram } from "../support/program.ts";

let program: Program;
beforeAll(async () => {
  program = await startProgram({
    accounts: ["sim-super-1", "sim-super-2"],
    env: { ...ADMIN_ENV, GROK2API_TOKEN_MAX_INFLIGHT: "64" },
  });
});
afterAll(() => program.stop());
afterEach(() => program.simulator.reset());

const admin = (path: string, body?: unknown) => adminCall(program, path, body);

/** An answer as it comes. */
type Row = ReturnType<typeof JSON.parse>;

/** The journal's rows of one key, newest first. */
const rowsOf = async (key: string): Promise<Row[]> =>
  (await admin(`/api/v1/admin/requests?key=${key}&limit=500`)).body.items;

/** What must not depend on the protocol or on streaming. */
const booked = ({ tokens_in, tokens_out, tokens_reasoning, tokens_estimated, images, videos, ...row }: Row) => ({
  ...{ tokens_in, tokens_out, tokens_reasoning, tokens_estimated, images, videos },
  ...{ model: row.model, served: row.served, status: row.status, outcome: row.outcome, code: row.code },
  attempts: row.attempts.length,
  failed: row.attempts.filter(({ code }: { code: string | null }) => code !== null).length,
});

describe("a row for each request", () => {
  test.each([
    ["", "a plain answer"],
    ["sim:thinking", "an answer with reasoning"],
    ["sim:long-50", "a longer answer"],
  ])("'%s' gives the same row on all protocols, streamed or not: %s", async (words) => {
    const { key, id } = await makeKey(program);
    for (const way of WAYS) await (await ask(program, key, way, { words })).text();
    await until(async () => (await rowsOf(id)).length === WAYS.length);
    const rows = await rowsOf(id);
    const [first] = rows.map(booked);
    expect(first).toMatchObject({ model: "grok-4", served: "grok-4", status: 200, outcome: "finished", code: null });
    expect(first!.tokens_in).toBeGreaterThan(0);
    expect(first!.tokens_out).toBeGreaterThan(0);
    for (const row of rows) expect(booked(row)).toEqual(first!);
    expect(rows.map(({ stream }) => stream)).toEqual([true, false, true, false, true, false]);
    for (const row of rows) {
      expect(row.total_ms).toBeGreaterThan(0);
      expect(row.first_byte_ms).toBeWithin(0, row.total_ms + 1);
      expect(row.account).toBe(row.attempts[0].account);
    }
  });

  const PICTURE = `data:image/png;base64,${pngBytes().toBase64()}`;
  test.each([
    ["two pictures", "/v1/images/generations", { prompt: "a cat", n: 2 }, 2, null],
    ["one picture of one account", "/v1/images/generations", { prompt: "a dog", n: 1 }, 1, null],
    ["a changed picture", "/v1/images/edits", { prompt: "a hat", image: PICTURE }, 1, null],
    [
      "pictures that are all withheld",
      "/v1/images/generations",
      { prompt: "sim:blocked-pictures", n: 1 },
      0,
      "blocked",
    ],
    ["pictures that the upstream refuses", "/v1/images/generations", { prompt: "sim:500", n: 1 }, 0, "refused"],
  ] as const)("%s give the same row, streamed or not", async (...[, path, body, images, trouble]) => {
    const { key, id } = await makeKey(program);
    for (const stream of [false, true]) {
      const answer = await program.post(path, { ...body, stream }, { authorization: `Bearer ${key}` });
      expect((await answer.text()).length).toBeGreaterThan(0);
    }
    await until(async () => (await rowsOf(id)).length === 2);
    const rows = await rowsOf(id);
    expect(rows.map(({ stream }) => stream)).toEqual([true, false]);
    const [streamed, whole] = rows.map((row) => booked({ ...row, status: 0 }));
    expect(streamed!).toEqual(whole!);
    expect(streamed!).toMatchObject({ images, videos: 0, outcome: trouble === null ? "finished" : expect.any(String) });
    expect(streamed!.code === null).toBe(trouble === null);
    expect(rows[0].route).toBe(path);
  });

  test("a stream and a whole answer that fail upstream have the same row as well", async () => {
    const { key, id } = await makeKey(program);
    for (const way of WAYS) await (await ask(program, key, way, { words: "sim:403" })).text();
    await until(async () => (await rowsOf(id)).length === WAYS.length);
    const rows = (await rowsOf(id)).map((row) => booked({ ...row, status: 0 }));
    for (const row of rows) expect(row).toEqual(rows[0]!);
    expect(rows[0]).toMatchObject({ outcome: "upstream-cut", tokens_out: 0 });
    expect(rows[0]!.code).not.toBeNull();
    const found = await admin(`/api/v1/admin/requests/${(await rowsOf(id))[0].id}`);
    expect(found.body.data.attempts.length).toBe(rows[0]!.attempts);
    expect(found.body.data.attempts[0]).toMatchObject({ code: expect.any(String), reason: expect.any(String) });
  });

  test("an answer that breaks off and one that is left are marked, with what was seen of them", async () => {
    const { key, id } = await makeKey(program);
    await (await ask(program, key, WAYS[1]!, { words: "sim:cut sim:long-80" })).text();
    await until(async () => (await rowsOf(id)).length === 1);
    const [cut] = await rowsOf(id);
    expect(cut).toMatchObject({ outcome: "upstream-cut", tokens_estimated: true });
    expect(cut.tokens_out).toBeGreaterThan(0);

    const leaving = new AbortController();
    const response = await fetch(`${program.url}${WAYS[1]!.path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(WAYS[1]!.body({ words: "sim:slow-50 sim:long-200" })),
      signal: leaving.signal,
    });
    const reader = response.body!.getReader();
    for (let read = 0; read < 5; read++) await reader.read();
    leaving.abort();
    await until(async () => (await rowsOf(id)).length === 2);
    const [left] = await rowsOf(id);
    expect(left).toMatchObject({ outcome: "client-closed", code: "client_closed" });
    expect(left.tokens_out).toBeGreaterThan(0);
    expect(left.tokens_out).toBeLessThan(150);
  });

  test("a refused request of a known key is there, one of an unknown key is not", async () => {
    const { key, id } = await makeKey(program, { chat_limit: 0 });
    const before = (await admin("/api/v1/admin/journal")).body.rows;
    await (await ask(program, key, WAYS[0]!)).text();
    await (await ask(program, "sk-nobody-knows-this-one", WAYS[0]!)).text();
    await until(async () => (await rowsOf(id)).length === 1);
    expect((await rowsOf(id))[0]).toMatchObject({ status: 429, code: "daily_quota_exceeded", attempts: [] });
    expect((await admin("/api/v1/admin/journal")).body.rows).toBe(before + 1);
  });

  test.each([
    ["key_disabled", { enabled: false }],
    ["key_expired", { expires_at: "2020-01-01T00:00:00Z" }],
  ])("a key that may not be used is named: %s", async (code, fields) => {
    const { key, id } = await makeKey(program, fields);
    for (const way of WAYS) await (await ask(program, key, way)).text();
    await until(async () => (await rowsOf(id)).length === WAYS.length);
    for (const row of await rowsOf(id)) expect(row).toMatchObject({ status: 401, code, attempts: [], account: null });
  });

  test("no secret and no text is in the store", async () => {
    const secret = "MARKER-9f3b77a1-in-the-prompt";
    const { key, id } = await makeKey(program, { name: "marked" });
    await (await ask(program, key, WAYS[0]!, { words: secret })).text();
    // A key that was pasted into the wrong field.
    await (await ask(program, key, WAYS[0]!, { model: `sk-${"A1b2".repeat(12)}` })).text();
    await until(async () => (await rowsOf(id)).length === 2);
    await program.composed.records.writer.flush();
    const folder = program.composed.config.server.data_dir;
    const raw = ["grok2api.db", "grok2api.db-wal"]
      .map((name) => readFileSync(join(folder, name)).toString("latin1"))
      .join("");
    expect(raw).toContain(id);
    for (const marker of [secret, key, PROGRAM_KEY, ADMIN_PASSWORD, "A1b2A1b2A1b2"]) expect(raw).not.toContain(marker);
    const session = program.simulator.requests().find(({ path }) => path.includes("conversations"));
    expect(session).toBeDefined();
    const rows = JSON.stringify(await rowsOf(id));
    for (const account of ["sim-super-1", "sim-super-2"]) expect(rows).not.toContain(account);
  });
});

describe("reports", () => {
  test("totals, courses and rankings agree with the rows", async () => {
    const made = await makeKey(program, { name: "counted" });
    for (const way of WAYS.slice(0, 4)) await (await ask(program, made.key, way)).text();
    await (await ask(program, made.key, WAYS[0]!, { words: "sim:400" })).text();
    await until(async () => (await rowsOf(made.id)).length === 5);
    const rows = await rowsOf(made.id);
    const sum = (field: string) => rows.reduce((total, row) => total + row[field], 0);
    const series = await admin(`/api/v1/admin/reports/series?range=24h&dimension=key&value=${made.id}`);
    expect(series.body.span).toBe("hour");
    expect(series.body.data.length).toBeWithin(24, 26);
    const points = series.body.data as Record<string, number>[];
    const total = (field: string) => points.reduce((all, point) => all + point[field]!, 0);
    expect([total("requests"), total("served"), total("failed")]).toEqual([5, 4, 1]);
    expect([total("tokens_in"), total("tokens_out")]).toEqual([sum("tokens_in"), sum("tokens_out")]);
    const top = await admin("/api/v1/admin/reports/top?range=30d&dimension=key&limit=100");
    const own = top.body.data.find((row: { value: string }) => row.value === made.id);
    expect(own).toMatchObject({ name: "counted", requests: 5, served: 4, failed: 1, success_rate: 80 });
    const totals = (await admin("/api/v1/admin/reports/totals?range=24h")).body.data;
    const models = (await admin("/api/v1/admin/reports/top?dimension=model&limit=100")).body.data;
    expect(models.reduce((all: number, row: { requests: number }) => all + row.requests, 0)).toBeLessThanOrEqual(
      totals.requests,
    );
    const keys = (await admin("/api/v1/admin/reports/top?dimension=key&limit=100")).body.data;
    expect(keys.reduce((all: number, row: { requests: number }) => all + row.requests, 0)).toBe(totals.requests);
  });

  test("a search by any column, page by page", async () => {
    const { key, id } = await makeKey(program, { name: "paged" });
    for (let index = 0; index < 5; index++) await (await ask(program, key, WAYS[index % 2]!)).text();
    await until(async () => (await rowsOf(id)).length === 5);
    const first = await admin(`/api/v1/admin/requests?key=${id}&limit=3`);
    const second = await admin(`/api/v1/admin/requests?key=${id}&limit=3&before=${first.body.next}`);
    expect([first.body.items.length, second.body.items.length, second.body.next]).toEqual([3, 2, null]);
    const seqs = [...first.body.items, ...second.body.items].map(({ seq }: { seq: number }) => seq);
    expect(seqs).toEqual(seqs.toSorted((one, other) => other - one));
    const count = async (query: string) =>
      (await admin(`/api/v1/admin/requests?key=${id}&${query}`)).body.items.length as number;
    expect(await count("stream=true")).toBe(2);
    expect(await count("status=2xx")).toBe(5);
    expect(await count("status=429")).toBe(0);
    expect(await count("model=grok-4&outcome=finished&route=/v1/chat/completions")).toBe(5);
    expect(await count("retried=true")).toBe(0);
    expect(await count("search=COMPLETIONS")).toBe(5);
    expect(await count("from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z")).toBe(0);
    expect(await count(`id=${first.body.items[0].id}`)).toBe(1);
  });

  test.each([
    ["reports/totals?range=soon", "range"],
    ["reports/totals?from=5&to=4", "from"],
    ["reports/series?dimension=key", "value"],
    ["reports/series?span=hour&range=900d", "from"],
    ["reports/top?dimension=shoe", "dimension"],
    ["reports/top?by=luck", "by"],
    ["requests?status=9xx", "status"],
    ["requests?stream=perhaps", "stream"],
    ["requests?limit=0", "limit"],
  ])("%s is refused by its name", async (path, param) => {
    const { status, body } = await admin(`/api/v1/admin/${path}`);
    expect([status, body.error.param]).toEqual([400, param]);
  });

  test("a request that is not there", async () => {
    expect((await admin("/api/v1/admin/requests/req_nothing")).status).toBe(404);
  });

  test("the statistics of earlier programs", async () => {
    const { body } = await admin("/v1/admin/metrics");
    expect(body.tokens).toMatchObject({ total: 2, disabled: 0 });
    expect(body.cache.local_image).toEqual({ count: expect.any(Number), size_mb: expect.any(Number) });
    const { hourly, daily, models, summary } = body.request_stats;
    expect([hourly.length, daily.length]).toEqual([24, 7]);
    expect(hourly.at(-1).hour).toMatch(/^\d\d:00$/);
    expect(daily.at(-1).date).toMatch(/^\d\d-\d\d$/);
    expect(daily.at(-1).total).toBe(summary.total);
    expect(models[0]).toEqual({ model: expect.any(String), count: expect.any(Number) });
    expect(summary.success_rate).toBeWithin(1, 101);
    expect((await admin("/api/request-stats")).body.data.summary).toEqual(summary);
    const logs = await admin("/api/logs?limit=5");
    expect(logs.body.data).toHaveLength(5);
    expect(Object.keys(logs.body.data[0])).toEqual([
      ...["id", "time", "timestamp", "ip", "model", "duration", "status", "key_name", "token_suffix", "error"],
    ]);
    expect(logs.body.data[0].time).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  });

  test("clearing removes rows and leaves what they added up to", async () => {
    const before = (await admin("/api/v1/admin/reports/totals")).body.data.requests;
    const cleared = await admin("/api/logs/clear", {});
    expect(cleared.body.success).toBe(true);
    expect((await admin("/api/v1/admin/journal")).body.rows).toBe(0);
    expect((await admin("/api/v1/admin/reports/totals")).body.data.requests).toBe(before);
    const audit = await admin("/api/v1/admin/audit?action=journal.clear");
    expect(audit.body.items).toHaveLength(1);
  });
});
