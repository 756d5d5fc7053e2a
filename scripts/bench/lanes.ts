// The load lanes of each mode: which targets, how many clients, how long. Data more than program.
// Knows no goals. Invariant: the sum of a mode's windows fits its time (quick 90 s, default 8 min).
import type { LaneSpec } from "./rounds.ts";
import type { Target } from "./targets.ts";

export interface Targets {
  direct: Target;
  /** HTTP/1.1 upstream, by name */
  h1: Record<string, Target>;
  /** TLS + HTTP/2 upstream, by name; empty when there is no such mock */
  h2: Record<string, Target>;
}
export type Mode = "quick" | "default";

const BURST_TOKENS = 200;
const JSON_TOKENS = 8;
const PACE_MS = 20;
const CLIENTS = 16;

export function loadLanes(mode: Mode, targets: Targets): LaneSpec[] {
  const quick = mode === "quick";
  const rounds = 5;
  const pick = (group: Record<string, Target>, names: string[]) =>
    names.flatMap((name) => (group[name] ? [group[name]] : []));
  const both = ["pass-wreq", "gateway-wreq", "pass-fetch", "gateway-fetch"];
  const saturating = {
    rounds,
    stamps: false,
    connections: CLIENTS,
    loop: true,
    rampMs: 0,
    settleMs: 0,
    saturating: true,
  };
  const paced = {
    rounds,
    plan: { d: PACE_MS },
    stream: true,
    stamps: true,
    loop: false,
    warmUpMs: 0,
    saturating: false,
  };
  const burst = { ...saturating, plan: { n: BURST_TOKENS }, stream: true };
  const xai = pick(targets.h1, ["pass-xai", "gateway-xai"]);
  // The second upstream takes what the quick mode has left.
  const xaiRounds = quick ? 3 : rounds;
  const lanes: LaneSpec[] = [
    {
      ...burst,
      name: "burst",
      targets: quick
        ? pick(targets.h1, both)
        : [targets.direct, ...pick(targets.h1, ["floor-static", ...both, "naive-wreq", "naive-fetch"])],
      warmUpMs: quick ? 500 : 800,
      windowMs: quick ? 350 : 800,
    },
    {
      ...burst,
      name: "burst-h2",
      targets: pick(targets.h2, ["pass-wreq", "gateway-wreq"]),
      warmUpMs: quick ? 500 : 800,
      windowMs: quick ? 350 : 800,
    },
    {
      ...saturating,
      name: "json",
      plan: { n: JSON_TOKENS },
      stream: false,
      targets: pick(targets.h1, both),
      warmUpMs: quick ? 400 : 800,
      windowMs: quick ? 300 : 700,
    },
    {
      ...saturating,
      name: "lat1",
      saturating: false,
      connections: 1,
      plan: { n: JSON_TOKENS },
      stream: true,
      targets: quick ? pick(targets.h1, ["pass-wreq", "gateway-wreq"]) : [targets.direct, ...pick(targets.h1, both)],
      warmUpMs: quick ? 300 : 800,
      windowMs: quick ? 400 : 900,
    },
  ];
  const xaiLanes: LaneSpec[] = [
    {
      ...burst,
      name: "burst-xai",
      rounds: xaiRounds,
      targets: quick ? xai : [...xai, ...pick(targets.h1, ["gateway-xai-responses"])],
      warmUpMs: quick ? 500 : 800,
      windowMs: quick ? 350 : 800,
    },
    {
      ...saturating,
      name: "json-xai",
      rounds: xaiRounds,
      plan: { n: JSON_TOKENS },
      stream: false,
      targets: xai,
      warmUpMs: quick ? 400 : 800,
      windowMs: quick ? 300 : 700,
    },
    {
      ...paced,
      name: "paced-xai",
      rounds: xaiRounds,
      connections: quick ? 50 : 200,
      rampMs: quick ? 100 : 400,
      settleMs: quick ? 200 : 300,
      windowMs: quick ? 700 : 1500,
      targets: xai,
    },
  ];
  if (quick) {
    const names = ["pass-wreq", "gateway-wreq", "naive-wreq", "pass-fetch", "gateway-fetch"];
    return [
      ...lanes,
      {
        ...paced,
        name: "paced50",
        connections: 50,
        rampMs: 100,
        settleMs: 200,
        windowMs: 700,
        targets: pick(targets.h1, names),
      },
      ...xaiLanes,
    ];
  }
  const watch = { rampMs: 400, settleMs: 300, windowMs: 1500 };
  return [
    ...lanes,
    {
      ...paced,
      ...watch,
      name: "paced200",
      connections: 200,
      targets: [targets.direct, ...pick(targets.h1, [...both, "naive-wreq", "naive-fetch"])],
    },
    {
      ...paced,
      ...watch,
      name: "paced200-h2",
      connections: 200,
      targets: pick(targets.h2, ["pass-wreq", "gateway-wreq"]),
    },
    {
      ...paced,
      ...watch,
      rampMs: 600,
      name: "paced400",
      connections: 400,
      targets: [targets.direct, ...pick(targets.h1, ["pass-wreq", "gateway-wreq"])],
    },
    ...xaiLanes,
  ];
}
