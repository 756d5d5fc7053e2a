// The simulated grok.com: routes, cookies, refusals, sockets. Everything is one plain HTTP server on loopback
// that plays all hosts (site, assets, public pictures, account pages; the official API below /xai).
// Knows which handler serves a path, not what it answers. Invariant: every call is journalled exactly once.
import type { Server } from "bun";
import { createAccountBook } from "./accounts.ts";
import type { Account } from "./accounts.ts";
import * as accountCalls from "./account-calls.ts";
import {
  deleteAsset,
  downloadAsset,
  downloadPublic,
  getAsset,
  listAssets,
  uploadDirect,
  uploadLegacy,
} from "./assets.ts";
import { createChatSession } from "./chat-socket.ts";
import { continueConversation, listConversations, startConversation, storedTurns } from "./chat.ts";
import { controlRoute, reset } from "./control.ts";
import { createImagineSession } from "./imagine-socket.ts";
import { createJournal } from "./journal.ts";
import type { JournalEntry, SimulatorStats } from "./journal.ts";
import { createPost, createPostLink, upscaleVideo } from "./media.ts";
import { invalid, notFound, outOfDate, refusalByAccount, toResponse, unauthenticated } from "./refusals.ts";
import type { Area } from "./refusals.ts";
import type { SocketSession } from "./socket-session.ts";
import { isVoicePath, livekitToken, voiceRoute } from "./voice.ts";
import type { Handler, SimulatorOptions, World } from "./world.ts";
import { xaiRoute } from "./xai/routes.ts";
import { createXaiState } from "./xai/state.ts";
import type { XaiState } from "./xai/state.ts";

export type { SimulatorStats } from "./journal.ts";
export type { SimulatorOptions } from "./world.ts";

export interface Simulator {
  /** Origin without a slash at the end: value for the site's, the assets' and the accounts' address. */
  url: string;
  port: number;
  accounts(): Account[];
  stats(): SimulatorStats;
  requests(): JournalEntry[];
  /** Keys and teams of the official API, and how often each key called each route. */
  xai: Pick<XaiState, "keys" | "counts">;
  /** Accounts, counters, files and statistics as at the start; calls that are open stay open. */
  reset(): void;
  stop(force?: boolean): Promise<void>;
}

interface Route {
  method: string;
  pattern: RegExp;
  label: string;
  area: Area;
  signed: boolean;
  handler: Handler;
}

const ROUTES: Route[] = [
  route("GET /api/auth/session", accountCalls.sessionInfo, { area: "session" }),
  route("POST /rest/rate-limits", accountCalls.rateLimits, { signed: true }),
  route("POST /rest/media/imagine/quota_info", accountCalls.imagineQuota, { signed: true }),
  route("POST /rest/app-chat/conversations/new", startConversation, { signed: true }),
  route("POST /rest/app-chat/conversations/:id/responses", continueConversation, { signed: true }),
  route("GET /rest/app-chat/conversations/:id/responses", storedTurns),
  route("GET /rest/app-chat/conversations", listConversations),
  route("POST /rest/app-chat/upload-file", uploadLegacy, { signed: true }),
  route("POST /http/upload-file-v2/direct", uploadDirect),
  route("GET /rest/assets", listAssets),
  route("GET /rest/assets/:id", getAsset),
  route("DELETE /rest/assets-metadata/:id", deleteAsset),
  route("POST /rest/media/post/create", createPost, { signed: true }),
  route("POST /rest/media/post/create-link", createPostLink, { signed: true }),
  route("POST /rest/media/video/upscale", upscaleVideo, { signed: true }),
  route("POST /rest/auth/set-tos-accepted", accountCalls.setTosAccepted, { signed: true }),
  route("POST /rest/auth/set-birth-date", accountCalls.setBirthDate, { signed: true }),
  route("POST /auth_mgmt.AuthManagement/SetTosAcceptedVersion", accountCalls.acceptTosVersion),
  route("POST /auth_mgmt.AuthManagement/UpdateUserFeatureControls", accountCalls.updateFeatureControls),
  route("POST /grok_api_v2.GrokBuildBilling/GetGrokCreditsConfig", accountCalls.creditsConfig),
  route("POST /rest/livekit/tokens", livekitToken, { signed: true }),
  route("GET /users/:path*", downloadAsset, { area: "asset" }),
];

export function createSimulator(options: SimulatorOptions = {}): Simulator {
  const world: World = {
    options: {
      hostname: options.hostname ?? "127.0.0.1",
      port: options.port ?? 0,
      eras: options.eras ?? ["modelMode", "modeId", "socket"],
      mediaInputs: options.mediaInputs ?? true,
      tokenDelayMs: options.tokenDelayMs ?? 15,
      mediaDelayMs: options.mediaDelayMs ?? 40,
      signatures: options.signatures ?? "lenient",
      unlimited: options.unlimited ?? false,
      journalSize: options.journalSize ?? 200,
    },
    accounts: createAccountBook(options.accounts ?? [], options.unlimited ?? false),
    journal: createJournal(options.journalSize ?? 200),
    xai: createXaiState(),
    origin: "",
  };
  const server = Bun.serve<SocketSession>({
    hostname: world.options.hostname,
    port: world.options.port,
    idleTimeout: 0,
    development: false,
    maxRequestBodySize: 256 * 1024 * 1024,
    fetch: (request, listening) => dispatch(world, request, listening),
    websocket: {
      idleTimeout: 0,
      maxPayloadLength: 64 * 1024 * 1024,
      backpressureLimit: 32 * 1024 * 1024,
      open: (socket) => socket.data.opened(socket),
      message: (socket, message) => {
        // Only text frames carry events; others are ignored, as upstream does.
        if (typeof message === "string") socket.data.received(message);
      },
      drain: (socket) => socket.data.drained(),
      close: (socket) => socket.data.closed(),
    },
  });
  world.origin = `http://${world.options.hostname}:${server.port}`;
  return {
    url: world.origin,
    port: server.port ?? 0,
    accounts: () => world.accounts.list(),
    stats: () => world.journal.stats(),
    requests: () => world.journal.recent(),
    xai: world.xai,
    reset: () => reset(world),
    stop: (force = true) => server.stop(force),
  };
}

async function dispatch(world: World, request: Request, server: Server<SocketSession>): Promise<Response | undefined> {
  const url = new URL(request.url);
  server.timeout(request, 0);
  if (url.pathname.startsWith("/__sim/")) return controlRoute(world, request, url);
  if (url.pathname.startsWith("/xai/")) return xaiRoute({ world, request, url, server });
  if (isVoicePath(url.pathname)) return voiceRoute({ world, request, url, server });
  const found = findRoute(request.method, url.pathname);
  const cookies = readCookies(request);
  const account = world.accounts.find(cookies.get("sso") ?? "");
  const entry = world.journal.write({
    route: found?.route.label ?? `${request.method} ${socketLabel(url.pathname)}`,
    method: request.method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    account: account?.name ?? (cookies.has("sso") ? "unknown" : "none"),
    headers: visibleHeaders(request),
    cookies: [...cookies.keys()],
    ssoTwice: cookies.has("sso") && cookies.get("sso") === cookies.get("sso-rw"),
    body: undefined,
  });
  const answered = (response: Response): Response => {
    world.journal.answered(entry, response.status);
    return response;
  };
  if (url.pathname.startsWith("/ws/")) {
    const response = upgrade({ world, request, url, server, account, entry });
    return response === undefined ? undefined : answered(response);
  }
  if (found === undefined) return answered(await publicPage(world, request, url));
  if (account === undefined) return answered(anonymous(found.route.area));
  const refusal = refusalByAccount({ account, area: found.route.area, signed: found.route.signed });
  if (refusal !== undefined) return answered(toResponse(refusal));
  if (found.route.signed && world.options.signatures === "strict" && !isSignature(request))
    return answered(toResponse(outOfDate()));
  const body = await readBody(request);
  if (body instanceof Response) return answered(body);
  entry.body = body;
  return answered(await found.route.handler({ world, request, url, params: found.params, account, body, entry }));
}

interface UpgradeAsk {
  world: World;
  request: Request;
  url: URL;
  server: Server<SocketSession>;
  account: Account | undefined;
  entry: JournalEntry;
}

/** undefined when the connection has become a socket. */
function upgrade({ world, request, url, server, account, entry }: UpgradeAsk): Response | undefined {
  if (account === undefined) return toResponse(unauthenticated());
  const refusal = refusalByAccount({ account, area: "upgrade", signed: false });
  if (refusal !== undefined) return toResponse(refusal);
  const chat = /^\/ws\/mgw\/?$/.test(url.pathname);
  const imagine = url.pathname === "/ws/imagine/listen";
  if (!(chat && world.options.eras.includes("socket")) && !imagine) return toResponse(notFound("Socket"));
  if (chat && url.searchParams.get("uid") !== account.uuid)
    return toResponse(invalid("uid does not name this account"));
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    return toResponse({ ...invalid("Upgrade expected"), status: 426 });
  const session = chat ? createChatSession({ world, account, entry }) : createImagineSession({ world, account, entry });
  if (server.upgrade(request, { data: session })) {
    world.journal.answered(entry, 101);
    return undefined;
  }
  session.closed();
  return toResponse(invalid("Upgrade failed"));
}

/** Pages that need no cookie. */
async function publicPage(world: World, request: Request, url: URL): Promise<Response> {
  if (request.method === "GET" && (url.pathname === "/" || url.pathname === "/index")) return accountCalls.indexPage();
  if (request.method === "GET" && url.pathname.startsWith("/imagine-public/")) {
    return downloadPublic(world, url, request.headers.get("range"));
  }
  return toResponse(notFound("Page"));
}

function anonymous(area: Area): Response {
  if (area === "session") return Response.json({ status: "unauthenticated" });
  return toResponse(area === "asset" ? { ...unauthenticated(), status: 403 } : unauthenticated());
}

function route(call: string, handler: Handler, how: { area?: Area; signed?: boolean } = {}): Route {
  const [method = "", path = ""] = call.split(" ");
  const source = path.replace(/:path\*/, ".+").replace(/:(\w+)/g, "(?<$1>[^/]+)");
  const pattern = new RegExp(`^${source}$`);
  return {
    method,
    pattern,
    label: call,
    handler,
    area: how.area ?? "plain",
    signed: how.signed ?? false,
  };
}

function findRoute(method: string, path: string): { route: Route; params: Record<string, string> } | undefined {
  for (const candidate of ROUTES) {
    const match = candidate.method === method ? candidate.pattern.exec(path) : null;
    if (match !== null) return { route: candidate, params: { ...match.groups } };
  }
  return undefined;
}

function socketLabel(path: string): string {
  return path.startsWith("/ws/") ? path : path.startsWith("/imagine-public/") ? "/imagine-public/:path*" : path;
}

function readCookies(request: Request): Map<string, string> {
  const pairs = (request.headers.get("cookie") ?? "").split(";").map((part) => part.trim());
  const entries = pairs
    .filter((pair) => pair.includes("="))
    .map((pair): [string, string] => {
      const cut = pair.indexOf("=");
      return [pair.slice(0, cut), pair.slice(cut + 1)];
    });
  return new Map(entries);
}

function visibleHeaders(request: Request): Record<string, string> {
  const headers = Object.fromEntries(request.headers);
  delete headers["cookie"];
  delete headers["authorization"];
  return headers;
}

/** Signatures are 70 bytes in base64, padded or not. */
function isSignature(request: Request): boolean {
  const value = request.headers.get("x-statsig-id") ?? "";
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(value) && Buffer.from(value, "base64").length === 70;
}

async function readBody(request: Request): Promise<unknown> {
  const type = request.headers.get("content-type") ?? "";
  if (request.method === "GET" || /multipart|grpc/.test(type)) return undefined;
  const text = await request.text();
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return toResponse(invalid("Body is not JSON"));
  }
}
