// The whole program with the simulated upstream behind it, as an administrator's script sees it.
// Knows no route. Invariant: what is started here is stopped by the test that started it.
import { PROGRAM_KEY, startProgram, type Program, type ProgramStart } from "../support/program.ts";

export const PASSWORD = "a long enough password";
export const BASE = "/api/v1/admin";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; null when it is no JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies of many shapes
  readonly body: any;
}

export interface AdminProgram extends Program {
  admin(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  as(credential: string | null, method: string, path: string): Promise<number>;
  /** A chat as a caller makes it. */
  chat(words?: string, model?: string): Promise<Answer>;
  /** Every event of a batch task until its end. */
  follow(taskId: string): Promise<Answer["body"][]>;
  account(token: string): Answer["body"];
}

const read = async (response: Response): Promise<Answer> => {
  const text = await response.text();
  let body: unknown = null;
  try {
    body = JSON.parse(text);
  } catch {
    // An export is text.
  }
  return { status: response.status, headers: response.headers, text, body };
};

const json = { "content-type": "application/json" };

export const startAdmin = async (start: ProgramStart = {}): Promise<AdminProgram> => {
  const program = await startProgram({
    ...start,
    env: {
      GROK2API_APP_APP_KEY: PASSWORD,
      GROK2API_TOKEN_AUTO_REFRESH: "false",
      GROK2API_GROK_HTTP_CLIENT: "fetch",
      GROK2API_SERVER_TRUSTED_PROXIES: "127.0.0.1",
      ...start.env,
    },
  });
  const { url, composed } = program;
  let callers = 0;
  /** Who fails too often is locked out by address, so each trial comes from its own. */
  const newAddress = () => `10.0.${(++callers >> 8) & 255}.${callers & 255}`;
  const admin: AdminProgram["admin"] = async (method, path, body, headers = {}) =>
    read(
      await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${PASSWORD}`, ...json, ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
  return {
    ...program,
    admin,
    as: async (credential, method, path) => {
      const headers = {
        ...json,
        "x-forwarded-for": newAddress(),
        ...(credential === null ? {} : { authorization: `Bearer ${credential}` }),
      };
      const response = await fetch(`${url}${path}`, { method, headers, ...(method === "GET" ? {} : { body: "{}" }) });
      await response.arrayBuffer();
      return response.status;
    },
    chat: async (words = "hello", model = "grok-4-fast") =>
      read(await program.post("/v1/chat/completions", { model, messages: [{ role: "user", content: words }] })),
    follow: async (taskId) => {
      const response = await fetch(`${url}${BASE}/batch/${taskId}/stream?app_key=${encodeURIComponent(PASSWORD)}`);
      const lines = (await response.text()).split("\n").filter((line) => line.startsWith("data: "));
      return lines.map((line) => JSON.parse(line.slice(6)));
    },
    account: (token) => composed.pool.all().find((one) => one.token === token),
  };
};

export const API_KEY = PROGRAM_KEY;
