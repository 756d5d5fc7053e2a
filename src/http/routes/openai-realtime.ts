// /v1/realtime: a conversation in speech over a WebSocket, passed through to an account of the pool, and the short-lived secrets
// with which a browser opens one. Knows no frame. Invariants: either side's end is the other's, an upstream's credential never
// reaches a caller, and the request lasts as long as the conversation.
import { asGatewayError, GatewayError } from "../../core/errors.ts";
import type { Frame } from "../../core/speech.ts";
import type { Talk } from "../../gateway/speech.ts";
import { parseSecretRequest, realtimeError, secretBody } from "../../protocols/openai/realtime.ts";
import { credentialOf } from "../auth.ts";
import { readLooseObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { callContext } from "../media-call.ts";
import {
  checkOrigin,
  isUpgrade,
  LONGEST_FRAME,
  openSocket,
  refuseSocket,
  socketKeyOf,
  type SocketLine,
  type SocketTalk,
} from "../sockets.ts";

const NO_CODE = 1005;
const BROKEN = 1006;
const SERVER_FAULT = 1011;
const RESTARTS = 1012;
const OVERLOADED = 1013;
const TOO_SLOW = "Frames came faster than the upstream takes them.";

/** A program reads the status of a refused upgrade; a browser, which sends its key as a subprotocol, cannot. */
const refuse = (call: Call, error: GatewayError): Response => {
  const isBrowser = call.request.headers.has("origin") || socketKeyOf(call.request) !== null;
  if (!isUpgrade(call.request) || !isBrowser) throw error;
  return refuseSocket(call, error, realtimeError);
};

/** Both ends of an open conversation, tied together. */
const tie = (call: Call, talk: Talk): SocketTalk => {
  let line: SocketLine | null = null;
  let stopped: GatewayError | null = null;
  const pass = (frame: Frame) => {
    if (talk.send(frame)) return;
    line?.close(OVERLOADED, TOO_SLOW);
    talk.close({ code: 1000, reason: "" });
  };
  const pump = async (own: SocketLine) => {
    for (;;) {
      const frame = await talk.read();
      if (frame === null || !(await own.send(frame))) break;
    }
    const { code, reason } = await talk.ended;
    if (stopped) own.close(RESTARTS, stopped.message);
    else if (code === BROKEN) own.close(SERVER_FAULT, "The connection to the upstream broke.");
    else if (code === NO_CODE) own.close(1000, "");
    else own.close(code, reason);
  };
  // The request's own end is told by the socket; what is left are reasons of ours.
  call.signal.addEventListener("abort", () => {
    const reason: unknown = call.signal.reason;
    if (!(reason instanceof GatewayError) || reason.code === "client_closed") return;
    stopped = reason;
    talk.close({ code: 1001, reason: "" });
  });
  return {
    longestFrame: LONGEST_FRAME,
    opened(own) {
      line = own;
      pump(own).catch((error: unknown) => {
        call.deps.log.error("a conversation could not be passed on", { id: call.record.id, error });
        own.close(SERVER_FAULT, "");
        talk.close({ code: 1000, reason: "" });
      });
    },
    received: pass,
    receivedBytes: pass,
    closed(code, reason) {
      line = null;
      talk.close({ code, reason });
    },
  };
};

const CREDENTIALS = ["api_key", "access_token", "token", "app_key"];

const connect = async (call: Call): Promise<Response> => {
  const { deps, record, url } = call;
  const presented = credentialOf(call.request) ?? socketKeyOf(call.request);
  const granted = presented === null ? null : (deps.socketSecrets.find(presented)?.model ?? null);
  const query = [...url.searchParams].filter(([name]) => name !== "model" && !CREDENTIALS.includes(name));
  record.stream = true;
  checkOrigin(call, call.config.server.cors_origins);
  const context = callContext(call, "realtime_");
  const talk = await deps.speech.converse({ query }, { model: granted ?? url.searchParams.get("model"), context });
  call.hold();
  void talk.settled.then(call.close);
  try {
    return openSocket(call, tie(call, talk));
  } catch (thrown) {
    talk.close({ code: 1000, reason: "" });
    throw thrown;
  }
};

const converse = async (call: Call): Promise<Response> => {
  if (!isUpgrade(call.request)) {
    throw new GatewayError("unsupported_operation", "This address is for WebSocket connections only.");
  }
  try {
    return await connect(call);
  } catch (thrown) {
    return refuse(call, asGatewayError(thrown));
  }
};

const issueSecret = async (call: Call): Promise<Response> => {
  const { seconds, model } = parseSecretRequest((await readLooseObject(call)) ?? {});
  const secret = call.deps.socketSecrets.issue({ credential: credentialOf(call.request), model }, seconds * 1000);
  return Response.json(secretBody({ ...secret, model }), { headers: { "cache-control": "no-store" } });
};

const common = { auth: "api", toggle: "enable_audio" } as const;

export const openaiRealtimeRoutes: readonly Route[] = [
  {
    ...common,
    method: "GET",
    path: "/v1/realtime",
    socket: true,
    generates: true,
    refuse,
    summary: "A conversation in speech over a WebSocket, passed through; needs an API key of xAI.",
    handle: converse,
  },
  {
    ...common,
    method: "POST",
    path: "/v1/realtime/client_secrets",
    summary: "A short-lived secret of the gateway's own with which a browser opens such a conversation.",
    handle: issueSecret,
  },
];
