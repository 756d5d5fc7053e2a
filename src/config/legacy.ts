// What became of names that earlier programs used for their settings: tables of data, one entry an old name.
// Knows no source of values: the same tables serve file, environment and requests. A name that is a setting today never
// needs an entry here.

export interface LegacyRule {
  /** Names today. One that this version does not have yet is reported as being without effect. */
  to: readonly string[];
  /** Undefined means that the old value asks for nothing. `read` sees the other old values of the same source. */
  convert?: (value: unknown, read: (path: string) => unknown) => unknown;
}

const renamed = (...to: string[]): LegacyRule => ({ to });

const secondsToHours = (value: unknown): unknown => (Number.isFinite(Number(value)) ? Number(value) / 3600 : value);
const opposite = (value: unknown): unknown => (typeof value === "boolean" ? !value : value);

const imageFormats: Record<string, string> = {
  grok_url: "url",
  local_url: "url",
  grok_md: "url",
  local_md: "url",
};
const plainImageFormat = (value: unknown): unknown =>
  typeof value === "string" && Object.hasOwn(imageFormats, value) ? imageFormats[value] : value;

const videoFormats: Record<string, string> = {
  grok_url: "url",
  local_url: "url",
  grok_html: "html",
  local_html: "html",
};
const plainVideoFormat = (value: unknown): unknown =>
  typeof value === "string" && Object.hasOwn(videoFormats, value) ? videoFormats[value] : value;

/** The earliest program resolved names through the proxy whatever the scheme said. */
const remoteNames = (value: unknown): unknown =>
  typeof value === "string" ? value.replace(/^\s*socks5:\/\//i, "socks5h://") : value;

const whenProxied = (value: unknown, read: (path: string) => unknown): unknown =>
  read("proxy.egress.mode") === "direct" ? undefined : value;
const whenManual = (value: unknown, read: (path: string) => unknown): unknown =>
  read("proxy.clearance.mode") === "none" ? undefined : value;

/** That mode passed over quotas and took the account with the fewest calls. */
const whenConsumed = (value: unknown): unknown => (value === true || value === "true" ? "least_used" : undefined);

const bothCaches = (_value: unknown, read: (path: string) => unknown): unknown =>
  Number(read("global.image_cache_max_size_mb") ?? 512) + Number(read("global.video_cache_max_size_mb") ?? 1024);

export const legacyRules: Readonly<Record<string, LegacyRule>> = {
  // One flat section for everything
  "grok.temporary": renamed("app.temporary"),
  "grok.disable_memory": renamed("app.disable_memory"),
  "grok.thinking": renamed("app.thinking"),
  "grok.show_thinking": renamed("app.thinking"),
  "grok.dynamic_statsig": renamed("app.dynamic_statsig"),
  "grok.x_statsig_id": renamed("app.x_statsig_id"),
  "grok.filter_tags": renamed("app.filter_tags"),
  "grok.filtered_tags": renamed("app.filter_tags"),
  "grok.api_key": renamed("app.api_key"),
  "app.function_enabled": renamed("app.public_enabled"),
  "app.function_key": renamed("app.public_key"),
  "app.webui_enabled": renamed("app.public_enabled"),
  "app.webui_key": renamed("app.public_key"),
  "grok.base_proxy_url": renamed("proxy.base_proxy_url"),
  "grok.asset_proxy_url": renamed("proxy.asset_proxy_url"),
  "grok.proxy_url": { to: ["proxy.base_proxy_url"], convert: remoteNames },
  "grok.cache_proxy_url": { to: ["proxy.asset_proxy_url"], convert: remoteNames },
  "grok.cf_clearance": renamed("proxy.cf_clearance"),
  "grok.browser": renamed("proxy.browser"),
  "grok.wreq_emulation": renamed("proxy.browser"),
  "grok.user_agent": renamed("proxy.user_agent"),
  "grok.wreq_emulation_usage": renamed("usage.browser"),
  "grok.wreq_emulation_nsfw": renamed("nsfw.browser"),
  "grok.max_retry": renamed("retry.max_retry"),
  "grok.retry_status_codes": renamed("retry.retry_status_codes"),
  "grok.retry_backoff_base": renamed("retry.retry_backoff_base"),
  "grok.retry_backoff_factor": renamed("retry.retry_backoff_factor"),
  "grok.retry_backoff_max": renamed("retry.retry_backoff_max"),
  "grok.retry_budget": renamed("retry.retry_budget"),
  "grok.timeout": renamed("chat.timeout", "voice.timeout"),
  "grok.stream_first_response_timeout": renamed("chat.timeout"),
  "grok.stream_chunk_timeout": renamed("chat.stream_timeout"),
  "grok.stream_total_timeout": renamed("chat.total_timeout"),
  "grok.stream_idle_timeout": renamed("chat.stream_timeout", "image.stream_timeout", "video.stream_timeout"),
  "grok.video_idle_timeout": renamed("video.stream_timeout"),
  "grok.image_generation_method": renamed("image.method"),
  "image.image_generation_method": renamed("image.method"),
  "grok.imagine_default_image_count": renamed("image.default_count"),
  "grok.imagine_sso_daily_limit": renamed("image.sso_daily_limit"),
  "grok.imagine_max_retries": renamed("image.max_retries"),
  "grok.image_ws_nsfw": renamed("image.nsfw"),
  "grok.image_ws_blocked_seconds": renamed("image.final_timeout"),
  "grok.image_ws_final_min_bytes": renamed("image.final_min_bytes"),
  "grok.image_ws_medium_min_bytes": renamed("image.medium_min_bytes"),
  "image.image_ws_nsfw": renamed("image.nsfw"),
  "image.image_ws_blocked_seconds": renamed("image.final_timeout"),
  "image.image_ws_final_min_bytes": renamed("image.final_min_bytes"),
  "image.image_ws_medium_min_bytes": renamed("image.medium_min_bytes"),

  // The same things under other section names
  "chat.temporary": renamed("app.temporary"),
  "chat.disable_memory": renamed("app.disable_memory"),
  "chat.thinking": renamed("app.thinking"),
  "chat.dynamic_statsig": renamed("app.dynamic_statsig"),
  "chat.filter_tags": renamed("app.filter_tags"),
  "network.base_proxy_url": renamed("proxy.base_proxy_url"),
  "network.asset_proxy_url": renamed("proxy.asset_proxy_url"),
  "network.timeout": renamed("chat.timeout", "image.timeout", "video.timeout", "voice.timeout"),
  "security.cf_clearance": renamed("proxy.cf_clearance"),
  "security.browser": renamed("proxy.browser"),
  "security.user_agent": renamed("proxy.user_agent"),
  "timeout.stream_idle_timeout": renamed("chat.stream_timeout", "image.stream_timeout", "video.stream_timeout"),
  "timeout.video_idle_timeout": renamed("video.stream_timeout"),

  // Limits of parallel work
  "performance.assets_max_concurrent": renamed(
    "asset.upload_concurrent",
    "asset.download_concurrent",
    "asset.list_concurrent",
    "asset.delete_concurrent",
  ),
  "performance.usage_max_concurrent": renamed("usage.concurrent"),
  "performance.nsfw_max_concurrent": renamed("nsfw.concurrent"),
  "batch.asset_upload_concurrency": renamed("asset.upload_concurrent"),
  "batch.asset_list_concurrency": renamed("asset.list_concurrent"),
  "batch.asset_delete_concurrency": renamed("asset.delete_concurrent"),
  "batch.nsfw_concurrency": renamed("nsfw.concurrent"),
  "batch.refresh_concurrency": renamed("usage.concurrent"),
  "token.nsfw_refresh_concurrency": renamed("nsfw.concurrent"),
  "token.nsfw_refresh_retries": renamed("nsfw.retries"),
  "token.on_demand_min_interval_sec": renamed("token.on_demand_refresh_min_interval_sec"),
  "token.on_demand_max_tokens": renamed("token.on_demand_refresh_max_tokens"),
  "token.consumed_mode_enabled": { to: ["token.strategy"], convert: whenConsumed },

  // The tree with nested sections
  "features.temporary": renamed("app.temporary"),
  "features.memory": { to: ["app.disable_memory"], convert: opposite },
  "features.thinking": renamed("app.thinking"),
  "features.dynamic_statsig": renamed("app.dynamic_statsig"),
  "features.custom_instruction": renamed("app.custom_instruction"),
  "features.image_format": { to: ["app.image_format"], convert: plainImageFormat },
  "features.video_format": { to: ["app.video_format"], convert: plainVideoFormat },
  "features.enable_nsfw": renamed("image.nsfw"),
  "logging.file_level": renamed("server.log_level"),
  "logging.max_files": renamed("log.max_files"),
  "proxy.egress.proxy_url": { to: ["proxy.base_proxy_url"], convert: whenProxied },
  "proxy.egress.resource_proxy_url": { to: ["proxy.asset_proxy_url"], convert: whenProxied },
  "proxy.egress.skip_ssl_verify": renamed("proxy.skip_proxy_ssl_verify"),
  "proxy.clearance.cf_cookies": { to: ["proxy.cf_cookies"], convert: whenManual },
  "proxy.clearance.user_agent": { to: ["proxy.user_agent"], convert: whenManual },
  "proxy.clearance.browser": { to: ["proxy.browser"], convert: whenManual },
  "retry.max_retries": renamed("retry.max_retry"),
  "retry.on_codes": renamed("retry.retry_status_codes"),
  "account.refresh.enabled": renamed("token.auto_refresh"),
  "account.refresh.basic_interval_sec": { to: ["token.refresh_interval_hours"], convert: secondsToHours },
  "account.refresh.super_interval_sec": { to: ["token.super_refresh_interval_hours"], convert: secondsToHours },
  "account.refresh.usage_concurrency": renamed("token.refresh_concurrency"),
  "account.refresh.on_demand_min_interval_sec": renamed("token.on_demand_refresh_min_interval_sec"),
  "account.selection.max_inflight": renamed("token.max_inflight"),

  // setting.toml
  "global.base_url": renamed("app.app_url"),
  "global.log_level": renamed("server.log_level"),
  "global.image_mode": renamed("app.image_format"),
  "global.admin_username": renamed("app.admin_username"),
  "global.admin_password": renamed("app.app_key"),
  "global.image_cache_max_size_mb": { to: ["cache.limit_mb"], convert: bothCaches },
  "global.video_cache_max_size_mb": { to: ["cache.limit_mb"], convert: bothCaches },
};

const isFinal = "a moderation verdict is final here and is never tried again";
const noSolver = "the program solves no challenges; set proxy.cf_clearance or proxy.cf_cookies by hand";
const noStreamDefault = "a request without `stream` is answered whole, as the API's specification says";
const admission = "server.max_streams limits the requests served at the same time";
const noPool = "one proxy is used; set proxy.base_proxy_url";
const noBatch = "work on many accounts is divided by concurrency alone";
const noWorkers = "one process writes the database, in short transactions";

/** Old names that have no successor, each with the reason that the log line gives. */
export const ignoredKeys: Readonly<Record<string, string>> = {
  "app.stream": noStreamDefault,
  "grok.stream": noStreamDefault,
  "chat.stream": noStreamDefault,
  "features.stream": noStreamDefault,
  "grok.imagine_blocked_retry": isFinal,
  "image.blocked_grace_seconds": isFinal,
  "image.blocked_parallel_attempts": isFinal,
  "image.blocked_parallel_enabled": isFinal,
  "proxy.enabled": noSolver,
  "proxy.flaresolverr_url": noSolver,
  "proxy.refresh_interval": noSolver,
  "proxy.timeout": noSolver,
  "proxy.clearance.mode": "the cookies under proxy are used as they are set",
  "proxy.clearance.flaresolverr_url": noSolver,
  "proxy.clearance.timeout_sec": noSolver,
  "proxy.clearance.refresh_interval": noSolver,
  "proxy.egress.mode": "an empty proxy.base_proxy_url means no proxy",
  "proxy.egress.proxy_pool": noPool,
  "proxy.egress.resource_proxy_pool": noPool,
  "grok.proxy_pool_url": noPool,
  "grok.proxy_pool_interval": noPool,
  "chat.concurrent": admission,
  "global.max_request_concurrency": admission,
  "performance.media_max_concurrent": admission,
  "global.max_upload_concurrency": "asset.upload_concurrent limits uploads",
  "global.batch_save_interval": "token.save_delay_ms sets how long changes are collected",
  "global.batch_save_threshold": "token.save_delay_ms sets how long changes are collected",
  "token.usage_flush_interval_sec": "token.save_delay_ms sets how long changes are collected",
  "token.reload_interval_sec": noWorkers,
  "features.auto_chat_mode_fallback": "the model that was asked for is the one that answers",
  "usage.batch_size": noBatch,
  "nsfw.batch_size": noBatch,
  "asset.list_batch_size": noBatch,
  "asset.delete_batch_size": noBatch,
  "performance.assets_delete_batch_size": noBatch,
  "performance.assets_batch_size": noBatch,
  "performance.admin_assets_batch_size": noBatch,
  "performance.usage_batch_size": noBatch,
  "performance.nsfw_batch_size": noBatch,
  "performance.assets_max_tokens": noBatch,
  "performance.usage_max_tokens": noBatch,
  "performance.nsfw_max_tokens": noBatch,
};

/** Keys of earlier programs that this version has no use for yet. One that becomes a setting is found in the schema first. */
export const formerKeys: ReadonlySet<string> = new Set(
  Object.entries({
    grok: "video_poster_preview",
    features: "thinking_summary show_search_sources imagine_public_image_proxy",
    log: "max_file_size_mb max_files log_health_requests log_all_requests request_slow_ms",
    cache: "keep_base64_cache local.image_max_mb local.video_max_mb",
    "account.refresh": "heavy_interval_sec",
    image: "max_retries",
    imagine_fast: "n size response_format",
    video: "enable_public_asset upscale_timing",
  }).flatMap(([section, names]) => names.split(" ").map((name) => `${section}.${name}`)),
);

const oneDatabase = "this program keeps its data in one SQLite file in its data folder";

/** Variables of earlier programs that name no setting; `harmless` values deserve no line. */
export const envNotes: Readonly<Record<string, { reason: string; harmless: readonly string[] }>> = {
  SERVER_WORKERS: { reason: "one process serves everything", harmless: ["1"] },
  SERVER_STORAGE_TYPE: { reason: oneDatabase, harmless: ["local", "sqlite"] },
  SERVER_STORAGE_URL: { reason: oneDatabase, harmless: [] },
  ACCOUNT_STORAGE: { reason: oneDatabase, harmless: ["local", "sqlite"] },
  ACCOUNT_LOCAL_PATH: { reason: oneDatabase, harmless: [] },
  ACCOUNT_REDIS_URL: { reason: oneDatabase, harmless: [] },
  ACCOUNT_MYSQL_URL: { reason: oneDatabase, harmless: [] },
  ACCOUNT_POSTGRESQL_URL: { reason: oneDatabase, harmless: [] },
  STORAGE_MODE: { reason: oneDatabase, harmless: ["file"] },
  FLARESOLVERR_URL: { reason: noSolver, harmless: [] },
};
