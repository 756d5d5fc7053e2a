// Owns the test command: the suites one after the other, each in a process of its own, the executable built before the
// suites that start it. Must not know what a suite tests. Invariant: nothing is left out without a line that says why, where CI
// or GROK2API_REQUIRE_ALL is set nothing may be left out at all, and no test file lies where no suite finds it.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readRunnerOutput, type SuiteReport, summarize } from "./test-report.ts";

interface Suite {
  name: string;
  needsBinary?: boolean;
  needsBrowser?: boolean;
  limitMinutes: number;
}

const known: readonly Suite[] = [
  { name: "unit", limitMinutes: 10 },
  { name: "contract", limitMinutes: 10 },
  { name: "golden", limitMinutes: 5 },
  { name: "api", limitMinutes: 10 },
  { name: "sdk", limitMinutes: 10, needsBinary: true },
  { name: "house", limitMinutes: 5 },
  { name: "smoke", limitMinutes: 10, needsBinary: true },
  { name: "e2e", limitMinutes: 15, needsBinary: true, needsBrowser: true },
];

const root = join(import.meta.dir, "..");
/** A folder without a file is none to the repository either. */
const hasFiles = (folder: string): boolean => existsSync(folder) && readdirSync(folder).length > 0;
const suites = known.filter(({ name }) => hasFiles(join(root, "tests", name)));
const usage = `usage: npm test -- [FILTER…] [OPTIONS OF bun test…]
FILTER is a piece of a test file's path, for instance unit, smoke or accounts/pool.
suites: ${suites.map((suite) => suite.name).join(" ")}`;

const isSet = (value: string | undefined): boolean => value !== undefined && !["", "0", "false"].includes(value);
const requireAll = isSet(process.env.CI) || isSet(process.env.GROK2API_REQUIRE_ALL);
const browser =
  process.env.GROK2API_CHROMIUM ??
  ["chromium", "chromium-browser", "google-chrome"].map((name) => Bun.which(name)).find(Boolean);

async function main(args: readonly string[]): Promise<boolean> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(usage);
    return true;
  }
  const firstOption = args.findIndex((arg) => arg.startsWith("-"));
  const filters = firstOption < 0 ? args : args.slice(0, firstOption);
  const options = firstOption < 0 ? [] : args.slice(firstOption);
  const homeless = testFiles("*").filter((file) => !suites.some(({ name }) => file.startsWith(`tests/${name}/`)));
  if (homeless.length > 0) {
    console.error(`no suite runs these files:\n  ${homeless.join("\n  ")}`);
    return false;
  }
  const plan = suites.map((suite) => ({ suite, files: filesOf(suite, filters) }));
  const chosen = filters.length > 0 ? plan.filter(({ files }) => files.length > 0) : plan;
  if (chosen.length === 0) {
    console.error(`no test file matches ${filters.join(" ")}\n${usage}`);
    return false;
  }
  const buildFailed = chosen.some(({ suite, files }) => suite.needsBinary && files.length > 0) && !(await haveBinary());
  const reports: SuiteReport[] = [];
  for (const { suite, files } of chosen) {
    const obstacle = obstacleTo(suite, { files, buildFailed });
    reports.push(obstacle ?? (await runSuite(suite, { files, options })));
  }
  const verdict = summarize(reports, requireAll);
  console.log(["", ...reports.map(suiteLine), ...verdict.lines].join("\n"));
  return verdict.ok;
}

function testFiles(folder: string): string[] {
  return [...new Bun.Glob(`tests/${folder}/**/*.test.{ts,tsx}`).scanSync({ cwd: root })].toSorted();
}

function filesOf(suite: Suite, filters: readonly string[]): string[] {
  const files = testFiles(suite.name);
  const wanted = filters.map((filter) => filter.replace(/^\.\//, ""));
  return wanted.length === 0 ? files : files.filter((file) => wanted.some((filter) => file.includes(filter)));
}

/** Why a suite cannot run, as the report that stands for it. */
function obstacleTo(suite: Suite, state: { files: string[]; buildFailed: boolean }): SuiteReport | undefined {
  const report = { suite: suite.name, passed: 0, failed: 0, skipped: [] };
  if (state.files.length === 0) return { ...report, failed: 1, note: `there are no tests in tests/${suite.name}` };
  if (suite.needsBrowser && !browser) {
    return { ...report, skipped: [`${suite.name}: no chromium found; install it or name it in GROK2API_CHROMIUM`] };
  }
  if (suite.needsBinary && state.buildFailed) {
    return { ...report, failed: 1, note: "the executable could not be built" };
  }
  return undefined;
}

/** An executable named by the caller is taken as it is, for instance a release artefact. */
async function haveBinary(): Promise<boolean> {
  if (process.env.GROK2API_BINARY) return true;
  const build = Bun.spawn([process.execPath, "scripts/build.ts"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  return (await build.exited) === 0;
}

async function runSuite(suite: Suite, run: { files: string[]; options: string[] }): Promise<SuiteReport> {
  console.log(`\n── ${suite.name} (${run.files.length} ${run.files.length === 1 ? "file" : "files"})`);
  const startedMs = performance.now();
  const child = Bun.spawn(
    [process.execPath, "test", "--no-orphans", ...run.options, ...run.files.map((file) => `./${file}`)],
    {
      cwd: root,
      stdin: "ignore",
      stdout: "inherit",
      stderr: "pipe",
      env: {
        ...process.env,
        GROK2API_BINARY: process.env.GROK2API_BINARY ?? join(root, "dist/grok2api"),
        ...(browser ? { GROK2API_CHROMIUM: browser } : {}),
      },
      timeout: suite.limitMinutes * 60_000,
      killSignal: "SIGKILL",
    },
  );
  const output = passOn(child.stderr);
  await child.exited;
  // A process that a test left behind may hold the pipe open for ever.
  await Promise.race([output.ended, Bun.sleep(2000)]);
  const exitCode = child.signalCode === null ? child.exitCode : null;
  const report = readRunnerOutput(suite.name, output.text(), exitCode);
  console.log(`   ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return report;
}

/** Shows everything but the passed tests, and keeps it all. */
function passOn(stream: ReadableStream<Uint8Array>): { ended: Promise<void>; text: () => string } {
  const decoder = new TextDecoder();
  let all = "";
  let shown = 0;
  const show = (end: number) => {
    const lines = all.slice(shown, end).split("\n");
    shown = end;
    const kept = lines.filter((line) => !line.startsWith("(pass)"));
    if (kept.length > 0) process.stderr.write(kept.join("\n"));
  };
  const read = async () => {
    for await (const chunk of stream) {
      all += decoder.decode(chunk, { stream: true });
      show(all.lastIndexOf("\n") + 1);
    }
    show(all.length);
  };
  return { ended: read(), text: () => all };
}

function suiteLine({ suite, passed, failed, skipped }: SuiteReport): string {
  const left = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
  return `${suite.padEnd(9)} ${passed} passed, ${failed} failed${left}`;
}

process.exitCode = (await main(Bun.argv.slice(2))) ? 0 : 1;
