// Trying one account: by capability with a real call, or by its quota as the oldest pages do. Decides nothing.
// Invariant: a failed test is an answer, not an error; its body says what the upstream said.
import { CAPABILITIES, type Capability } from "../../admin/account-test.ts";
import type { TokenOutcome } from "../../admin/account-refresh.ts";
import type { TokenInfo } from "../../admin/token-info.ts";
import { type JsonObject, stringAt } from "../../lib/json.ts";
import { readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { withLegacy } from "./admin-paths.ts";
import { done, oneIn, wrong } from "./admin-tokens-body.ts";

const capabilityIn = (body: JsonObject): Capability | null => {
  const wanted = body["capability"];
  if (wanted === undefined) return null;
  const found = CAPABILITIES.find((one) => one === wanted);
  if (found) return found;
  throw wrong("capability", `'capability' must be one of ${CAPABILITIES.join(", ")}.`);
};

const testAccount = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const ref = oneIn(body);
  const capability = capabilityIn(body);
  if (capability === null) return byQuota(call, ref);
  const model = stringAt(body, "model");
  const data = await call.deps.accountTest.run({
    ...{ ref, capability, signal: call.signal },
    ...(model === undefined ? {} : { model }),
  });
  return done({ success: data.ok, data });
};

const byQuota = async (call: Call, ref: string): Promise<Response> => {
  const { accounts, accountRefresh } = call.deps;
  const { id } = accounts.get(ref);
  const { results } = await accountRefresh.now([id], { signal: call.signal });
  const [outcome] = results;
  const verdict = verdictOf(accounts.get(id), outcome);
  return done({ success: verdict.valid, data: verdict });
};

type Verdict =
  | { valid: true; remaining_queries: number; limit: number; heavy_remaining_queries?: number }
  | { valid: false; error_type: string; error_code: string | number; message: string; cooldown_remaining?: number };

const refusal = (error_type: string, error_code: string | number, message: string): Verdict => ({
  ...{ valid: false, error_type, error_code, message },
});

/** Words that the oldest pages know. */
const verdictOf = (account: TokenInfo, outcome: TokenOutcome | undefined): Verdict => {
  if (outcome?.outcome === "failed") return failedVerdict(account, outcome);
  if (outcome?.outcome !== "done") return refusal("unknown", "data_error", outcome?.reason ?? "nothing was asked");
  if (account.status === "cooling" && account.cooldown_reason !== "exhausted") return coolingVerdict(account);
  if (account.quota === 0) return refusal("exhausted", "quota_exhausted", "The account's quota is used up.");
  const limit = ["fast", "auto", "expert"].reduce((sum, kind) => sum + (account.windows[kind]?.total ?? 0), 0);
  return {
    ...{ valid: true, remaining_queries: account.quota, limit: limit === 0 ? -1 : limit },
    ...(account.heavy_quota_known ? { heavy_remaining_queries: account.heavy_quota } : {}),
  };
};

const coolingVerdict = ({ cooldown_remaining }: TokenInfo): Verdict => ({
  ...{ valid: false, error_type: "cooldown", error_code: 429, message: "The account rests.", cooldown_remaining },
});

const failedVerdict = (account: TokenInfo, { code, message }: TokenOutcome & { outcome: "failed" }): Verdict => {
  switch (code) {
    case "account_auth":
    case "account_key_invalid":
      return refusal("expired", 401, message);
    case "upstream_rate_limited":
    case "account_quota":
    case "account_no_credits":
      return { ...coolingVerdict(account), message } as Verdict;
    case "account_blocked":
    case "account_refused":
    case "egress_blocked":
    case "egress_rejected_signature":
      return refusal("blocked", 403, message);
    default:
      return refusal("unknown", "data_error", message);
  }
};

export const adminTokenTestRoutes: readonly Route[] = [
  {
    method: "POST",
    ...withLegacy("/tokens/test"),
    auth: "admin",
    summary: "Try one account: capability chat, stream, image or upload; without one its quota is asked for.",
    handle: testAccount,
  },
];
