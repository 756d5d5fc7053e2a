// The voice use case: one account of the pool lends a browser a voice session. Knows no protocol and no audio.
// Invariant: a token is asked of the upstream through a lease like everything else; chat counters are not charged for it.
import type { Pool } from "../accounts/pool.ts";
import type { Config } from "../config/schema.ts";
import { asGatewayError, GatewayError } from "../core/errors.ts";
import type { GenerationStream } from "../core/events.ts";
import { findModel } from "../core/models.ts";
import type { VoiceSession, VoiceWish } from "../core/playground.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Provider, VoiceProvider } from "../providers/port.ts";
import { createAttempts } from "./attempts.ts";
import { callFor, noteAttempt } from "./media-run.ts";
import type { CallContext } from "./port.ts";

export interface VoiceDeps {
  readonly pool: Pool;
  readonly provider: VoiceProvider & Pick<Provider, "resetEgress">;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Voice {
  /** Throws `no_token`, `upstream_error`, `voice_error`, or what stands in the way of the upstream. */
  session(wish: VoiceWish, context: CallContext): Promise<VoiceSession>;
}

/** Any account will do: what every account may use stands for the session in the pool. */
const NEED = "grok-chat-fast";
const NAME = "grok-voice";

export const createVoiceSessions = ({ pool, provider, config, clock, log }: VoiceDeps): Voice => {
  const attempts = createAttempts({ pool, clock, config, resetEgress: provider.resetEgress });
  return {
    async session(wish, context) {
      const { record, signal } = context;
      record.model = NAME;
      const model = findModel(NEED);
      if (!model) throw new GatewayError("voice_error", "No model stands for voice sessions.");
      let given: VoiceSession | null = null;
      const served = attempts({
        offers: [model],
        mayPay: record.mayPay,
        signal,
        // A session is no question: the site counts none for it (2026-02).
        units: () => 0,
        run: async function* run(lease): GenerationStream {
          record.begun++;
          try {
            given = await provider.voiceSession(wish, callFor(lease, { signal, log }));
            yield [{ type: "finish", reason: "stop", raw: null }];
          } catch (thrown) {
            const reason: unknown = signal.reason;
            const gone = signal.aborted && reason instanceof GatewayError;
            yield [{ type: "failure", error: gone ? reason : asGatewayError(thrown) }];
          }
        },
        onAttempt: noteAttempt(context),
      });
      for await (const batch of served) {
        for (const event of batch) if (event.type === "failure") throw inTerms(event.error);
      }
      if (given === null) throw new GatewayError("voice_error", "The voice session ended before it began.");
      return given;
    },
  };
};

/** The failure under the names that voice pages know. */
const inTerms = (error: GatewayError): GatewayError => {
  const { retryAfterMs } = error.detail;
  const detail = { cause: error, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  switch (error.code) {
    case "no_available_account":
    case "upstream_rate_limited":
      return new GatewayError("no_token", `No account can begin a voice session now: ${error.message}`, detail);
    case "upstream_malformed":
      return new GatewayError("upstream_error", error.message, detail);
    case "internal_error":
      return new GatewayError("voice_error", "The voice session could not be begun.", detail);
    default:
      return error;
  }
};
