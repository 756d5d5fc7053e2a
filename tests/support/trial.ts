// The whole program in this process with accounts that are tried in a given order, for tests that look at one request from
// three sides: the caller's, the account's and the upstream's. Knows no scenario's meaning.
// Invariant: when a trial ends, every lease is back and was reported once, or the test fails.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Account } from "../../src/accounts/account.ts";
import { compose, type Composed } from "../../src/compose.ts";
import { createLog, type LogFields } from "../../src/lib/log.ts";
import type { JournalEntry } from "../../src/simulator/journal.ts";
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";
import type { SimulatedAccount } from "../../src/simulator/accounts.ts";

export type Transport = "rest" | "socket";

type Setting = string | number | boolean | readonly (string | number)[];
export type Settings = Readonly<Record<string, Readonly<Record<string, Setting>>>>;

export interface TrialStart {
  readonly transport: Transport;
  /** Sessions in the order in which the pool tries them. */
  readonly accounts: readonly string[];
  readonly settings?: Settings;
  /** Accounts that the simulator could not know from their names. */
  readonly simulated?: SimulatedAccount[];
  readonly tokenDelayMs?: number;
}

export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Trial {
  readonly url: string;
  readonly composed: Composed;
  readonly simulator: Simulator;
  /** What was logged, one parsed line each. */
  readonly lines: readonly LogFields[];
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  /** One chat request, read to its end. */
  chat(words: string, more?: object): Promise<Asked>;
  account(token: string): Account;
  /** Generations that the upstream was asked for, as names of accounts in their order. */
  asked(): string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** TOML writes these values as JSON does. */
export const tomlOf = (settings: Settings): string =>
  Object.entries(settings)
    .map(([section, keys]) =>
      [`[${section}]`, ...Object.entries(keys).map(([key, value]) => `${key} = ${JSON.stringify(value)}`), ""].join(
        "\n",
      ),
    )
    .join("\n");

export const mergeSettings = (...all: Settings[]): Settings => {
  const merged: Record<string, Record<string, Setting>> = {};
  for (const settings of all) {
    for (const [section, keys] of Object.entries(settings)) merged[section] = { ...merged[section], ...keys };
  }
  return merged;
};

/** Whoever was used least is tried first. */
export const tokenFile = (accounts: readonly string[]): string =>
  JSON.stringify({ ssoSuper: accounts.map((token, index) => ({ token, use_count: index * 1000 })) });

export const upstreamAt = (url: string): Settings => ({
  grok: { base_url: url, assets_url: url, accounts_url: url },
});

/** A generation is a POST, or a socket whose upgrade was tried; a second turn on a socket does not happen here. */
const isGeneration = ({ method, path }: JournalEntry): boolean =>
  (method === "POST" && path.startsWith("/rest/app-chat/conversations")) || path.startsWith("/ws/mgw");

export const startTrial = async (start: TrialStart): Promise<Trial> => {
  const folder = mkdtempSync(join(tmpdir(), "grok2api-trial-"));
  const simulator = createSimulator({
    tokenDelayMs: start.tokenDelayMs ?? 0,
    ...(start.simulated ? { accounts: start.simulated } : {}),
  });
  const settings = mergeSettings(
    {
      server: { host: "127.0.0.1", port: 0, grace_seconds: 0, log_level: "debug" },
      token: { strategy: "least_used" },
      chat: { transport: start.transport },
      retry: { retry_backoff_base: 0 },
    },
    upstreamAt(simulator.url),
    start.settings ?? {},
  );
  writeFileSync(join(folder, "config.toml"), tomlOf(settings));
  writeFileSync(join(folder, "token.json"), tokenFile(start.accounts));
  const lines: LogFields[] = [];
  const log = createLog({
    level: () => "debug",
    format: "json",
    now: Date.now,
    write: (line) => lines.push(JSON.parse(line) as LogFields),
  });
  const composed = await compose(
    { env: { DATA_DIR: folder }, version: { version: "0.0.0", commit: "" }, purpose: "serve" },
    { log },
  );
  const { url } = await composed.listen();
  const post: Trial["post"] = (path, body, init = {}) =>
    fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      ...init,
    });
  return {
    url,
    composed,
    simulator,
    lines,
    post,
    async chat(words, more = {}) {
      const response = await post("/v1/chat/completions", chatBody(words, more));
      return { status: response.status, headers: response.headers, text: await response.text() };
    },
    account(token) {
      const found = composed.pool.all().find((one) => one.token === token);
      if (!found) throw new Error(`the pool has no account ${token}`);
      return found;
    },
    asked: () =>
      simulator
        .requests()
        .filter(isGeneration)
        .map(({ account }) => account),
    async [Symbol.asyncDispose]() {
      try {
        await within(2000, "every lease to be back", () =>
          composed.pool.all().every(({ id }) => composed.pool.inFlight(id) === 0),
        );
        const twice = lines.filter(({ message }) => String(message).includes("reported twice"));
        if (twice.length > 0) throw new Error("a lease was reported twice");
      } finally {
        await composed.stop();
        await simulator.stop(true);
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
};

export const chatBody = (words: string, more: object = {}) => ({
  model: "grok-4-fast",
  messages: [{ role: "user", content: words }],
  ...more,
});

export const within = async (ms: number, what: string, met: () => boolean | Promise<boolean>): Promise<void> => {
  const end = performance.now() + ms;
  while (!(await met())) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await Bun.sleep(10);
  }
};

/** A stream of the chat completions API, taken apart. */
export interface StreamRead {
  readonly text: string;
  readonly finishes: readonly string[];
  readonly errors: readonly { message: string; type: string; code: string }[];
  readonly heartbeats: number;
  /** The payload of every event, in order. */
  readonly payloads: readonly string[];
}

export const readChatStream = (body: string): StreamRead => {
  let text = "";
  const finishes: string[] = [];
  const errors: { message: string; type: string; code: string }[] = [];
  const payloads: string[] = [];
  let heartbeats = 0;
  for (const event of body.split("\n\n").filter((part) => part !== "")) {
    if (event.startsWith(":")) {
      heartbeats++;
      continue;
    }
    const payload = event.replace(/^data: /, "");
    payloads.push(payload);
    if (payload === "[DONE]") continue;
    const parsed = JSON.parse(payload);
    if (parsed.error) errors.push(parsed.error);
    for (const choice of parsed.choices ?? []) {
      text += choice.delta?.content ?? "";
      if (choice.finish_reason) finishes.push(choice.finish_reason);
    }
  }
  return { text, finishes, errors, heartbeats, payloads };
};
