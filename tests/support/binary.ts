// Starts the compiled executable the way an operator does: in a folder of its own, with an environment that holds nothing
// but what the test says. Knows no command's meaning. Invariant: nothing that is started here outlives its test.
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const startLimitMs = 20_000;

/** The executable under test: named by GROK2API_BINARY, else the one that `npm run build` leaves in dist. */
export function binaryPath(): string {
  const path = resolve(process.env.GROK2API_BINARY ?? join(import.meta.dir, "../../dist/grok2api"));
  if (!existsSync(path)) throw new Error(`${path} does not exist; run npm run build, or name one in GROK2API_BINARY`);
  return path;
}

export interface Folder {
  readonly path: string;
  write(name: string, text: string): void;
  exists(name: string): boolean;
  [Symbol.dispose](): void;
}

/** An empty folder that is removed at the end of the scope: `using folder = emptyFolder()`. */
export function emptyFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "grok2api-"));
  return {
    path,
    write(name, text) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), text);
    },
    exists: (name) => existsSync(join(path, name)),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

export interface Start {
  folder: Folder;
  /** Where the executable lies, when a test has put a copy somewhere. */
  program?: string;
  /** The words before it, of a command that becomes it (another root, another processor). */
  launcher?: readonly string[];
  env?: Record<string, string>;
}

export interface Run extends Start {
  /** Gives up root's right to write everywhere; the caller makes sure that there is setpriv. */
  asNobody?: boolean;
  /** Standard input. */
  input?: string;
}

export interface Finished {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** Both, for tests that do not mind where a message goes. */
  output: string;
}

/** Runs a command that ends by itself; one that does not is killed and has no exit code. */
export async function runBinary(
  args: readonly string[],
  { folder, env, asNobody = false, input }: Run,
): Promise<Finished> {
  const command = asNobody ? commandForNobody(folder) : [binaryPath()];
  const child = Bun.spawn([...command, ...args], {
    cwd: folder.path,
    env: cleanEnvironment(folder, env),
    stdio: [input === undefined ? "ignore" : new Blob([input]), "pipe", "pipe"],
    timeout: startLimitMs,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  const exitCode = child.signalCode === null ? child.exitCode : null;
  return { exitCode, stdout, stderr, output: stdout + stderr };
}

/** The executable may lie where nobody can reach it, so a copy goes into the folder. */
function commandForNobody(folder: Folder): string[] {
  const copy = join(folder.path, "grok2api");
  copyFileSync(binaryPath(), copy);
  chmodSync(copy, 0o755);
  chmodSync(folder.path, 0o755);
  return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy];
}

export interface Running {
  readonly pid: number;
  /** What it has written so far, both streams. */
  output(): string;
  /** Waits for something to be written; fails with the output when the program ends or takes too long. */
  waitForOutput(pattern: RegExp): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
  readonly exited: Promise<number | null>;
  /** Ends it as an operator would and gives its exit code; null when it had to be killed. */
  stop(): Promise<number | null>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function startBinary(
  args: readonly string[],
  { folder, env, program = binaryPath(), launcher = [] }: Start,
): Running {
  const child = Bun.spawn([...launcher, program, ...args], {
    cwd: folder.path,
    env: cleanEnvironment(folder, env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
  };
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)]);
  let ended = false;
  const exited = (async () => {
    await child.exited;
    await collected;
    ended = true;
    return child.signalCode === null ? child.exitCode : null;
  })();
  return {
    pid: child.pid,
    output: () => output,
    exited,
    signal: (name) => child.kill(name),
    waitForOutput: (pattern) =>
      eventually(`it writes ${pattern}`, () => {
        const found = pattern.exec(output);
        if (found === null && ended) throw new Error(`the program ended without writing ${pattern}:\n${output}`);
        return found ?? undefined;
      }),
    async stop() {
      child.kill("SIGTERM");
      const patience = setTimeout(() => child.kill("SIGKILL"), startLimitMs);
      const exitCode = await exited;
      clearTimeout(patience);
      return exitCode;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

export interface Gateway extends Running {
  readonly url: string;
}

/** Starts `serve` (or what `args` say) on a free port and waits until it says that it is healthy. */
export async function startGateway({ args = ["serve"], ...start }: Start & { args?: string[] }): Promise<Gateway> {
  const port = freePort();
  const env = { SERVER_HOST: "127.0.0.1", SERVER_PORT: String(port), ...start.env };
  const running = startBinary(args, { ...start, env });
  const url = `http://127.0.0.1:${port}`;
  let exitCode: number | null | undefined;
  void running.exited.then((code) => (exitCode = code));
  try {
    await eventually(`${url}/health answers`, async () => {
      if (exitCode !== undefined) throw new Error(`the program ended with ${exitCode}:\n${running.output()}`);
      const answer = await fetch(`${url}/health`).catch(() => undefined);
      return answer?.ok ? true : undefined;
    });
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
  return { ...running, url };
}

/** Starts the simulated upstream in a process of its own. */
export async function startUpstream(folder: Folder): Promise<Gateway> {
  const running = startBinary(["simulate", "--port", "0"], { folder });
  const [url] = await running.waitForOutput(/http:\/\/127\.0\.0\.1:\d+/);
  return { ...running, url };
}

/** A port that was free a moment ago. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

/** Asks again until there is an answer; whatever `ask` throws ends the wait. */
export async function eventually<T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + startLimitMs;
  while (performance.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await Bun.sleep(20);
  }
  throw new Error(`waited ${startLimitMs} ms in vain until ${what}`);
}

/** Nothing of the developer's own environment: a variable that happens to be set must not decide a test. */
function cleanEnvironment(folder: Folder, env: Record<string, string> = {}): Record<string, string> {
  return { PATH: process.env.PATH ?? "", HOME: folder.path, TMPDIR: tmpdir(), ...env };
}
