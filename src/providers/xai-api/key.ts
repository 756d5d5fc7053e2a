// What the official API tells of a key itself: whose it is and whether it is blocked. It has no counters for keys.
import { GatewayError } from "../../core/errors.ts";
import type { QuotaReport } from "../../core/quota.ts";
import { stringAt } from "../../lib/json.ts";
import type { ProviderCall } from "../port.ts";
import type { XaiClient } from "./client.ts";

const BLOCKS = [
  ["team_blocked", "The xAI team of the key is blocked."],
  ["api_key_blocked", "The API key is blocked."],
  ["api_key_disabled", "The API key is switched off at xAI."],
  // The same under the name of the other interface.
  ["disabled", "The API key is switched off at xAI."],
] as const;

export const createKeyCheck =
  (client: XaiClient) =>
  async (call: ProviderCall): Promise<QuotaReport> => {
    const about = await client.json(call, { method: "GET", path: "/api-key" });
    const teamId = stringAt(about, "team_id");
    const userId = stringAt(about, "user_id");
    if (teamId || userId) call.learn({ ...(teamId ? { teamId } : {}), ...(userId ? { userId } : {}) });
    const block = BLOCKS.find(([flag]) => about[flag] === true);
    if (block) throw new GatewayError("account_blocked", block[1], { upstream: { status: 200, code: block[0] } });
    return { windows: {}, tier: null };
  };
