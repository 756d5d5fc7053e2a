import { describe, expect, test } from "bun:test";
import { createAdminAccess } from "../../src/access/admin-session.ts";
import { createAttemptLimiter } from "../../src/access/limits.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import { APP_KEY, createHarness, createManualClock, type Harness, json } from "./harness.ts";

const LOGIN = "/api/v1/admin/login";

/** Wrong passwords are answered late; the clock must move for them. */
const attempt = async (harness: Harness, init: RequestInit, address = "203.0.113.9"): Promise<Response> => {
  const pending = harness.request(LOGIN, { ...init, address });
  await harness.clock.advance(0);
  const first = await Promise.race([pending, Promise.resolve(null)]);
  if (first) return first;
  await harness.clock.advance(5_000);
  return pending;
};

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "done",
    (error: { code: string }) => error.code,
  );

const body = async (response: Response) => (await response.json()) as Record<string, unknown>;

describe("a login", () => {
  test.each([
    ["a bearer password", { method: "POST", headers: { authorization: `Bearer ${APP_KEY}` } }],
    ["a JSON password", json({ password: APP_KEY })],
    ["a JSON name and password", json({ username: "anyone", password: APP_KEY })],
    ["JSON without a content type", { method: "POST", body: JSON.stringify({ password: APP_KEY }) }],
    [
      "JSON beside an old bearer token",
      { ...json({ password: APP_KEY }), headers: { "content-type": "application/json", authorization: "Bearer old" } },
    ],
  ] as readonly [string, RequestInit][])("takes %s", async (_name, init) => {
    const harness = createHarness();
    const response = await attempt(harness, init);
    expect(response.status).toBe(200);
    const answer = await body(response);
    expect(answer).toMatchObject({ status: "success", success: true, warning: null });
    expect(answer["api_key"]).toBe(answer["token"]);
    expect(answer["token"]).toMatch(/^adm_[\w-]{43}$/);
    const token = String(answer["token"]);
    const verify = (path: string) => harness.request(path, { headers: { authorization: `Bearer ${token}` } });
    for (const path of ["/api/v1/admin/verify", "/v1/admin/verify", "/admin/api/verify"]) {
      expect((await verify(path)).status).toBe(200);
    }
    // The session is no API key.
    expect((await verify("/v1/models")).status).toBe(401);
  });

  test("checks the name only when one is set and one is given", async () => {
    const tree = { app: { app_key: APP_KEY, admin_username: "operator" } };
    const harness = createHarness({ settingsTree: tree });
    expect((await attempt(harness, json({ password: APP_KEY }))).status).toBe(200);
    expect((await attempt(harness, json({ username: "operator", password: APP_KEY }))).status).toBe(200);
    expect((await attempt(harness, json({ username: "admin", password: APP_KEY }))).status).toBe(401);
  });

  test("without a password is no attempt", async () => {
    const harness = createHarness();
    for (let round = 0; round < 10; round++) {
      const response = await attempt(harness, { method: "POST" });
      expect(response.status).toBe(401);
      expect(await body(response)).toMatchObject({ error: { code: "missing_api_key" } });
    }
  });

  test("warns of a password that everybody knows", async () => {
    const harness = createHarness({ settingsTree: { app: { app_key: "grok2api" } } });
    const response = await attempt(harness, json({ password: "grok2api" }));
    expect((await body(response))["warning"]).toContain("everybody knows");
  });
});

describe("a session", () => {
  const login = async (harness: Harness): Promise<RequestInit> => {
    const answer = await body(await attempt(harness, json({ password: APP_KEY })));
    return { headers: { authorization: `Bearer ${String(answer["token"])}` } };
  };

  test("lives for a day after its last use", async () => {
    const harness = createHarness();
    const init = await login(harness);
    for (let day = 0; day < 3; day++) {
      await harness.clock.advance(23 * 3_600_000);
      expect((await harness.request("/api/v1/admin/verify", init)).status).toBe(200);
    }
    await harness.clock.advance(24 * 3_600_000);
    expect((await harness.request("/api/v1/admin/verify", init)).status).toBe(401);
  });

  test("ends by logout and with its password", async () => {
    const harness = createHarness();
    const [one, two] = [await login(harness), await login(harness)];
    expect((await harness.request("/api/v1/admin/logout", { ...one, method: "POST" })).status).toBe(200);
    expect((await harness.request("/api/v1/admin/verify", one)).status).toBe(401);
    expect((await harness.request("/api/v1/admin/verify", two)).status).toBe(200);
    harness.config = { ...harness.config, app: { ...harness.config.app, app_key: "another long password" } };
    expect((await harness.request("/api/v1/admin/verify", two)).status).toBe(401);
  });

  test("that is over is no guess of the password", async () => {
    const harness = createHarness();
    const headers = { authorization: "Bearer adm_of-yesterday" };
    for (let round = 0; round < 20; round++) {
      const response = await harness.request("/api/v1/admin/verify", { headers, address: "203.0.113.9" });
      expect(response.status).toBe(401);
    }
    expect((await attempt(harness, json({ password: APP_KEY }))).status).toBe(200);
  });
});

describe("guessing", () => {
  const wrong = json({ password: "wrong" });
  const right = json({ password: APP_KEY });

  test("is slowed and locked by address, longer each time", async () => {
    const harness = createHarness();
    for (let failure = 1; failure <= 5; failure++) expect((await attempt(harness, wrong)).status).toBe(401);
    const locked = await attempt(harness, right);
    expect(locked.status).toBe(429);
    expect(await body(locked)).toMatchObject({ error: { code: "too_many_attempts", type: "rate_limit_error" } });
    const wait = Number(locked.headers.get("retry-after"));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(30);
    expect(locked.headers.get("x-should-retry")).toBe("false");
    expect((await attempt(harness, right, "203.0.113.10")).status).toBe(200);
    await harness.clock.advance(wait * 1000);
    expect((await attempt(harness, wrong)).status).toBe(401);
    const longer = await attempt(harness, right);
    expect(Number(longer.headers.get("retry-after"))).toBeGreaterThan(30);
    await harness.clock.advance(Number(longer.headers.get("retry-after")) * 1000);
    expect((await attempt(harness, right)).status).toBe(200);
    expect((await attempt(harness, wrong)).status).toBe(401);
    expect((await attempt(harness, right)).status).toBe(200);
  });

  test("cannot pass the count by asking all at once", async () => {
    const harness = createHarness();
    const all = Array.from({ length: 50 }, () => harness.request(LOGIN, { ...wrong, address: "203.0.113.9" }));
    await harness.clock.advance(60_000);
    const statuses = (await Promise.all(all)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(45);
  });

  test("with the password itself on another route counts as well", async () => {
    const harness = createHarness();
    const guess = async (credential: string) => {
      const headers = { authorization: `Bearer ${credential}` };
      const pending = harness.request("/api/v1/admin/config", { headers, address: "203.0.113.9" });
      await harness.clock.advance(5_000);
      return (await pending).status;
    };
    for (let failure = 0; failure < 5; failure++) expect(await guess("wrong")).toBe(401);
    expect(await guess(APP_KEY)).toBe(429);
  });

  test("is told from the address behind a trusted proxy, which a caller cannot choose", async () => {
    const harness = createHarness();
    const via = (forwarded: string) => ({
      ...wrong,
      headers: { "content-type": "application/json", "x-forwarded-for": forwarded },
    });
    for (let failure = 0; failure < 5; failure++) {
      // The caller invents the first entry; the proxy adds the last.
      await attempt(harness, via(`198.51.100.${failure}, 203.0.113.50`), "127.0.0.1");
    }
    expect((await attempt(harness, via("203.0.113.50"), "127.0.0.1")).status).toBe(429);
    expect((await attempt(harness, via("203.0.113.51"), "127.0.0.1")).status).toBe(401);
    // Without a trusted connection the header means nothing.
    for (let failure = 0; failure < 5; failure++) await attempt(harness, via(`198.51.100.${failure}`), "203.0.113.60");
    expect((await attempt(harness, via("198.51.100.99"), "203.0.113.60")).status).toBe(429);
  });

  test("leaves no password in the log", async () => {
    const harness = createHarness();
    await attempt(harness, json({ password: "planted-guess-4711" }));
    expect(JSON.stringify(harness.lines)).not.toContain("planted-guess");
  });
});

describe("the first password", () => {
  const world = (documents = createMemoryDocuments(), appKey = "") => {
    const clock = createManualClock();
    const settings = { app_key: appKey, admin_username: "" };
    const limiter = createAttemptLimiter(clock);
    return {
      documents,
      settings,
      clock,
      access: createAdminAccess({ documents, clock, settings: () => settings, limiter, log: silentLog }),
    };
  };

  test("is made once, works, and only its hash is stored", async () => {
    const { documents, access } = world();
    const { firstPassword } = await access.open();
    expect(firstPassword).toMatch(/^[A-Za-z2-9]{20}$/);
    expect(await world(documents).access.open()).toEqual({ firstPassword: null });
    const { token } = await access.login({ password: firstPassword ?? "", username: null, address: "a" });
    expect((await access.authenticate(token, "a")).kind).toBe("admin");
    expect((await access.authenticate(firstPassword ?? "", "a")).kind).toBe("admin");
    const stored = JSON.stringify([await documents.list("secrets"), await documents.list("admin-sessions")]);
    expect(stored).toContain("$argon2id$");
    expect(stored).not.toContain(firstPassword ?? "?");
    expect(stored).not.toContain(token);
  });

  test("is not made when the operator has set one", async () => {
    const { documents, access } = world(createMemoryDocuments(), "an own password");
    expect(await access.open()).toEqual({ firstPassword: null });
    expect(await documents.list("secrets")).toEqual([]);
  });

  test("is not valid while the operator's own is set", async () => {
    const { settings, access, clock } = world();
    const { firstPassword } = await access.open();
    settings.app_key = "an own password";
    const login = access.login({ password: firstPassword ?? "", username: null, address: "a" });
    const failed = codeOf(login);
    await clock.advance(5_000);
    expect(await failed).toBe("invalid_api_key");
  });

  test("is replaced by a reset from another process, which ends every session", async () => {
    const { documents, access } = world();
    const { firstPassword } = await access.open();
    const { token } = await access.login({ password: firstPassword ?? "", username: null, address: "a" });
    const made = await world(documents).access.resetPassword();
    expect(made).not.toBe(firstPassword);
    expect(await codeOf(access.authenticate(token, "a"))).toBe("invalid_api_key");
    const again = await access.login({ password: made, username: null, address: "a" });
    expect((await access.authenticate(again.token, "a")).kind).toBe("admin");
  });

  test("is not reset while the operator's own decides", async () => {
    const { access } = world(createMemoryDocuments(), "an own password");
    expect(await codeOf(access.resetPassword())).toBe("conflict");
  });
});
