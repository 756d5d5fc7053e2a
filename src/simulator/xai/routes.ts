// The simulated api.x.ai below /xai: which handler serves a path, who may call it, and what the journal keeps of it.
// Knows no answer. Invariant: every call is journalled and counted exactly once.
import type { Server } from "bun";
import type { JournalEntry } from "../journal.ts";
import type { SocketSession } from "../socket-session.ts";
import type { World } from "../world.ts";
import * as account from "./account.ts";
import { isRefusal } from "./call.ts";
import type { XaiCall, XaiHandler } from "./call.ts";
import { createCompletion, readDeferred } from "./chat.ts";
import * as files from "./files.ts";
import { editImages, generateImages } from "./images.ts";
import type { XaiKey } from "./keys.ts";
import { servePublic } from "./public-files.ts";
import { createRealtimeSession, DEFAULT_VOICE_MODEL } from "./realtime.ts";
import {
  modelMissing,
  noCredentials,
  refusalByKey,
  refusalOfGeneration,
  refuse,
  toXaiResponse,
  wrongKey,
} from "./refusals.ts";
import type { XaiArea, XaiRefusal } from "./refusals.ts";
import { compactResponse, createResponse, deleteResponse, listInputItems, readResponse } from "./responses.ts";
import * as speech from "./speech.ts";
import { editVideo, extendVideo, generateVideo, pollVideo } from "./videos.ts";

interface XaiRoute {
  method: string;
  pattern: RegExp;
  label: string;
  area: XaiArea;
  handler: XaiHandler;
}

const ROUTES: XaiRoute[] = [
  route("GET /v1/api-key", account.keyInfo),
  route("GET /v1/me", account.me),
  route("GET /v1/models", account.listModels),
  route("GET /v1/models/:id", account.getModel),
  route("GET /v1/language-models", account.listLanguageModels),
  route("GET /v1/language-models/:id", account.getLanguageModel),
  route("GET /v1/image-generation-models", account.listImageModels),
  route("GET /v1/image-generation-models/:id", account.getImageModel),
  route("GET /v1/video-generation-models", account.listVideoModels),
  route("GET /v1/video-generation-models/:id", account.getVideoModel),
  route("GET /v1/embedding-models", account.listEmbeddingModels),
  route("POST /v1/tokenize-text", account.tokenizeText),
  route("POST /v1/responses", createResponse, "text"),
  route("POST /v1/responses/compact", compactResponse, "text"),
  route("GET /v1/responses/:id", readResponse),
  route("DELETE /v1/responses/:id", deleteResponse),
  route("GET /v1/responses/:id/input_items", listInputItems),
  route("POST /v1/chat/completions", createCompletion, "text"),
  route("GET /v1/chat/deferred-completion/:id", readDeferred),
  route("POST /v1/images/generations", generateImages, "media"),
  route("POST /v1/images/edits", editImages, "media"),
  route("POST /v1/videos/generations", generateVideo, "media"),
  route("POST /v1/videos/edits", editVideo, "media"),
  route("POST /v1/videos/extensions", extendVideo, "media"),
  route("GET /v1/videos/:id", pollVideo),
  route("POST /v1/files", files.uploadFile),
  route("GET /v1/files", files.listFiles),
  route("GET /v1/files/:id", files.getFile),
  route("DELETE /v1/files/:id", files.deleteFile),
  route("GET /v1/files/:id/content", files.fileContent),
  route("POST /v1/tts", speech.speak, "media"),
  route("GET /v1/tts/voices", speech.listVoices),
  route("GET /v1/tts/voices/:id", speech.getVoice),
  route("POST /v1/stt", speech.transcribe, "media"),
  route("POST /v1/realtime/client_secrets", speech.createClientSecret, "media"),
];

const REALTIME = "/v1/realtime";

export interface XaiArrival {
  world: World;
  request: Request;
  url: URL;
  server: Server<SocketSession>;
}

/** undefined when the connection has become a socket. */
export async function xaiRoute({ world, request, url, server }: XaiArrival): Promise<Response | undefined> {
  const path = url.pathname.slice("/xai".length);
  const found = findRoute(request.method, path);
  const presented = presentedKey(world, request);
  const key = presented === undefined ? undefined : world.xai.keys.find(presented);
  const entry = world.journal.write({
    route: labelOf(request.method, url.pathname, found),
    method: request.method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    account: key?.text ?? (presented === undefined ? "none" : "unknown"),
    headers: visibleHeaders(request),
    cookies: [],
    ssoTwice: false,
    body: undefined,
  });
  const asked = { world, request, url, found, key, presented, entry };
  const answer =
    path === REALTIME && request.method === "GET"
      ? upgrade(asked, server)
      : path.startsWith("/files/")
        ? await servePublic(world, request, path)
        : await answerTo(asked);
  if (answer === undefined) {
    world.journal.answered(entry, 101);
    world.xai.count(entry.account, entry.route, 101);
    return undefined;
  }
  const response = isRefusal(answer) ? toXaiResponse(answer, key) : answer;
  world.journal.answered(entry, response.status);
  world.xai.count(entry.account, entry.route, response.status);
  return response;
}

interface Asked {
  world: World;
  request: Request;
  url: URL;
  found: Found | undefined;
  key: XaiKey | undefined;
  presented: string | undefined;
  entry: JournalEntry;
}

async function answerTo({ found, key, presented, entry, ...call }: Asked): Promise<Response | XaiRefusal> {
  if (presented === undefined) return noCredentials();
  if (key === undefined) return wrongKey();
  const area = found?.route.area ?? "read";
  const refusal = refusalByKey(key, area);
  if (refusal !== undefined) return refusal;
  if (found === undefined) return wrongPath(call.url.pathname);
  const body = await readBody(call.request);
  if (isRefusal(body)) return body;
  entry.body = body.json;
  const asked: XaiCall = { ...call, params: found.params, key, body: body.json, entry };
  return found.route.handler(asked);
}

/** The key of the header, or the one that a browser's short-lived secret stands for. */
function presentedKey(world: World, request: Request): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  const secret = SECRET.exec(request.headers.get("sec-websocket-protocol") ?? "")?.[1];
  return secret === undefined ? bearer : (world.xai.clientSecrets.get(secret) ?? secret);
}

const SECRET = /(?:^|,\s*)xai-client-secret\.([\w-]+)/;

/** undefined when the connection has become a socket. */
function upgrade({ world, request, url, key, presented, entry }: Asked, server: XaiArrival["server"]): Upgraded {
  if (presented === undefined) return noCredentials();
  if (key === undefined) return wrongKey();
  // Without a model the address gets a default one, and says nothing about it.
  const model = url.searchParams.get("model") ?? DEFAULT_VOICE_MODEL;
  const refusal = refusalByKey(key, "media") ?? refusalOfGeneration(key, model);
  if (refusal !== undefined) return refusal;
  if (!/^grok-voice-(latest|think-fast-[12]\.0|3\.0)$/.test(model)) return modelMissing(key, model);
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    return { status: 426, body: { error: "Upgrade expected" } };
  const session = createRealtimeSession({ world, key, entry, model });
  const secret = SECRET.exec(request.headers.get("sec-websocket-protocol") ?? "");
  const protocol =
    secret === null
      ? request.headers.get("sec-websocket-protocol")?.split(",")[0]?.trim()
      : `xai-client-secret.${secret[1]}`;
  const headers = protocol === undefined ? {} : { headers: { "sec-websocket-protocol": protocol } };
  if (server.upgrade(request, { data: session, ...headers })) return undefined;
  session.closed();
  return refuse(400, "invalid-argument", "Upgrade failed");
}

type Upgraded = XaiRefusal | undefined;

function labelOf(method: string, pathname: string, found: Found | undefined): string {
  if (found !== undefined) return found.route.label;
  return pathname.startsWith("/xai/files/") ? `${method} /xai/files/:path*` : `${method} ${pathname}`;
}

function wrongPath(pathname: string): XaiRefusal {
  const known = ROUTES.some(({ pattern }) => pattern.test(pathname.slice("/xai".length)));
  return known
    ? { status: 405, body: { error: "Method not allowed." } }
    : refuse(404, "not-found", "The requested resource was not found.");
}

async function readBody(request: Request): Promise<{ json: unknown } | XaiRefusal> {
  const type = request.headers.get("content-type") ?? "";
  if (request.method === "GET" || request.method === "DELETE" || /multipart/.test(type)) return { json: undefined };
  const text = await request.text();
  if (!type.includes("application/json") || text === "")
    return { status: 415, body: { error: "Expected request with `Content-Type: application/json`" } };
  try {
    return { json: JSON.parse(text) as unknown };
  } catch {
    return {
      status: 400,
      body: { error: "Failed to parse the request body as JSON: expected value at line 1 column 1" },
    };
  }
}

interface Found {
  route: XaiRoute;
  params: Record<string, string>;
}

function findRoute(method: string, path: string): Found | undefined {
  for (const candidate of ROUTES) {
    const match = candidate.method === method ? candidate.pattern.exec(path) : null;
    if (match !== null) {
      const params = Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]);
      return { route: candidate, params: Object.fromEntries(params) as Record<string, string> };
    }
  }
  return undefined;
}

function route(call: string, handler: XaiHandler, area: XaiArea = "read"): XaiRoute {
  const [method = "", path = ""] = call.split(" ");
  const pattern = new RegExp(`^${path.replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`);
  return { method, pattern, label: `${method} /xai${path}`, area, handler };
}

function visibleHeaders(request: Request): Record<string, string> {
  const headers = Object.fromEntries(request.headers);
  delete headers["cookie"];
  delete headers["authorization"];
  return headers;
}
