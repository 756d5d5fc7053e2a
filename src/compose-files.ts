// The part of the composition that looks after files: stored ones, those that the site keeps, and folders of earlier
// programs. Named by compose.ts alone.
import type { Audit } from "./access/audit.ts";
import type { Pool } from "./accounts/pool.ts";
import { createAssetAdmin } from "./admin/assets.ts";
import { createMediaAdmin } from "./admin/media.ts";
import { createMigration } from "./admin/migration.ts";
import type { Tasks } from "./admin/tasks.ts";
import type { LiveConfig } from "./config/live.ts";
import type { Config } from "./config/schema.ts";
import type { Clock } from "./lib/clock.ts";
import type { Log } from "./lib/log.ts";
import type { MediaLimits, MediaStore } from "./media/store.ts";
import type { RemoteAssets } from "./providers/port.ts";
import type { Documents } from "./storage/port.ts";
import { readForeignTable } from "./storage/sqlite.ts";

export interface ComposeFiles {
  /** The data folder. */
  readonly folder: string;
  readonly documents: Documents;
  readonly pool: Pool;
  readonly live: LiveConfig;
  readonly media: MediaStore;
  readonly assets: RemoteAssets;
  readonly tasks: Tasks;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
}

const MEGABYTE = 1024 * 1024;

export const mediaLimits = ({ asset, cache }: Config): MediaLimits => {
  const file = asset.max_download_mb * MEGABYTE;
  return {
    maxFileBytes: { image: file, video: file },
    maxTotalBytes: cache.limit_mb * MEGABYTE,
    minFreeBytes: cache.min_free_mb * MEGABYTE,
    autoClean: cache.enable_auto_clean,
  };
};

export const composeFiles = (given: ComposeFiles) => {
  const { folder, live, media, log } = given;
  const limitBytes = () => {
    const { autoClean, maxTotalBytes } = mediaLimits(live.current());
    return autoClean ? maxTotalBytes : null;
  };
  // A smaller limit acts at once, not with the next file.
  live.subscribe(({ changed }) => {
    if (!changed.some((key) => key.startsWith("cache."))) return;
    media.trim().catch((error: unknown) => log.error("stored media could not be trimmed", { error }));
  });
  return {
    mediaAdmin: createMediaAdmin({ ...given, store: media, limitBytes }),
    assetAdmin: createAssetAdmin({ ...given, settings: () => live.current().asset }),
    migration: createMigration({ ...given, ownFolder: folder, readTable: readForeignTable }),
  };
};
