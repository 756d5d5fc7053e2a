// Calls to grok.com's hosts with one account's session: addresses, headers, egress, limits and the reading of refusals.
// Knows no chat and no picture; those files say what to ask. Owns the edge's cookies that the upstream rotates.
import type { Config } from "../../config/schema.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { parseObject, type JsonObject } from "../../lib/json.ts";
import type { ProviderCall } from "../port.ts";
import type { Limit } from "../body-guard.ts";
import type { Egress, UpstreamHttp, UpstreamResponse, UpstreamSocket } from "../upstream-port.ts";
import { classifyAnswer } from "./failures.ts";
import { GRPC_CONTENT_TYPE, GRPC_HEADERS } from "./grpc-web.ts";
import { cookieLine, downloadHeaders, restHeaders, socketHeaders, type HeaderSettings } from "./headers.ts";
import type { UploadForm } from "./upload-form.ts";

/** Error bodies are short; more of a challenge page is of no use. */
const ERROR_BODY_LIMIT = 64 * 1024;
/** JSON answers other than streams. */
const ANSWER_LIMIT = 8 * 1024 * 1024;

export interface SiteRequest {
  readonly method?: "GET" | "POST" | "DELETE";
  /** Path on the site, or an absolute address. */
  readonly path: string;
  readonly body?: object;
  /** A form instead of a body in JSON. */
  readonly form?: UploadForm;
  /** A framed gRPC-web message instead of a body in JSON. */
  readonly frame?: Uint8Array<ArrayBuffer>;
  /** Another host of the upstream; it gets none of the site's edge cookies (2026-08). */
  readonly origin?: string;
  /** Another browser profile than that of all other calls; empty is none. */
  readonly browser?: string;
  readonly referer?: string;
  readonly signed?: boolean;
  /** Which counter a refusal is about. */
  readonly mode?: string;
  readonly firstByte: Limit;
  readonly idle: Limit;
}

export interface GrokClient {
  /** The open response of a 2xx answer; anything else becomes a GatewayError. */
  open(call: ProviderCall, request: SiteRequest): Promise<UpstreamResponse>;
  json(call: ProviderCall, request: SiteRequest): Promise<JsonObject>;
  /** A file of the assets host or of the public media hosts. */
  download(
    call: ProviderCall,
    url: string,
    maxBytes: number,
  ): Promise<{ bytes: Uint8Array<ArrayBuffer>; mime: string }>;
  /** The same, unread. */
  openFile(call: ProviderCall, url: string): Promise<UpstreamResponse>;
  socket(call: ProviderCall, path: string, limits: { handshake: Limit; idle: Limit }): Promise<UpstreamSocket>;
  /** New connections from now on, for an edge that has taken a dislike to the old ones. */
  reset(): void;
  warmUp(): Promise<void>;
}

/** Hosts that files may come from beside the configured one (observed 2026-08). */
const PUBLIC_MEDIA_HOSTS = new Set(["imagine-public.x.ai", "imgen.x.ai", "assets.grok.com"]);

/** Cookies that the edge renews by itself; others are the account's and stay out. */
const EDGE_COOKIE = /^(cf_clearance|__cf_bm|_cfuvid)=([^;]*)/;

const normaliseClearance = (value: string): string => {
  const bare = value.replace(/\s/g, "").replace(/^cf_clearance=/, "");
  return bare ? `cf_clearance=${bare}` : "";
};

export const createGrokClient = (deps: { http: UpstreamHttp; config: () => Config; clock: Clock }): GrokClient => {
  const { http, config, clock } = deps;
  const rotated = new Map<string, string>();
  let configuredCookies = "";

  /** The operator's edge cookies, overlaid by what the edge has renewed since; the operator's change starts over. */
  const edgeCookies = (): string => {
    const { proxy } = config();
    const configured = proxy.cf_cookies.trim() || normaliseClearance(proxy.cf_clearance);
    if (configured !== configuredCookies) {
      configuredCookies = configured;
      rotated.clear();
    }
    if (rotated.size === 0) return configured;
    const kept = configured.split(/;\s*/).filter((pair) => pair && !rotated.has(pair.split("=")[0] ?? ""));
    return [...kept, ...[...rotated].map(([name, value]) => `${name}=${value}`)].join("; ");
  };
  const remember = (response: UpstreamResponse) => {
    for (const line of response.setCookies) {
      const match = EDGE_COOKIE.exec(line);
      if (match?.[1] && match[2]) rotated.set(match[1], match[2]);
    }
  };

  const settings = (): HeaderSettings => {
    const { app, proxy } = config();
    return {
      userAgent: proxy.user_agent,
      dynamicStatsig: app.dynamic_statsig,
      statsigId: app.x_statsig_id,
      edgeCookies: edgeCookies(),
    };
  };
  const egress = (kind: "base" | "asset" = "base", browser = ""): Egress => {
    const { grok, proxy } = config();
    const url = (kind === "asset" ? proxy.asset_proxy_url || proxy.base_proxy_url : proxy.base_proxy_url) || null;
    return {
      client: grok.http_client,
      proxy: url,
      browser: browser || proxy.browser,
      insecure: grok.insecure || (url !== null && proxy.skip_proxy_ssl_verify),
    };
  };
  const base = () => config().grok.base_url.replace(/\/$/, "");

  const refuse = async (response: UpstreamResponse, mode?: string): Promise<never> => {
    const body = await response.text(ERROR_BODY_LIMIT).catch(() => "");
    throw classifyAnswer({
      status: response.status,
      body,
      contentType: response.header("content-type"),
      server: response.header("cf-mitigated") ? "cloudflare" : response.header("server"),
      retryAfter: response.header("retry-after"),
      now: clock.now(),
      ...(mode ? { mode } : {}),
    });
  };

  const open: GrokClient["open"] = async (call, request) => {
    const site = request.origin ?? base();
    const headers = settings();
    const url = request.path.startsWith("http") ? request.path : `${site}${request.path}`;
    const json = request.body ? JSON.stringify(request.body) : undefined;
    const body = request.frame ?? request.form?.body ?? json;
    const plainType = request.form?.contentType ?? (json === undefined ? null : "application/json");
    const response = await http.request({
      method: request.method ?? "POST",
      url,
      headers: [
        ...restHeaders(headers, {
          origin: site,
          referer: `${site}${request.referer ?? "/"}`,
          cookie: cookieLine(call.credential.token, request.origin === undefined ? headers.edgeCookies : ""),
          contentType: request.frame ? GRPC_CONTENT_TYPE : plainType,
          signed: request.signed ?? true,
        }),
        ...(request.frame ? GRPC_HEADERS : []),
      ],
      ...(body === undefined ? {} : { body }),
      egress: egress("base", request.browser),
      signal: call.signal,
      firstByte: request.firstByte,
      idle: request.idle,
    });
    if (request.origin === undefined) remember(response);
    if (response.status < 200 || response.status > 299) return refuse(response, request.mode);
    return response;
  };

  const json: GrokClient["json"] = async (call, request) => {
    const response = await open(call, request);
    const found = parseObject(await response.text(ANSWER_LIMIT));
    if (!found) throw new GatewayError("upstream_malformed", "The upstream's answer is not a JSON object.");
    return found;
  };

  const openFile: GrokClient["openFile"] = async (call, url) => {
    const { grok, asset } = config();
    const own = new URL(grok.assets_url);
    const target = new URL(url);
    const isOwn = target.origin === own.origin;
    if (!isOwn && !(target.protocol === "https:" && PUBLIC_MEDIA_HOSTS.has(target.host))) {
      throw new GatewayError("upstream_malformed", "The upstream linked a file on a host that is not its own.");
    }
    const headers = settings();
    const limit: Limit = { ms: asset.download_timeout * 1000, setting: "asset.download_timeout" };
    const response = await http.request({
      method: "GET",
      url,
      // Only the private host gets the session.
      headers: downloadHeaders(
        headers,
        base(),
        isOwn ? cookieLine(call.credential.token, headers.edgeCookies) : headers.edgeCookies,
      ),
      egress: egress("asset"),
      signal: call.signal,
      firstByte: limit,
      idle: limit,
    });
    return response.status === 200 ? response : refuse(response);
  };

  const download: GrokClient["download"] = async (call, url, maxBytes) => {
    const response = await openFile(call, url);
    const bytes = await response.bytes(maxBytes + 1);
    if (bytes.byteLength > maxBytes) {
      throw new GatewayError("upstream_malformed", "The upstream's file is larger than asset.max_download_mb allows.");
    }
    return { bytes, mime: response.header("content-type") ?? "application/octet-stream" };
  };

  return {
    open,
    json,
    download,
    openFile,
    socket: (call, path, limits) => {
      const headers = settings();
      return http.connect({
        url: `${base().replace(/^http/, "ws")}${path}`,
        headers: socketHeaders(
          headers,
          base(),
          cookieLine(call.credential.token, headers.edgeCookies, call.credential.userId),
        ),
        egress: egress(),
        signal: call.signal,
        ...limits,
      });
    },
    reset: () => http.reset(egress()),
    warmUp: () => http.warmUp(egress()),
  };
};
