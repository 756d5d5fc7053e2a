// Leases, passing over, waiting and explaining: the pool as the gateway uses it.
import { describe, expect, test } from "bun:test";
import { ERROR_TABLE, GatewayError, type ErrorCode } from "../../src/core/errors.ts";
import { accountId } from "../../src/accounts/account.ts";
import type { Lease } from "../../src/accounts/leases.ts";
import type { Pool, PoolChange } from "../../src/accounts/pool.ts";
import type { Credential } from "../../src/core/credential.ts";
import type { Log } from "../../src/lib/log.ts";
import { silentLog } from "../../src/lib/log.ts";
import {
  aWindow,
  HOUR,
  item,
  manualClock,
  model,
  newPool,
  none,
  settings,
  settle,
  START,
} from "./accounts-fixtures.ts";

const grok4 = model("grok-4");
const need = (exclude: Iterable<string> = []) => ({ model: grok4, exclude: new Set(exclude) });
const failure = (code: ErrorCode, retryAfterMs?: number) =>
  ({ kind: "failed", error: new GatewayError(code, "It failed.", { retryAfterMs }) }) as const;

const filled = async (...tokens: string[]) => {
  const clock = manualClock();
  const pool = newPool({ clock });
  await pool.upsert(tokens.map((token) => item(token)));
  return { clock, pool };
};
const take = (pool: Pool, exclude: Iterable<string> = []): Lease => {
  const lease = pool.acquire(need(exclude));
  if (!lease) throw new Error("no lease");
  return lease;
};
const unused = { kind: "unused" } as const;

describe("a lease", () => {
  test("carries what a provider needs, and learns", async () => {
    const { pool } = await filled("sim-ok");
    const lease = take(pool);
    const credential: Credential = lease.credential;
    expect(credential).toEqual({ accountId: accountId("sim-ok"), token: "sim-ok", tier: "basic" });
    expect([lease.mode, lease.window]).toEqual(["fast", "fast"]);
    lease.learn({ userId: "user-1" });
    lease.report({ kind: "served" });
    expect(take(pool).credential.userId).toBe("user-1");
  });

  test("counts in flight until its one report", async () => {
    const { pool } = await filled("sim-ok");
    const leases = Array.from({ length: settings.max_inflight }, () => take(pool));
    expect(pool.inFlight(accountId("sim-ok"))).toBe(4);
    expect(pool.acquire(need())).toBeNull();
    leases[0]?.report({ kind: "served" });
    expect(pool.acquire(need())).not.toBeNull();
  });

  test("throws at a second report in tests, and logs and ignores it otherwise", async () => {
    const { pool } = await filled("sim-ok");
    const lease = take(pool);
    lease.report({ kind: "served" });
    expect(() => lease.report({ kind: "served" })).toThrow("twice");

    const errors: string[] = [];
    const log: Log = { ...silentLog, error: (message) => errors.push(message) };
    const lenient = newPool({ clock: manualClock(), log, strict: false });
    await lenient.upsert([item("sim-ok")]);
    const other = take(lenient);
    other.report({ kind: "served" });
    other.report(failure("account_blocked"));
    expect(errors).toHaveLength(1);
    expect(lenient.get(accountId("sim-ok"))).toMatchObject({ status: "active", use_count: 1 });
    expect(lenient.inFlight(accountId("sim-ok"))).toBe(0);
  });

  test("spends what the call costs from the counter of its kind", async () => {
    const clock = manualClock();
    const pool = newPool({ clock });
    const windows = { fast: aWindow(20), image_pro: aWindow(4) };
    await pool.upsert([item("sim-ok", { fields: { windows } })]);
    const left = () => {
      const held = pool.get(accountId("sim-ok"))?.windows;
      return [held?.fast?.remaining, held?.image_pro?.remaining];
    };
    pool.acquire({ model: grok4, exclude: none })?.report({ kind: "served" });
    expect(left()).toEqual([19, 4]);
    pool.acquire({ model: model("grok-4-expert"), exclude: none })?.report({ kind: "served" });
    expect(left()).toEqual([15, 4]);
    pool.acquire({ model: model("grok-imagine-image-2.0"), exclude: none })?.report({ kind: "served", units: 3 });
    expect(left()).toEqual([15, 1]);
    pool.acquire({ model: grok4, exclude: none, window: "video720p" })?.report({ kind: "served" });
    expect(left()).toEqual([15, 1]);
  });

  test("of a removed account ends quietly", async () => {
    const { pool } = await filled("sim-ok", "sim-two");
    const lease = take(pool);
    await pool.remove([lease.credential.accountId]);
    lease.report(failure("account_blocked"));
    expect(pool.size).toBe(1);
    expect(pool.all()[0]?.status).toBe("active");
    expect(pool.inFlight(accountId("sim-two"))).toBe(0);
  });

  test("goes to the sticky account while that can serve", async () => {
    const { pool } = await filled("sim-a", "sim-b", "sim-c");
    const sticky = accountId("sim-b");
    for (let count = 0; count < 3; count++) {
      const lease = pool.acquire({ ...need(), sticky });
      expect(lease?.credential.accountId).toBe(sticky);
      lease?.report({ kind: "served" });
    }
    await pool.disable([sticky]);
    expect(pool.acquire({ ...need(), sticky })?.credential.accountId).not.toBe(sticky);
  });

  test("for one account only is never on another", async () => {
    const { pool } = await filled("sim-a", "sim-b");
    const only = accountId("sim-b");
    expect(pool.acquire({ ...need(), only })?.credential.accountId).toBe(only);
    await pool.disable([only]);
    expect(pool.acquire({ ...need(), only })).toBeNull();
    expect(pool.acquire({ ...need(), only: "acc_unknown" })).toBeNull();
  });
});

describe("passing over", () => {
  test("an account that failed is left out of the next five selections", async () => {
    const { pool } = await filled("sim-a", "sim-b");
    const bad = take(pool);
    bad.report(failure("account_refused"));
    const chosen: boolean[] = [];
    for (let count = 0; count < 7; count++) {
      const lease = take(pool);
      chosen.push(lease.credential.accountId === bad.credential.accountId);
      lease.report(unused);
    }
    expect(chosen.slice(0, 5)).toEqual([false, false, false, false, false]);
    expect(chosen.slice(5)).toContain(true);
    expect(pool.get(bad.credential.accountId)).toMatchObject({ status: "active", fail_count: 0 });
  });

  test("the last account that could serve is not withheld", async () => {
    const { pool } = await filled("sim-a");
    take(pool).report(failure("account_refused"));
    expect(pool.acquire(need())).not.toBeNull();
  });

  test("a success, and a person's clearing, end it", async () => {
    const { pool } = await filled("sim-a", "sim-b");
    const bad = take(pool);
    const { accountId: id } = bad.credential;
    bad.report(failure("account_auth"));
    await pool.clearCooldown([id]);
    expect(pool.acquire({ ...need(), sticky: id })?.credential.accountId).toBe(id);
  });

  test("failures that are not the account's do not pass it over", async () => {
    const { pool } = await filled("sim-a", "sim-b");
    for (const code of ["egress_blocked", "upstream_timeout", "content_policy_violation"] as const) {
      const lease = take(pool);
      lease.report(failure(code));
      const again = take(pool);
      expect(again.credential.accountId).toBe(lease.credential.accountId);
      again.report(unused);
    }
  });
});

/** One request as the gateway runs it: on to another account as long as the table says so. */
const request = (pool: Pool, code: ErrorCode): number => {
  const tried = new Set<string>();
  for (;;) {
    const lease = pool.acquire(need(tried));
    if (!lease) return tried.size;
    tried.add(lease.credential.accountId);
    lease.report(failure(code));
    if (ERROR_TABLE[code].retry !== "other-account") return tried.size;
  }
};

describe("one request", () => {
  const tokens = Array.from({ length: 26 }, (_, index) => `sim-${index}`);

  test("with an unknown 403 touches one account and rests none", async () => {
    const { pool } = await filled(...tokens);
    expect(request(pool, "account_refused")).toBe(1);
    const touched = pool.all().filter(({ last_fail_at }) => last_fail_at !== null);
    expect(touched).toHaveLength(1);
    expect(pool.list({}).counts.status).toEqual({ active: 26, cooling: 0, expired: 0, disabled: 0 });
  });

  test("with a 429 everywhere rests all of them, each for its own time, and expires none", async () => {
    const { pool } = await filled(...tokens);
    expect(request(pool, "upstream_rate_limited")).toBe(26);
    expect(pool.list({}).counts.status).toEqual({ active: 0, cooling: 26, expired: 0, disabled: 0 });
  });
});

describe("when none can be had", () => {
  test("an empty pool and one that is off are 503", async () => {
    const { pool } = await filled();
    expect(pool.explainEmpty(need())).toMatchObject({ code: "no_available_account", retryAfterMs: null });
    await pool.upsert([item("sim-a"), item("sim-b", { status: "expired" })]);
    await pool.disable([accountId("sim-a")]);
    const answer = pool.explainEmpty(need());
    expect(answer).toMatchObject({ code: "no_available_account", retryAfterMs: null });
    expect(answer.message).toContain("1 expired, 1 disabled");
    expect(answer.message).not.toContain("sim-");
  });

  test("a tier that nobody has is 503", async () => {
    const { pool } = await filled("sim-a");
    const answer = pool.explainEmpty({ model: model("grok-chat-heavy"), exclude: none });
    expect(answer).toMatchObject({ code: "no_available_account", retryAfterMs: null });
    expect(answer.message).toContain("1 of a lower tier");
  });

  test("all resting or used up is 429 with the first end", async () => {
    const clock = manualClock();
    const pool = newPool({ clock });
    const windows = { fast: aWindow(0, { reset_at: START + 20 * 60_000 }) };
    await pool.upsert([item("sim-a"), item("sim-b", { fields: { windows } }), item("sim-c", { status: "expired" })]);
    take(pool).report(failure("upstream_rate_limited"));
    const answer = pool.explainEmpty(need());
    expect(answer).toMatchObject({ code: "upstream_rate_limited", retryAfterMs: 20 * 60_000 });
    expect(answer.message).toContain("1 cooling, 1 exhausted, 1 expired");
    expect(pool.acquire(need())).toBeNull();
    await clock.advance(20 * 60_000);
    expect(take(pool).credential.token).toBe("sim-b");
  });

  test("merely busy is 503 with a short wait", async () => {
    const { pool } = await filled("sim-a");
    for (let count = 0; count < settings.max_inflight; count++) take(pool);
    expect(pool.explainEmpty(need())).toMatchObject({ code: "no_available_account", retryAfterMs: 1000 });
  });
});

describe("a rest", () => {
  test("ends by time at the next selection", async () => {
    const { pool, clock } = await filled("sim-a");
    take(pool).report(failure("upstream_rate_limited"));
    await clock.advance(HOUR - 1);
    expect(pool.acquire(need())).toBeNull();
    await clock.advance(1);
    take(pool);
    expect(pool.all()[0]).toMatchObject({ status: "active", cooldown_until: null });
  });

  test("ends by the tick without any request, and tells whoever listens", async () => {
    const { pool, clock } = await filled("sim-a");
    take(pool).report(failure("upstream_rate_limited"));
    const changes: PoolChange[] = [];
    const stop = pool.subscribe((change) => changes.push(change));
    pool.tick();
    expect(changes).toEqual([]);
    await clock.advance(HOUR);
    pool.tick();
    expect(changes).toEqual([{ kind: "changed", id: accountId("sim-a"), status: "active", before: "cooling" }]);
    stop();
    await pool.remove([accountId("sim-a")]);
    expect(changes).toHaveLength(1);
  });

  test("is lifted by a person at once", async () => {
    const { pool } = await filled("sim-a");
    take(pool).report(failure("account_quota"));
    expect(pool.acquire(need())).toBeNull();
    await pool.clearCooldown([accountId("sim-a")]);
    expect(pool.acquire(need())).not.toBeNull();
  });
});

describe("waiting for a busy account", () => {
  const busy = async () => {
    const { pool, clock } = await filled("sim-a");
    const leases = Array.from({ length: settings.max_inflight }, () => take(pool));
    return { pool, clock, leases };
  };
  const limit = (ms = 2000) => ({ signal: new AbortController().signal, ms });

  test("is served in order as places become free", async () => {
    const { pool, leases } = await busy();
    const order: string[] = [];
    const waits = ["first", "second"].map((name) =>
      pool.waitForFree(need(), limit()).then((lease) => {
        order.push(name);
        return lease;
      }),
    );
    await settle();
    leases[0]?.report({ kind: "served" });
    await settle();
    expect(order).toEqual(["first"]);
    expect(pool.inFlight(accountId("sim-a"))).toBe(4);
    leases[1]?.report({ kind: "served" });
    expect((await Promise.all(waits)).every((lease) => lease !== null)).toBe(true);
  });

  test("ends with nothing after its time", async () => {
    const { pool, clock } = await busy();
    const wait = pool.waitForFree(need(), limit());
    await settle();
    await clock.advance(2000);
    expect(await wait).toBeNull();
    expect(pool.inFlight(accountId("sim-a"))).toBe(4);
  });

  test("ends with the client, and its place is not lost", async () => {
    const { pool, leases } = await busy();
    const client = new AbortController();
    const wait = pool.waitForFree(need(), { signal: client.signal, ms: 2000 });
    const next = pool.waitForFree(need(), limit());
    await settle();
    leases[0]?.report({ kind: "served" });
    client.abort(new Error("left"));
    expect(await wait.catch((thrown: unknown) => thrown)).toEqual(new Error("left"));
    expect(await next).not.toBeNull();
    expect(pool.inFlight(accountId("sim-a"))).toBe(4);
  });

  test("does not begin when waiting cannot help", async () => {
    const { pool } = await filled("sim-a");
    await pool.disable([accountId("sim-a")]);
    expect(await pool.waitForFree(need(), limit(60_000))).toBeNull();
  });

  test("is over when somebody adds an account", async () => {
    const { pool } = await busy();
    const wait = pool.waitForFree(need(), limit());
    await settle();
    await pool.upsert([item("sim-b")]);
    expect((await wait)?.credential.token).toBe("sim-b");
  });
});
