// The part of the composition that the playground alone needs. Named by compose.ts alone.
import type { Pool } from "./accounts/pool.ts";
import type { Config } from "./config/schema.ts";
import type { ImagineWish } from "./core/playground.ts";
import type { GenerationRequest } from "./core/request.ts";
import type { MediaGateway } from "./gateway/media-port.ts";
import { createImagine } from "./gateway/playground-imagine.ts";
import { createPlaygroundTasks } from "./gateway/playground-tasks.ts";
import { createVoiceSessions } from "./gateway/voice.ts";
import type { Clock } from "./lib/clock.ts";
import type { Log } from "./lib/log.ts";
import type { Provider, VoiceProvider } from "./providers/port.ts";

export interface ComposePlayground {
  readonly pool: Pool;
  /** Pictures, counted for whoever asks. */
  readonly media: MediaGateway;
  readonly provider: VoiceProvider & Pick<Provider, "resetEgress">;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
}

export const composePlayground = (given: ComposePlayground) => {
  const { config, clock } = given;
  const book = { clock, maxRuns: () => config().playground.max_runs };
  return {
    imagine: createImagine(given),
    voice: createVoiceSessions(given),
    playground: {
      imagine: createPlaygroundTasks<ImagineWish>(book),
      video: createPlaygroundTasks<GenerationRequest>(book),
    },
  };
};
