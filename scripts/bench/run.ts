// The benchmark: starts mocks, floors and the compiled gateway, checks what they deliver, loads them in turns, judges and reports.
// Is itself the load client, on the mocks' core. Knows the order of things and the time limits; figures are made elsewhere.
// Invariant: it ends by itself within ten minutes (a soak excepted) and leaves no process behind.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { askMock, runCancelLane, runSilenceLane, runStalledLane } from "./behaviour.ts";
import { checkTarget, CheckFailure } from "./check.ts";
import { clockIsShared, remoteOffsetUs } from "./clock.ts";
import { runColdLane } from "./cold.ts";
import { loadLanes, type Targets } from "./lanes.ts";
import { drive } from "./load.ts";
import type { RunResults } from "./measures.ts";
import { runLeakLane, runOpenStreamsLane } from "./memory.ts";
import { createForeignWatch, LOST_LIMIT, measureNoise } from "./noise.ts";
import { readOptions, refuseOutside, USAGE, UsageError, type Options } from "./options.ts";
import { CORES, pin, pinSelf } from "./processes.ts";
import { judge, writeReport } from "./report.ts";
import { createLaneRunner, type LaneSpec } from "./rounds.ts";
import { runSoak } from "./soak.ts";
import { runTidyLane } from "./tidy.ts";
import {
  directTarget,
  responsesTarget,
  ROOT,
  shotFor,
  startFloor,
  startGateway,
  startMocks,
  type Mock,
  type Rig,
  type Target,
} from "./targets.ts";

const EXIT = { met: 0, missed: 1, failed: 2, noisy: 3 };
const WHOLE_RUN_MS = 10 * 60_000;
const LOAD_MS = { quick: 85_000, default: 8 * 60_000, soak: Infinity };

const began = performance.now();
const say = (text: string) => console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${text}`);

async function main(options: Options): Promise<number> {
  const limitMs = options.mode === "soak" ? (options.soakMinutes + 3) * 60_000 : WHOLE_RUN_MS;
  setTimeout(() => {
    console.error(`the run took longer than ${limitMs / 60_000} minutes and was ended`);
    process.exit(EXIT.failed);
  }, limitMs);
  if (!CORES) say("no taskset or one core only: nothing is pinned, CPU figures are rough");
  say("listening to the host for 3 s");
  const noise = measureNoise();
  pinSelf(CORES?.rig);
  if (options.profile) return profile(options);
  const rig = await startMocks(folder, [options.binary], options.mode !== "soak");
  if (options.mode === "soak") return soak(options, rig);
  const results: RunResults = {
    lanes: {},
    cancel: [],
    stalled: [],
    silence: [],
    openStreams: null,
    leak: null,
    cold: null,
    tidy: null,
  };
  const foreign = createForeignWatch();
  const targets = await startTargets(rig, options);
  const all = [targets.direct, ...Object.values(targets.h1), ...Object.values(targets.h2)];
  for (const target of all) await checkTarget(target);
  say(`${all.length} targets deliver the upstream's text: burst, one write, 7-byte and 1-byte pieces, paced, JSON`);
  await runLoadLanes({ options, rig, targets, results, foreign });
  if (!options.floorsOnly) await runBehaviourLanes({ options, rig, targets, results });
  const judged = options.floorsOnly ? [] : judge(results);
  const foreignShare = foreign.share();
  const noisy =
    noise.lostShare > LOST_LIMIT
      ? `${(noise.lostShare * 100).toFixed(1)} % of a busy loop was lost before the run`
      : foreignShare > LOST_LIMIT
        ? `other programs had ${(foreignShare * 100).toFixed(1)} % of the cores during the lanes`
        : null;
  const report = writeReport(join(ROOT, "bench-results"), {
    mode: options.floorsOnly ? "floors" : options.mode,
    date: new Date().toISOString(),
    commit: commitName(),
    machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? "?"}, ${process.platform} ${process.arch}, Bun ${Bun.version}, ${CORES ? "pinned" : "not pinned"}`,
    seconds: (performance.now() - began) / 1000,
    noise,
    foreignShare,
    noisy,
    goals: judged,
    results,
  });
  console.log(`\n${report.text}\n${report.markdown}`);
  if (options.floorsOnly) return EXIT.met;
  if (noisy) {
    console.log(`noisy, no verdict: ${noisy}`);
    return EXIT.noisy;
  }
  const missed = judged.filter((goal) => goal.verdict === "missed");
  console.log(
    missed.length
      ? `missed: ${missed.map((goal) => `${goal.id} ${goal.goal}`).join("; ")}`
      : "every judged goal is met",
  );
  return missed.length ? EXIT.missed : EXIT.met;
}

async function startTargets(rig: Rig, options: Options): Promise<Targets> {
  const h1: Record<string, Target> = {};
  const h2: Record<string, Target> = {};
  const add = (group: Record<string, Target>, target: Target) => {
    group[target.name] = target;
  };
  const wantNaiveFetch = options.mode === "default";
  for (const variant of ["pass-wreq", "pass-fetch", "naive-wreq", "pass-xai"] as const)
    add(h1, await startFloor(rig, variant, rig.h1));
  if (wantNaiveFetch)
    for (const variant of ["static", "naive-fetch"] as const) add(h1, await startFloor(rig, variant, rig.h1));
  if (!options.floorsOnly) {
    for (const client of ["wreq", "fetch"] as const) add(h1, await startGateway(rig, { client, mock: rig.h1 }));
    const overXai = await startGateway(rig, { client: "xai", mock: rig.h1 });
    add(h1, overXai);
    if (options.mode === "default") add(h1, responsesTarget(overXai));
  }
  if (rig.h2) {
    add(h2, await startFloor(rig, "pass-wreq", rig.h2));
    if (!options.floorsOnly) add(h2, await startGateway(rig, { client: "wreq", mock: rig.h2 }));
  }
  return { direct: directTarget(rig.h1), h1, h2 };
}

interface Stage {
  options: Options;
  rig: Rig;
  targets: Targets;
  results: RunResults;
}

const wanted = (options: Options, lane: string) => !options.lanes || options.lanes.includes(lane);

async function runLoadLanes({
  options,
  rig,
  targets,
  results,
  foreign,
}: Stage & { foreign: ReturnType<typeof createForeignWatch> }): Promise<void> {
  const mode = options.mode === "quick" ? "quick" : "default";
  const offsets = new Map<number, number>();
  for (const mock of [rig.h1, rig.h2]) if (mock) offsets.set(mock.pid, await clockOffset(mock));
  const pids = [
    process.pid,
    rig.h1.pid,
    ...(rig.h2 ? [rig.h2.pid] : []),
    ...[...Object.values(targets.h1), ...Object.values(targets.h2)].map((target) => target.child.pid),
  ];
  const runner = createLaneRunner({
    foreign,
    clockOffsetUs: (target) => offsets.get(target.mock.pid) ?? 0,
    allPids: () => pids,
    expired: () => performance.now() - began > LOAD_MS[mode],
  });
  for (const lane of loadLanes(mode, targets)) {
    if (!wanted(options, lane.name) || !lane.targets.length) continue;
    say(`${lane.name}: ${lane.targets.map((target) => target.name).join(", ")}`);
    // One client at a time: with the mock on the gateway's core no figure depends on how fast the host wakes another core.
    const together = lane.name === "lat1" && CORES ? CORES : null;
    if (together) pin(rig.h1.pid, together.gateway);
    results.lanes[lane.name] = await runner.run(named(lane, targets));
    if (together) pin(rig.h1.pid, together.rig);
  }
}

/** Lanes that name a target twice would overwrite a round. */
function named(lane: LaneSpec, targets: Targets): LaneSpec {
  const names = new Set(lane.targets.map((target) => target.name));
  if (names.size !== lane.targets.length)
    throw new Error(`lane ${lane.name} has two targets of one name beside ${targets.direct.name}`);
  return lane;
}

async function clockOffset(mock: Mock): Promise<number> {
  if (clockIsShared && mock.sharedClock) return 0;
  return remoteOffsetUs(async () => (await askMock<{ us: number }>(mock, "/clock")).us);
}

async function runBehaviourLanes({ options, rig, targets, results }: Stage): Promise<void> {
  const quick = options.mode === "quick";
  const own = ["gateway-wreq", "gateway-fetch", "gateway-xai"].flatMap((name) => targets.h1[name] ?? []);
  const overH2 = targets.h2["gateway-wreq"];
  if (wanted(options, "cancel")) {
    const trials = quick ? 6 : 20;
    say(`cancel: ${trials} hang-ups in each of three states`);
    const rows = await Promise.all(
      [...own, ...(overH2 ? [overH2] : [])].map((target) => runCancelLane(target, trials)),
    );
    results.cancel = rows.flat();
  }
  if (!quick) await runLongLanes({ options, rig, targets, results }, own);
  if (wanted(options, "cold")) {
    say("cold start");
    results.cold = await runColdLane(rig, quick ? 5 : 10);
  }
}

async function runLongLanes({ options, rig, results }: Stage, own: Target[]): Promise<void> {
  if (wanted(options, "stalled")) {
    say("stalled: 20 clients that stop reading");
    // Fresh processes: memory that earlier lanes left behind would hide the growth.
    for (const client of ["wreq", "fetch"] as const) {
      const gateway = await startGateway(rig, { client, mock: rig.h1, label: "stalled" });
      await checkTarget(gateway);
      results.stalled.push(await runStalledLane(gateway, 20));
      await gateway.child.stop();
    }
  }
  // Silence costs nothing, so it goes on beside the memory lanes, which have a gateway of their own.
  const silence = wanted(options, "silence") ? Promise.all(own.map((target) => runSilenceLane(target, 30_000))) : null;
  const wantsMemory = wanted(options, "memory");
  const wantsLeak = wanted(options, "leak");
  if (wantsMemory || wantsLeak) {
    say("memory: idle, 100, 500 and 1000 open streams, 2 × 10k requests, 3k hang-ups");
    const gateway = await startGateway(rig, { client: "wreq", mock: rig.h1, label: "memory" });
    if (wantsMemory) results.openStreams = await runOpenStreamsLane(gateway, [100, 500, 1000]);
    if (wantsLeak) results.leak = await runLeakLane(gateway, 10_000, 3000);
    await gateway.child.stop();
  }
  if (wanted(options, "journal")) {
    say("journal: chats beside the clean-up of a million rows, and without");
    results.tidy = await runTidyLane(rig, { rows: 1_000_000, rounds: 5 });
  }
  if (silence) {
    say("silence: waiting for the 30 s to pass");
    results.silence = await silence;
  }
}

async function soak(options: Options, rig: Rig): Promise<number> {
  const gateway = await startGateway(rig, { client: "wreq", mock: rig.h1, label: "soak" });
  await checkTarget(gateway);
  say(`soak: ${options.soakMinutes} minutes of mixed traffic`);
  const outcome = await runSoak(gateway, options.soakMinutes, say);
  console.log(outcome.text);
  return outcome.ok ? EXIT.met : EXIT.missed;
}

/** From the sources, because an executable cannot be told to write a profile; the figures are for finding, not for judging. */
async function profile(options: Options): Promise<number> {
  const out = join(ROOT, "bench-results");
  mkdirSync(out, { recursive: true });
  const main = join(ROOT, "src/main.ts");
  const rig = await startMocks(folder, [process.execPath, "--cpu-prof-md", `--cpu-prof-dir=${out}`, main], false);
  const named = (lane: string) => options.lanes?.includes(lane) === true;
  const client = named("burst-xai") || named("json-xai") ? "xai" : "fetch";
  const gateway = await startGateway(rig, { client, mock: rig.h1, label: "profile" });
  await checkTarget(gateway);
  const stream = !named("json") && !named("json-xai");
  const way = client === "xai" ? "over the official API" : "through the fetch client";
  say(`profile: 5 s of ${stream ? "bursts" : "JSON answers"} ${way}`);
  await drive({
    shot: shotFor(gateway, { plan: { n: stream ? 200 : 8 }, stream, stamps: false }),
    connections: 16,
    rampMs: 0,
    loop: true,
    windowStartMs: 0,
    windowMs: 5000,
    maxRequests: Infinity,
    deadlineMs: 8000,
  });
  await gateway.child.stop();
  say(`the profile is in ${out}`);
  return EXIT.met;
}

function commitName(): string {
  const git = Bun.spawnSync(["git", "rev-parse", "--short", "HEAD"], { cwd: ROOT, stdout: "pipe", stderr: "ignore" });
  return git.success ? git.stdout.toString().trim() : "no-commit";
}

if (process.argv.includes("--help")) {
  console.log(USAGE);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), "grok2api-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
try {
  refuseOutside(process.env["HOST"]);
  process.exit(await main(readOptions(process.argv.slice(2), ROOT)));
} catch (thrown) {
  const known = thrown instanceof UsageError || thrown instanceof CheckFailure;
  console.error(known ? thrown.message : thrown);
  process.exit(EXIT.failed);
}
