// One request at a time, with the whole body kept: for checking content before timing and for the behaviour lanes.
// Knows how an answer's text is spread over NDJSON, both kinds of SSE and JSON; times nothing finely. Invariant: every wait has an end.
import type { Socket } from "bun";
import { parseJson } from "./json.ts";
import type { Shot } from "./load.ts";
import { createResponseReader } from "./response-reader.ts";
import type { Wire } from "./targets.ts";

export interface Exchange {
  status: number;
  body: string;
  complete: boolean;
}
export interface OpenExchange {
  /** resolves with the whole answer, or with what there was when the connection ended or the time was up */
  done: Promise<Exchange>;
  /** resolves at the first byte of the body */
  streaming: Promise<true>;
  /** hangs up: politely (FIN) or not (RST) */
  hangUp(how: "fin" | "rst"): void;
  /** stops reading, so that the server's writes back up */
  stall(): void;
}

export async function openExchange(shot: Shot, timeoutMs: number): Promise<OpenExchange> {
  const pieces: Buffer[] = [];
  const streaming = Promise.withResolvers<true>();
  const done = Promise.withResolvers<Exchange>();
  const reader = createResponseReader((piece) => {
    pieces.push(Buffer.from(piece));
    streaming.resolve(true);
  });
  const settle = () => {
    clearTimeout(timer);
    done.resolve({
      status: reader.status,
      body: Buffer.concat(pieces).toString("utf8"),
      complete: reader.framing === "done",
    });
    streaming.resolve(true);
  };
  const timer = setTimeout(() => {
    settle();
    socket.terminate();
  }, timeoutMs);
  const socket: Socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: shot.port,
    socket: {
      data(connection, bytes) {
        reader.feed(bytes);
        if (reader.framing !== "done") return;
        settle();
        connection.end();
      },
      close: settle,
      error: settle,
    },
  });
  socket.write(shot.bytes);
  return {
    done: done.promise,
    streaming: streaming.promise,
    hangUp: (how) => (how === "rst" ? socket.terminate() : socket.end()),
    stall: () => socket.pause(),
  };
}

export async function exchange(shot: Shot, timeoutMs: number): Promise<Exchange> {
  return (await openExchange(shot, timeoutMs)).done;
}

/** The answer's text as a client of this wire would put it together; throws when the wire itself is wrong. */
export function answerText(wire: Wire, stream: boolean, body: string): string {
  if (wire === "ndjson") return ndjsonText(body);
  if (wire === "responses") return responsesText(body);
  return stream ? sseText(body) : jsonText(body);
}

interface UpstreamLine {
  result?: { response?: { token?: string; isThinking?: boolean } };
}
interface ChatChunk {
  error?: unknown;
  choices?: {
    delta?: { content?: string | null };
    message?: { content?: string | null };
    finish_reason?: string | null;
  }[];
}

function ndjsonText(body: string): string {
  let text = "";
  for (const line of body.split("\n")) {
    if (!line) continue;
    const frame = parseJson<UpstreamLine>(line);
    text += frame.result?.response?.token ?? "";
  }
  return text;
}

function* eventsData(body: string): Generator<string> {
  for (const event of body.split("\n\n")) {
    const data = event
      .split("\n")
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice(5).trimStart())
      .join("\n");
    if (data) yield data;
  }
}

interface ResponseEvent {
  type?: string;
  delta?: string;
  response?: { output?: { type?: string; content?: { text?: string }[] }[] };
}

/** The deltas, which have to be what the last event says, too. */
function responsesText(body: string): string {
  let text = "";
  let whole: string | null = null;
  for (const data of eventsData(body)) {
    if (whole !== null) throw new Error(`an event after the last one: ${data.slice(0, 200)}`);
    const { type, delta, response } = parseJson<ResponseEvent>(data);
    if (type === "response.output_text.delta") text += delta ?? "";
    else if (type === "response.completed")
      whole = (response?.output ?? [])
        .flatMap((item) => (item.type === "message" ? (item.content ?? []) : []))
        .map((part) => part.text ?? "")
        .join("");
    else if (type === "error" || type === "response.failed") throw new Error(`a failure: ${data.slice(0, 300)}`);
  }
  if (whole === null) throw new Error("the stream ended without response.completed");
  if (whole !== text) throw new Error("the deltas differ from the last event's text");
  return text;
}

function sseText(body: string): string {
  let text = "";
  let finished = false;
  for (const data of eventsData(body)) {
    if (finished) throw new Error(`an event after [DONE]: ${data.slice(0, 200)}`);
    if (data === "[DONE]") {
      finished = true;
      continue;
    }
    const chunk = parseJson<ChatChunk>(data);
    if (chunk.error) throw new Error(`an error in the stream: ${data.slice(0, 300)}`);
    text += chunk.choices?.[0]?.delta?.content ?? "";
  }
  if (!finished) throw new Error("the stream ended without [DONE]");
  return text;
}

function jsonText(body: string): string {
  const answer = parseJson<ChatChunk>(body);
  if (answer.error) throw new Error(`an error: ${body.slice(0, 300)}`);
  return answer.choices?.[0]?.message?.content ?? "";
}
