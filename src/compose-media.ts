// The part of the composition that draws, films and keeps files. Named by compose.ts alone.
import type { Pool } from "./accounts/pool.ts";
import type { Config } from "./config/schema.ts";
import type { Catalogue } from "./core/models.ts";
import { createAttachments } from "./gateway/attachments.ts";
import type { MayUse } from "./gateway/key-access.ts";
import { createMediaChat } from "./gateway/media-chat.ts";
import { createMediaAccounts } from "./gateway/media-accounts.ts";
import { createMedia } from "./gateway/media.ts";
import type { Meter } from "./gateway/metered.ts";
import { createPictures } from "./gateway/pictures.ts";
import { createReferences } from "./gateway/references.ts";
import { createUploadedPictures } from "./gateway/uploaded-pictures.ts";
import { createVideoBook } from "./gateway/video-book.ts";
import { createVideoJobs } from "./gateway/video-jobs.ts";
import { join } from "node:path";
import type { Clock } from "./lib/clock.ts";
import type { Log } from "./lib/log.ts";
import type { FetchForeign } from "./media/foreign.ts";
import { createIncoming } from "./media/incoming.ts";
import { isFileName, type MediaKind, mediaLink } from "./media/links.ts";
import { createSignedLinks } from "./media/signed-links.ts";
import { sniffBytes } from "./media/sniff.ts";
import type { MediaStore } from "./media/store.ts";
import type { MediaProvider, Provider } from "./providers/port.ts";
import type { Documents } from "./storage/port.ts";

export interface ComposeMedia {
  /** The data folder. */
  readonly folder: string;
  readonly pool: Pool;
  readonly provider: Provider & MediaProvider;
  readonly catalogue: Catalogue;
  /** Whether a key of the official API may use a model. */
  readonly mayUse: MayUse;
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
  const links = await createSignedLinks({ documents, clock, lifeSeconds: () => config().cache.link_seconds });
  const link = (base: string, file: { kind: MediaKind; name: string }) =>
    mediaLink(base, file) + links.query(file.name);
  const pictures = createPictures({
    provider,
    config,
    clock,
    keep: media.put,
    keepBody: media.putBody,
    link,
  });
  const accounts = createMediaAccounts(given);
  await accounts.open();
  const mediaGateway = createMedia({
    ...given,
    accounts,
    references: createReferences({
      ...foreign,
      stored: async (name, query) => {
        const picture = await storedFile(media, { kind: "image", name });
        if (picture !== null) links.secondsLeft(name, query);
        return picture;
      },
    }),
    pictures,
    sniff: sniffBytes,
  });
  const mediaChat = createMediaChat({ media: mediaGateway, catalogue: given.catalogue, config, clock });
  const videoJobs = createVideoJobs({
    ...{ pool, catalogue: given.catalogue, provider, config, clock, log, store: media, media: mediaGateway },
    book: createVideoBook({ documents, clock, log }),
    clipFile: (name) => storedFile(media, { kind: "video", name }),
    reserve: (request, about) => given.meter().clip(request, about),
    recorded: (record) => given.meter().settle(record),
  });
  const uploads = createUploadedPictures({ store: media, sniff: sniffBytes, link });
  // Beside the stored files: what is kept of them is moved there.
  const incoming = createIncoming({
    directory: join(given.folder, "tmp", "incoming"),
    hasRoomFor: media.hasRoomFor,
    log,
  });
  return {
    mediaChat,
    videoJobs,
    uploads,
    incoming,
    links,
    attachments: createAttachments(foreign),
    pictures,
    mediaGateway,
  };
};

/** The bytes of a file that lies here already. */
const storedFile = async (media: MediaStore, about: { kind: MediaKind; name: string }): Promise<Blob | null> => {
  const file = isFileName(about.name) ? await media.find(about.kind, about.name) : null;
  return file ? Bun.file(file.path) : null;
};
