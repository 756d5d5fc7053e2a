// Client keys in tests of the whole program: made through the admin routes, used through every protocol.
import type { Program } from "./program.ts";

export const ADMIN_PASSWORD = "correct horse battery";
export const ADMIN_ENV = { GROK2API_APP_APP_KEY: ADMIN_PASSWORD };

export interface MadeKey {
  readonly id: string;
  readonly key: string;
  readonly [field: string]: unknown;
}

export const adminCall = async (
  program: Program,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: ReturnType<typeof JSON.parse>; headers: Headers }> => {
  const response = await fetch(`${program.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${ADMIN_PASSWORD}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text,
  };
};

export const makeKey = async (program: Program, fields: object = {}): Promise<MadeKey> => {
  const { status, body } = await adminCall(program, "/api/v1/admin/keys", fields);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body.data as MadeKey;
};

export const viewKey = async (program: Program, id: string): Promise<ReturnType<typeof JSON.parse>> =>
  (await adminCall(program, `/api/v1/admin/keys/${id}`)).body.data;

export interface How {
  readonly model?: string;
  /** Words that tell the simulated upstream what to do. */
  readonly words?: string;
}

export interface Way {
  readonly name: string;
  readonly path: string;
  readonly stream: boolean;
  body(how?: How): object;
}

const said = (content: string) => [{ role: "user", content }];
const BODIES: readonly (readonly [string, string, (model: string, text: string) => object])[] = [
  ["chat", "/v1/chat/completions", (model, text) => ({ model, messages: said(text) })],
  ["responses", "/v1/responses", (model, text) => ({ model, input: text, store: false })],
  ["messages", "/v1/messages", (model, text) => ({ model, max_tokens: 4000, messages: said(text) })],
];

/** Each protocol, streamed and whole. */
export const WAYS: readonly Way[] = BODIES.flatMap(([name, path, make]) =>
  [false, true].map((stream) => ({
    name: `${name}, ${stream ? "streamed" : "whole"}`,
    path,
    stream,
    body: ({ model = "grok-4", words = "" } = {}) => ({ ...make(model, `Say hello. ${words}`), stream }),
  })),
);

export const ask = (program: Program, key: string, way: Way, how: How = {}): Promise<Response> =>
  program.post(way.path, way.body(how), { authorization: `Bearer ${key}` });

/** The machine-readable code in either dialect; Anthropic's has only a type. */
export const codeOf = async (response: Response): Promise<string> => {
  const { error } = (await response.json()) as { error: { code?: string; type: string } };
  return error.code ?? error.type;
};

export const until = async (holds: () => boolean | Promise<boolean>, ms = 3_000): Promise<void> => {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error("it never came to hold");
    await Bun.sleep(10);
  }
};
