import { describe, expect, test } from "bun:test";
import { createApiKeys } from "../../src/access/api-keys.ts";
import { createClientKeys, type KeyFields, newClientKey, rotatedKey, UNLIMITED } from "../../src/access/client-keys.ts";
import { createClientLimits } from "../../src/access/limits-client.ts";
import { createKeyUsage, type Want } from "../../src/access/usage.ts";
import { createAudit } from "../../src/access/audit.ts";
import { createKeyAdmin } from "../../src/admin/keys.ts";
import { GatewayError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import { createManualClock } from "../api/harness.ts";
import { rejection } from "../support/events.ts";

const fields = (more: Partial<KeyFields> = {}): KeyFields => ({ ...UNLIMITED, name: "Ann", ...more });

const refusal = (work: () => unknown): GatewayError | null => {
  try {
    work();
    return null;
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown;
    throw thrown;
  }
};

describe("requests a minute", () => {
  const setUp = (rpm: number) => {
    const clock = createManualClock();
    const limits = createClientLimits(clock);
    const { key } = newClientKey(fields({ rpm }), { nowMs: clock.now() });
    const enter = () => refusal(() => limits.enter(key, { counts: true, holds: false }));
    return { clock, limits, key, enter };
  };

  test("are never more than allowed in any minute", async () => {
    const { clock, enter } = setUp(10);
    const admitted: number[] = [];
    for (let step = 0; step < 2_000; step++) {
      if (!enter()) admitted.push(clock.monotonic());
      await clock.advance(137);
    }
    expect(admitted.length).toBeGreaterThan(30);
    for (const start of admitted) {
      expect(admitted.filter((at) => at >= start && at < start + 60_000).length).toBeLessThanOrEqual(10);
    }
  });

  test("say exactly when the next one is let in, and refused ones count for nothing", async () => {
    const { clock, enter } = setUp(2);
    enter();
    await clock.advance(10_000);
    enter();
    for (let again = 0; again < 20; again++) expect(enter()?.detail.retryAfterMs).toBe(50_000);
    await clock.advance(49_999);
    expect(enter()?.code).toBe("rate_limit_exceeded");
    await clock.advance(1);
    expect(enter()).toBeNull();
    expect(enter()?.detail.retryAfterMs).toBe(10_000);
  });

  test("a limit that was lowered meanwhile holds at once", async () => {
    const { clock, limits, key, enter } = setUp(5);
    for (let index = 0; index < 5; index++) {
      enter();
      await clock.advance(1_000);
    }
    const lowered = { ...key, rpm: 2 };
    const refused = refusal(() => limits.enter(lowered, { counts: true, holds: false }));
    // Only the last two may still be remembered: the fourth of them goes 60 s after it came.
    expect(refused?.detail.retryAfterMs).toBe(58_000);
    expect(Object.fromEntries(limits.headers(lowered))["x-ratelimit-remaining-requests"]).toBe("0");
  });

  test("forget keys that are quiet", async () => {
    const clock = createManualClock();
    const limits = createClientLimits(clock);
    const { key } = newClientKey(fields({ rpm: 1 }), { nowMs: 0 });
    for (let index = 0; index < 3_000; index++) {
      limits.enter({ ...key, id: `key_${index}` }, { counts: true, holds: true })();
      if (index % 500 === 0) await clock.advance(60_000);
    }
    expect(limits.running).toBe(0);
  });
});

test("a place is given back once, however often it is returned", () => {
  const limits = createClientLimits(createManualClock());
  const { key } = newClientKey(fields({ concurrency: 2 }), { nowMs: 0 });
  const enter = () => limits.enter(key, { counts: false, holds: true });
  const [one] = [enter(), enter()];
  expect(refusal(enter)?.code).toBe("concurrency_limit_exceeded");
  one();
  one();
  expect(limits.running).toBe(1);
  enter();
  expect(refusal(enter)?.code).toBe("concurrency_limit_exceeded");
});

const want = (more: Partial<Want> = {}): Want => ({
  model: "grok-4",
  asked: "grok-4",
  units: { chat: 1 },
  tokens: () => ({ input: 10, output: 20 }),
  ...more,
});

const setUpUsage = async (more: Partial<KeyFields> = {}, startMs = Date.UTC(2026, 7, 31, 15, 30)) => {
  const clock = createManualClock(startMs);
  const documents = createMemoryDocuments();
  const keys = createClientKeys(documents);
  const { key, secret } = newClientKey(fields(more), { nowMs: clock.now() });
  await keys.write([{ key }]);
  const deps = { documents, clock, log: silentLog, keys, offsetMinutes: () => 480 };
  const usage = createKeyUsage(deps);
  return {
    clock,
    documents,
    keys,
    key,
    secret,
    usage,
    deps,
    reserve: (holder: object, wanted = want()) => usage.reserve(holder, { key: key.id, want: wanted }),
  };
};

describe("the day's units", () => {
  test("begin anew at the operator's midnight, which the refusal names", async () => {
    const { clock, usage, reserve, key } = await setUpUsage({ chat: 2 });
    expect(usage.day).toBe("2026-08-31");
    reserve({});
    reserve({});
    const refused = refusal(() => reserve({}));
    expect(refused?.message).toBe(
      "Daily quota exceeded: chat (2 of 2 used, 1 wanted; begins anew at 2026-08-31T16:00:00.000Z).",
    );
    expect(refused?.detail).toEqual({ retryAfterMs: 30 * 60_000, shouldRetry: false });
    await clock.advance(30 * 60_000);
    expect(usage.day).toBe("2026-09-01");
    expect(refusal(() => reserve({}))).toBeNull();
    expect(usage.today(key.id)).toMatchObject({ day: "2026-09-01", month: "2026-09", chat: 1 });
  });

  test("are taken all together or not at all", async () => {
    const { usage, reserve, key } = await setUpUsage({ chat: 5, heavy: 1, image: 3 });
    reserve({}, want({ units: { chat: 1, heavy: 1 } }));
    expect(refusal(() => reserve({}, want({ units: { chat: 1, heavy: 1 } })))?.message).toContain("heavy");
    expect(usage.today(key.id)).toMatchObject({ chat: 1, heavy: 1 });
    expect(refusal(() => reserve({}, want({ units: { image: 4 } })))?.message).toContain(
      "image (0 of 3 used, 4 wanted",
    );
    expect(refusal(() => reserve({}, want({ units: { image: 3 } })))).toBeNull();
  });

  test("come back once when nothing was delivered, and not into another day", async () => {
    const { clock, usage, reserve, key } = await setUpUsage({ chat: 5 });
    const [served, refunded, late] = [{}, {}, {}];
    for (const holder of [served, refunded, late]) reserve(holder);
    usage.settle(served, { served: true, tokens: 30 });
    usage.settle(refunded, { served: false, tokens: 0 });
    usage.settle(refunded, { served: false, tokens: 0 });
    expect(usage.today(key.id)).toMatchObject({ chat: 2, tokens: 30, monthTokens: 30 });
    await clock.advance(3_600_000);
    reserve({});
    usage.settle(late, { served: false, tokens: 0 });
    expect(usage.today(key.id).chat).toBe(1);
  });
});

describe("tokens", () => {
  test("are held while requests run, and the rest can still be used", async () => {
    const { usage, reserve, key } = await setUpUsage({ dailyTokens: 100 });
    const holders = [{}, {}, {}, {}];
    for (const holder of holders.slice(0, 3)) reserve(holder);
    // 90 are held, and the last ten are enough to begin.
    expect(refusal(() => reserve(holders[3]!))).toBeNull();
    const refused = refusal(() => reserve({}));
    expect(refused?.code).toBe("rate_limit_exceeded");
    expect(refused?.detail).toEqual({ retryAfterMs: 1_000 });
    for (const holder of holders) usage.settle(holder, { served: true, tokens: 15 });
    expect(usage.today(key.id).tokens).toBe(60);
    expect(refusal(() => reserve({}))).toBeNull();
    expect(Object.fromEntries(usage.headers(key))).toEqual({
      "x-ratelimit-limit-tokens": "100",
      "x-ratelimit-remaining-tokens": "10",
      "x-ratelimit-reset-tokens": "1800s",
    });
  });

  test("that are used up say how many, and when they begin anew", async () => {
    const { usage, reserve } = await setUpUsage({ monthlyTokens: 50 }, Date.UTC(2026, 7, 30, 16));
    const holder = {};
    reserve(holder);
    usage.settle(holder, { served: true, tokens: 45 });
    const refused = refusal(() => reserve({}));
    expect(refused?.code).toBe("insufficient_quota");
    expect(refused?.message).toContain("45 of 50 used, 10 wanted; it begins anew at 2026-08-31T16:00:00.000Z");
    expect(refused?.detail).toEqual({ retryAfterMs: 86_400_000, shouldRetry: false });
  });

  test("are not counted for keys without such a limit, but booked for the display", async () => {
    const { usage, reserve, key } = await setUpUsage();
    const holder = {};
    const forbidden = () => {
      throw new Error("nobody needs this count");
    };
    reserve(holder, want({ tokens: forbidden }));
    usage.settle(holder, { served: true, tokens: 7 });
    expect(usage.today(key.id)).toMatchObject({ chat: 1, tokens: 7 });
  });

  test("0 means none", async () => {
    const { reserve } = await setUpUsage({ dailyTokens: 0 });
    expect(refusal(() => reserve({}, want({ tokens: () => ({ input: 0, output: 0 }) })))?.code).toBe(
      "insufficient_quota",
    );
  });
});

describe("what was used", () => {
  test("outlives the process", async () => {
    const { usage, reserve, key, deps } = await setUpUsage({ chat: 5 });
    const holder = {};
    reserve(holder);
    usage.settle(holder, { served: true, tokens: 30 });
    await usage.close();
    const next = createKeyUsage(deps);
    await next.load();
    expect(next.today(key.id)).toMatchObject({ chat: 1, tokens: 30, monthTokens: 30 });
    expect(next.lastUsedMs(key.id)).toBe(deps.clock.now());
    await deps.clock.advance(3_600_000);
    expect(next.today(key.id)).toMatchObject({ chat: 0, tokens: 0, monthTokens: 0 });
  });

  test("is written again after the store was away", async () => {
    const { clock, documents, keys, key } = await setUpUsage();
    let away = true;
    const flaky = {
      ...documents,
      write: (changes: Parameters<typeof documents.write>[0]) =>
        away ? Promise.reject(new Error("away")) : documents.write(changes),
    };
    const usage = createKeyUsage({ documents: flaky, clock, log: silentLog, keys, offsetMinutes: () => 0 });
    usage.reserve({}, { key: key.id, want: want() });
    await clock.advance(3_000);
    expect(await documents.list("key_usage")).toEqual([]);
    away = false;
    await clock.advance(1_500);
    expect((await documents.list("key_usage")).map(({ id }) => id)).toEqual([key.id]);
  });

  test("is forgotten with the key, also by a request that still runs", async () => {
    const { usage, reserve, keys, key, documents } = await setUpUsage();
    const holder = {};
    reserve(holder);
    await usage.flush();
    await keys.write([{ removed: key }]);
    usage.forget(key.id);
    usage.settle(holder, { served: true, tokens: 5 });
    await usage.flush();
    expect(await documents.list("key_usage")).toEqual([]);
    expect(usage.open).toBe(0);
  });
});

describe("handed-out keys", () => {
  test("close the API as soon as there is one, and stay closed while all are off", async () => {
    const documents = createMemoryDocuments();
    const keys = createClientKeys(documents);
    const clock = createManualClock();
    const api = createApiKeys(() => [], { keys, clock });
    expect(api.check(null)?.kind).toBe("open");
    const { key, secret } = newClientKey(fields({ enabled: false }), { nowMs: 0 });
    await keys.write([{ key }]);
    expect([api.open, api.check(null), api.check("sk-other")]).toEqual([false, null, null]);
    expect(refusal(() => api.check(secret))?.code).toBe("key_disabled");
  });

  test("are served from memory while the store is away, and a failed change changes nothing", async () => {
    const documents = createMemoryDocuments();
    const keys = createClientKeys(documents);
    const { key, secret } = newClientKey(fields(), { nowMs: 0 });
    await keys.write([{ key }]);
    await documents.close();
    expect((await rejection(keys.write([{ key: { ...key, name: "Ben" } }]))) instanceof Error).toBe(true);
    expect(keys.find(secret)?.name).toBe("Ann");
  });

  test("of another editor are not overwritten", async () => {
    const documents = createMemoryDocuments();
    const [one, other] = [createClientKeys(documents), createClientKeys(documents)];
    const { key } = newClientKey(fields(), { nowMs: 0 });
    await one.write([{ key }]);
    await other.load();
    await one.write([{ key: { ...key, note: "first" } }]);
    expect(await rejection(other.write([{ key: { ...key, note: "second" } }]))).toMatchObject({ code: "conflict" });
    expect(other.get(key.id)?.note).toBe("first");
  });

  test("that are rotated keep everything but the secret", () => {
    const made = newClientKey(fields({ rpm: 3 }), { nowMs: 1 });
    const next = rotatedKey(made.key, 2);
    expect(next.secret).not.toBe(made.secret);
    const { digest: _, shown: _shown, rotatedMs, ...rest } = next.key;
    expect(rotatedMs).toBe(2);
    expect(made.key).toMatchObject(rest);
  });
});

describe("taking over an earlier program's keys", () => {
  const KEY_FILE = JSON.stringify([
    { key: "sk-old-one-0001", name: "one", created_at: 1_700_000_000, is_active: true, chat_limit: 3, heavy_limit: 0 },
    { key: "sk-old-two-0002", name: "", is_active: 0, image_limit: -1, video_limit: "2" },
    { key: "sk-old-one-0001", name: "twice" },
    { name: "no key" },
    "sk-bare-text-0003",
  ]);
  const setUp = async () => {
    const { clock, documents, keys, usage } = await setUpUsage();
    const admin = createKeyAdmin({
      ...{ documents, keys, usage, clock, log: silentLog, audit: createAudit({ documents, clock }) },
      apiKeys: { isGlobal: (secret) => secret === "sk-bare-text-0003" },
      globalKeySet: () => true,
    });
    return { clock, documents, keys, usage, admin };
  };

  test("hashes the secrets, keeps the limits and tells of what it left", async () => {
    const { documents, keys, admin } = await setUp();
    const by = { id: "admin", address: "-" };
    expect(await admin.importText(KEY_FILE, by)).toEqual({
      added: 2,
      known: 1,
      problems: ["row 3 is there twice", "row 4 holds no usable key"],
    });
    expect(keys.find("sk-old-one-0001")).toMatchObject({
      ...{ name: "one", createdMs: 1_700_000_000_000, enabled: true, chat: 3, heavy: 0, image: -1, video: -1 },
    });
    expect(keys.find("sk-old-two-0002")).toMatchObject({ name: "key-0002", enabled: false, image: -1, video: 2 });
    expect(await admin.importText(KEY_FILE, by)).toMatchObject({ added: 0, known: 3 });
    const stored = JSON.stringify([await documents.list("client_keys"), await documents.list("audit")]);
    expect(stored).not.toContain("sk-old-");
    for (const text of ["{", "[]", '{"keys": 5}']) {
      expect(await rejection(admin.importText(text, by))).toBeInstanceOf(GatewayError);
    }
  });

  test("empties the files that a migration has kept, and counts on from their usage", async () => {
    const { documents, keys, usage, admin } = await setUp();
    const usageFile = {
      "2026-08-31": { "sk-old-one-0001": { chat_used: 2, image_used: 4 }, "sk-gone": { chat_used: 9 } },
      "2026-08-30": { "sk-old-one-0001": { chat_used: 3 } },
    };
    await documents.write([
      {
        collection: "imports",
        id: "u",
        body: { name: "api_key_usage.json", text: JSON.stringify(usageFile), digest: "d" },
      },
      { collection: "imports", id: "k", body: { name: "api_keys.json", text: KEY_FILE, digest: "d" } },
      { collection: "imports", id: "t", body: { name: "token.json", text: "stays" } },
    ]);
    expect(await admin.takeKept()).toMatchObject({ added: 2, known: 1 });
    const { id } = keys.find("sk-old-one-0001")!;
    expect(usage.today(id)).toMatchObject({ chat: 2, image: 4, heavy: 0 });
    const left = JSON.stringify(await documents.list("imports"));
    expect(left).not.toContain("sk-old-one");
    expect(left).toContain("stays");
    expect(await admin.takeKept()).toEqual({ added: 0, known: 0, problems: [] });
  });
});
