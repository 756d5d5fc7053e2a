// Ties the routes to the framework: request id, order of checks, errors, headers, record, admission, shutdown. Knows no route's
// meaning. Order: id → CORS → size → auth → toggle → admission → handler. Invariant: every answer, also to an unknown path,
// is in the caller's dialect and carries x-request-id.
import { Hono } from "hono";
import { getPath } from "hono/utils/url";
import { KeyRefusal } from "../access/api-keys.ts";
import { asGatewayError, GatewayError } from "../core/errors.ts";
import { costOf, createRecord } from "../gateway/record.ts";
import type { Clock } from "../lib/clock.ts";
import { hexId } from "../lib/ids.ts";
import { createAdmission, shuttingDown } from "./admission.ts";
import { authenticate } from "./auth.ts";
import { withoutPrefix } from "./below.ts";
import { checkDeclaredSize } from "./body.ts";
import {
  ATTEMPTS_HEADER,
  COST_HEADER,
  SESSION_HEADER,
  type AuthClass,
  type HttpDeps,
  type HttpServer,
  openCall,
  type OpenCall,
  type Route,
  type ServerDeps,
} from "./context.ts";
import { addCors, preflight } from "./cors.ts";
import { errorResponse, speaksAnthropic } from "./errors.ts";
import { logRequest } from "./request-log.ts";
import { createRouteTable, type RouteTable } from "./route-table.ts";
import { isUpgrade, refuseSocket } from "./sockets.ts";
import { createStreams, IDLE_SECONDS, outcomeOf } from "./streaming.ts";

interface AppEnv {
  Bindings: { server?: HttpServer };
}

export interface Server {
  readonly app: Hono<AppEnv>;
  fetch(request: Request, server: HttpServer): Response | Promise<Response>;
  /** Lets nothing new in, waits for what runs, then ends the rest with an error. Resolves when nothing runs any more. */
  drain(graceMs: number): Promise<void>;
  /** Generations that run now. */
  readonly running: number;
}

/** How long ended requests may take to let go before the process stops waiting for them. */
const RELEASE_MS = 2_000;

export const createServer = (given: ServerDeps, routes: readonly Route[]): Server => {
  const { config, clock, log } = given;
  const streams = createStreams({ clock, log, heartbeatMs: () => config().chat.heartbeat_seconds * 1000 });
  const admission = createAdmission(() => config().server.max_streams);
  const deps: HttpDeps = { ...given, streams, admission };
  const table = createRouteTable(routes);
  const app = new Hono<AppEnv>({ getPath: (request) => pathOf(request, config().app.app_url) });

  for (const route of routes) {
    for (const path of [route.path, ...(route.aliases ?? [])]) {
      app.on(route.method, path, (c) =>
        answer({ deps, request: c.req.raw, server: c.env?.server, path: c.req.path, place: route }, async (call) => {
          call.params = c.req.param();
          return runRoute(call, route);
        }),
      );
    }
  }
  app.options("*", (c) => {
    const auth = table.at(c.req.path)[0]?.auth ?? classOfUnknown(c.req.path);
    const place = { path: "preflight", auth, quiet: true };
    return answer({ deps, request: c.req.raw, server: c.env?.server, path: c.req.path, place }, async (call) =>
      preflight({ request: call.request, auth, origins: call.config.server.cors_origins }),
    );
  });
  app.notFound((c) => {
    const place = { path: "unknown", auth: classOfUnknown(c.req.path) };
    return answer({ deps, request: c.req.raw, server: c.env?.server, path: c.req.path, place }, async (call) =>
      explainUnknown(table, { call, path: c.req.path }),
    );
  });
  // Everything that a handler throws is answered above; what arrives here is a fault in this file or in the framework.
  app.onError((thrown, c) => {
    log.error("a request could not be answered", { error: thrown });
    return errorResponse(asGatewayError(thrown), { path: c.req.path, requestId: hexId("req_") });
  });

  return {
    app,
    fetch: (request, server) => app.fetch(request, { server }),
    async drain(graceMs) {
      admission.stop();
      await waitAtMost(clock, { work: admission.idle(), ms: graceMs });
      const error = shuttingDown();
      streams.endAll(error);
      admission.abortAll(error);
      await waitAtMost(clock, { work: admission.idle(), ms: RELEASE_MS });
    },
    get running() {
      return admission.running;
    },
  };
};

/** Leaves no timer behind when the work is done first. */
const waitAtMost = async (clock: Pick<Clock, "sleep">, wait: { work: Promise<void>; ms: number }): Promise<void> => {
  const done = new AbortController();
  const late = clock.sleep(wait.ms, done.signal).catch(() => {});
  await Promise.race([wait.work, late]);
  done.abort();
};

/** A base address that already ends in /v1 is a common slip, as is a slash at the end. */
const pathOf = (request: Request, appUrl: string): string => {
  const path = withoutPrefix(getPath(request), appUrl);
  const single = path.startsWith("/v1/v1/") ? path.slice(3) : path;
  return single.length > 1 && single.endsWith("/") ? single.slice(0, -1) : single;
};

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,64}$/;

const requestId = (request: Request): string => {
  const given = request.headers.get("x-request-id");
  return given !== null && REQUEST_ID.test(given) ? given : hexId("req_");
};

interface Question {
  readonly deps: HttpDeps;
  readonly request: Request;
  readonly server: HttpServer | undefined;
  readonly path: string;
  readonly place: Pick<Route, "path" | "auth" | "quiet">;
}

/** The frame around every answer. */
const answer = async (question: Question, handle: (call: OpenCall) => Promise<Response>): Promise<Response> => {
  const { deps, request, server, path, place } = question;
  const startedMs = deps.clock.monotonic();
  const record = createRecord({ id: requestId(request), startedMs, method: request.method, path: truePath(request) });
  const call = openCall({ request, server, deps, record });
  call.onClose(() => {
    record.outcome ??= record.error ? outcomeOf(record.error) : "finished";
    logRequest(deps, { record, route: place.path, quiet: place.quiet === true });
    deps.recorded?.(record, { route: place.path, auth: place.auth });
  });
  let response: Response;
  let ended = false;
  try {
    response = await handle(call);
    ended = !call.held;
  } catch (thrown) {
    if (thrown instanceof KeyRefusal) record.key = thrown.key;
    record.error = reasonOf(call, thrown);
    response = errorResponse(record.error, { path, requestId: record.id });
    ended = true;
  }
  record.status = response.status;
  addHeaders(response.headers, { call, auth: place.auth });
  // The name under which clients of Anthropic's API look for the same id.
  if (speaksAnthropic(path) || request.headers.has("anthropic-version")) response.headers.set("request-id", record.id);
  if (ended) call.close();
  return response;
};

/** What ended the call from outside says more than what the ended work threw. */
const reasonOf = (call: OpenCall, thrown: unknown): GatewayError => {
  const reason: unknown = call.abortReason;
  return reason instanceof GatewayError ? reason : asGatewayError(thrown);
};

const truePath = (request: Request): string => {
  const start = request.url.indexOf("/", 8);
  const end = request.url.indexOf("?", start);
  return start < 0 ? "/" : request.url.slice(start, end < 0 ? undefined : end);
};

const SAFE_HEADERS = [
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"],
  ["referrer-policy", "no-referrer"],
  ["permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"],
] as const;

const addHeaders = (headers: Headers, about: { call: OpenCall; auth: AuthClass }): void => {
  const { call, auth } = about;
  headers.set("x-request-id", call.record.id);
  const elapsedMs = call.deps.clock.monotonic() - call.record.startedMs;
  headers.set("openai-processing-ms", String(Math.round(elapsedMs)));
  for (const [name, value] of SAFE_HEADERS) if (!headers.has(name)) headers.set(name, value);
  const attempts = Math.max(call.record.begun, call.record.attempts.length);
  if (attempts > 0 && !headers.has(ATTEMPTS_HEADER)) headers.set(ATTEMPTS_HEADER, String(attempts));
  if (call.record.session !== null) headers.set(SESSION_HEADER, call.record.session);
  const cost = costOf(call.record);
  if (cost > 0) headers.set(COST_HEADER, String(cost));
  const { client } = call.principal;
  if (client) {
    for (const [name, value] of call.deps.limits.headers(client)) headers.set(name, value);
    for (const [name, value] of call.deps.keyUsage.headers(client)) headers.set(name, value);
  }
  if (call.request.method !== "OPTIONS") {
    addCors(headers, { request: call.request, auth, origins: call.config.server.cors_origins });
  }
};

/** Everything that is checked before a route's handler. */
const admit = async (call: OpenCall, route: Route): Promise<void> => {
  const { deps, config, record } = call;
  checkDeclaredSize(call);
  const principal = await authenticate(call, route);
  call.principal = principal;
  record.key = principal.kind === "anybody" ? null : principal.id;
  if (route.toggle && !config.downstream[route.toggle]) {
    throw new GatewayError("endpoint_disabled", "Endpoint disabled");
  }
  if (deps.admission.stopping && route.auth !== "public") throw shuttingDown();
  enterLimits(call, route);
};

const runRoute = async (call: OpenCall, route: Route): Promise<Response> => {
  const { deps } = call;
  try {
    await admit(call, route);
  } catch (thrown) {
    if (route.socket !== true || !isUpgrade(call.request)) throw thrown;
    if (route.refuse) return route.refuse(call, asGatewayError(thrown));
    return refuseSocket(call, asGatewayError(thrown));
  }
  if (route.generates) call.onClose(deps.admission.enter(call));
  else if (route.method === "GET") return route.handle(call);
  // A handler that is silent for too long would be cut off, and so would a body that takes as long to come, although it comes;
  // what is told to the server outlives the request.
  call.server?.timeout(call.request, 0);
  try {
    return await route.handle(call);
  } finally {
    if (!call.held) call.server?.timeout(call.request, IDLE_SECONDS);
  }
};

/** Looking something up, such as whether a clip is finished, is not counted as a request of the minute; a conversation is. */
const enterLimits = (call: OpenCall, route: Route): void => {
  const { client } = call.principal;
  if (!client) return;
  const holds = route.generates === true;
  const entry = { counts: route.method !== "GET" || holds, holds };
  call.onClose(call.deps.limits.enter(client, entry));
};

const classOfUnknown = (path: string): AuthClass => (/^\/(api|admin|v1\/admin)(\/|$)/.test(path) ? "admin" : "api");

const explainUnknown = (table: RouteTable, asked: { call: OpenCall; path: string }): Response => {
  const { call, path } = asked;
  const { method } = call.request;
  const place = { path, requestId: call.record.id };
  const methods = [...new Set(table.at(path).map((row) => row.method))];
  if (methods.length === 0) {
    const near = path.startsWith("/v1") ? table.near(path) : [];
    const hint = near.length === 0 ? "" : ` Near: ${near.map((row) => `${row.method} ${row.path}`).join(", ")}.`;
    call.record.error = new GatewayError("route_not_found", `No route ${method} ${path}.${hint}`);
    return errorResponse(call.record.error, place);
  }
  call.record.error = new GatewayError("method_not_allowed", `${path} does not take ${method}.`);
  const response = errorResponse(call.record.error, place);
  response.headers.set("allow", [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", "));
  return response;
};
