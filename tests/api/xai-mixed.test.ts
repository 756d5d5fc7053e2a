// Two kinds of accounts in one pool: who goes first, who stands in, what a name decides, and that the journal tells.
import { describe, expect, test } from "bun:test";
import { ADMIN_ENV, makeKey } from "../support/keys.ts";
import { drawnPng } from "../support/pictures.ts";
import { startKeys, type Keys } from "../support/official-keys.ts";

const KEY = "xai-sim-ok-alpha-1";
/** Served by both: a name of the site's fast mode, and a model of the official API. */
const BOTH = "grok-4.20-0309-non-reasoning";

const ask = async (keys: Keys, model: string, words = "hello") => {
  const response = await keys.post("/v1/chat/completions", { model, messages: [{ role: "user", content: words }] });
  const body = (await response.json()) as { error?: { code: string; message: string } };
  return { status: response.status, code: body.error?.code ?? null, message: body.error?.message ?? "" };
};
const asked = (keys: Keys) => ({ web: keys.asked(), xai: keys.generations().length });

describe("who goes first", () => {
  test.each([
    ["web", { web: 1, xai: 0 }],
    ["xai", { web: 0, xai: 1 }],
    ["cheapest", { web: 1, xai: 0 }],
  ] as const)("prefer %s", async (prefer, expected) => {
    await using keys = await startKeys({
      keys: [KEY],
      sessions: ["sim-super-1"],
      env: { GROK2API_ROUTING_PREFER: prefer },
    });
    expect((await ask(keys, BOTH)).status).toBe(200);
    expect(asked(keys)).toEqual(expected);
  });

  test("a qualified name decides for itself, and names no model that its kind does not serve", async () => {
    await using keys = await startKeys({ keys: [KEY], sessions: ["sim-super-1"] });
    expect((await ask(keys, `xai/${BOTH}`)).status).toBe(200);
    expect(asked(keys)).toEqual({ web: 0, xai: 1 });
    expect((await ask(keys, `web/${BOTH}`)).status).toBe(200);
    expect(asked(keys)).toEqual({ web: 1, xai: 1 });
    expect(await ask(keys, "web/grok-4.3")).toMatchObject({ status: 404, code: "model_not_found" });
    expect(await ask(keys, "xai/grok-4")).toMatchObject({ status: 404, code: "model_not_found" });
  });
});

describe("standing in", () => {
  test("the site's accounts are dry: a key serves, and the journal says so", async () => {
    await using keys = await startKeys({ keys: [KEY], sessions: ["sim-limited-1"] });
    expect((await ask(keys, BOTH)).status).toBe(200);
    expect(asked(keys)).toEqual({ web: 1, xai: 1 });
    const { records } = keys.composed;
    const { items } = await records.reports.requests({}, { limit: 1 });
    expect(items[0]).toMatchObject({ outcome: "finished", mode: "api" });
  });

  test("not where it is not allowed", async () => {
    await using keys = await startKeys({
      keys: [KEY],
      sessions: ["sim-limited-1"],
      env: { GROK2API_ROUTING_FAILOVER: "false" },
    });
    expect(await ask(keys, BOTH)).toMatchObject({ status: 429, code: "upstream_rate_limited" });
    expect(asked(keys)).toEqual({ web: 1, xai: 0 });
  });

  test("the team is out of credits: the site serves", async () => {
    await using keys = await startKeys({
      keys: ["xai-sim-no-credits-alpha-1"],
      sessions: ["sim-super-1"],
      env: { GROK2API_ROUTING_PREFER: "xai" },
    });
    expect((await ask(keys, BOTH)).status).toBe(200);
    expect(asked(keys)).toEqual({ web: 1, xai: 1 });
    // And it is not asked again.
    expect((await ask(keys, BOTH)).status).toBe(200);
    expect(asked(keys)).toEqual({ web: 2, xai: 1 });
  });

  test("a verdict on the content is final for both kinds", async () => {
    await using keys = await startKeys({
      keys: [KEY],
      sessions: ["sim-super-1"],
      env: { GROK2API_ROUTING_PREFER: "xai" },
    });
    expect(await ask(keys, BOTH, "sim:moderation")).toMatchObject({ status: 400, code: "content_policy_violation" });
    expect(asked(keys)).toEqual({ web: 0, xai: 1 });
  });

  test("when both are dry, the caller is told about both and when to come back", async () => {
    await using keys = await startKeys({ keys: ["xai-sim-no-credits-alpha-1"], sessions: ["sim-limited-1"] });
    const answer = await ask(keys, BOTH);
    expect([answer.status, answer.code]).toEqual([429, "upstream_rate_limited"]);
  });
});

test("with keys alone the site's models are not listed, and without any account they are", async () => {
  const ids = async (keys: Keys) => {
    const response = await fetch(`${keys.url}/v1/models`, { headers: { authorization: "Bearer sk-program-test" } });
    return ((await response.json()) as { data: { id: string; upstreams: string[] }[] }).data;
  };
  await using alone = await startKeys({ keys: [KEY] });
  const listed = await ids(alone);
  expect(listed.every(({ upstreams }) => upstreams.join() === "xai")).toBe(true);
  expect(listed.map(({ id }) => id)).toContain("grok-4.7");
  await using both = await startKeys({ keys: [KEY], sessions: ["sim-super-1"] });
  const merged = await ids(both);
  expect(new Set(merged.map(({ id }) => id)).size).toBe(merged.length);
  expect(merged.find(({ id }) => id === "grok-imagine-image")?.upstreams).toEqual(["web", "xai"]);
  expect(merged.find(({ id }) => id === "grok-4")?.upstreams).toEqual(["web"]);
});

test("keys of the settings come and go with them; one that a person added stays", async () => {
  await using keys = await startKeys({ keys: [KEY], env: { GROK2API_XAI_API_KEYS: "xai-sim-ok-gamma-1" } });
  const tokens = () =>
    keys.composed.pool
      .all()
      .map(({ token, from_config }) => `${token} ${from_config}`)
      .toSorted();
  expect(tokens()).toEqual([`${KEY} false`, "xai-sim-ok-gamma-1 true"]);
});

describe("a client key that is limited to some models", () => {
  const SITE = "grok-chat-fast";
  const limited = async (keys: Keys, models: readonly string[]) => {
    const { key } = await makeKey(keys, { models });
    const headers = { authorization: `Bearer ${key}` };
    return async (model: string) => {
      const body = { model, messages: [{ role: "user", content: "hello" }] };
      const response = await keys.post("/v1/chat/completions", body, headers);
      const answer = (await response.json()) as { error?: { code: string } };
      return `${response.status} ${answer.error?.code ?? "ok"}`;
    };
  };
  const both = (session: string, env: Record<string, string> = {}) =>
    startKeys({ keys: [KEY], sessions: [session], env: { ...ADMIN_ENV, ...env } });

  test("does not reach a key's model by a name that the site's model shares with it", async () => {
    await using keys = await both("sim-limited-1");
    const say = await limited(keys, [SITE]);
    expect(await say(BOTH)).toBe("429 upstream_rate_limited");
    expect(await say(`xai/${BOTH}`)).toBe("403 model_not_allowed");
    expect(asked(keys)).toEqual({ web: 1, xai: 0 });
  });

  test("nor where keys go first", async () => {
    await using keys = await both("sim-super-1", { GROK2API_ROUTING_PREFER: "xai" });
    const say = await limited(keys, [SITE]);
    expect([await say(BOTH), await say(SITE)]).toEqual(["200 ok", "200 ok"]);
    expect(asked(keys)).toEqual({ web: 2, xai: 0 });
  });

  test("nor the other way round", async () => {
    await using keys = await both("sim-super-1");
    const say = await limited(keys, [`xai/${BOTH}`]);
    expect([await say(BOTH), await say(SITE)]).toEqual(["200 ok", "403 model_not_allowed"]);
    expect(asked(keys)).toEqual({ web: 0, xai: 1 });
  });

  test("may use a name of both by whoever serves it, as the operator has written it", async () => {
    await using keys = await both("sim-limited-1");
    const say = await limited(keys, [BOTH]);
    expect(await say(BOTH)).toBe("200 ok");
    expect(asked(keys)).toEqual({ web: 1, xai: 1 });
  });

  test("is told so where only the other kind could do what is asked for", async () => {
    await using keys = await both("sim-super-1");
    const { key } = await makeKey(keys, { models: [SITE] });
    const body = { model: BOTH, input: "hello", tools: [{ type: "code_interpreter", container: { type: "auto" } }] };
    const response = await keys.post("/v1/responses", body, { authorization: `Bearer ${key}` });
    const { error } = (await response.json()) as { error: { code: string } };
    expect([response.status, error.code]).toEqual([403, "model_not_allowed"]);
  });

  test("changes pictures by the name for that with keys alone, and draws none", async () => {
    await using keys = await startKeys({ keys: [KEY], env: ADMIN_ENV });
    const { key } = await makeKey(keys, { models: ["grok-imagine-image-edit"] });
    const headers = { authorization: `Bearer ${key}` };
    const image = { url: `data:image/png;base64,${drawnPng().toBase64()}` };
    const edit = { model: "grok-imagine-image-edit", prompt: "greener", image };
    expect((await keys.post("/v1/images/edits", edit, headers)).status).toBe(200);
    const draw = { model: "grok-imagine-image", prompt: "a river" };
    expect((await keys.post("/v1/images/generations", draw, headers)).status).toBe(403);
  });
});
