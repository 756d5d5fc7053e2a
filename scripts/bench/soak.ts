// The soak: mixed traffic for many minutes, one stream in twenty hung up, memory watched all along.
// Knows the slope that is allowed. Invariant: errors of answers that nobody hung up on count, whatever the memory does.
import { answerText, openExchange, type OpenExchange } from "./exchange.ts";
import { readRssMb } from "./measure.ts";
import { merge, slopePerMinute } from "./memory.ts";
import { shotFor, type Target } from "./targets.ts";
import { expectedText, withoutStamps, type Plan } from "./wire.mjs";

const WORKERS = 40;
const HANG_UP_EVERY = 20;
const SAMPLE_SECONDS = 5;
const SETTLING_MINUTES = 10;
const SLOPE_LIMIT = 0.5;
const KINDS: { plan: Partial<Plan>; stream: boolean }[] = [
  { plan: { n: 100, d: 20 }, stream: true },
  { plan: { n: 200 }, stream: true },
  { plan: { n: 8 }, stream: false },
  { plan: { n: 30, split: 7 }, stream: true },
  { plan: { n: 40, d: 50, hdelay: 200 }, stream: true },
];

export async function runSoak(
  target: Target,
  minutes: number,
  say: (text: string) => void,
): Promise<{ ok: boolean; text: string }> {
  const endMs = performance.now() + minutes * 60_000;
  const samples: { second: number; mb: number }[] = [];
  const errors: Record<string, number> = {};
  let answered = 0;
  let hungUp = 0;
  const began = performance.now();

  const worker = async (number: number) => {
    for (let turn = number; performance.now() < endMs; turn++) {
      const kind = KINDS[turn % KINDS.length];
      if (!kind) continue;
      const one = await openExchange(shotFor(target, { ...kind, stamps: false }), 15_000).catch(() => null);
      if (!one) merge(errors, { "connect refused": 1 });
      else if (turn % HANG_UP_EVERY === 0) {
        await Promise.race([one.streaming, Bun.sleep(1000)]);
        one.hangUp(turn % 40 ? "rst" : "fin");
        hungUp++;
      } else {
        const problem = await problemOf(one, target, kind);
        if (problem) merge(errors, { [problem]: 1 });
        answered++;
      }
      await Bun.sleep(100 + ((turn * 37) % 200));
    }
  };
  const watch = async () => {
    while (performance.now() < endMs) {
      await Bun.sleep(SAMPLE_SECONDS * 1000);
      const mb = readRssMb(target.child.pid);
      const second = (performance.now() - began) / 1000;
      if (mb !== null) samples.push({ second, mb });
      if (samples.length % 12 === 0)
        say(`${mb?.toFixed(1) ?? "?"} MB, ${answered} answers, ${hungUp} hang-ups, errors ${JSON.stringify(errors)}`);
    }
  };
  await Promise.all([watch(), ...Array.from({ length: WORKERS }, (_, number) => worker(number))]);

  const settled = samples.filter(({ second }) => second >= Math.min(SETTLING_MINUTES, minutes / 3) * 60);
  const slope = slopePerMinute(settled);
  const judged = minutes > SETTLING_MINUTES;
  const leaks = judged && slope >= SLOPE_LIMIT;
  const failures = Object.values(errors).reduce((sum, count) => sum + count, 0);
  const text = `soak: ${answered} answers, ${hungUp} hang-ups, ${failures} errors ${JSON.stringify(errors)}; memory ${settled[0]?.mb.toFixed(1)} → ${settled.at(-1)?.mb.toFixed(1)} MB, slope ${slope.toFixed(2)} MB a minute (${judged ? `limit ${SLOPE_LIMIT}` : "too short to be judged"})`;
  return { ok: failures === 0 && !leaks, text };
}

async function problemOf(one: OpenExchange, target: Target, kind: (typeof KINDS)[number]): Promise<string | null> {
  const answer = await one.done;
  if (answer.status !== 200) return `status ${answer.status}`;
  if (!answer.complete) return "cut short";
  try {
    const text = withoutStamps(answerText(target.wire, kind.stream, answer.body));
    return text === expectedText(kind.plan.n ?? 0) ? null : "wrong text";
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message.slice(0, 60) : "unreadable";
  }
}
