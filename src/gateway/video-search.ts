// Looks for a clip whose making was interrupted, with the account that was making it. Knows no job and no file.
// Invariant: nothing is begun anew; a clip that is not found within video.resume_timeout is given up.
import type { Pool } from "../accounts/pool.ts";
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { FoundClip, MediaProvider, ProviderCall } from "../providers/port.ts";

export interface SearchDeps {
  readonly pool: Pick<Pool, "credential">;
  readonly provider: Pick<MediaProvider, "findClip">;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Search {
  readonly account: string;
  readonly clipId: string;
  readonly signal: AbortSignal;
  /** Told what the clip has cost, also when it was withheld. */
  readonly charged: (costTicks: number) => void;
}

/** How often an interrupted clip is looked for. */
const LOOK_EVERY_MS = 5_000;

export const interrupted = (why: string): GatewayError =>
  new GatewayError("video_generation_failed", `The program was restarted while the job ran, and ${why}.`);

export const createClipSearch =
  ({ pool, provider, config, clock, log }: SearchDeps) =>
  async ({ account, clipId, signal, charged }: Search): Promise<{ clip: FoundClip; call: ProviderCall }> => {
    const until = clock.monotonic() + config().video.resume_timeout * 1000;
    for (;;) {
      const credential = pool.credential(account);
      if (!credential) throw interrupted("the account that was making the clip is gone");
      const call = { credential, signal, log, learn: () => {} };
      const clip = await provider.findClip(clipId, call);
      if (clip?.costTicks !== undefined) charged(clip.costTicks);
      if (clip?.withheld) {
        throw new GatewayError("content_policy_violation", "The upstream withheld the clip on content grounds.");
      }
      if (clip) return { clip, call };
      if (clock.monotonic() >= until) throw interrupted("the upstream does not have the clip");
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  };
