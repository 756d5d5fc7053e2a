// Starts, pins and ends the rig's child processes. Knows nothing of what they do.
// Invariant: every child dies with this process, killed by its own pid; nothing listens on anything but 127.0.0.1.
import { closeSync, openSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseJson } from "./json.ts";

export interface Child {
  name: string;
  pid: number;
  port: number;
  /** port of the control pages; equals `port` where there is no other */
  control: number;
  sharedClock: boolean;
  stop(): Promise<void>;
}

const children = new Set<Bun.Subprocess>();
const canPin = process.platform === "linux" && availableParallelism() >= 2 && Bun.which("taskset") !== null;

/** Loader and mocks share the first core, the gateway under test has the second; null where nothing can be pinned. */
export const CORES = canPin ? { rig: 0, gateway: 1 } : null;

for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

export function pinSelf(core: number | undefined): void {
  if (core !== undefined) pin(process.pid, core);
}

/** Moves all threads of a running process to one core. */
export function pin(pid: number, core: number): void {
  if (CORES) Bun.spawnSync(["taskset", "-acp", String(core), String(pid)], { stdout: "ignore", stderr: "ignore" });
}

export interface LaunchSpec {
  name: string;
  argv: string[];
  core?: number | undefined;
  env?: Record<string, string>;
  cwd?: string;
  /** where stderr (and, for a gateway, stdout) goes, shown when the start fails */
  logPath: string;
}

function pinnedArgv(spec: LaunchSpec): string[] {
  return CORES && spec.core !== undefined ? ["taskset", "-c", String(spec.core), ...spec.argv] : spec.argv;
}

function childEnv(extra: Record<string, string> = {}): Record<string, string> {
  const { PATH = "", HOME = "", TMPDIR } = process.env;
  // Nothing else is inherited: an operator's own settings must not reach the gateway under test.
  return { PATH, HOME, ...(TMPDIR ? { TMPDIR } : {}), BUN_CONFIG_MAX_HTTP_REQUESTS: "20000", ...extra };
}

function adopt(
  spec: LaunchSpec,
  child: Bun.Subprocess,
  place: { port: number; control: number; sharedClock: boolean },
): Child {
  return {
    name: spec.name,
    pid: child.pid,
    ...place,
    async stop() {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 3000);
      await child.exited;
      clearTimeout(late);
      children.delete(child);
    },
  };
}

function logTail(path: string): string {
  return readFileSync(path, "utf8").split("\n").slice(-12).join("\n");
}

/** Starts a process of the rig and waits for its "READY {json}" line. */
export async function launchRigProcess(spec: LaunchSpec): Promise<Child> {
  const log = openSync(spec.logPath, "a");
  const child = Bun.spawn(pinnedArgv(spec), {
    cwd: spec.cwd,
    env: childEnv(spec.env),
    stdin: "ignore",
    stdout: "pipe",
    stderr: log,
  });
  closeSync(log);
  children.add(child);
  const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
  let seen = "";
  const decoder = new TextDecoder();
  for await (const bytes of child.stdout) {
    seen += decoder.decode(bytes, { stream: true });
    const ready = /^READY (\{.*\})$/m.exec(seen);
    if (!ready?.[1]) continue;
    clearTimeout(timer);
    const place = parseJson<{ port: number; control: number; clock: string }>(ready[1]);
    return adopt(spec, child, { port: place.port, control: place.control, sharedClock: place.clock === "shared" });
  }
  clearTimeout(timer);
  throw new Error(`${spec.name} did not start:\n${logTail(spec.logPath)}`);
}

/** Starts a server that prints nothing agreed, and waits until it answers `path` with 200. */
export async function launchServer(
  spec: LaunchSpec & { port: number; path: string; patienceMs: number },
): Promise<Child & { readyMs: number }> {
  const log = openSync(spec.logPath, "a");
  const started = performance.now();
  const child = Bun.spawn(pinnedArgv(spec), {
    cwd: spec.cwd,
    env: childEnv(spec.env),
    stdin: "ignore",
    stdout: log,
    stderr: log,
  });
  closeSync(log);
  children.add(child);
  while (performance.now() - started < spec.patienceMs) {
    if (child.exitCode !== null) break;
    if (await answersOk(spec.port, spec.path)) {
      const readyMs = performance.now() - started;
      return { ...adopt(spec, child, { port: spec.port, control: spec.port, sharedClock: true }), readyMs };
    }
    await Bun.sleep(0.5);
  }
  const what = child.exitCode === null ? `did not answer ${spec.path} within ${spec.patienceMs} ms` : "ended at once";
  child.kill("SIGKILL");
  throw new Error(`${spec.name} ${what}:\n${logTail(spec.logPath)}`);
}

async function answersOk(port: number, path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const giveUp = setTimeout(() => resolve(false), 2000);
  // A raw connection: a refused one costs microseconds, so that cold starts are measured and not the asking.
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_, bytes) => resolve(bytes.toString("latin1", 9, 12) === "200"),
      close: () => resolve(false),
      error: () => resolve(false),
    },
  }).catch(() => null);
  if (!socket) {
    clearTimeout(giveUp);
    return false;
  }
  socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`);
  const ok = await promise;
  clearTimeout(giveUp);
  socket.end();
  return ok;
}

export function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
