// The part of the composition that reaches out: the network client, the providers as one, and the catalogue of what they serve.
// Named by compose.ts alone.
import type { Pool } from "./accounts/pool.ts";
import type { QuotaQuestion } from "./accounts/refresh.ts";
import type { Config } from "./config/schema.ts";
import { upstreamOf } from "./core/credential.ts";
import type { QuotaReport } from "./core/quota.ts";
import { createCatalogue } from "./gateway/catalogue.ts";
import { createSpeech, type SpeechDeps } from "./gateway/speech.ts";
import { createXaiModels } from "./gateway/xai-models.ts";
import type { Clock } from "./lib/clock.ts";
import type { Log } from "./lib/log.ts";
import { createByUpstream } from "./providers/by-upstream.ts";
import { createGrokWeb } from "./providers/grok-web/index.ts";
import type { ProviderCall } from "./providers/port.ts";
import { createUpstreamHttp } from "./providers/upstream-http.ts";
import { createXaiApi } from "./providers/xai-api/index.ts";
import type { Documents } from "./storage/port.ts";

export interface ComposeUpstreams {
  readonly pool: Pool;
  readonly documents: Documents;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
}

const MINUTE_MS = 60_000;

export const composeUpstreams = ({ pool, documents, config, clock, log }: ComposeUpstreams) => {
  const http = createUpstreamHttp({ clock, longestIdleMs: () => longestIdleMs(config()) });
  const grokWeb = createGrokWeb({ http, config, clock });
  const xaiApi = createXaiApi({ http, config, clock });
  const provider = createByUpstream({ web: grokWeb, xai: xaiApi });
  const xaiModels = createXaiModels({
    ...{ pool, documents, clock, log },
    ask: async (credential, signal) => {
      const learn: ProviderCall["learn"] = (facts) =>
        void pool.signal(credential.accountId, { type: "learned", ...facts });
      const call = { credential, signal, log, learn };
      // The team is needed before the first limit is met.
      if (credential.teamId === undefined) await xaiApi.quota(call);
      return xaiApi.models(call);
    },
    refreshMs: () => config().xai.models_refresh_minutes * MINUTE_MS,
  });
  const catalogue = createCatalogue({
    listed: xaiModels,
    counts: () => ({ web: pool.size - pool.keyCount, xai: pool.keyCount }),
    routing: () => config().routing,
  });
  /** What an account has left; of a key, whether it is taken and for which models. */
  const checkAccount = async (question: QuotaQuestion): Promise<QuotaReport> => {
    const report = await provider.quota({ ...question, log });
    if (upstreamOf(question.credential.token) === "xai") await xaiModels.refresh(question.credential.accountId);
    return report;
  };
  /** Keys alone speak, and every word is counted. */
  const speech = (meter: SpeechDeps["meter"]) => createSpeech({ pool, provider: xaiApi, meter, config, clock, log });
  return { http, grokWeb, xaiApi, xaiModels, catalogue, provider, checkAccount, speech };
};

/** The longest silence that any kind of answer allows. */
const longestIdleMs = ({ chat, image, video }: Config): number =>
  Math.max(chat.stream_timeout, image.timeout, image.stream_timeout, video.stream_timeout, video.upscale_timeout) *
  1000;
