// When quotas are asked for without a person: by tier and time, for new accounts, and when a request finds nobody.
import { describe, expect, test } from "bun:test";
import { GatewayError, type ErrorCode } from "../../src/core/errors.ts";
import { accountId } from "../../src/accounts/account.ts";
import type { Need, Pool } from "../../src/accounts/pool.ts";
import type { QuotaReport } from "../../src/core/quota.ts";
import { createRefresher, type QuotaQuestion } from "../../src/accounts/refresh.ts";
import { createRefreshSchedule } from "../../src/accounts/schedule.ts";
import type { TokenSettings } from "../../src/accounts/settings.ts";
import { silentLog } from "../../src/lib/log.ts";
import { HOUR, item, manualClock, model, newPool, none, settings, settle, START } from "./accounts-fixtures.ts";

const MINUTE = 60_000;
const report = (remaining: number): QuotaReport => ({
  windows: { fast: { remaining, total: 30, windowSeconds: 86_400, resetAt: null } },
  tier: null,
});

const open = (ask: (question: QuotaQuestion) => Promise<QuotaReport>, more: Partial<TokenSettings> = {}) => {
  const clock = manualClock();
  const asked: string[] = [];
  const own = { ...settings, ...more };
  const pool: Pool = newPool({ clock, settings: () => own, rescue: (resting) => schedule.wake(resting) });
  const refresher = createRefresher({
    ...{ pool, log: silentLog, settings: () => own },
    ask: (question) => {
      asked.push(question.credential.token);
      return ask(question);
    },
  });
  const schedule = createRefreshSchedule({
    ...{ pool, refresher, clock, log: silentLog, settings: () => own },
    chance: () => 0.5,
  });
  const round = async () => {
    asked.length = 0;
    await schedule.round();
    return asked.toSorted();
  };
  return { clock, pool, schedule, asked, round };
};

const resting = { status: "cooling", fields: { cooldown_until: START + 100 * HOUR, last_sync_at: START } } as const;
const synced = { fields: { last_sync_at: START } };
const need = (more: Partial<Need> = {}): Need => ({ model: model("grok-4-fast"), exclude: none, ...more });
const limit = (ms: number) => ({ signal: new AbortController().signal, ms });

describe("a round", () => {
  test("asks for resting accounts by tier, for new ones at once, and spreads the turns", async () => {
    const { clock, pool, round } = open(async () => report(0));
    await pool.upsert([
      item("sim-basic", resting),
      item("sim-super", { ...resting, pool: "ssoSuper" }),
      item("sim-known", synced),
      item("sim-new"),
      item("sim-off", { status: "disabled" }),
    ]);
    expect(await round()).toEqual(["sim-new"]);
    await clock.advance(2 * HOUR - 1);
    expect(await round()).toEqual([]);
    // A turn comes up to a tenth later than the interval, at a time that is the account's own.
    await clock.advance(12 * MINUTE + 1);
    expect(await round()).toEqual(["sim-super"]);
    await clock.advance(7 * HOUR);
    expect(await round()).toContain("sim-basic");
  });

  test("a question that failed is not repeated every minute", async () => {
    const { clock, pool, round } = open(async () => Promise.reject(new GatewayError("upstream_timeout", "Slow.")));
    await pool.upsert([item("sim-a", { ...resting, fields: { cooldown_until: START + 100 * HOUR } })]);
    expect(await round()).toEqual(["sim-a"]);
    await clock.advance(14 * MINUTE);
    expect(await round()).toEqual([]);
    await clock.advance(MINUTE);
    expect(await round()).toEqual(["sim-a"]);
  });

  const cases: [ErrorCode, number][] = [
    ["egress_blocked", 5],
    ["upstream_unavailable", 5],
    ["account_auth", 20],
  ];
  test.each(cases)("%s in a row: %i questions of 20", async (code, expected) => {
    const failing = async () => Promise.reject(new GatewayError(code, "It failed."));
    const { pool, round } = open(failing, { refresh_concurrency: 1 });
    await pool.upsert(Array.from({ length: 20 }, (_, index) => item(`sim-${index}`)));
    expect(await round()).toHaveLength(expected);
  });

  test("joins the one that runs", async () => {
    const { pool, schedule, asked } = open(async () => report(1));
    await pool.upsert([item("sim-a")]);
    expect(schedule.round()).toBe(schedule.round());
    await schedule.round();
    expect(asked).toEqual(["sim-a"]);
  });
});

describe("the background", () => {
  test("asks every minute or so while auto_refresh is on, soon after accounts came, and never after the stop", async () => {
    const own = { auto_refresh: true };
    const { clock, pool, schedule, asked } = open(async () => report(3), own);
    schedule.start();
    await pool.upsert([item("sim-a")]);
    await settle();
    await clock.advance(1000);
    await settle();
    expect(asked).toEqual(["sim-a"]);
    await pool.upsert([item("sim-b", { ...resting, fields: { cooldown_until: START + 100 * HOUR } })]);
    await settle();
    await clock.advance(1000);
    await settle();
    expect(asked).toEqual(["sim-a", "sim-b"]);
    await schedule.stop();
    await pool.upsert([item("sim-c")]);
    await clock.advance(5 * MINUTE);
    expect(asked).toEqual(["sim-a", "sim-b"]);
  });

  test("asks nobody while auto_refresh is off", async () => {
    const { clock, pool, schedule, asked } = open(async () => report(3), { auto_refresh: false });
    schedule.start();
    await pool.upsert([item("sim-a")]);
    for (let minute = 0; minute < 5; minute++) await clock.advance(MINUTE);
    expect(asked).toEqual([]);
    await schedule.stop();
  });
});

describe("a request that finds everybody resting", () => {
  test("waits for news, and is served by the account that came back", async () => {
    const { pool, asked } = open(async () => report(7));
    await pool.upsert([item("sim-a", { ...resting, fields: { cooldown_until: START + HOUR, last_sync_at: null } })]);
    const lease = await pool.waitForFree(need(), limit(2000));
    expect(lease?.credential.token).toBe("sim-a");
    expect(asked).toEqual(["sim-a"]);
    lease?.report({ kind: "served" });
  });

  test("asks the oldest first, no more than allowed, once for all who wait, and not again soon", async () => {
    const { clock, pool, asked } = open(async () => report(0), { on_demand_refresh_max_tokens: 2 });
    const asleep = (token: string, last_sync_at: number) =>
      item(token, { status: "cooling", fields: { cooldown_until: START + 50 * HOUR, last_sync_at } });
    await pool.upsert([
      asleep("sim-new", START - HOUR),
      asleep("sim-oldest", START - 3 * HOUR),
      asleep("sim-old", START - 2 * HOUR),
    ]);
    const waits = [1, 2, 3].map(() => pool.waitForFree(need(), limit(2000)));
    expect(await Promise.all(waits)).toEqual([null, null, null]);
    expect(asked).toEqual(["sim-oldest", "sim-old"]);
    await clock.advance(299_000);
    expect(await pool.waitForFree(need(), limit(2000))).toBeNull();
    expect(asked).toHaveLength(2);
    await clock.advance(1_000);
    await pool.waitForFree(need(), limit(2000));
    expect(asked).toHaveLength(4);
  });

  test("does not ask an account that has just been refused, nor one that is off or cannot serve", async () => {
    const { clock, pool, asked } = open(async () => report(5));
    await pool.upsert([item("sim-a", synced), item("sim-off", { status: "disabled" })]);
    const error = new GatewayError("upstream_rate_limited", "Slow.");
    pool.signal(accountId("sim-a"), { type: "failed", error, mode: "fast" });
    expect(await pool.waitForFree(need(), limit(2000))).toBeNull();
    expect(await pool.waitForFree(need({ model: model("grok-chat-heavy") }), limit(2000))).toBeNull();
    expect(asked).toEqual([]);
    await clock.advance(300_000);
    const lease = await pool.waitForFree(need(), limit(2000));
    expect(asked).toEqual(["sim-a"]);
    lease?.report({ kind: "unused" });
  });

  test("is refused at once where that is switched off", async () => {
    const { pool, asked } = open(async () => report(5), { on_demand_refresh_enabled: false });
    await pool.upsert([item("sim-a", { ...resting, fields: { cooldown_until: START + HOUR } })]);
    expect(await pool.waitForFree(need(), limit(2000))).toBeNull();
    expect(asked).toEqual([]);
  });

  test("waits no longer than it may", async () => {
    const never = new Promise<QuotaReport>(() => {});
    const { clock, pool } = open(async () => never);
    await pool.upsert([item("sim-a", { ...resting, fields: { cooldown_until: START + HOUR } })]);
    const waiting = pool.waitForFree(need(), limit(2000));
    await settle();
    await clock.advance(2000);
    expect(await waiting).toBeNull();
  });
});
