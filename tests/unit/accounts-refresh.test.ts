// Asking for quotas: what each account is told to have come to, and what a failure may and may not do.
import { describe, expect, test } from "bun:test";
import { GatewayError, type ErrorCode } from "../../src/core/errors.ts";
import { accountId } from "../../src/accounts/account.ts";
import type { QuotaReport } from "../../src/core/quota.ts";
import { createRefresher, type QuotaQuestion } from "../../src/accounts/refresh.ts";
import { silentLog } from "../../src/lib/log.ts";
import { item, manualClock, newPool, settings, settle, START } from "./accounts-fixtures.ts";

const report = (remaining: number): QuotaReport => ({
  windows: { fast: { remaining, total: 30, windowSeconds: 86_400, resetAt: null } },
  tier: null,
});

const open = async (ask: (question: QuotaQuestion) => Promise<QuotaReport>, ...names: string[]) => {
  const clock = manualClock();
  const pool = newPool({ clock });
  await pool.upsert(names.map((name) => item(name)));
  const refresher = createRefresher({ pool, ask, log: silentLog, settings: () => settings });
  return { clock, pool, refresher };
};
const ids = (...names: string[]) => names.map(accountId);
const person = { by: "person" } as const;
const schedule = { by: "schedule" } as const;

describe("an answer", () => {
  test("becomes the account's windows, and its user id is learned", async () => {
    const { pool, refresher } = await open(async ({ learn }) => {
      learn({ userId: "user-1" });
      return report(12);
    }, "sim-a");
    expect(await refresher.refresh(ids("sim-a"), person)).toEqual([{ id: accountId("sim-a"), outcome: "done" }]);
    expect(pool.get(accountId("sim-a"))).toMatchObject({
      ...{ user_id: "user-1", last_sync_at: START },
      windows: { fast: { remaining: 12, total: 30, source: "measured" } },
    });
  });

  test("brings a resting account back, an expired one only for a person", async () => {
    const { pool, refresher } = await open(async () => report(5), "sim-a", "sim-b");
    const [a = "", b = ""] = ids("sim-a", "sim-b");
    pool.signal(a, { type: "failed", error: new GatewayError("upstream_rate_limited", "Slow."), mode: "fast" });
    pool.signal(b, { type: "failed", error: new GatewayError("account_blocked", "No."), mode: "fast" });
    expect(await refresher.refresh([a, b], schedule)).toEqual([
      { id: a, outcome: "done" },
      { id: b, outcome: "skipped", reason: "the account is expired" },
    ]);
    expect([pool.get(a)?.status, pool.get(b)?.status]).toEqual(["active", "expired"]);
    await refresher.refresh([b], person);
    expect(pool.get(b)).toMatchObject({ status: "active", fail_count: 0, last_fail_code: null });
  });
});

describe("a failure", () => {
  const failing = (code: ErrorCode) => open(async () => Promise.reject(new GatewayError(code, "It failed.")), "sim-a");

  test("of the session counts like any other", async () => {
    const { pool, refresher } = await failing("account_auth");
    for (let count = 1; count <= settings.fail_threshold; count++) {
      expect(pool.get(accountId("sim-a"))?.status).toBe("active");
      const [outcome] = await refresher.refresh(ids("sim-a"), person);
      expect(outcome).toMatchObject({ outcome: "failed", code: "account_auth" });
      expect(pool.get(accountId("sim-a"))?.fail_count).toBe(count);
    }
    expect(pool.get(accountId("sim-a"))?.status).toBe("expired");
  });

  test("that names the account blocked is final at once", async () => {
    const { pool, refresher } = await failing("account_blocked");
    await refresher.refresh(ids("sim-a"), schedule);
    expect(pool.get(accountId("sim-a"))?.status).toBe("expired");
  });

  const harmless: ErrorCode[] = [
    "upstream_timeout",
    "upstream_unavailable",
    "upstream_malformed",
    "egress_blocked",
    "egress_unreachable",
    "egress_rejected_signature",
    "upstream_rate_limited",
    "account_refused",
  ];
  test.each(harmless)("%s leaves the account as it was", async (code) => {
    const { pool, refresher } = await failing(code);
    const before = pool.get(accountId("sim-a"));
    expect(await refresher.refresh(ids("sim-a"), person)).toMatchObject([{ outcome: "failed", code }]);
    expect(pool.get(accountId("sim-a"))).toBe(before as NonNullable<typeof before>);
  });

  test("that nobody foresaw is internal and says nothing", async () => {
    const { refresher } = await open(async () => Promise.reject(new Error("secret detail")), "sim-a");
    const outcomes = await refresher.refresh(ids("sim-a"), person);
    expect(outcomes).toMatchObject([{ outcome: "failed", code: "internal_error" }]);
    expect(JSON.stringify(outcomes)).not.toContain("secret");
  });
});

describe("many", () => {
  const names = Array.from({ length: 20 }, (_, index) => `sim-${index}`);
  /** Answers only when told. */
  const gated = () => {
    const waiting: (() => void)[] = [];
    const asked: string[] = [];
    const ask = ({ credential }: QuotaQuestion): Promise<QuotaReport> => {
      asked.push(credential.accountId);
      return new Promise((resolve) => waiting.push(() => resolve(report(1))));
    };
    const release = async () => {
      for (const go of waiting.splice(0)) go();
      await settle();
    };
    return { ask, asked, waiting, release };
  };

  test("no more at once than allowed, each exactly once", async () => {
    const gate = gated();
    const { refresher } = await open(gate.ask, ...names);
    const run = refresher.refresh(ids(...names, ...names), { ...person, concurrency: 3 });
    let most = 0;
    while (gate.asked.length < names.length || gate.waiting.length > 0) {
      most = Math.max(most, gate.waiting.length);
      await gate.release();
    }
    expect(most).toBe(3);
    expect((await run).map(({ outcome }) => outcome)).toEqual(names.map(() => "done" as const));
    expect(gate.asked.toSorted()).toEqual(ids(...names).toSorted());
  });

  test("one question serves two who ask for the same account", async () => {
    const gate = gated();
    const { refresher } = await open(gate.ask, "sim-a");
    const runs = [refresher.refresh(ids("sim-a"), person), refresher.refresh(ids("sim-a"), person)];
    await settle();
    expect(gate.asked).toHaveLength(1);
    await gate.release();
    expect((await Promise.all(runs)).flat().map(({ outcome }) => outcome)).toEqual(["done", "done"]);
  });

  test("after a cancel the rest is skipped and says so", async () => {
    const gate = gated();
    const stop = new AbortController();
    const { refresher } = await open(gate.ask, ...names);
    const run = refresher.refresh(ids(...names), { ...person, signal: stop.signal });
    await settle();
    stop.abort();
    await gate.release();
    const outcomes = await run;
    expect(outcomes.filter(({ outcome }) => outcome === "done")).toHaveLength(settings.refresh_concurrency);
    expect(outcomes.at(-1)).toMatchObject({ outcome: "skipped", reason: "cancelled" });
    expect(gate.asked).toHaveLength(settings.refresh_concurrency);
  });

  test("an id that nobody has is skipped, a removed account too", async () => {
    const gate = gated();
    const { pool, refresher } = await open(gate.ask, "sim-a");
    const run = refresher.refresh(["acc_unknown", accountId("sim-a")], person);
    await settle();
    await pool.remove(ids("sim-a"));
    await gate.release();
    expect((await run).map(({ outcome }) => outcome)).toEqual(["skipped", "skipped"]);
  });
});
