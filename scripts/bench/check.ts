// Check before timing: a target whose decoded text differs from the upstream's is fast at doing something else.
// Invariant: any difference stops the run.
import { answerText, exchange } from "./exchange.ts";
import { shotFor } from "./targets.ts";
import type { Target } from "./targets.ts";
import { expectedText, withoutStamps } from "./wire.mjs";
import type { Plan } from "./wire.mjs";

const CASES: { name: string; plan: Partial<Plan>; stream: boolean }[] = [
  { name: "burst", plan: { n: 200 }, stream: true },
  { name: "one write", plan: { n: 200, merged: 1 }, stream: true },
  { name: "7-byte pieces", plan: { n: 40, split: 7 }, stream: true },
  { name: "1-byte pieces", plan: { n: 8, split: 1 }, stream: true },
  { name: "paced", plan: { n: 10, d: 5 }, stream: true },
  { name: "JSON", plan: { n: 8 }, stream: false },
];

export class CheckFailure extends Error {}

export async function checkTarget(target: Target): Promise<void> {
  if (target.name.startsWith("floor-")) return;
  for (const { name, plan, stream } of CASES) {
    // The naive reference only streams, and the Responses API is loaded with streams alone.
    if (!stream && (target.role === "naive" || target.wire === "responses")) continue;
    const answer = await exchange(shotFor(target, { plan, stream, stamps: false }), 10_000);
    const where = `${target.name} over ${target.mock.protocol}, ${name}`;
    if (answer.status !== 200 || !answer.complete)
      throw new CheckFailure(
        `${where}: status ${answer.status}, ${answer.complete ? "complete" : "incomplete"}: ${answer.body.slice(0, 300)}`,
      );
    const text = withoutStamps(readText(target, stream, answer.body, where));
    const wanted = expectedText(plan.n ?? 0);
    if (text !== wanted) throw new CheckFailure(`${where}: the text differs ${firstDifference(text, wanted)}`);
  }
}

function readText(target: Target, stream: boolean, body: string, where: string): string {
  try {
    return answerText(target.wire, stream, body);
  } catch (thrown) {
    throw new CheckFailure(`${where}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

function firstDifference(text: string, wanted: string): string {
  let at = 0;
  while (at < text.length && text[at] === wanted[at]) at++;
  return `at character ${at}: ${JSON.stringify(text.slice(at, at + 60))} instead of ${JSON.stringify(wanted.slice(at, at + 60))}`;
}
