// Picture runs over a WebSocket, for visitors and, at an address of its own, for the operator: one run a socket, begun, begun
// anew and stopped by frames. Invariant: a socket that closes ends its run.
import { asGatewayError, GatewayError } from "../../core/errors.ts";
import type { ImagineWish } from "../../core/playground.ts";
import type { PlaygroundTask } from "../../gateway/playground-tasks.ts";
import type { JsonObject } from "../../lib/json.ts";
import {
  imagineFrame,
  parseImagine,
  PONG,
  readCommand,
  refusedFrame,
} from "../../protocols/openai/playground-imagine.ts";
import { baseUrl } from "../client-address.ts";
import type { Call, Route } from "../context.ts";
import { openRun, type OpenRun, visitorOf } from "../playground-run.ts";
import { checkOrigin, openSocket, refuseSocket, type SocketLine, type SocketTalk } from "../sockets.ts";
import { adminPaths } from "./admin-paths.ts";
import { publicPaths } from "./public-paths.ts";

const ROUTE = "/v1/public/imagine/ws";

const common = { method: "GET", socket: true, queryCredential: true, toggle: "enable_images" } as const;

const talk = (call: Call, task: PlaygroundTask<ImagineWish> | undefined): SocketTalk => {
  const { deps } = call;
  // Read while the request is at hand: once it has become a socket, nothing tells where it came from.
  const arrival = { visitor: visitorOf(call), baseUrl: baseUrl(call) };
  const { terms } = deps.publicAccess;
  let line: SocketLine | null = null;
  let current: OpenRun | null = null;

  /** A socket may stay open for days, and the settings change meanwhile. */
  const checkStill = () => {
    if (!deps.config().downstream[common.toggle]) throw new GatewayError("endpoint_disabled", "Endpoint disabled");
    if (call.principal.kind === "admin" || deps.publicAccess.terms === terms) return;
    throw new GatewayError("invalid_api_key", "The key of the playground has changed; connect again.");
  };
  /** The task's own wish where the frame has none. */
  const wishOf = (fields: JsonObject): ImagineWish =>
    task && fields["prompt"] === undefined
      ? task.wish
      : parseImagine(fields, { adultAllowed: deps.config().image.nsfw });

  const pump = async (run: OpenRun, leave: () => void) => {
    try {
      for await (const event of run.events) {
        if (run !== current || !(await line?.send(imagineFrame(event)))) break;
      }
    } catch (thrown) {
      deps.log.error("a picture run failed", { id: call.record.id, error: thrown });
      await line?.send(refusedFrame(asGatewayError(thrown)));
    } finally {
      run.close();
      leave();
      if (run === current) current = null;
    }
  };
  const start = (fields: JsonObject) => {
    checkStill();
    const wish = wishOf(fields);
    if (task && !deps.playground.imagine.has(task.id)) throw new GatewayError("task_not_found", "Task not found");
    current?.close();
    current = null;
    const leave = deps.admission.enter({ abort: () => current?.stop() });
    try {
      current = openRun(call, { wish, route: ROUTE, ...arrival, ...(task ? { task } : {}) });
    } catch (thrown) {
      leave();
      throw thrown;
    }
    void pump(current, leave);
  };
  return {
    opened(own) {
      line = own;
    },
    received(text) {
      const command = readCommand(text);
      try {
        if (command.type === "start") start(command.fields);
        else if (command.type === "stop") current?.stop();
        else void line?.send(command.type === "ping" ? PONG : command.frame);
      } catch (thrown) {
        void line?.send(refusedFrame(asGatewayError(thrown)));
      }
    },
    closed() {
      line = null;
      current?.close();
    },
  };
};

const connect = (call: Call, origins: readonly string[]): Response => {
  const id = call.url.searchParams.get("task_id");
  const open = (): SocketTalk => {
    checkOrigin(call, origins);
    return talk(call, id === null ? undefined : call.deps.playground.imagine.find(id));
  };
  let own: SocketTalk;
  try {
    own = open();
  } catch (thrown) {
    return refuseSocket(call, asGatewayError(thrown));
  }
  return openSocket(call, own);
};

export const publicImagineSocketRoutes: readonly Route[] = [
  {
    ...common,
    ...publicPaths("/imagine/ws"),
    auth: "visitor",
    summary: "Picture runs over a WebSocket: start, stop and ping as frames.",
    handle: (call) => connect(call, call.config.server.cors_origins),
  },
  {
    ...common,
    ...adminPaths("/imagine/ws"),
    auth: "admin",
    summary: "The same for the operator.",
    handle: (call) => connect(call, []),
  },
];
