// The HTTP/1.1 upstream of the benchmark: raw TCP, one HTTP chunk a frame, so that it costs less than whatever stands in front.
// Answers for two upstreams, whose frames come from their wires; knows also its own control pages, and nothing of gateways.
// Invariant: it never queues more for a connection than one block, so a reader that stalls stalls the mock.
import type { Socket } from "bun";
import { clockIsShared, nowUs } from "./clock.ts";
import { answerPieces, webWire, type UpstreamWire } from "./upstream-wire.ts";
import { controlAnswer, createLedger, defaultPlan, planFromQuery, planFromText, tokenText } from "./wire.mjs";
import type { Plan } from "./wire.mjs";
import { XAI_BASE, xaiPage, xaiWire } from "./wire-xai.ts";

interface Connection {
  inbox: Buffer | null;
  unsent: Buffer | null;
  answer: Answer | null;
}
interface Answer {
  socket: Socket<Connection>;
  wire: UpstreamWire;
  plan: Plan;
  index: number;
  message: string;
  /** when each token of a paced answer was sent */
  stamps: number[];
  pieces: Buffer[] | null;
  waiting: boolean;
}

const BLOCK_TOKENS = 200;
const WHEEL_SLOTS = 4096;

const ledger = createLedger(nowUs);
const bursts = new Map<string, Buffer>();
const templates: Record<UpstreamWire["name"], { bytes: Buffer; lastDigit: number }[]> = { web: [], xai: [] };
const wheel: Answer[][] = Array.from({ length: WHEEL_SLOTS }, () => []);
let wheelTimer: ReturnType<typeof setInterval> | null = null;
let wheelTick = 0;
let onWheel = 0;
let phase = 0;

const server = Bun.listen<Connection>({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open(socket) {
      socket.data = { inbox: null, unsent: null, answer: null };
      socket.setNoDelay(true);
    },
    data(socket, bytes) {
      const connection = socket.data;
      connection.inbox = connection.inbox ? Buffer.concat([connection.inbox, bytes]) : Buffer.from(bytes);
      takeRequest(socket);
    },
    drain(socket) {
      flush(socket);
      if (!socket.data.unsent && socket.data.answer) advance(socket.data.answer);
    },
    close: forget,
    end: forget,
    error: forget,
  },
});
console.log(
  `READY ${JSON.stringify({ port: server.port, control: server.port, clock: clockIsShared ? "shared" : "own" })}`,
);

function forget(socket: Socket<Connection>): void {
  const answer = socket.data?.answer;
  if (answer) {
    socket.data.answer = null;
    ledger.finished(answer.plan.tag, "closed");
  }
  socket.end();
}

function takeRequest(socket: Socket<Connection>): void {
  const inbox = socket.data.inbox;
  if (!inbox || socket.data.answer) return;
  const headEnd = inbox.indexOf("\r\n\r\n");
  if (headEnd < 0) return;
  const head = inbox.toString("latin1", 0, headEnd);
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  const end = headEnd + 4 + length;
  if (inbox.length < end) return;
  socket.data.inbox = inbox.length > end ? inbox.subarray(end) : null;
  const target = head.slice(head.indexOf(" ") + 1, head.indexOf(" HTTP/"));
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? "" : target.slice(mark + 1);
  const wire = wireAt(path);
  if (wire) {
    const body = inbox.toString("utf8", headEnd + 4, end);
    startAnswer(socket, wire, (query && planFromQuery(query)) || planFromText(body) || defaultPlan());
    return;
  }
  const page = controlAnswer({ path, query, ledger, nowUs }) ?? xaiPage(path);
  const text = page ?? '{"error":{"code":5,"message":"Not Found","details":[]}}';
  send(
    socket,
    `HTTP/1.1 ${page ? "200 OK" : "404 Not Found"}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  takeRequest(socket);
}

function wireAt(path: string): UpstreamWire | null {
  if (path.startsWith("/rest/app-chat/conversations/")) return webWire;
  return path === `${XAI_BASE}/responses` ? xaiWire : null;
}

function headOf({ contentType }: UpstreamWire): string {
  return `HTTP/1.1 200 OK\r\ncontent-type: ${contentType}\r\ntransfer-encoding: chunked\r\n\r\n`;
}

function startAnswer(socket: Socket<Connection>, wire: UpstreamWire, plan: Plan): void {
  const answer: Answer = { socket, wire, plan, index: 0, message: "", stamps: [], pieces: null, waiting: false };
  socket.data.answer = answer;
  ledger.started(plan.tag);
  if (plan.hdelay) later(answer, plan.hdelay, beginBody);
  else beginBody(answer);
}

function beginBody(answer: Answer): void {
  const { plan, socket, wire } = answer;
  if (plan.split) {
    answer.pieces = splitPieces(wire, plan);
    send(socket, headOf(wire));
    later(answer, 0, advance);
  } else if (plan.d) {
    send(socket, headOf(wire));
    phase = (phase + 1) % plan.d;
    schedule(answer, phase + 1);
  } else if (plan.pause || plan.n > BLOCK_TOKENS * 5) {
    send(socket, headOf(wire));
    advance(answer);
  } else {
    ledger.sent(plan.tag, plan.n);
    finish(answer, wholeBurst(wire, plan));
  }
}

/** Sends the next part of an answer that is not one ready-made burst; called by the wheel, by drain and by timers. */
function advance(answer: Answer): void {
  if (answer.socket.data.answer !== answer || answer.waiting) return;
  const { plan, socket } = answer;
  if (answer.pieces) {
    const piece = answer.pieces[answer.index++];
    if (!piece) return finish(answer, "0\r\n\r\n");
    send(socket, chunk(piece));
    later(answer, 0, advance);
  } else if (plan.d) {
    advancePaced(answer);
  } else {
    advanceBlocks(answer);
  }
}

function advancePaced(answer: Answer): void {
  const { plan, socket } = answer;
  // A stalled reader gets no more until it has drained; its next token then comes with the next turn of the wheel.
  if (socket.data.unsent) return schedule(answer, plan.d);
  const stampUs = Math.trunc(nowUs());
  answer.stamps.push(stampUs);
  send(socket, stampedChunk(answer.wire, answer.index, stampUs));
  ledger.sent(plan.tag);
  answer.index++;
  if (answer.index >= plan.n) finish(answer, pacedClosing(answer));
  else if (plan.pause && answer.index === plan.n >> 1) {
    later(answer, plan.pause, advance);
  } else schedule(answer, plan.d);
}

function pacedClosing({ wire, plan, stamps }: Answer): string {
  const message = stamps.map((stampUs, index) => tokenText(index, stampUs)).join("");
  return `${chunk(wire.closing(plan.n, message))}0\r\n\r\n`;
}

/** The ready-made chunk of a token with its stamp put in: the mock shares its core with the loader and has to be cheap. */
function stampedChunk(wire: UpstreamWire, index: number, stampUs: number): Buffer {
  let template = templates[wire.name][index];
  if (!template) {
    const frame = wire.token(index, tokenText(index));
    const bytes = Buffer.from(chunk(index === 0 ? wire.opening() + frame : frame));
    template = { bytes, lastDigit: bytes.lastIndexOf("@") - 1 };
    templates[wire.name][index] = template;
  }
  let rest = stampUs;
  for (let at = template.lastDigit; rest > 0; at--) {
    template.bytes[at] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return template.bytes;
}

function advanceBlocks(answer: Answer): void {
  const { plan, socket, wire } = answer;
  while (!socket.data.unsent && socket.data.answer === answer) {
    if (answer.index >= plan.n) return finish(answer, `${chunk(wire.closing(plan.n, answer.message))}0\r\n\r\n`);
    const half = plan.n >> 1;
    const limit = plan.pause && answer.index < half ? half : plan.n;
    const end = Math.min(limit, answer.index + BLOCK_TOKENS);
    let block = "";
    for (; answer.index < end; answer.index++) {
      const text = tokenText(answer.index);
      if (plan.n <= 5000) answer.message += text;
      const frame = wire.token(answer.index, text);
      block += chunk(answer.index === 0 ? wire.opening() + frame : frame);
    }
    send(socket, block);
    ledger.sent(plan.tag, BLOCK_TOKENS);
    if (plan.pause && answer.index === half) {
      return later(answer, plan.pause, advance);
    }
  }
}

/** Runs `step` after the delay unless the client has gone; meanwhile drain must not push the answer on. */
function later(answer: Answer, delayMs: number, step: (answer: Answer) => void): void {
  answer.waiting = true;
  const resume = () => {
    answer.waiting = false;
    if (answer.socket.data.answer === answer) step(answer);
  };
  if (delayMs) setTimeout(resume, delayMs);
  else setImmediate(resume);
}

function finish(answer: Answer, last: string | Buffer): void {
  answer.socket.data.answer = null;
  ledger.finished(answer.plan.tag, "ended");
  send(answer.socket, last);
  takeRequest(answer.socket);
}

function wholeBurst(wire: UpstreamWire, plan: Plan): Buffer {
  const key = `${wire.name}/${plan.n}/${plan.merged}`;
  let burst = bursts.get(key);
  if (!burst) {
    const pieces = answerPieces(wire, Math.max(1, plan.n));
    const body = plan.merged ? chunk(pieces.join("")) : pieces.map((piece) => chunk(piece)).join("");
    burst = Buffer.from(`${headOf(wire)}${body}0\r\n\r\n`);
    bursts.set(key, burst);
  }
  return burst;
}

function splitPieces(wire: UpstreamWire, plan: Plan): Buffer[] {
  const body = Buffer.from(answerPieces(wire, Math.max(1, plan.n)).join(""));
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; at += plan.split) pieces.push(body.subarray(at, at + plan.split));
  return pieces;
}

function chunk(text: string): string;
function chunk(text: Buffer): Buffer;
function chunk(text: string | Buffer): string | Buffer {
  if (typeof text === "string") return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
  return Buffer.concat([Buffer.from(`${text.length.toString(16)}\r\n`), text, Buffer.from("\r\n")]);
}

function send(socket: Socket<Connection>, data: string | Buffer): void {
  if (socket.data.unsent) {
    socket.data.unsent = Buffer.concat([socket.data.unsent, typeof data === "string" ? Buffer.from(data) : data]);
    return;
  }
  const length = typeof data === "string" ? Buffer.byteLength(data) : data.length;
  const written = Math.max(0, socket.write(data));
  if (written < length) socket.data.unsent = Buffer.from(data as string).subarray(written);
}

function flush(socket: Socket<Connection>): void {
  const { unsent } = socket.data;
  if (!unsent) return;
  const written = Math.max(0, socket.write(unsent));
  socket.data.unsent = written < unsent.length ? unsent.subarray(written) : null;
}

// A wheel of one-millisecond slots paces all streams with one timer; streams start in different slots, because tokens of many
// streams in one synchronous burst would measure the burst and not the gateway.
function schedule(answer: Answer, delayMs: number): void {
  if (!wheelTimer) {
    wheelTick = Math.floor(nowUs() / 1000);
    wheelTimer = setInterval(turnWheel, 1);
  }
  wheel[(wheelTick + delayMs) % WHEEL_SLOTS]?.push(answer);
  onWheel++;
}

function turnWheel(): void {
  const now = Math.floor(nowUs() / 1000);
  while (wheelTick < now) {
    wheelTick++;
    const slot = wheelTick % WHEEL_SLOTS;
    const due = wheel[slot];
    if (!due?.length) continue;
    wheel[slot] = [];
    onWheel -= due.length;
    for (const answer of due) advance(answer);
  }
  if (onWheel === 0 && wheelTimer) {
    clearInterval(wheelTimer);
    wheelTimer = null;
  }
}
