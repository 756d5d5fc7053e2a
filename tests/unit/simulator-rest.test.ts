import { afterEach, describe, expect, test } from "bun:test";
import {
  NEW,
  PNG,
  chat,
  cookies,
  get,
  inside,
  post,
  read,
  simulator,
  stopSimulators,
  upload,
} from "./simulator-client.ts";
import type { Json } from "./simulator-client.ts";
import type { Simulator } from "../../src/simulator/server.ts";

afterEach(stopSimulators);

describe("accounts", () => {
  const tempers: [string, number, RegExp][] = [
    ["sim-dead", 401, /"code":16/],
    ["sim-dead-403", 403, /"code":16/],
    ["sim-blocked", 403, /"error":\{"code":7,"message":"User is blocked/],
    ["sim-blocked-bare-1", 403, /^\{"code":7,"message":"User is blocked/],
    ["sim-limited", 429, /Too many requests/],
    ["sim-limited-usage", 429, /usage limit/],
    ["sim-overloaded-1", 429, /heavy usage/],
    ["sim-challenge", 403, /challenge-platform/],
    ["sim-challenge-empty-1", 403, /^$/],
    ["sim-antibot", 403, /anti-bot/],
    ["sim-outdated", 403, /out of date/],
    ["sim-forbidden", 403, /policy/],
    ["sim-region", 403, /^This service is not available/],
    ["sim-region-451", 451, /^This service is not available/],
    ["sim-5xx", 502, /<html>/],
    ["sim-empty-pool", 429, /"code":8/],
    ["unknown-token", 401, /"code":16/],
    ["sim-nosocket-1", 200, /modelResponse/],
  ];
  test.each(tempers)("%s answers %i", async (token, status, pattern) => {
    const sim = simulator();
    const response = await chat(sim, "Hi", { token });
    expect(response.status).toBe(status);
    expect(response.headers.get("cf-mitigated")).toBe(token.startsWith("sim-challenge") ? "challenge" : null);
    expect(await response.text()).toMatch(pattern);
    expect(sim.stats().open.total).toBe(0);
  });

  test("cut, flaky, and anti-bot once", async () => {
    const sim = simulator();
    expect(await chat(sim, "Hi", { token: "sim-down" }).catch((error: { code: string }) => error.code)).toBe(
      "ECONNRESET",
    );
    for (const [token, first] of [
      ["sim-flaky", 500],
      ["sim-antibot-once-1", 403],
    ] as const) {
      expect((await chat(sim, "Hi", { token })).status).toBe(first);
      expect((await chat(sim, "Hi", { token })).status).toBe(200);
    }
  });

  test("sessions", async () => {
    const sim = simulator();
    const session = async (token: string): Promise<Json> =>
      (await (await get(sim, "/api/auth/session", { token })).json()) as Json;
    const alive = await session("sim-basic-1");
    expect(alive["status"]).toBe("authenticated");
    expect((alive["session"] as Json)["userId"]).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(await session("sim-basic-1")).toEqual(alive);
    expect((await session("sim-dead"))["status"]).toBe("unauthenticated");
    expect((await session("nobody"))["status"]).toBe("unauthenticated");
    expect((await session("sim-blocked"))["status"]).toBe("blocked");
  });

  test("quotas by tier, spent by calls, empty at the end", async () => {
    const sim = simulator();
    const limits = async (token: string, modelName: string): Promise<{ status: number; body: Json }> => {
      const response = await post(sim, "/rest/rate-limits", { modelName }, { token });
      return { status: response.status, body: (await response.json()) as Json };
    };
    expect((await limits("sim-basic-1", "fast")).body).toEqual({
      windowSizeSeconds: 86_400,
      remainingQueries: 30,
      totalQueries: 30,
      lowEffortRateLimits: null,
      highEffortRateLimits: null,
    });
    expect((await limits("sim-super-1", "auto")).body).toMatchObject({ totalQueries: 50, windowSizeSeconds: 7_200 });
    expect((await limits("sim-heavy-1", "heavy")).body).toMatchObject({ totalQueries: 20 });
    expect((await limits("sim-basic-1", "heavy")).status).toBe(404);
    for (let call = 0; call < 30; call++) await (await chat(sim, "sim:echo", { token: "sim-basic-1" })).text();
    const empty = (await limits("sim-basic-1", "fast")).body;
    expect(empty["remainingQueries"]).toBe(0);
    expect(Number(empty["waitTimeSeconds"])).toBeGreaterThan(86_000);
    expect((await chat(sim, "Hi", { token: "sim-basic-1" })).status).toBe(429);
    expect((await post(sim, NEW, { modeId: "auto", message: "Hi" }, { token: "sim-basic-1" })).status).toBe(200);
  });

  test("five thousand accounts on demand", async () => {
    const sim = simulator();
    const ask = (index: number): Promise<Response> =>
      post(sim, "/rest/rate-limits", { modelName: "fast" }, { token: `sim-super-n${index}` });
    for (let start = 0; start < 5000; start += 100) {
      const answers = await Promise.all(Array.from({ length: 100 }, (_, offset) => ask(start + offset)));
      expect(answers.every((answer) => answer.status === 200)).toBe(true);
    }
    expect(new Set(sim.accounts().map((account) => account.uuid)).size).toBe(5004);
  });

  test("strict signatures are asked for on signed routes only", async () => {
    const sim = simulator({ signatures: "strict" });
    const signature = Buffer.alloc(70, 7).toString("base64");
    expect((await chat(sim, "Hi")).status).toBe(403);
    expect((await chat(sim, "Hi", { headers: { "x-statsig-id": "test123" } })).status).toBe(403);
    expect((await chat(sim, "Hi", { headers: { "x-statsig-id": signature } })).status).toBe(200);
    expect((await upload(sim, PNG))["uploadId"]).toBeString();
    expect(await (await fetch(`${sim.url}/index`)).text()).toMatch(
      /<meta name="grok-site-verification" content="[A-Za-z0-9+/=]+">/,
    );
  });
});

describe("account settings", () => {
  const grpc = (sim: Simulator, call: string, hex: string): Promise<Response> =>
    fetch(`${sim.url}/auth_mgmt.AuthManagement/${call}`, {
      method: "POST",
      headers: { ...cookies("sim-basic-1"), "content-type": "application/grpc-web+proto", "x-grpc-web": "1" },
      body: Buffer.from(hex, "hex"),
    });
  const feature = Buffer.from("always_show_nsfw_content").toString("hex");
  const toggle = (on: boolean): string => `00000000200a0210${on ? "01" : "00"}121a0a18${feature}`;

  test("terms, birth date with its lock, the nsfw switch", async () => {
    const sim = simulator();
    const early = await grpc(sim, "UpdateUserFeatureControls", toggle(true));
    expect(early.headers.get("grpc-status")).toBe("9");
    expect((await grpc(sim, "SetTosAcceptedVersion", "00000000021001")).status).toBe(200);
    expect((await post(sim, "/rest/auth/set-tos-accepted", { tosVersion: 5 }, { token: "sim-basic-1" })).status).toBe(
      200,
    );
    const birth = (): Promise<Response> =>
      post(sim, "/rest/auth/set-birth-date", { birthDate: "1995-05-17T16:00:00.000Z" }, { token: "sim-basic-1" });
    expect((await birth()).status).toBe(200);
    const locked = await birth();
    expect(locked.status).toBe(429);
    expect(await locked.text()).toContain("[WKE=account:birth-date-change-limit-reached]");
    const set = await grpc(sim, "UpdateUserFeatureControls", toggle(true));
    expect(Buffer.from(await set.arrayBuffer()).toString("latin1")).toContain("grpc-status: 0\r\n");
    const account = sim.accounts().find((one) => one.name === "sim-basic-1");
    expect(account?.flags).toMatchObject({ tos: true, nsfw: true, birthDate: "1995-05-17T16:00:00.000Z" });
    await grpc(sim, "UpdateUserFeatureControls", toggle(false));
    expect(account?.flags.nsfw).toBe(false);
    expect((await grpc(sim, "UpdateUserFeatureControls", "0000000003ffffff")).headers.get("grpc-status")).toBe("3");
  });

  test("voice token", async () => {
    const sim = simulator();
    const payload = { sessionPayload: JSON.stringify({ voice: "ara" }), livekitUrl: "wss://livekit.grok.com" };
    const answer = (await (await post(sim, "/rest/livekit/tokens", payload)).json()) as { token: string };
    expect(answer.token.split(".")).toHaveLength(3);
    expect((await post(sim, "/rest/livekit/tokens", { sessionPayload: { voice: "ara" } })).status).toBe(400);
  });
});

describe("control", () => {
  test("requests are journalled without secrets", async () => {
    const sim = simulator({ accounts: [{ name: "mine", token: "eyJhbGciOiJIUzI1NiJ9.real.token", tier: "heavy" }] });
    await (
      await chat(sim, "Hi", {
        token: "eyJhbGciOiJIUzI1NiJ9.real.token",
        headers: { "x-statsig-id": "s", "user-agent": "UA/1", authorization: "Bearer planted" },
      })
    ).text();
    await upload(sim, PNG);
    const text = await (await fetch(`${sim.url}/__sim/requests`)).text();
    expect(text).not.toContain("eyJhbG");
    expect(text).not.toContain("planted");
    const { requests } = JSON.parse(text) as { requests: Json[] };
    expect(requests[0]).toMatchObject({
      account: "mine",
      route: `POST ${NEW}`,
      ssoTwice: true,
      cookies: ["sso", "sso-rw"],
      status: 200,
      outcome: "completed",
    });
    expect(requests[0]?.["headers"]).toMatchObject({ "x-statsig-id": "s", "user-agent": "UA/1" });
    expect(inside(requests[0], "body")["message"]).toBe("Hi");
    expect(inside(requests[1], "headers")["x-statsig-id"]).toBeUndefined();
    expect(inside(requests[1], "body")["parts"]).toMatchObject({
      file: { fileName: PNG.name, type: "image/png", size: 8 },
    });
    expect(await (await fetch(`${sim.url}/__sim/accounts`)).text()).not.toContain("eyJhbG");
  });

  test("stats, reset, changed accounts and options", async () => {
    const sim = simulator();
    await (await chat(sim, "Hi", { token: "sim-basic-1" })).text();
    await chat(sim, "Hi", { token: "sim-dead" });
    const stats = async (): Promise<Json> => (await (await fetch(`${sim.url}/__sim/stats`)).json()) as Json;
    expect(await stats()).toMatchObject({
      requests: 2,
      completed: 1,
      refused: 1,
      accounts: { "sim-basic-1": 1, "sim-dead": 1 },
      opened: { rest: 1 },
    });
    const change = (name: string, body: Json): Promise<Response> => post(sim, `/__sim/accounts/${name}`, body);
    await change("sim-basic-1", { kind: "limited" });
    expect((await chat(sim, "Hi", { token: "sim-basic-1" })).status).toBe(429);
    await change("sim-basic-1", {
      kind: "ok",
      quota: { fast: 1, auto: null, expert: { total: 9, windowSeconds: 60 } },
      scenario: "sim:json-bare",
    });
    expect((await read(await chat(sim, "Hi", { token: "sim-basic-1" }))).text).toContain("Paris");
    expect((await chat(sim, "Hi", { token: "sim-basic-1" })).status).toBe(429);
    expect((await post(sim, "/rest/rate-limits", { modelName: "auto" }, { token: "sim-basic-1" })).status).toBe(404);
    expect(
      await (await post(sim, "/rest/rate-limits", { modelName: "expert" }, { token: "sim-basic-1" })).json(),
    ).toMatchObject({ totalQueries: 9, windowSizeSeconds: 60 });
    await change("sim-super-1", { flags: { sessionDead: true } });
    expect((await chat(sim, "Hi")).status).toBe(401);
    expect((await change("sim-basic-1", { kind: "grumpy" })).status).toBe(400);
    await fetch(`${sim.url}/__sim/reset`, { method: "POST" });
    expect(await stats()).toMatchObject({ requests: 0, accounts: {} });
    expect((await chat(sim, "Hi")).status).toBe(200);
    expect((await (await fetch(`${sim.url}/__sim/scenarios`)).json()) as Json).toHaveProperty("scenarios");
    expect((await fetch(`${sim.url}/__sim/nothing`)).status).toBe(404);
    expect((await fetch(`${sim.url}/rest/nothing`, { headers: cookies("sim-super-1") })).status).toBe(404);
  });
});
