// Money: what the official API charged is booked to the key and the gateway, stands in the journal, and a limit on it holds,
// also under many requests at once; where accounts that cost nothing can serve, they do.
import { describe, expect, test } from "bun:test";
import { ADMIN_ENV, makeKey } from "../support/keys.ts";
import { startKeys, type Keys, type KeysStart } from "../support/official-keys.ts";
import { within } from "../support/trial.ts";

const KEY = "xai-sim-ok-alpha-1";
/** Served by both kinds of accounts. */
const BOTH = "grok-4.20-0309-non-reasoning";

const start = (more: Partial<KeysStart> = {}) =>
  startKeys({ keys: [KEY], ...more, env: { ...ADMIN_ENV, ...more.env } });

const ask = async (keys: Keys, secret: string, more: { model?: string; words?: string; stream?: boolean } = {}) => {
  const { model = "grok-4.3", words = "hello", stream = false } = more;
  const response = await keys.post(
    "/v1/chat/completions",
    { model, stream, max_tokens: 100, messages: [{ role: "user", content: words }] },
    { authorization: `Bearer ${secret}` },
  );
  const text = await response.text();
  const code = /"code":"(\w+)"/.exec(text)?.[1] ?? null;
  return { status: response.status, code, ticks: Number(response.headers.get("x-grok2api-cost-in-usd-ticks") ?? 0) };
};
const spent = (keys: Keys, id: string) => {
  const { ticks, monthTicks } = keys.composed.records.keyUsage.today(id);
  return { ticks, monthTicks };
};

describe("what was charged", () => {
  test.each([false, true])("is booked to the key, to the gateway and in the journal, stream %p", async (stream) => {
    await using keys = await start();
    const { id, key: secret } = await makeKey(keys, { daily_usd: 1 });
    const answer = await ask(keys, secret, { words: "sim:sample-x-search", stream });
    expect(answer.status).toBe(200);
    expect(spent(keys, id)).toEqual({ ticks: 289_600_000, monthTicks: 289_600_000 });
    expect(keys.composed.records.keyUsage.spent()).toEqual({ dayTicks: 289_600_000, monthTicks: 289_600_000 });
    const { items } = await keys.composed.records.reports.requests({}, { limit: 1 });
    expect(items[0]?.cost_usd).toBe(0.02896);
  });

  test("of an answer that cost nothing is nothing", async () => {
    await using keys = await start({ sessions: ["sim-super-1"] });
    const { id, key: secret } = await makeKey(keys, { daily_usd: 1 });
    expect((await ask(keys, secret, { model: "grok-4" })).status).toBe(200);
    expect(spent(keys, id)).toEqual({ ticks: 0, monthTicks: 0 });
  });
});

describe("what nobody has told the price of", () => {
  test("an answer that ends at a stop text is booked by its tokens", async () => {
    await using keys = await start();
    const { id, key: secret } = await makeKey(keys, { daily_usd: 1 });
    const messages = [{ role: "user", content: "sim:slow-20 hello there, say something" }];
    const authorization = `Bearer ${secret}`;
    const body = { model: "grok-4.3", messages, stop: [" "] };
    const response = await keys.post("/v1/chat/completions", body, { authorization });
    expect(response.status).toBe(200);
    await response.text();
    const { dayTicks } = keys.composed.records.keyUsage.spent();
    expect(dayTicks).toBeGreaterThan(0);
    expect(spent(keys, id).ticks).toBe(dayTicks);
    expect(dayTicks).toBeLessThan(10_000_000);
  });

  test("so is one that its caller leaves, and one of the site's accounts costs nothing", async () => {
    await using keys = await start({ sessions: ["sim-super-1"] });
    const { id, key: secret } = await makeKey(keys, { daily_usd: 1 });
    const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
    const leave = async (model: string) => {
      const control = new AbortController();
      const messages = [{ role: "user", content: "sim:slow-20 hello" }];
      const body = JSON.stringify({ model, messages, stream: true });
      const options = { method: "POST", headers, body, signal: control.signal };
      const response = await fetch(`${keys.url}/v1/chat/completions`, options);
      const reader = response.body?.getReader();
      let text = "";
      while (!/"content":"\w/.test(text)) text += new TextDecoder().decode((await reader?.read())?.value);
      control.abort();
      await within(3000, "the request to end", () => keys.composed.records.keyUsage.open === 0);
    };
    await leave("grok-4");
    expect(spent(keys, id).ticks).toBe(0);
    await leave("grok-4.3");
    expect(spent(keys, id).ticks).toBeGreaterThan(0);
  });

  test("a whole answer without a price is booked by its tokens", async () => {
    await using keys = await start();
    const { id, key: secret } = await makeKey(keys, { daily_usd: 1 });
    expect((await ask(keys, secret, { words: "sim:no-cost" })).status).toBe(200);
    expect(spent(keys, id).ticks).toBeGreaterThan(0);
  });
});

describe("a limit", () => {
  test.each([
    ["daily_usd", 0.02],
    ["monthly_usd", 0.02],
    ["daily_usd", 0],
  ] as const)("%s of %p refuses before the upstream is asked", async (field, amount) => {
    await using keys = await start();
    const { key: secret } = await makeKey(keys, { [field]: amount });
    if (amount > 0) expect((await ask(keys, secret, { words: "sim:sample-x-search" })).status).toBe(200);
    const before = keys.generations().length;
    const answer = await ask(keys, secret);
    expect([answer.status, answer.code]).toEqual([429, "insufficient_quota"]);
    expect(keys.generations()).toHaveLength(before);
  });

  test("of the gateway holds for callers without a key of their own", async () => {
    await using keys = await start({ env: { GROK2API_XAI_DAILY_BUDGET_USD: "0.02" } });
    expect((await ask(keys, "sk-program-test", { words: "sim:sample-x-search" })).status).toBe(200);
    const answer = await ask(keys, "sk-program-test");
    expect([answer.status, answer.code]).toEqual([429, "insufficient_quota"]);
    expect(keys.generations()).toHaveLength(1);
  });

  test("is not passed by many requests at once, and nothing stays held", async () => {
    await using keys = await start();
    // Room for about ten estimates of a hundred tokens.
    const { id, key: secret } = await makeKey(keys, { daily_usd: 0.003 });
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(keys, secret)));
    const served = answers.filter(({ status }) => status === 200);
    expect(served.length).toBeGreaterThan(0);
    expect(answers.every(({ status }) => status === 200 || status === 429)).toBe(true);
    expect(spent(keys, id).ticks).toBe(served.reduce((sum, { ticks }) => sum + ticks, 0));
    expect(spent(keys, id).ticks).toBeLessThanOrEqual(30_000_000);
    expect(keys.composed.records.keyUsage.open).toBe(0);
  });

  test("sends a request to accounts that cost nothing where there are any", async () => {
    await using keys = await start({ sessions: ["sim-super-1"], env: { GROK2API_ROUTING_PREFER: "xai" } });
    const { key: secret } = await makeKey(keys, { daily_usd: 0 });
    expect((await ask(keys, secret, { model: BOTH })).status).toBe(200);
    expect([keys.asked(), keys.generations().length]).toEqual([1, 0]);
  });

  test("is named where only keys can do what a request to a model of both asks for", async () => {
    await using keys = await start({ sessions: ["sim-super-1"] });
    const { key: secret } = await makeKey(keys, { daily_usd: 0 });
    const body = { model: BOTH, input: "hello", tools: [{ type: "code_interpreter", container: { type: "auto" } }] };
    const response = await keys.post("/v1/responses", body, { authorization: `Bearer ${secret}` });
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect([response.status, error.code]).toEqual([429, "insufficient_quota"]);
    expect(error.message).toContain("spending limit");
    expect([keys.asked(), keys.generations().length]).toEqual([0, 0]);
  });
});
