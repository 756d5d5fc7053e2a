// One account: the document that is stored and the rule for its state. Pure; knows neither the pool nor the upstream.
// Invariant: `transition` is the only thing that changes `status` of an existing account, and a failure that is not the
// account's fault (its code's signal is "none") leaves the account exactly as it was.
import { z } from "zod";
import type { GatewayError } from "../core/errors.ts";
import type { Tier } from "../core/models.ts";
import { isApiKey, isOwnTrouble, teamRestAfter, withModelRest } from "./api-keys.ts";
import { redact } from "../lib/log.ts";
import { deduct, emptied, emptyUntil, isQuotaKind, remainingAt, withReport, type Windows } from "./quota.ts";
import { inferTier, type QuotaKind, type QuotaReport } from "../core/quota.ts";
import { poolAfterTier } from "./pools.ts";
import type { TokenSettings } from "./settings.ts";

export type AccountStatus = "active" | "cooling" | "expired" | "disabled";
export type CooldownReason = "error" | "rate_limited" | "exhausted" | "no_credits";

/** As stored; fields that this version does not know travel along. Times are Unix milliseconds. */
export interface Account {
  readonly id: string;
  readonly token: string;
  readonly pool: string;
  readonly tier: Tier;
  /** "manual": a person said so, and no measurement changes it. */
  readonly tier_source: "inferred" | "manual";
  readonly status: AccountStatus;
  readonly cooldown_until: number | null;
  readonly cooldown_reason: CooldownReason | null;
  readonly user_id: string | null;
  /** Of a key of the official API; null for sessions and until it is known. */
  readonly team_id: string | null;
  /** Stands in the configuration, and leaves with it. */
  readonly from_config: boolean;
  /** Of a key: until when its team rests for a model, by the model's id. */
  readonly model_rests: Readonly<Record<string, number>>;
  readonly windows: Windows;
  /** Numbers of unknown age that came with an import; -1 is unknown. Windows are better news wherever there are any. */
  readonly quota: number;
  readonly heavy_quota: number;
  readonly consumed: number;
  readonly use_count: number;
  /** Consecutive refused sessions. */
  readonly fail_count: number;
  readonly created_at: number;
  readonly last_used_at: number | null;
  readonly last_fail_at: number | null;
  readonly last_fail_reason: string | null;
  readonly last_fail_code: string | null;
  readonly last_sync_at: number | null;
  readonly last_asset_clear_at: number | null;
  readonly tags: readonly string[];
  readonly note: string;
}

/** Safe to log: the token cannot be had from it. */
export const accountId = (token: string): string =>
  `acc_${new Bun.CryptoHasher("sha256").update(token).digest("hex").slice(0, 16)}`;

const time = z.number().nullable().catch(null);
const count = z.number().int().min(0).catch(0);
const amount = z.number().min(-1).catch(-1);

const windowSchema = z.looseObject({
  remaining: z.number().min(0),
  total: z.number().nullable().catch(null),
  window_seconds: z.number().positive().nullable().catch(null),
  reset_at: time,
  synced_at: z.number().catch(0),
  source: z.enum(["measured", "estimated"]).catch("estimated"),
});

/** One unreadable field costs its default, never the account. */
const accountSchema = z.looseObject({
  token: z.string().min(1),
  pool: z.string().min(1).catch("ssoBasic"),
  tier: z.enum(["basic", "super", "heavy"]).catch("basic"),
  tier_source: z.enum(["inferred", "manual"]).catch("inferred"),
  status: z.enum(["active", "cooling", "expired", "disabled"]).catch("active"),
  cooldown_until: time,
  cooldown_reason: z.enum(["error", "rate_limited", "exhausted", "no_credits"]).nullable().catch(null),
  user_id: z.string().nullable().catch(null),
  team_id: z.string().nullable().catch(null),
  from_config: z.boolean().catch(false),
  model_rests: z.record(z.string(), z.number()).catch({}),
  windows: z
    .record(z.string(), z.unknown())
    .catch({})
    .transform((windows) =>
      Object.fromEntries(
        Object.entries(windows).flatMap(([kind, value]) => {
          const window = windowSchema.safeParse(value);
          return window.success ? [[kind, window.data]] : [];
        }),
      ),
    ),
  quota: amount,
  heavy_quota: amount,
  consumed: count,
  use_count: count,
  fail_count: count,
  created_at: z.number().catch(0),
  last_used_at: time,
  last_fail_at: time,
  last_fail_reason: z.string().nullable().catch(null),
  last_fail_code: z.string().nullable().catch(null),
  last_sync_at: time,
  last_asset_clear_at: time,
  tags: z.array(z.string()).catch([]),
  note: z.string().catch(""),
});

/** Null when the document has no token, so that nobody could use it anyway. */
export const parseAccount = (body: unknown): Account | null => {
  const parsed = accountSchema.safeParse(body);
  return parsed.success ? { ...parsed.data, id: accountId(parsed.data.token) } : null;
};

export type Signal =
  | { readonly type: "served"; readonly mode: QuotaKind | null; readonly units: number }
  | { readonly type: "failed"; readonly error: GatewayError; readonly mode: QuotaKind | null; readonly model?: string }
  /** Another key of the same team has met the failure. */
  | { readonly type: "team_failed"; readonly error: GatewayError; readonly model?: string }
  | { readonly type: "client_closed" }
  /** `by` a person: whoever asks by hand may bring an expired account back. */
  | { readonly type: "quota"; readonly report: QuotaReport; readonly by: "person" | "schedule" }
  | { readonly type: "timer" }
  | { readonly type: "enable" }
  | { readonly type: "disable" }
  | { readonly type: "clear_cooldown" }
  | { readonly type: "learned"; readonly userId?: string; readonly teamId?: string };

export interface Step {
  readonly signal: Signal;
  readonly now: number;
  readonly settings: TokenSettings;
}

const AWAKE = { status: "active", cooldown_until: null, cooldown_reason: null } as const;
const UNBLEMISHED = { fail_count: 0, last_fail_at: null, last_fail_reason: null, last_fail_code: null } as const;

/** The account after the signal; the same object when nothing changed. */
export const transition = (account: Account, step: Step): Account => {
  const { signal, now } = step;
  switch (signal.type) {
    case "served":
      return served(account, { ...signal, now });
    case "failed":
      return failed(account, { ...step, signal });
    case "team_failed":
      return isOwnTrouble(signal.error) ? account : teamNews(account, { ...step, signal });
    case "client_closed":
      return { ...account, use_count: account.use_count + 1, last_used_at: now };
    case "quota":
      return synced(account, { ...signal, now });
    case "timer": {
      const over = account.status === "cooling" && (account.cooldown_until ?? 0) <= now;
      return over ? { ...account, ...AWAKE } : account;
    }
    case "enable":
      return account.status === "active" ? account : { ...account, ...AWAKE, ...UNBLEMISHED, model_rests: {} };
    case "disable":
      return account.status === "disabled" ? account : { ...account, ...AWAKE, status: "disabled" };
    case "clear_cooldown":
      return cleared(account);
    case "learned":
      return learned(account, signal);
    default:
      return signal satisfies never;
  }
};

const learned = (account: Account, { userId, teamId }: { userId?: string; teamId?: string }): Account => {
  const user_id = userId ?? account.user_id;
  const team_id = teamId ?? account.team_id;
  return account.user_id === user_id && account.team_id === team_id ? account : { ...account, user_id, team_id };
};

/** The counters after a call; without the one of the call when only its old, bygone numbers are known. */
const deducted = (windows: Windows, call: { mode: QuotaKind; units: number; now: number }): Windows => {
  const { [call.mode]: window, ...others } = windows;
  const next = window && deduct(window, call);
  return next ? { ...others, [call.mode]: next } : others;
};

const served = (account: Account, call: { mode: QuotaKind | null; units: number; now: number }): Account => {
  const { mode } = call;
  return {
    ...account,
    ...UNBLEMISHED,
    windows: mode === null ? account.windows : deducted(account.windows, { ...call, mode }),
    quota: account.quota > 0 ? Math.max(0, account.quota - call.units) : account.quota,
    consumed: account.consumed + call.units,
    use_count: account.use_count + 1,
    last_used_at: call.now,
  };
};

type Failure = Omit<Step, "signal"> & { readonly signal: Extract<Signal, { type: "failed" }> };

const failed = (account: Account, failure: Failure): Account => {
  const { error } = failure.signal;
  const signal = error.row.signal;
  if (signal === "none") return account;
  const marked: Account = {
    ...account,
    last_fail_at: failure.now,
    last_fail_code: error.code,
    last_fail_reason: reasonOf(error),
  };
  switch (signal) {
    case "error":
      return marked;
    case "suspect": {
      const fail_count = account.fail_count + 1;
      const counted = { ...marked, fail_count };
      return fail_count >= failure.settings.fail_threshold ? expired(counted) : counted;
    }
    case "dead":
      return expired(marked);
    case "rate-limited":
      return isApiKey(account) ? teamNews(marked, failure) : rateLimited(marked, failure);
    case "exhausted":
      return exhausted(marked, failure);
    case "no-credits":
    case "model-denied":
      return teamNews(marked, failure);
    default:
      return signal satisfies never;
  }
};

/** Every key of a team rests together. */
const teamNews = (
  account: Account,
  { signal, now, settings }: Omit<Step, "signal"> & { signal: { error: GatewayError; model?: string } },
): Account => {
  const cooldownMs = settings.cooldown_seconds * 1000;
  const longestMs = settings.max_retry_after_seconds * 1000;
  const rest = teamRestAfter({ error: signal.error, model: signal.model ?? null, now, cooldownMs, longestMs });
  if (rest === null) return account;
  const { model, until } = rest;
  if (model === null) return resting(account, { until, reason: "no_credits" });
  const model_rests = withModelRest(account, { model, until, now });
  return model_rests === account.model_rests ? account : { ...account, model_rests };
};

const reasonOf = (error: GatewayError): string => {
  const { upstream } = error.detail;
  const said = [upstream?.status, upstream?.code, upstream?.text].filter((part) => part !== undefined).join(" ");
  return redact(said === "" ? error.message : `${error.message} (${said})`).slice(0, 300);
};

/** What a person switched off stays off, whatever a call that was still running reports. */
const expired = (account: Account): Account =>
  account.status === "disabled" ? account : { ...account, ...AWAKE, status: "expired" };

/** Rests are never shortened by later news of a call that began before. */
const resting = (account: Account, rest: { until: number; reason: CooldownReason }): Account => {
  if (account.status === "disabled" || account.status === "expired") return account;
  const already = account.status === "cooling" ? (account.cooldown_until ?? 0) : 0;
  if (already >= rest.until) return account;
  return { ...account, status: "cooling", cooldown_until: rest.until, cooldown_reason: rest.reason };
};

const wantedWaitMs = ({ signal, settings }: Failure): number | undefined => {
  const wanted = signal.error.detail.retryAfterMs;
  return wanted === undefined || wanted <= 0 ? undefined : Math.min(wanted, settings.max_retry_after_seconds * 1000);
};

const rateLimited = (account: Account, failure: Failure): Account => {
  const { now, settings } = failure;
  const { mode } = failure.signal;
  const window = mode === null ? undefined : account.windows[mode];
  const empty = (window ? remainingAt(window, now) : account.quota) === 0;
  const seconds = empty ? settings.exhausted_cooldown_seconds : settings.cooldown_seconds;
  const until = now + Math.max(seconds * 1000, wantedWaitMs(failure) ?? 0);
  return resting(account, { until, reason: empty ? "exhausted" : "rate_limited" });
};

const exhausted = (account: Account, failure: Failure): Account => {
  const named = failure.signal.error.detail.mode;
  const mode = isQuotaKind(named) ? named : failure.signal.mode;
  if (mode === null) return rateLimited(account, failure);
  const window = emptied(account.windows[mode], {
    now: failure.now,
    resetMs: wantedWaitMs(failure),
    defaultSeconds: failure.settings.exhausted_cooldown_seconds,
  });
  return restingIfEmpty({ ...account, windows: { ...account.windows, [mode]: window } }, failure.now);
};

const restingIfEmpty = (account: Account, now: number): Account => {
  const until = emptyUntil(account, now);
  return until === null ? account : resting(account, { until, reason: "exhausted" });
};

const synced = (account: Account, news: { report: QuotaReport; by: "person" | "schedule"; now: number }): Account => {
  const told = news.report.tier ?? inferTier(news.report.windows);
  const tier = account.tier_source === "inferred" && told ? told : account.tier;
  const fresh: Account = {
    ...account,
    windows: withReport(account.windows, news),
    tier,
    pool: tier === account.tier ? account.pool : poolAfterTier(account.pool, tier),
    last_sync_at: news.now,
    // The session was accepted just now, so that earlier refusals are no longer in a row.
    fail_count: 0,
  };
  const left = Object.values(news.report.windows).some((window) => window.remaining > 0);
  if (account.status === "cooling" && left) return restingIfEmpty({ ...fresh, ...AWAKE }, news.now);
  if (account.status === "expired" && news.by === "person") {
    return restingIfEmpty({ ...fresh, ...AWAKE, ...UNBLEMISHED }, news.now);
  }
  return account.status === "active" ? restingIfEmpty(fresh, news.now) : fresh;
};

/** A person wants the account tried again at once: empty windows are forgotten, which makes them unknown. */
const cleared = (account: Account): Account => {
  const windows = Object.fromEntries(Object.entries(account.windows).filter(([, window]) => window.remaining > 0));
  const awake = account.status === "cooling" ? AWAKE : {};
  return { ...account, ...awake, model_rests: {}, windows, quota: account.quota === 0 ? -1 : account.quota };
};
