// The whole route table, in the order of the documentation. Knows no handler's inside.
import type { Route } from "./context.ts";
import { adminAssetRoutes } from "./routes/admin-assets.ts";
import { adminAuditRoutes } from "./routes/admin-audit.ts";
import { adminBatchRoutes } from "./routes/admin-batch.ts";
import { adminCacheRoutes } from "./routes/admin-cache.ts";
import { adminConfigRoutes } from "./routes/admin-config.ts";
import { adminKeyLegacyRoutes } from "./routes/admin-keys-legacy.ts";
import { adminLogRoutes } from "./routes/admin-logs.ts";
import { adminReportRoutes } from "./routes/admin-reports.ts";
import { adminKeyRoutes } from "./routes/admin-keys.ts";
import { adminLegacyTokenRoutes } from "./routes/admin-legacy-tokens.ts";
import { adminLegacyRoutes } from "./routes/admin-legacy.ts";
import { adminSessionRoutes } from "./routes/admin-session.ts";
import { adminTokenBackupRoutes } from "./routes/admin-tokens-backup.ts";
import { adminTokenFlatRoutes } from "./routes/admin-tokens-flat.ts";
import { adminTokenRefreshRoutes } from "./routes/admin-tokens-refresh.ts";
import { adminTokenRowRoutes } from "./routes/admin-tokens-rows.ts";
import { adminTokenSettingsRoutes } from "./routes/admin-tokens-settings.ts";
import { adminTokenTestRoutes } from "./routes/admin-tokens-test.ts";
import { adminTokenRoutes } from "./routes/admin-tokens.ts";
import { anthropicRoutes } from "./routes/anthropic.ts";
import { fileRoutes } from "./routes/files.ts";
import { legacyCacheRoutes } from "./routes/legacy-cache.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { openaiAudioRoutes } from "./routes/openai-audio.ts";
import { openaiChatRoutes } from "./routes/openai-chat.ts";
import { openaiImageRoutes } from "./routes/openai-images.ts";
import { uploadRoutes } from "./routes/uploads.ts";
import { openaiVideoRoutes } from "./routes/openai-videos.ts";
import { openaiModelRoutes } from "./routes/openai-models.ts";
import { openaiRealtimeRoutes } from "./routes/openai-realtime.ts";
import { openaiResponsesRoutes } from "./routes/openai-responses.ts";
import { openaiStoredResponseRoutes } from "./routes/openai-stored-responses.ts";
import { pageRoutes } from "./routes/pages.ts";
import { publicApiRoutes } from "./routes/public-api.ts";
import { publicImagineSocketRoutes } from "./routes/public-imagine-socket.ts";
import { publicImagineRoutes } from "./routes/public-imagine.ts";
import { publicVideoRoutes } from "./routes/public-video.ts";
import { publicVoiceRoutes } from "./routes/public-voice.ts";
import { systemRoutes } from "./routes/system.ts";

export const ROUTES: readonly Route[] = [
  ...openaiChatRoutes,
  ...openaiResponsesRoutes,
  ...openaiStoredResponseRoutes,
  ...anthropicRoutes,
  ...openaiImageRoutes,
  ...openaiVideoRoutes,
  ...uploadRoutes,
  ...openaiAudioRoutes,
  ...openaiRealtimeRoutes,
  ...openaiModelRoutes,
  ...publicApiRoutes,
  ...publicImagineRoutes,
  ...publicImagineSocketRoutes,
  ...publicVideoRoutes,
  ...publicVoiceRoutes,
  ...fileRoutes,
  ...systemRoutes,
  ...metricsRoutes,
  ...adminSessionRoutes,
  ...adminConfigRoutes,
  ...adminTokenRoutes,
  ...adminTokenRowRoutes,
  ...adminTokenRefreshRoutes,
  ...adminTokenTestRoutes,
  ...adminTokenSettingsRoutes,
  ...adminTokenBackupRoutes,
  ...adminTokenFlatRoutes,
  ...adminLegacyRoutes,
  ...adminLegacyTokenRoutes,
  ...adminCacheRoutes,
  ...adminAssetRoutes,
  ...legacyCacheRoutes,
  ...adminBatchRoutes,
  ...adminAuditRoutes,
  ...pageRoutes,
  ...adminKeyRoutes,
  ...adminKeyLegacyRoutes,
  ...adminReportRoutes,
  ...adminLogRoutes,
];
