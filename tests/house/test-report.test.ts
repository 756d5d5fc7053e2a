import { describe, expect, test } from "bun:test";
import { readRunnerOutput, summarize } from "../../scripts/test-report.ts";

const finished = (counts: string) =>
  `bun test v1\n\ntests/unit/a.test.ts:\n${counts}\nRan 3 tests across 1 file. [4.00ms]\n`;

describe("a runner's output", () => {
  test.each([
    ["a good run", finished("(pass) a\n\n 3 pass\n 0 fail"), 0, { passed: 3, failed: 0, skipped: [] }],
    ["a failure", finished("\n 2 pass\n 1 fail"), 1, { passed: 2, failed: 1, skipped: [] }],
    [
      "skipped tests, with their names",
      finished("(skip) b > needs a browser\n(todo) c [0.01ms]\n\n 1 pass\n 1 skip\n 1 todo\n 0 fail"),
      0,
      { passed: 1, failed: 0, skipped: ["tests/unit/a.test.ts: b > needs a browser", "tests/unit/a.test.ts: c"] },
    ],
    ["skipped tests without a name", finished("\n 1 pass\n 2 skip\n 0 fail"), 0, { skipped: ["2 more in unit"] }],
    ["a crash", "bun test v1\n\n 5 pass\n", 139, { passed: 5, failed: 1 }],
    ["a crash that calls itself a success", "", 0, { passed: 0, failed: 1 }],
    ["a run that had to be stopped", finished("\n 5 pass\n 0 fail"), null, { failed: 1 }],
    ["an exit code without a failure", finished("\n 5 pass\n 0 fail"), 1, { passed: 5, failed: 1 }],
    ["a run without a test", finished("\n 0 pass\n 0 fail"), 0, { failed: 1 }],
  ])("tells of %s", (_, output, exitCode, expected) => {
    expect(readRunnerOutput("unit", output, exitCode)).toMatchObject({ suite: "unit", ...expected });
  });
});

describe("the closing line", () => {
  const good = { suite: "unit", passed: 5, failed: 0, skipped: [] };
  const skipping = { suite: "e2e", passed: 0, failed: 0, skipped: ["e2e: no chromium found"] };

  test("stands alone at the end", () => {
    expect(summarize([good, { ...good, failed: 2 }], false)).toEqual({ lines: ["10 passed, 2 failed"], ok: false });
    expect(summarize([good], true)).toEqual({ lines: ["5 passed, 0 failed"], ok: true });
  });

  test("counts what was left out, after the reason", () => {
    const lines = ["skipped: e2e: no chromium found", "5 passed, 0 failed, 1 skipped"];
    expect(summarize([good, skipping], false)).toEqual({ lines, ok: true });
  });

  test("counts it as failed where nothing may be left out", () => {
    const lines = ["skipped, which counts as failed here: e2e: no chromium found", "5 passed, 1 failed"];
    expect(summarize([good, skipping], true)).toEqual({ lines, ok: false });
  });

  test("is no success when nothing ran", () => {
    expect(summarize([skipping], false).ok).toBe(false);
  });
});
