// Pictures and clips as use cases, put together: what is drawn or filmed, held back to the commit point. Knows no protocol.
import type { Pool } from "../accounts/pool.ts";
import type { Config } from "../config/schema.ts";
import type { EventBatch, GenerationStream } from "../core/events.ts";
import type { Catalogue } from "../core/models.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { MediaProvider, Provider } from "../providers/port.ts";
import { createAttempts } from "./attempts.ts";
import { commit } from "./commit.ts";
import { createDrawing, type Draw } from "./drawing.ts";
import { createFilming, type Filming } from "./filming.ts";
import type { MediaAccounts } from "./media-accounts.ts";
import type { MediaGateway } from "./media-port.ts";
import type { Pictures } from "./pictures.ts";
import type { References } from "./references.ts";

export interface MediaDeps {
  readonly pool: Pool;
  readonly provider: Pick<Provider, "resetEgress"> & MediaProvider;
  readonly catalogue: Catalogue;
  readonly accounts: MediaAccounts;
  readonly references: References;
  readonly pictures: Pictures;
  readonly sniff: (bytes: Uint8Array) => string | null;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
}

/** `draw` and `film` go without the commit point and with the progress, for use cases that tell it. */
export interface Media extends MediaGateway, Filming {
  readonly draw: Draw;
}

export const createMedia = (deps: MediaDeps): Media => {
  const { pool, provider, config, clock } = deps;
  const attempts = createAttempts({ pool, clock, config, resetEgress: provider.resetEgress });
  const draw = createDrawing({ ...deps, attempts });
  const filming = createFilming({ ...deps, attempts });
  const graceMs = (stream: boolean): number | null => (stream ? config().chat.commit_grace_seconds * 1000 : null);

  return {
    draw,
    ...filming,
    async pictures(request, context) {
      const events = withoutProgress(await draw(request, context));
      return commit(events, { graceMs: graceMs(request.stream), clock });
    },
  };
};

/** Progress is no picture: told to nobody, it must not end the time in which a failure is still an HTTP error. */
async function* withoutProgress(events: GenerationStream): GenerationStream {
  let held: EventBatch = [];
  for await (const batch of events) {
    const rest = [...held, ...batch.filter((event) => event.type !== "progress")];
    const told = rest.some((event) => event.type !== "start" && event.type !== "usage");
    held = told ? [] : rest;
    if (told) yield rest;
  }
}
