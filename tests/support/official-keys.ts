// The whole program in this process with keys of the official API, beside web sessions or alone, and the simulator as both
// upstreams. Invariant: when `startKeys` resolves, the teams and the models of the keys are known.
import { accountId, type Account } from "../../src/accounts/account.ts";
import type { JournalEntry } from "../../src/simulator/journal.ts";
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";
import { within } from "./trial.ts";
import { startProgram, type Program } from "./program.ts";

export interface KeysStart {
  /** In the order in which they are tried. */
  readonly keys: readonly string[];
  readonly sessions?: readonly string[];
  readonly env?: Record<string, string>;
  /** An upstream and a data folder that outlive this program; whoever made them removes them. */
  readonly upstream?: Simulator;
  readonly folder?: string;
}

export interface Keys extends Program {
  account(token: string): Account;
  /** Calls of the official API that generate something, as keys in their order. */
  generations(): string[];
  [Symbol.asyncDispose](): Promise<void>;
}

const GENERATES = /^\/xai\/v1\/(responses|chat\/completions|images|videos|tts|stt)/;

const isGeneration = ({ method, path }: JournalEntry): boolean => method === "POST" && GENERATES.test(path);

export const startKeys = async (start: KeysStart): Promise<Keys> => {
  const { keys, sessions = [], env = {}, folder } = start;
  const upstream = start.upstream ?? createSimulator({ tokenDelayMs: 0, mediaDelayMs: 0 });
  const inOrder = (tokens: readonly string[]) => tokens.map((token, index) => ({ token, use_count: index * 1000 }));
  const program = await startProgram({
    upstream,
    ...(folder ? { folder } : {}),
    pools: { ssoSuper: inOrder(sessions), xai: inOrder(keys) },
    env: {
      GROK2API_XAI_BASE_URL: `${upstream.url}/xai/v1`,
      GROK2API_TOKEN_STRATEGY: "least_used",
      ...env,
    },
  });
  const { pool } = program.composed;
  const account = (token: string): Account => {
    const found = pool.get(accountId(token));
    if (!found) throw new Error(`the pool has no account ${token}`);
    return found;
  };
  // A key that is refused never has a team.
  await within(5000, "the keys to be known", () =>
    keys.every((key) => account(key).team_id !== null || account(key).status === "expired"),
  );
  await within(5000, "the models of the keys", async () => {
    if (keys.every((key) => account(key).status === "expired")) return true;
    const answer = await fetch(`${program.url}/v1/models`, { headers: { authorization: "Bearer sk-program-test" } });
    return (await answer.text()).includes('"upstreams":["xai"');
  });
  return {
    ...program,
    account,
    generations: () =>
      upstream
        .requests()
        .filter(isGeneration)
        .map((entry) => entry.account),
    async [Symbol.asyncDispose]() {
      await program.stop();
      if (!start.upstream) await upstream.stop(true);
    },
  };
};
