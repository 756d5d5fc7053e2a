// The whole program in this process, with the simulated upstream behind it, each on a port of its own. For tests of what
// a caller sees and of how often the upstream is asked. Invariant: `stop` leaves nothing running and no folder behind.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compose, type Composed } from "../../src/compose.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createSimulator } from "../../src/simulator/server.ts";

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
  readonly env?: Record<string, string>;
}

const CHAT_PATH = "/rest/app-chat/conversations";

export const startProgram = async ({ accounts = ["sim-super-1"], env = {} }: ProgramStart = {}): Promise<Program> => {
  const folder = mkdtempSync(join(tmpdir(), "grok2api-program-"));
  const simulator = createSimulator({ tokenDelayMs: 0 });
  writeFileSync(join(folder, "token.json"), JSON.stringify({ ssoSuper: accounts }));
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
      await simulator.stop(true);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
