// Lanes that judge behaviour and not speed: hang-ups that must reach the upstream, clients that stop reading, long silence.
// Everything is counted at the mock, never believed from the gateway. Invariant: each lane ends by its own time limit.
import { answerText, openExchange } from "./exchange.ts";
import { parseJson } from "./json.ts";
import { readRssMb } from "./measure.ts";
import { shotFor, type Mock, type Target } from "./targets.ts";
import { expectedText, withoutStamps, type LedgerRow, type Plan } from "./wire.mjs";

export async function askMock<T>(mock: Mock, path: string): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${mock.control}${path}`, { signal: AbortSignal.timeout(5000) });
  return parseJson<T>(await answer.text());
}

export type CancelState = "streaming" | "silent" | "before headers";
export interface CancelTrials {
  target: string;
  protocol: string;
  state: CancelState;
  trials: number;
  closed: number;
  /** seconds from the hang-up, or from the upstream's next token when that came later */
  worstSeconds: number;
  medianSeconds: number;
}

const CANCEL_STATES: { state: CancelState; plan: Partial<Plan>; settleMs: number }[] = [
  { state: "streaming", plan: { n: 1000, d: 20 }, settleMs: 400 },
  { state: "silent", plan: { n: 50, d: 2000 }, settleMs: 2600 },
  { state: "before headers", plan: { n: 50, d: 20, hdelay: 8000 }, settleMs: 400 },
];
const CLOSE_PATIENCE_MS = 4500;

/** Opens `trials` streams in each state, hangs them all up and asks the mock when it noticed; the gateway is quiet afterwards. */
export async function runCancelLane(target: Target, trials: number): Promise<CancelTrials[]> {
  const rows: CancelTrials[] = [];
  for (const { state, plan, settleMs } of CANCEL_STATES) {
    const prefix = `${target.name}-${state.replace(" ", "-")}-${Date.now()}-`;
    const open = await Promise.all(
      Array.from({ length: trials }, (_, index) =>
        openExchange(
          shotFor(target, { plan: { ...plan, tag: `${prefix}${index}` }, stream: true, stamps: false }),
          20_000,
        ),
      ),
    );
    await Bun.sleep(settleMs);
    const { us: hungUpUs } = await askMock<{ us: number }>(target.mock, "/clock");
    for (const [index, exchange] of open.entries()) exchange.hangUp(index % 2 ? "rst" : "fin");
    await waitForCloses(target.mock, prefix);
    const ledger = await askMock<LedgerRow[]>(target.mock, `/closed?tag=${prefix}`);
    const delays = ledger
      .filter((row) => row.state === "closed")
      // A token that the upstream sent after the hang-up is the first chance that some clients get to notice.
      .map((row) => Math.max(0, row.endedUs - Math.max(hungUpUs, row.lastSentUs)) / 1e6)
      .toSorted((a, b) => a - b);
    rows.push({
      target: target.name,
      protocol: target.mock.protocol,
      state,
      trials,
      closed: delays.length,
      worstSeconds: delays.at(-1) ?? Number.NaN,
      medianSeconds: delays[delays.length >> 1] ?? Number.NaN,
    });
  }
  return rows;
}

async function waitForCloses(mock: Mock, prefix: string): Promise<void> {
  const end = performance.now() + CLOSE_PATIENCE_MS;
  while (performance.now() < end) {
    const rows = await askMock<LedgerRow[]>(mock, `/closed?tag=${prefix}`);
    if (rows.every((row) => row.state !== "open")) return;
    await Bun.sleep(100);
  }
}

export interface StallResult {
  target: string;
  protocol: string;
  clients: number;
  beforeMb: number | null;
  afterMb: number | null;
  growthMb: number | null;
  worstMb: number | null;
}

/** Clients that read the beginning of 19 MB each and then nothing: memory must stay where it is. */
export async function runStalledLane(target: Target, clients: number): Promise<StallResult> {
  const beforeMb = readRssMb(target.child.pid);
  const open = await Promise.all(
    Array.from({ length: clients }, () =>
      openExchange(shotFor(target, { plan: { n: 100_000 }, stream: true, stamps: false }), 15_000),
    ),
  );
  await Promise.race([Promise.all(open.map((one) => one.streaming)), Bun.sleep(5000)]);
  for (const one of open) one.stall();
  let worstMb = beforeMb;
  for (let sample = 0; sample < 40; sample++) {
    await Bun.sleep(100);
    const now = readRssMb(target.child.pid);
    if (now !== null && worstMb !== null) worstMb = Math.max(worstMb, now);
  }
  const afterMb = readRssMb(target.child.pid);
  for (const one of open) one.hangUp("rst");
  await Bun.sleep(1500);
  return {
    target: target.name,
    protocol: target.mock.protocol,
    clients,
    beforeMb,
    afterMb,
    worstMb,
    growthMb: beforeMb === null || afterMb === null ? null : afterMb - beforeMb,
  };
}

export interface SilenceResult {
  target: string;
  silenceMs: number;
  streams: number;
  complete: number;
  problem: string;
}

/** A stream whose upstream says nothing for half a minute must go on afterwards, with nothing lost. */
export async function runSilenceLane(target: Target, silenceMs: number): Promise<SilenceResult> {
  const plan = { n: 20, pause: silenceMs };
  const streams = 3;
  const answers = await Promise.all(
    Array.from(
      { length: streams },
      async () => (await openExchange(shotFor(target, { plan, stream: true, stamps: false }), silenceMs + 10_000)).done,
    ),
  );
  let complete = 0;
  let problem = "";
  for (const answer of answers) {
    try {
      if (!answer.complete) throw new Error("the stream was cut");
      if (withoutStamps(answerText(target.wire, true, answer.body)) !== expectedText(plan.n))
        throw new Error("text was lost");
      complete++;
    } catch (thrown) {
      problem = thrown instanceof Error ? thrown.message : String(thrown);
    }
  }
  return { target: target.name, silenceMs, streams, complete, problem };
}
