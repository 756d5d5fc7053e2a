import { afterEach, describe, expect, test } from "bun:test";
import { stopSimulators } from "./simulator-client.ts";
import { json, KEY, WEATHER, xai } from "./xai-client.ts";

afterEach(stopSimulators);

describe("keys", () => {
  const tempers: [string, number, RegExp][] = [
    ["wrong", 400, /"code":"invalid-argument","error":"Incorrect API key provided\. /],
    ["wrong-old", 400, /"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa\*\*\*/],
    ["no-credits", 403, /"code":"permission-denied","error":"Your team [0-9a-f-]{36} has either used all available/],
    ["no-credits-old", 429, /"code":"Some resource has been exhausted","error":"Your team [0-9a-f-]{36} has either/],
    ["rate-limited", 429, /"error":"Too many requests for team [0-9a-f-]{36} and model grok-4\.3\..*per Second/],
    ["rate-limited-rpm", 429, /^\{"error":\{"message":"Too many requests.*Resets in: 3m 4s"\}\}$/],
    ["capacity", 503, /"code":"The service is currently unavailable","error":"Service temporarily unavailable/],
    ["capacity-200", 200, /^\{"code":"The service is currently unavailable"/],
    ["blocked", 403, /"code":"unauthorized:blocked-user","error":"User is blocked"/],
    ["team-blocked", 403, /permission-denied/],
    ["disabled", 403, /disabled/],
    ["acl", 403, /does not have permission/],
    ["acl-text", 200, /"object":"response"/],
    ["no-model", 404, /"code":"not-found","error":"The model grok-4\.3 does not exist or your team/],
    ["no-model-old", 404, /"code":"Some requested entity was not found"/],
    ["safety", 403, /Failed check: SAFETY_CHECK_TYPE_CYBER/],
    ["zdr", 400, /zero data retention/],
    ["5xx", 502, /^<html>/],
    ["ok", 200, /"object":"response"/],
  ];
  test.each(tempers)("xai-sim-%s answers %i", async (kind, status, pattern) => {
    const { respond, sim } = xai();
    const response = await respond("Hi", {}, `xai-sim-${kind}-beta-1`);
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(pattern);
    expect(sim.stats().open.total).toBe(0);
  });

  test("no header, a foreign key, and a connection that is cut", async () => {
    const { base, respond } = xai();
    const missing = await fetch(`${base}/models`);
    expect(missing.status).toBe(401);
    expect(await json(missing)).toMatchObject({ code: "unauthenticated:no-credentials" });
    const foreign = await respond("Hi", {}, "xai-somebody-else");
    expect(foreign.status).toBe(400);
    expect(await foreign.text()).toContain("Incorrect API key provided");
    const gone: unknown = await respond("Hi", {}, "xai-sim-down-beta-1").catch((error: unknown) => error);
    expect(gone).toMatchObject({ code: "ECONNRESET" });
  });

  test("tempers of one call only", async () => {
    const { respond } = xai();
    for (const [kind, first] of [
      ["rate-limited-once", 429],
      ["capacity-once", 503],
      ["flaky", 500],
    ] as const) {
      const key = `xai-sim-${kind}-beta-1`;
      expect((await respond("Hi", {}, key)).status).toBe(first);
      expect((await respond("Hi", {}, key)).status).toBe(200);
    }
  });

  test("the key's own account says what is wrong with it", async () => {
    const { get } = xai();
    const flags = async (kind: string) => json(await get("/api-key", `xai-sim-${kind}-beta-1`));
    expect(await flags("blocked")).toMatchObject({ api_key_blocked: true, team_blocked: false });
    expect(await flags("team-blocked")).toMatchObject({ team_blocked: true });
    expect(await flags("disabled")).toMatchObject({ api_key_disabled: true });
    expect(await flags("acl")).toMatchObject({ acls: ["api-key:model:*"] });
    const [one, two, other] = [await flags("ok"), await flags("no-credits"), await json(await get("/api-key"))];
    expect(one["team_id"]).toBe(two["team_id"]);
    expect(one["api_key_id"]).not.toBe(two["api_key_id"]);
    expect(one["team_id"]).not.toBe(other["team_id"]);
    expect(one["redacted_api_key"]).toBe("xai-...ta-1");
    expect((await get("/me", "xai-sim-wrong-beta-1")).status).toBe(400);
  });

  test("a team's credits and a key's temper change while it runs", async () => {
    const { respond, sim } = xai();
    const control = (path: string, change: object) =>
      fetch(`${sim.url}/__sim/xai/${path}`, { method: "POST", body: JSON.stringify(change) });
    await control("teams/alpha", { credits: "spent" });
    expect((await respond("Hi")).status).toBe(403);
    expect((await respond("Hi", {}, "xai-sim-ok-alpha-2")).status).toBe(403);
    expect((await respond("Hi", {}, "xai-sim-ok-beta-1")).status).toBe(200);
    await control("teams/alpha", { credits: "ok" });
    expect((await respond("Hi")).status).toBe(200);
    await control(`keys/${KEY}`, { kind: "wrong" });
    expect((await respond("Hi")).status).toBe(400);
    expect((await control(`keys/${KEY}`, { kind: "nonsense" })).status).toBe(400);
    expect((await control("keys/other", { kind: "ok" })).status).toBe(400);
    sim.xai.keys.change({ key: KEY, kind: "ok", scenario: "sim:echo" });
    expect(await (await respond("just this")).text()).toContain('"text":"just this"');
  });
});

describe("requests", () => {
  const refused: [string, object, number, RegExp][] = [
    ["no input", { input: undefined }, 422, /missing field `input`/],
    ["a number as input", { input: 7 }, 422, /untagged enum ModelInput/],
    ["an unknown model", { model: "grok-99" }, 400, /Model not found: grok-99/],
    ["live search", { search_parameters: { mode: "on" } }, 410, /Live search is deprecated/],
    ["effort none on a model that always reasons", { model: "grok-4.5", reasoning: { effort: "none" } }, 400, /`none`/],
    ["effort xhigh where there is none", { reasoning: { effort: "xhigh" } }, 400, /`xhigh`/],
    [
      "any effort on 4.20",
      { model: "grok-4.20-non-reasoning", reasoning: { effort: "low" } },
      400,
      /Model grok-4\.20-0309-non-reasoning does not support parameter reasoningEffort/,
    ],
    ["stop", { stop: ["x"] }, 400, /does not support parameter stop/],
    ["a penalty", { presence_penalty: 1 }, 400, /does not support parameter presencePenalty/],
    ["an empty message", { input: [{ role: "user", content: [] }] }, 400, /at least one content element/],
    ["reasoning without summary", { input: [{ type: "reasoning", id: "rs_1" }] }, 422, /missing field `summary`/],
    ["an unknown tool", { tools: [{ type: "tool_search" }] }, 422, /unknown variant `tool_search`/],
    ["a container", { tools: [{ type: "code_interpreter", container: { type: "auto" } }] }, 400, /container/],
    ["a forced server tool", { tool_choice: { type: "web_search" } }, 422, /tool_choice/],
    [
      "too many domains",
      { tools: [{ type: "web_search", filters: { allowed_domains: ["a", "b", "c", "d", "e", "f"] } }] },
      400,
      /At most 5/,
    ],
    [
      "uppercase types",
      { text: { format: { type: "json_schema", name: "x", schema: { type: "OBJECT" } } } },
      400,
      /OBJECT\\" is not a valid type/,
    ],
    [
      "parameters that are no object",
      { tools: [{ type: "function", name: "f", parameters: { anyOf: [{ properties: {} }] } }] },
      400,
      /must be of type object/,
    ],
    [
      "a tiny picture",
      { input: [{ role: "user", content: [{ type: "input_image", image_url: tinyPng() }] }] },
      400,
      /too small/,
    ],
    ["instructions beside an earlier answer", { instructions: "x", previous_response_id: "y" }, 400, /instructions/],
    ["an answer that nobody has", { previous_response_id: "nobody" }, 404, /not found/],
    ["a limit of nothing", { max_output_tokens: 0 }, 400, /max_output_tokens/],
  ];
  test.each(refused)("%s is refused", async (_, more, status, pattern) => {
    const { respond } = xai();
    const response = await respond("Hi", more);
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(pattern);
  });

  test("words refuse, too, in the stream's place and in the words of the first era", async () => {
    const { respond } = xai();
    for (const [word, status] of [
      ["moderation", 403],
      ["rate-limit", 429],
      ["capacity-200", 200],
      ["timeout-200", 200],
      ["422", 422],
      ["503", 503],
    ] as const) {
      const response = await respond(`Hi sim:${word}`, { stream: true });
      expect([word, response.status, response.headers.get("content-type")]).toEqual([word, status, "application/json"]);
    }
    const old = await respond("Hi sim:400", {}, "xai-sim-ok-old-alpha-1");
    expect(await json(old)).toMatchObject({ code: "Client specified an invalid argument" });
  });

  test("wrong methods, types and bodies", async () => {
    const { base, get, post } = xai();
    const authorization = { authorization: `Bearer ${KEY}` };
    expect((await get("/responses")).status).toBe(405);
    expect((await get("/nothing")).status).toBe(404);
    expect((await fetch(`${base}/responses`, { method: "POST", headers: authorization, body: "{}" })).status).toBe(415);
    const broken = { method: "POST", headers: { ...authorization, "content-type": "application/json" }, body: "{" };
    expect((await fetch(`${base}/responses`, broken)).status).toBe(400);
    const messages = [{ role: "user", content: "Hi" }];
    expect((await post("/chat/completions", { model: "grok-99", messages })).status).toBe(404);
    expect((await post("/chat/completions", { model: "grok-4.20-multi-agent", messages })).status).toBe(400);
    expect((await post("/chat/completions", { model: "grok-4.3", messages, web_search_options: {} })).status).toBe(410);
    const tools = Array.from({ length: 129 }, (_, index) => ({
      type: "function",
      function: { name: `f${index}`, parameters: WEATHER },
    }));
    expect((await post("/chat/completions", { model: "grok-4.3", messages, tools })).status).toBe(400);
  });
});

describe("counts", () => {
  test("calls by key and route, and the parameters that arrived", async () => {
    const { respond, get, sim } = xai();
    await respond("Hi", { temperature: 0.5, prompt_cache_key: "c" });
    await respond("Hi sim:500");
    await respond("Hi", {}, "xai-sim-wrong-beta-1");
    await get("/models");
    expect(sim.xai.counts()).toEqual([
      { key: KEY, route: "POST /xai/v1/responses", calls: 2, statuses: { 200: 1, 500: 1 } },
      { key: "xai-sim-wrong-beta-1", route: "POST /xai/v1/responses", calls: 1, statuses: { 400: 1 } },
      { key: KEY, route: "GET /xai/v1/models", calls: 1, statuses: { 200: 1 } },
    ]);
    const [first] = sim.requests();
    expect(first?.account).toBe(KEY);
    expect(Object.keys(first?.body ?? {})).toEqual(["model", "input", "temperature", "prompt_cache_key"]);
    expect(first?.headers["authorization"]).toBeUndefined();
    sim.reset();
    expect(sim.xai.counts()).toEqual([]);
  });
});

/** A PNG header that says one pixel; nobody looks further. */
function tinyPng(): string {
  const bytes = Buffer.alloc(24);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  bytes.writeUInt32BE(1, 16);
  bytes.writeUInt32BE(1, 20);
  return `data:image/png;base64,${bytes.toString("base64")}`;
}
