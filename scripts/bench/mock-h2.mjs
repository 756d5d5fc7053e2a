// The TLS + HTTP/2 upstream of the benchmark, run by node (its http2 server is the one that real deployments resemble most).
// usage: node mock-h2.mjs <key.pem> <cert.pem>. Speaks the same plans as mock-h1.ts; its control pages are on a plain HTTP port.
// Invariant: at most 100 streams a connection, as common servers allow, so that a client which does not shard is seen to wait.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { constants, createSecureServer } from "node:http2";
import {
  burstPieces,
  closingFrames,
  controlAnswer,
  createLedger,
  defaultPlan,
  openingFrame,
  planFromQuery,
  planFromText,
  tokenFrame,
  tokenText,
} from "./wire.mjs";

const [keyPath, certPath] = process.argv.slice(2);
// node's hrtime is CLOCK_MONOTONIC counted from boot, the clock that clock.ts reads through libc.
const nowUs = () => Number(process.hrtime.bigint()) / 1000;
const ledger = createLedger(nowUs);
const bursts = new Map();
let phase = 0;

const server = createSecureServer({
  key: readFileSync(keyPath),
  cert: readFileSync(certPath),
  allowHTTP1: false,
  settings: { maxConcurrentStreams: 100, initialWindowSize: 1 << 20 },
});
server.on("secureConnection", (socket) => socket.setNoDelay(true));
server.on("sessionError", () => {});
server.on("stream", (stream, headers) => {
  stream.on("error", () => {});
  const [path, query = ""] = String(headers[":path"]).split("?");
  const body = [];
  stream.on("data", (bytes) => body.push(bytes));
  stream.on("end", () => {
    if (path.startsWith("/rest/app-chat/conversations/")) {
      const plan =
        (query && planFromQuery(query)) || planFromText(Buffer.concat(body).toString("utf8")) || defaultPlan();
      startAnswer(stream, plan);
      return;
    }
    const page = controlAnswer({ path, query, ledger, nowUs });
    stream.respond({ ":status": page ? 200 : 404, "content-type": "application/json" });
    stream.end(page ?? "{}");
  });
});

const control = createServer((request, response) => {
  const [path, query = ""] = String(request.url).split("?");
  response.end(controlAnswer({ path, query, ledger, nowUs }) ?? "{}");
});

server.listen(0, "127.0.0.1", () => {
  control.listen(0, "127.0.0.1", () => {
    console.log(
      `READY ${JSON.stringify({ port: server.address().port, control: control.address().port, clock: process.platform === "linux" ? "shared" : "own" })}`,
    );
  });
});

function startAnswer(stream, plan) {
  const answer = { stream, plan, index: 0, message: "", done: false, timer: null };
  ledger.started(plan.tag);
  stream.on("close", () => {
    clearTimeout(answer.timer);
    if (!answer.done) {
      answer.done = true;
      ledger.finished(plan.tag, "closed");
    }
  });
  if (plan.hdelay) answer.timer = setTimeout(() => beginBody(answer), plan.hdelay);
  else beginBody(answer);
}

function beginBody(answer) {
  const { stream, plan } = answer;
  if (stream.destroyed) return;
  stream.respond({ ":status": constants.HTTP_STATUS_OK, "content-type": "application/json" });
  if (plan.split) sendSplit(answer);
  else if (plan.d) {
    phase = (phase + 1) % plan.d;
    answer.timer = setTimeout(() => sendPaced(answer), phase + 1);
  } else sendBurst(answer);
}

function sendBurst(answer) {
  const { stream, plan } = answer;
  const pieces = burstOf(plan.n);
  ledger.sent(plan.tag, plan.n);
  if (plan.merged) return end(answer, pieces.whole);
  for (let index = 0; index < pieces.frames.length - 1; index++) stream.write(pieces.frames[index]);
  end(answer, pieces.frames.at(-1));
}

function burstOf(count) {
  let burst = bursts.get(count);
  if (!burst) {
    const frames = burstPieces(Math.max(1, count)).map((piece) => Buffer.from(piece));
    burst = { frames, whole: Buffer.concat(frames) };
    bursts.set(count, burst);
  }
  return burst;
}

function sendSplit(answer) {
  const { stream, plan } = answer;
  const body = burstOf(plan.n).whole;
  let at = 0;
  const next = () => {
    if (stream.destroyed) return;
    const piece = body.subarray(at, at + plan.split);
    at += plan.split;
    if (at >= body.length) return end(answer, piece);
    stream.write(piece);
    setImmediate(next);
  };
  next();
}

function sendPaced(answer) {
  const { stream, plan } = answer;
  if (stream.destroyed) return;
  const text = tokenText(answer.index, nowUs());
  stream.write(answer.index === 0 ? openingFrame() + tokenFrame(text) : tokenFrame(text));
  ledger.sent(plan.tag);
  answer.message += text;
  answer.index++;
  if (answer.index >= plan.n) return end(answer, closingFrames(plan.n, answer.message));
  const silent = plan.pause && answer.index === plan.n >> 1;
  answer.timer = setTimeout(() => sendPaced(answer), silent ? plan.pause : plan.d);
}

function end(answer, last) {
  answer.done = true;
  ledger.finished(answer.plan.tag, "ended");
  answer.stream.end(last);
}
