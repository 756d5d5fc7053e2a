// Owns the check command: format, lint, types, docs, house rules and dead code, each with its time.
// Must not know what a rule is about. Invariant: every step runs, also after one has failed, and any failure fails the whole.
import { existsSync } from "node:fs";
import { join } from "node:path";

interface Step {
  name: string;
  command: string[];
  /** What --fix runs instead. */
  fix?: string[];
  /** A reason to leave the step out on this machine. */
  unless?: string | undefined;
}

const root = join(import.meta.dir, "..");
const tool = (name: string): string => join(root, "node_modules/.bin", name);
const bun = process.execPath;
const inCi = process.env.CI === "true";

const format = [
  bun,
  "fmt",
  "--no-script",
  "--print-width=120",
  "--no-error-on-unmatched-pattern",
  // Recorded answers are kept as they came.
  "--ignore-pattern=tests/fixtures/**",
  "--ignore-pattern=tests/golden/**/*.{json,ndjson,txt,md}",
  ...["src", "scripts", "tests", "static"].filter((folder) => existsSync(join(root, folder))),
];

const steps: readonly Step[] = [
  { name: "format", command: [...format, "--check"], fix: format },
  { name: "lint", command: [tool("oxlint")], fix: [tool("oxlint"), "--fix"] },
  { name: "types", command: [bun, "check", "--no-script"] },
  {
    name: "types, second opinion",
    command: [tool("tsc"), "--noEmit"],
    unless: inCi ? undefined : "only where CI=true",
  },
  {
    name: "docs",
    command: [bun, "scripts/docs.ts", "--check"],
    fix: [bun, "scripts/docs.ts"],
    unless: existsSync(join(root, "scripts/docs.ts")) ? undefined : "there is no scripts/docs.ts",
  },
  { name: "house rules", command: [bun, "test", "--only-failures", "./tests/house"] },
  { name: "dead code", command: [tool("knip")] },
];

const usage = `usage: npm run check -- [--fix] [STEP…]
steps: ${steps.map((step) => step.name).join(" · ")}`;

async function main(args: readonly string[]): Promise<boolean> {
  const fixing = args.includes("--fix");
  const names = args.filter((arg) => !arg.startsWith("-"));
  const chosen = names.length > 0 ? steps.filter((step) => names.some((name) => step.name.startsWith(name))) : steps;
  if (chosen.length === 0 || args.includes("--help")) {
    console.log(usage);
    return args.includes("--help");
  }
  const lines: string[] = [];
  let ok = true;
  for (const step of chosen) {
    if (step.unless !== undefined) {
      lines.push(`left out  ${step.name}: ${step.unless}`);
      continue;
    }
    console.log(`\n── ${step.name}`);
    const startedMs = performance.now();
    const passed = await run(fixing && step.fix ? step.fix : step.command);
    lines.push(
      `${passed ? "ok      " : "FAILED  "}  ${step.name} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`,
    );
    ok &&= passed;
  }
  console.log(`\n${lines.join("\n")}\n${ok ? "check passed" : "check failed"}`);
  return ok;
}

async function run(command: string[]): Promise<boolean> {
  const child = Bun.spawn(command, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: 10 * 60_000,
    // knip and tsc are started by their first line, which asks for node and finds it in PATH.
    env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH ?? ""}` },
  });
  return (await child.exited) === 0;
}

process.exitCode = (await main(Bun.argv.slice(2))) ? 0 : 1;
