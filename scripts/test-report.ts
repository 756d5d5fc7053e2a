// Owns what a test run says about itself: counts read from a runner's summary, skipped tests by name, the closing line.
// Must not know how tests are started. Invariant: a run without a readable summary counts as a failure, never as nothing.

export interface SuiteReport {
  suite: string;
  passed: number;
  failed: number;
  /** Each left-out test or suite with its reason; a test's own name is its reason. */
  skipped: string[];
  note?: string;
}

/** Reads what `bun test` printed; `exitCode` is null when the run had to be killed. */
export function readRunnerOutput(suite: string, output: string, exitCode: number | null): SuiteReport {
  const count = (word: string) => Number(new RegExp(`^ *(\\d+) ${word}$`, "m").exec(output)?.[1] ?? 0);
  const skipped = readSkipped(output);
  const report: SuiteReport = { suite, passed: count("pass"), failed: count("fail"), skipped };
  const unnamed = count("skip") + count("todo") - skipped.length;
  if (unnamed > 0) skipped.push(`${unnamed} more in ${suite}`);
  if (exitCode === null) return { ...report, failed: report.failed + 1, note: "stopped: it took too long" };
  const finished = /^Ran \d+ tests? across \d+ files?\./m.test(output);
  if (!finished)
    return { ...report, failed: report.failed + 1, note: `ended without a summary, exit code ${exitCode}` };
  if (exitCode !== 0 && report.failed === 0) return { ...report, failed: 1, note: `exit code ${exitCode}` };
  if (report.passed + report.failed + skipped.length === 0) return { ...report, failed: 1, note: "ran no test" };
  return report;
}

function readSkipped(output: string): string[] {
  const skipped: string[] = [];
  let file = "";
  for (const line of output.split("\n")) {
    // The runner repeats names in a list at the end of a long run.
    if (/^\d+ tests? (skipped|todo|failed):$/.test(line)) break;
    file = /^(\S+\.test\.tsx?):$/.exec(line)?.[1] ?? file;
    const name = /^\((?:skip|todo)\) (.*?)(?: \[[\d.]+m?s\])?$/.exec(line)?.[1];
    if (name !== undefined) skipped.push(`${file}: ${name}`);
  }
  return skipped;
}

export interface Verdict {
  lines: string[];
  ok: boolean;
}

/** The last lines of a run; with `requireAll` something left out is as bad as something broken. */
export function summarize(reports: readonly SuiteReport[], requireAll: boolean): Verdict {
  const skipped = reports.flatMap((report) => report.skipped);
  const passed = reports.reduce((sum, report) => sum + report.passed, 0);
  const failed = reports.reduce((sum, report) => sum + report.failed, 0) + (requireAll ? skipped.length : 0);
  const notes = reports.flatMap(({ suite, note }) => (note === undefined ? [] : [`${suite}: ${note}`]));
  const reason = requireAll ? "skipped, which counts as failed here" : "skipped";
  const counts = [`${passed} passed`, `${failed} failed`];
  if (skipped.length > 0 && !requireAll) counts.push(`${skipped.length} skipped`);
  return {
    lines: [...notes, ...skipped.map((what) => `${reason}: ${what}`), counts.join(", ")],
    ok: failed === 0 && passed > 0,
  };
}
