// Voice sessions: the call that gives a token, and the LiveKit server that a browser then joins, up to the room: it answers the
// join and says no more, so no sound ever flows. Words in the session's instructions choose what the token call does.
// Invariant: only a token that this simulator gave opens the room.
import type { Server, ServerWebSocket } from "bun";
import { nowMs, pause, randomUuid } from "./chance.ts";
import { fieldsOf, textOf } from "./fields.ts";
import { invalid, refusalByWord, toResponse } from "./refusals.ts";
import { readWords } from "./scenarios.ts";
import type { SocketSession } from "./socket-session.ts";
import { jsonResponse } from "./world.ts";
import type { Call, World } from "./world.ts";

const SIGNATURE = "c2ltdWxhdGVk";

export async function livekitToken({ world, request, account, body, entry }: Call): Promise<Response> {
  const session = objectOf(textOf(fieldsOf(body)["sessionPayload"]));
  if (session === undefined) return toResponse(invalid("sessionPayload must be a JSON text"));
  const words = readWords(textOf(session["instructions"]), account.scenario);
  if (words.has("hang-headers")) {
    const open = world.journal.open(entry, "rest");
    await pause(Number.POSITIVE_INFINITY, request.signal);
    open.close("aborted");
  }
  const refusal = refusalByWord(words);
  if (refusal !== undefined) return toResponse(refusal);
  if (words.has("empty")) return jsonResponse({ requestId: randomUuid() });
  const claims = {
    sub: account.uuid,
    name: account.name,
    video: { room: `room-${entry.id}`, roomJoin: true },
    metadata: session,
  };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return jsonResponse({
    token: `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}.${SIGNATURE}`,
    requestId: randomUuid(),
  });
}

export const isVoicePath = (path: string): boolean => /^\/rtc(\/v1)?(\/validate)?$/.test(path);

/** The signalling address: a socket, and a plain request by which a client asks why it was refused. */
export function voiceRoute(ask: {
  world: World;
  request: Request;
  url: URL;
  server: Server<SocketSession>;
}): Response | undefined {
  const { world, request, url, server } = ask;
  const entry = world.journal.write({
    route: `${request.method} ${url.pathname}`,
    method: request.method,
    path: url.pathname,
    // The token opens a room; it is nobody's to read.
    query: Object.fromEntries([...url.searchParams].filter(([name]) => name !== "access_token")),
    account: "none",
    headers: {},
    cookies: [],
    ssoTwice: false,
    body: undefined,
  });
  const answered = (status: number, text: string): Response => {
    world.journal.answered(entry, status);
    return new Response(text, { status, headers: { "access-control-allow-origin": "*" } });
  };
  const bearer = request.headers.get("authorization")?.replace(/^bearer /i, "");
  const claims = claimsOf(url.searchParams.get("access_token") ?? bearer ?? "");
  if (claims === undefined) return answered(401, "invalid token");
  if (url.pathname.endsWith("/validate")) return answered(200, "success");
  const open = world.journal.open(entry, "sockets");
  const data: SocketSession = {
    opened: (socket: ServerWebSocket<SocketSession>) => void socket.sendBinary(joinResponse(claims)),
    received: () => {},
    drained: () => {},
    closed: () => open.close("completed"),
  };
  if (!server.upgrade(request, { data })) {
    open.close("refused");
    return answered(426, "Upgrade expected");
  }
  world.journal.answered(entry, 101);
  return undefined;
}

interface Claims {
  room: string;
  identity: string;
  name: string;
}

function claimsOf(token: string): Claims | undefined {
  const [, payload = "", signature] = token.split(".");
  if (signature !== SIGNATURE) return undefined;
  const claims = objectOf(Buffer.from(payload, "base64url").toString());
  const room = textOf(fieldsOf(claims?.["video"])["room"]);
  return room === "" ? undefined : { room, identity: textOf(claims?.["sub"]), name: textOf(claims?.["name"]) };
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? fieldsOf(value) : undefined;
  } catch {
    return undefined;
  }
}

/** LiveKit's signalling is protobuf (livekit_rtc.proto, protocol 15): SignalResponse{join: JoinResponse}. */
function joinResponse({ room, identity, name }: Claims): Uint8Array {
  const permission = message(number(1, 1), number(2, 1), number(3, 1));
  const seconds = Math.floor(nowMs() / 1000);
  const join = message(
    field(1, message(text(1, "RM_simulated"), text(2, room), number(5, seconds))),
    field(
      2,
      message(
        text(1, "PA_simulated"),
        text(2, identity),
        number(3, 1),
        number(6, seconds),
        text(9, name),
        field(11, permission),
      ),
    ),
    text(4, "1.9.0"),
    number(6, 1),
  );
  return message(field(1, join));
}

function message(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Length-delimited. */
function field(id: number, bytes: Uint8Array): Uint8Array {
  return message(varint((id << 3) | 2), varint(bytes.length), bytes);
}

function text(id: number, value: string): Uint8Array {
  return field(id, new TextEncoder().encode(value));
}

function number(id: number, value: number): Uint8Array {
  return message(varint(id << 3), varint(value));
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return new Uint8Array([...bytes, left]);
}
