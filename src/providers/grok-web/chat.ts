// One chat turn with one account, over the socket or REST, as a stream of events. Owns the choice of transport and the
// second try after an anti-bot refusal. Never throws once started: whatever goes wrong is the last event.
import type { Config } from "../../config/schema.ts";
import { GatewayError } from "../../core/errors.ts";
import type { EventBatch, GenerationStream } from "../../core/events.ts";
import { modeFor, type WebModel } from "../../core/models.ts";
import type { GenerationRequest, Message } from "../../core/request.ts";
import type { Clock } from "../../lib/clock.ts";
import { uuid } from "../../lib/ids.ts";
import { objectAt, stringAt } from "../../lib/json.ts";
import { createObjectSplitter } from "../../lib/ndjson.ts";
import { pullStream } from "../../lib/pull.ts";
import type { ChatCall, ProviderCall } from "../port.ts";
import { UpgradeRefused } from "../upstream-port.ts";
import { createAnswer } from "./answer.ts";
import type { createUploads } from "./assets.ts";
import { followUpCall, newConversationBody, newMessages, promptOf, type ChatSettings } from "./chat-request.ts";
import { createSocketReader, ping, sessionCreate, type TurnOptions } from "./chat-socket.ts";
import { createFrameReader } from "./chat-stream.ts";
import { readError } from "../read-error.ts";
import type { GrokClient } from "./client.ts";

/** After a refused upgrade the socket is left alone for this long; REST serves meanwhile. */
const SOCKET_REST_MS = 60_000;
const HANDSHAKE_MS = 20_000;
/** The browser pings every 25 s (2026-08). */
const PING_MS = 25_000;
const SESSION_MS = 15_000;

/** The socket cannot be had; REST may still serve. */
class NoSocket extends Error {}

/** An answer being read: batches until null. */
interface Reading {
  pull(): Promise<EventBatch | null>;
  close(): void;
}

interface Turn {
  readonly call: ChatCall<WebModel>;
  readonly request: GenerationRequest;
  readonly settings: ChatSettings;
  readonly mode: ReturnType<typeof modeFor>;
  readonly fileIds: readonly string[];
}

export const createChat = (deps: {
  client: GrokClient;
  upload: ReturnType<typeof createUploads>;
  config: () => Config;
  clock: Clock;
}) => {
  const { client, upload, config, clock } = deps;
  let socketRestsUntil = 0;

  const firstByte = () => ({ ms: config().chat.timeout * 1000, setting: "chat.timeout" });
  const idle = () => ({ ms: config().chat.stream_timeout * 1000, setting: "chat.stream_timeout" });

  const answerFor = ({ call, request }: Turn) =>
    createAnswer({
      id: call.id,
      model: request.model,
      created: call.created,
      filterTags: config().app.filter_tags,
      assetsUrl: config().grok.assets_url.replace(/\/$/, ""),
    });

  const overRest = async (turn: Turn): Promise<Reading> => {
    const { call, request, settings, mode } = turn;
    const { continuation } = request;
    const chat = {
      request,
      model: call.model,
      mode,
      message: promptOf(request, newMessages(request)),
      fileIds: turn.fileIds,
      settings,
    };
    const response = await client.open(call, {
      ...(continuation === undefined
        ? { path: "/rest/app-chat/conversations/new", body: newConversationBody(chat) }
        : followUpCall(chat, continuation)),
      mode,
      firstByte: firstByte(),
      idle: idle(),
    });
    const answer = answerFor(turn);
    // A follow-up's frames do not name the conversation.
    if (continuation !== undefined) answer.upstream({ conversationId: continuation.conversationId });
    const frames = createFrameReader(answer, mode);
    const splitter = createObjectSplitter();
    const pull = async (): Promise<EventBatch | null> => {
      while (!answer.over) {
        try {
          const chunk = await response.body.read();
          const objects = chunk ? splitter.push(chunk) : splitter.end().objects;
          for (const object of objects) frames.accept(object);
          if (!chunk) answer.end();
        } catch (thrown) {
          answer.fail(readError(thrown, call.signal));
        }
        const events = answer.take();
        if (events.length > 0) return events;
      }
      return null;
    };
    return { pull, close: () => response.body.cancel() };
  };

  /** The socket's address needs the account's user id; asked for once, then remembered with the account. */
  const userIdOf = async (call: ProviderCall): Promise<string> => {
    if (call.credential.userId) return call.credential.userId;
    const limit = { ms: SESSION_MS, setting: "chat.timeout" };
    const answer = await client.json(call, {
      method: "GET",
      path: "/api/auth/session",
      signed: false,
      firstByte: limit,
      idle: limit,
    });
    const status = stringAt(answer, "status");
    const upstream = { text: `the session's status is "${status}"` };
    if (status === "unauthenticated") {
      throw new GatewayError("account_auth", "The upstream no longer accepts the account's session.", { upstream });
    }
    if (status === "blocked") {
      throw new GatewayError("account_blocked", "The upstream says that the account is blocked.", { upstream });
    }
    const userId = stringAt(objectAt(answer, "session"), "userId") ?? stringAt(objectAt(answer, "user"), "id");
    if (!userId) throw new NoSocket("the session names no user id");
    call.learn({ userId });
    return userId;
  };

  const openSocket = async (turn: Turn) => {
    const userId = await userIdOf(turn.call);
    const call = { ...turn.call, credential: { ...turn.call.credential, userId } };
    try {
      return await client.socket(call, `/ws/mgw/?uid=${encodeURIComponent(userId)}`, {
        handshake: { ms: HANDSHAKE_MS, setting: "chat.timeout" },
        idle: idle(),
      });
    } catch (thrown) {
      if (!(thrown instanceof UpgradeRefused)) throw thrown;
      const upstream = { status: thrown.status };
      if (thrown.status === 401) {
        throw new GatewayError("account_auth", "The upstream no longer accepts the account's session.", { upstream });
      }
      if (thrown.status === 429) {
        throw new GatewayError("upstream_rate_limited", "The upstream is rate-limiting the account.", { upstream });
      }
      // A refused upgrade has no readable body, so a 403 may be anything; nobody is blamed.
      throw new NoSocket(`the upgrade was answered with ${thrown.status}`);
    }
  };

  /** The operator's instruction has no field of its own on the socket, so it becomes the first system turn. */
  const socketMessages = (request: GenerationRequest, settings: ChatSettings): readonly Message[] =>
    settings.customInstruction && request.continuation === undefined
      ? [{ role: "system", content: [{ type: "text", text: settings.customInstruction }] }, ...request.messages]
      : newMessages(request);

  const overSocket = async (turn: Turn): Promise<Reading> => {
    const { call, request, settings, mode } = turn;
    const socket = await openSocket(turn);
    const options: TurnOptions = {
      mode,
      message: promptOf(request, socketMessages(request, settings)),
      fileIds: turn.fileIds,
      temporary: settings.temporary,
      disableMemory: settings.disableMemory,
      ...(request.continuation === undefined ? {} : { followUp: request.continuation }),
      ids: { init: uuid(), message: uuid() },
      nowMs: clock.now(),
    };
    const answer = answerFor(turn);
    const reader = createSocketReader(answer, options);
    const stopPings = clock.every(PING_MS, () => socket.send(ping(clock.now())));
    const accept = (frame: string) => {
      for (const reply of reader.accept(frame)) socket.send(reply);
    };
    const pull = async (): Promise<EventBatch | null> => {
      while (!answer.over) {
        try {
          const frame = await socket.read();
          if (frame === null) answer.end();
          // Frames that have arrived together are taken together.
          else for (const one of [frame, ...socket.drain()]) accept(one);
        } catch (thrown) {
          answer.fail(readError(thrown, call.signal));
        }
        const events = answer.take();
        if (events.length > 0) return events;
      }
      return null;
    };
    const close = () => {
      stopPings();
      socket.close();
    };
    try {
      socket.send(sessionCreate(options));
    } catch (thrown) {
      close();
      throw thrown;
    }
    return { pull, close };
  };

  const wantsSocket = (): boolean => {
    const { transport } = config().chat;
    return transport === "socket" || (transport === "auto" && clock.monotonic() >= socketRestsUntil);
  };

  /** The transports to try, in order. */
  const open = async (turn: Turn): Promise<Reading> => {
    if (wantsSocket()) {
      try {
        return await overSocket(turn);
      } catch (thrown) {
        const lost = thrown instanceof NoSocket || (thrown instanceof GatewayError && thrown.row.blame === "egress");
        if (!lost || turn.call.signal.aborted) throw thrown;
        if (config().chat.transport === "socket") {
          throw thrown instanceof GatewayError
            ? thrown
            : new GatewayError(
                "egress_blocked",
                "The upstream refused the chat socket; chat.transport allows nothing else.",
              );
        }
        socketRestsUntil = clock.monotonic() + SOCKET_REST_MS;
        turn.call.log.info("the chat socket cannot be had; using REST for a minute", {
          reason: thrown instanceof Error ? thrown.message : String(thrown),
        });
      }
    }
    try {
      return await overRest(turn);
    } catch (thrown) {
      // A refused signature is made anew with each request: one more try may pass, a third would not.
      if (!(thrown instanceof GatewayError) || thrown.code !== "egress_rejected_signature") throw thrown;
      return overRest(turn);
    }
  };

  const begin = async (request: GenerationRequest, call: ChatCall<WebModel>): Promise<Reading> => {
    const { app, chat: settings } = config();
    const uploaded = [];
    for (const file of call.files) uploaded.push(await upload(call, file));
    return open({
      call,
      request,
      mode: modeFor(call.model, call.credential.tier),
      fileIds: uploaded.map((file) => file.fileId),
      settings: {
        temporary: app.temporary,
        disableMemory: app.disable_memory,
        customInstruction: app.custom_instruction.trim(),
        selector: settings.selector,
      },
    });
  };

  return (request: GenerationRequest, call: ChatCall<WebModel>): GenerationStream => {
    let reading: Reading | null = null;
    let failed = false;
    let closed = false;
    const pull = async (): Promise<EventBatch | null> => {
      if (failed) return null;
      try {
        reading ??= await begin(request, call);
        // The reader may have left while the answer was being opened.
        if (closed || call.signal.aborted) reading.close();
        return await reading.pull();
      } catch (thrown) {
        failed = true;
        return [{ type: "failure", error: readError(thrown, call.signal) }];
      }
    };
    return pullStream(pull, () => {
      closed = true;
      reading?.close();
    });
  };
};
