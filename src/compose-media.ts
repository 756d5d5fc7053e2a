// The part of the composition that draws, films and keeps files. Named by compose.ts alone.
import type { Pool } from "./accounts/pool.ts";
import type { Config } from "./config/schema.ts";
import { createAttachments } from "./gateway/attachments.ts";
import { createMediaChat } from "./gateway/media-chat.ts";
import { createMediaAccounts } from "./gateway/media-accounts.ts";
import { createMedia } from "./gateway/media.ts";
import type { Meter } from "./gateway/metered.ts";
import { createPictures } from "./gateway/pictures.ts";
import { createReferences } from "./gateway/references.ts";
import { createUploadedPictures } from "./gateway/uploaded-pictures.ts";
import { createVideoBook } from "./gateway/video-book.ts";
import { createVideoJobs } from "./gateway/video-jobs.ts";
import type { Clock } from "./lib/clock.ts";
import type { Log } from "./lib/log.ts";
import type { FetchForeign } from "./media/foreign.ts";
import { isFileName, mediaLink } from "./media/links.ts";
import { sniffBytes } from "./media/sniff.ts";
import type { MediaStore } from "./media/store.ts";
import type { GrokWeb } from "./providers/grok-web/index.ts";
import type { Documents } from "./storage/port.ts";

export interface ComposeMedia {
  readonly pool: Pool;
  readonly provider: GrokWeb;
  readonly documents: Documents;
  readonly media: MediaStore;
  readonly fetchForeign: FetchForeign;
  /** What a job costs its key. */
  readonly meter: () => Pick<Meter, "clip" | "settle">;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
}

export const composeMedia = async (given: ComposeMedia) => {
  const { pool, provider, documents, config, clock, log, media, fetchForeign } = given;
  const foreign = { config, fetchForeign, sniff: sniffBytes };
  const pictures = createPictures({
    provider,
    config,
    clock,
    keep: media.put,
    keepBody: media.putBody,
    link: mediaLink,
  });
  const accounts = createMediaAccounts(given);
  await accounts.open();
  const mediaGateway = createMedia({
    ...given,
    accounts,
    references: createReferences({ ...foreign, stored: (name) => storedPicture(media, name) }),
    pictures,
    sniff: sniffBytes,
  });
  const mediaChat = createMediaChat({ media: mediaGateway, config, clock });
  const videoJobs = createVideoJobs({
    ...{ pool, provider, config, clock, log, store: media, media: mediaGateway },
    book: createVideoBook({ documents, clock, log }),
    reserve: (request, about) => given.meter().clip(request, about),
    recorded: (record) => given.meter().settle(record),
  });
  const uploads = createUploadedPictures({ store: media, sniff: sniffBytes, link: mediaLink });
  return { mediaChat, videoJobs, uploads, attachments: createAttachments(foreign), pictures, mediaGateway };
};

/** The bytes of a picture that lies here already. */
const storedPicture = async (media: MediaStore, name: string): Promise<Uint8Array | null> => {
  const file = isFileName(name) ? await media.find("image", name) : null;
  return file ? new Uint8Array(await Bun.file(file.path).arrayBuffer()) : null;
};
