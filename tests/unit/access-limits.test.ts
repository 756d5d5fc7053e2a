import { expect, test } from "bun:test";
import { createApiKeys } from "../../src/access/api-keys.ts";
import { createAttemptLimiter } from "../../src/access/limits.ts";

const locked = (limiter: ReturnType<typeof createAttemptLimiter>, address: string): boolean =>
  limiter.lockedMs(address) > 0;

test.each([
  ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true],
  ["2001:db8:1:2::1", "2001:0db8:0001:0002:0:0:0:7", true],
  ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
  ["::1", "0:0:0:0:0:0:0:2", true],
  ["fe80::1%eth0", "fe80::2", true],
  ["::ffff:203.0.113.9", "203.0.113.9", true],
  ["203.0.113.9", "203.0.113.8", false],
])("%s and %s count as one address: %p", (one, other, same) => {
  const limiter = createAttemptLimiter({ now: () => 0 });
  for (let attempt = 0; attempt < 5; attempt++) limiter.begin(one);
  expect(locked(limiter, one)).toBe(true);
  expect(locked(limiter, other)).toBe(same);
});

test("failures are forgotten after a day", () => {
  let now = 0;
  const limiter = createAttemptLimiter({ now: () => now });
  for (let attempt = 0; attempt < 12; attempt++) limiter.begin("a");
  expect(limiter.lockedMs("a")).toBe(3_600_000);
  now = 86_400_000;
  expect(limiter.begin("a")).toBe(200);
  expect(locked(limiter, "a")).toBe(false);
});

test("a crowd of addresses does not fill the memory, and the newest are kept", () => {
  const limiter = createAttemptLimiter({ now: () => 0 });
  for (let attempt = 0; attempt < 5; attempt++) limiter.begin("first");
  for (let number = 0; number < 10_000; number++) limiter.begin(`host-${number}`);
  expect(locked(limiter, "first")).toBe(false);
  for (let attempt = 0; attempt < 4; attempt++) limiter.begin("host-9999");
  expect(locked(limiter, "host-9999")).toBe(true);
});

test("keys are read anew only when the settings are another object", () => {
  let keys: readonly string[] = ["one-key"];
  let reads = 0;
  const access = createApiKeys(() => {
    reads++;
    return keys;
  });
  expect(access.check("one-key")?.kind).toBe("key");
  expect(access.check("two-key")).toBeNull();
  expect(access.check(null)).toBeNull();
  keys = ["two-key"];
  expect(access.check("two-key")?.kind).toBe("key");
  expect(access.check("one-key")).toBeNull();
  keys = [];
  expect(access.check(null)?.kind).toBe("open");
  expect(access.open).toBe(true);
  expect(reads).toBeGreaterThan(0);
});
