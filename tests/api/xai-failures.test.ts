// Every way in which the official API fails, seen from four sides: how often it was asked, what the caller saw, and how the key
// and its team stand afterwards. The second key belongs to another team unless a case says otherwise.
import { describe, expect, test } from "bun:test";
import type { Account } from "../../src/accounts/account.ts";
import { startKeys, type Keys } from "../support/official-keys.ts";

const GOOD = "xai-sim-ok-beta-1";
const MODEL = "grok-4.3";

const ask = async (keys: Keys, more: { words?: string; stream?: boolean; model?: string; body?: object } = {}) => {
  const { words = "hello", stream = false, model = MODEL, body = {} } = more;
  const response = await keys.post("/v1/chat/completions", {
    model,
    stream,
    messages: [{ role: "user", content: words }],
    ...body,
  });
  const text = await response.text();
  const error =
    stream && response.status === 200 ? null : (JSON.parse(text) as { error?: Record<string, unknown> }).error;
  return { status: response.status, headers: response.headers, text, error: error ?? null };
};

type Standing = Partial<Pick<Account, "status" | "cooldown_reason" | "last_fail_code">> & {
  /** Seconds that the team rests for the model, at least and at most. */
  readonly rests?: readonly [number, number];
  /** The same for everything. */
  readonly cools?: readonly [number, number];
};

const expectStanding = (account: Account, { rests, cools, ...fields }: Standing) => {
  expect(account).toMatchObject(fields);
  const seconds = (until: number | null | undefined) => ((until ?? 0) - Date.now()) / 1000;
  const rest = seconds(account.model_rests[MODEL]);
  if (rests) {
    expect(rest).toBeGreaterThan(rests[0]);
    expect(rest).toBeLessThanOrEqual(rests[1]);
  } else expect(account.model_rests).toEqual({});
  if (cools) {
    expect(seconds(account.cooldown_until)).toBeGreaterThan(cools[0]);
    expect(seconds(account.cooldown_until)).toBeLessThanOrEqual(cools[1]);
  } else expect(account.cooldown_until).toBeNull();
};

/** A key at fault, and what its failure says of it. Another team's key serves the request; alone, the caller is told. */
const KEYS: readonly {
  readonly kind: string;
  readonly standing: Standing;
  /** Of another key of the same team. */
  readonly mate: Standing;
  readonly alone: { readonly status: number; readonly code: string };
}[] = [
  {
    kind: "no-credits",
    standing: {
      status: "cooling",
      cooldown_reason: "no_credits",
      last_fail_code: "account_no_credits",
      cools: [3000, 3600],
    },
    mate: { status: "cooling", cooldown_reason: "no_credits", cools: [3000, 3600] },
    alone: { status: 503, code: "no_available_account" },
  },
  {
    kind: "no-credits-old",
    standing: {
      status: "cooling",
      cooldown_reason: "no_credits",
      last_fail_code: "account_no_credits",
      cools: [3000, 3600],
    },
    mate: { status: "cooling", cooldown_reason: "no_credits", cools: [3000, 3600] },
    alone: { status: 503, code: "no_available_account" },
  },
  {
    kind: "rate-limited",
    standing: { status: "active", last_fail_code: "upstream_rate_limited", rests: [0, 2] },
    mate: { status: "active", rests: [0, 2] },
    alone: { status: 429, code: "upstream_rate_limited" },
  },
  {
    kind: "rate-limited-rpm",
    standing: { status: "active", last_fail_code: "upstream_rate_limited", rests: [175, 184] },
    mate: { status: "active", rests: [175, 184] },
    alone: { status: 429, code: "upstream_rate_limited" },
  },
  {
    kind: "no-model",
    standing: { status: "active", last_fail_code: "account_model_denied", rests: [1700, 1800] },
    mate: { status: "active", rests: [1700, 1800] },
    alone: { status: 404, code: "account_model_denied" },
  },
  {
    kind: "acl",
    standing: { status: "active", last_fail_code: "account_model_denied", rests: [1700, 1800] },
    // Rights are a key's own.
    mate: { status: "active" },
    alone: { status: 404, code: "account_model_denied" },
  },
];

describe.each(KEYS)("a key of the kind $kind", ({ kind, standing, mate, alone }) => {
  const bad = `xai-sim-${kind}-alpha-1`;
  const mateKey = `xai-sim-ok-alpha-2`;

  test.each([false, true])("another team's key serves, stream %p", async (stream) => {
    await using keys = await startKeys({ keys: [bad, GOOD, mateKey] });
    const answer = await ask(keys, { stream });
    expect([answer.status, answer.headers.get("x-grok2api-attempts")]).toEqual([200, "2"]);
    expect(keys.generations()).toEqual([bad, GOOD]);
    expectStanding(keys.account(bad), standing);
    expectStanding(keys.account(mateKey), { ...mate, last_fail_code: null });
    expectStanding(keys.account(GOOD), { status: "active", last_fail_code: null });
    // The team is not asked again: neither this key nor its mate.
    await ask(keys);
    expect(keys.generations()).toEqual([bad, GOOD, GOOD]);
  });

  test("alone, the caller is told and the key is left alone from then on", async () => {
    await using keys = await startKeys({ keys: [bad] });
    const first = await ask(keys);
    expect([first.status, first.error?.["code"]]).toEqual([alone.status, alone.code]);
    expect(first.text).not.toContain("alpha");
    const second = await ask(keys);
    expect(second.status).toBeGreaterThanOrEqual(400);
    expect(keys.generations()).toEqual([bad]);
  });
});

test.each(["wrong", "blocked", "disabled", "team-blocked"])("a key of the kind %s is out for good", async (kind) => {
  const bad = `xai-sim-${kind}-alpha-1`;
  await using keys = await startKeys({ keys: [bad, GOOD] });
  // Found out when its models were asked for: no caller ever waits for it.
  const answer = await ask(keys);
  expect([answer.status, keys.generations()]).toEqual([200, [GOOD]]);
  expect(keys.account(bad)).toMatchObject({
    status: "expired",
    last_fail_code: kind === "wrong" ? "account_key_invalid" : "account_blocked",
  });
});

test("a key that becomes wrong while it works is out with the first refusal, and the caller does not notice", async () => {
  const key = "xai-sim-ok-alpha-1";
  await using keys = await startKeys({ keys: [key, GOOD] });
  keys.simulator.xai.keys.change({ key, kind: "wrong" });
  const answer = await ask(keys);
  expect([answer.status, keys.generations()]).toEqual([200, [key, GOOD]]);
  expect(keys.account(key)).toMatchObject({ status: "expired", last_fail_code: "account_key_invalid" });
});

/** Faults of the request: told at once, nobody is asked twice and no key is blamed. */
test.each([
  ["sim:moderation", 400, "content_policy_violation"],
  ["sim:400", 400, "upstream_rejected"],
  ["sim:422", 400, "upstream_rejected"],
  ["sim:401", 500, "internal_error"],
] as const)("%s is final", async (words, status, code) => {
  await using keys = await startKeys({ keys: ["xai-sim-ok-alpha-1", GOOD] });
  const answer = await ask(keys, { words });
  expect([answer.status, answer.error?.["code"]]).toEqual([status, code]);
  expect(keys.generations()).toHaveLength(1);
  for (const key of ["xai-sim-ok-alpha-1", GOOD]) {
    expectStanding(keys.account(key), { status: "active", last_fail_code: null });
  }
});

/** Faults of the upstream: asked once more, and no key is blamed. */
test.each([
  ["sim:overload", 503, "upstream_unavailable"],
  ["sim:capacity-200", 503, "upstream_unavailable"],
  ["sim:timeout-200", 503, "upstream_unavailable"],
  ["sim:500", 503, "upstream_unavailable"],
  ["sim:502", 503, "upstream_unavailable"],
  ["sim:error-first", 502, "upstream_error"],
  ["sim:cut-first", 502, "upstream_error"],
] as const)("%s is tried once more", async (words, status, code) => {
  await using keys = await startKeys({ keys: ["xai-sim-ok-alpha-1", GOOD] });
  const answer = await ask(keys, { words });
  expect([answer.status, answer.error?.["code"]]).toEqual([status, code]);
  expect(keys.generations()).toHaveLength(2);
  for (const key of ["xai-sim-ok-alpha-1", GOOD]) {
    expectStanding(keys.account(key), { status: "active", last_fail_code: null });
  }
});

test("an answer that thinks and says nothing is no success", async () => {
  await using keys = await startKeys({ keys: ["xai-sim-ok-alpha-1"] });
  const answer = await ask(keys, { words: "sim:empty" });
  expect([answer.status, answer.error?.["code"]]).toEqual([502, "upstream_empty"]);
});

test.each(["capacity-once", "flaky"])("a key of the kind %s serves at the second try", async (kind) => {
  const key = `xai-sim-${kind}-alpha-1`;
  await using keys = await startKeys({ keys: [key] });
  const answer = await ask(keys);
  expect([answer.status, keys.generations()]).toEqual([200, [key, key]]);
});

test.each(["sim:cut", "sim:error-mid", "sim:failed"])(
  "%s after the first words is told inside the stream",
  async (words) => {
    await using keys = await startKeys({ keys: ["xai-sim-ok-alpha-1", GOOD] });
    const { status, text } = await ask(keys, { words, stream: true });
    expect([status, keys.generations().length]).toEqual([200, 1]);
    expect(text).toContain('"error":{');
    expect(text).not.toContain('"finish_reason":"stop"');
  },
);
