// The site's counters: one call a chat mode, one for everything that draws. Numbers and shapes as of 2026-08.
import type { Config } from "../../config/schema.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Mode } from "../../core/models.ts";
import { inferTier, type QuotaKind, type QuotaReading, type QuotaReport } from "../../core/quota.ts";
import type { Clock } from "../../lib/clock.ts";
import { numberAt, objectAt, stringAt, type JsonObject } from "../../lib/json.ts";
import type { ProviderCall } from "../port.ts";
import type { GrokClient } from "./client.ts";

const MODES: readonly Mode[] = ["auto", "fast", "expert", "heavy"];

const IMAGINE: readonly (readonly [key: string, kind: QuotaKind])[] = [
  ["image", "image"],
  ["imagePro", "image_pro"],
  ["imageEdit", "image_edit"],
  ["video", "video"],
  ["video720p", "video720p"],
];

const chatWindow = (answer: JsonObject, now: number): QuotaReading | null => {
  const remaining = numberAt(answer, "remainingQueries") ?? numberAt(answer, "remainingTokens");
  if (remaining === undefined) return null;
  const wait = numberAt(answer, "waitTimeSeconds");
  return {
    remaining,
    total: numberAt(answer, "totalQueries") ?? numberAt(answer, "totalTokens") ?? null,
    windowSeconds: numberAt(answer, "windowSizeSeconds") ?? null,
    resetAt: wait === undefined ? null : now + wait * 1000,
  };
};

const imagineWindow = (value: JsonObject): QuotaReading | null => {
  const remaining = numberAt(value, "remainingQueries");
  if (remaining === undefined) return null;
  const next = Date.parse(stringAt(value, "nextAvailableAt") ?? "");
  return {
    remaining,
    total: numberAt(value, "totalQueries") ?? null,
    windowSeconds: numberAt(value, "windowSizeSeconds") ?? null,
    resetAt: Number.isNaN(next) ? null : next,
  };
};

export const createQuota = (deps: { client: GrokClient; config: () => Config; clock: Clock }) => {
  const { client, config, clock } = deps;
  const limit = () => ({ ms: config().usage.timeout * 1000, setting: "usage.timeout" });

  const ask = (call: ProviderCall, question: { path: string; body: object; referer: string }) =>
    client.json(call, { ...question, browser: config().usage.browser, firstByte: limit(), idle: limit() });

  /** Whether a failure is about the account or the way there; a mode that is merely not offered is not. */
  const isFatal = (thrown: unknown): thrown is GatewayError =>
    thrown instanceof GatewayError && thrown.row.blame !== "upstream" && thrown.code !== "account_refused";

  return async (call: ProviderCall): Promise<QuotaReport> => {
    const windows: Partial<Record<QuotaKind, QuotaReading>> = {};
    let problem: unknown;
    for (const mode of MODES) {
      try {
        const found = chatWindow(
          await ask(call, { path: "/rest/rate-limits", body: { modelName: mode }, referer: "/" }),
          clock.now(),
        );
        if (found) windows[mode] = found;
      } catch (thrown) {
        if (isFatal(thrown)) throw thrown;
        problem = thrown;
      }
    }
    if (Object.keys(windows).length === 0 && problem) throw problem;
    try {
      const answer = await ask(call, { path: "/rest/media/imagine/quota_info", body: {}, referer: "/imagine" });
      for (const [key, kind] of IMAGINE) {
        const value = objectAt(answer, key);
        const found = value ? imagineWindow(value) : null;
        if (found) windows[kind] = found;
      }
    } catch (thrown) {
      // The drawing counters are an extra: without them the chat counters still stand.
      if (isFatal(thrown)) throw thrown;
      call.log.debug("no drawing counters", { account: call.credential.accountId });
    }
    return { windows, tier: inferTier(windows) };
  };
};
