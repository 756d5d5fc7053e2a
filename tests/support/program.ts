// The whole program in this process, with the simulated upstream behind it, each on a port of its own. For tests of what
// a caller sees and of how often the upstream is asked. Invariant: `stop` leaves nothing running and no folder behind.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compose, type Composed } from "../../src/compose.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createSimulator, type Simulator, type SimulatorOptions } from "../../src/simulator/server.ts";

export const PROGRAM_KEY = "sk-program-test";

export interface Program {
  /** Of the gateway, without a slash at the end. */
  readonly url: string;
  readonly composed: Composed;
  readonly simulator: ReturnType<typeof createSimulator>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Conversations that the upstream was asked for since the last reset of the simulator. */
  asked(): number;
  /** The prompts of those, oldest first. */
  prompts(): string[];
  stop(): Promise<void>;
}

export interface ProgramStart {
  readonly accounts?: readonly string[];
  /** Content of token.json, when paid accounts alone are not enough. */
  readonly pools?: Record<string, readonly unknown[]>;
  readonly simulation?: SimulatorOptions;
  /** An upstream and a data folder that outlive this program; whoever made them removes them. */
  readonly upstream?: Simulator;
  readonly folder?: string;
  readonly env?: Record<string, string>;
}

const CHAT_PATH = "/rest/app-chat/conversations";

export const startProgram = async (start: ProgramStart = {}): Promise<Program> => {
  const { accounts = ["sim-super-1"], env = {} } = start;
  const folder = start.folder ?? mkdtempSync(join(tmpdir(), "grok2api-program-"));
  const simulator = start.upstream ?? createSimulator({ tokenDelayMs: 0, ...start.simulation });
  writeFileSync(join(folder, "token.json"), JSON.stringify(start.pools ?? { ssoSuper: accounts }));
  const composed = await compose(
    {
      env: {
        DATA_DIR: folder,
        SERVER_HOST: "127.0.0.1",
        SERVER_PORT: "0",
        GROK2API_APP_API_KEY: PROGRAM_KEY,
        GROK2API_GROK_BASE_URL: simulator.url,
        GROK2API_GROK_ASSETS_URL: simulator.url,
        GROK2API_GROK_ACCOUNTS_URL: simulator.url,
        GROK2API_CHAT_TRANSPORT: "rest",
        GROK2API_RETRY_RETRY_BACKOFF_BASE: "0",
        ...env,
      },
      version: { version: "0.0.0", commit: "" },
      purpose: "serve",
    },
    { log: silentLog },
  );
  const { url } = await composed.listen();
  const chats = () =>
    simulator.requests().filter(({ method, path }) => method === "POST" && path.startsWith(CHAT_PATH));
  return {
    url,
    composed,
    simulator,
    post: (path, body, headers = {}) =>
      fetch(`${url}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${PROGRAM_KEY}`, "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
    asked: () => chats().length,
    prompts: () => chats().map(({ body }) => String((body as { message?: unknown }).message)),
    async stop() {
      await composed.stop();
      if (!start.upstream) await simulator.stop(true);
      if (!start.folder) rmSync(folder, { recursive: true, force: true });
    },
  };
};
