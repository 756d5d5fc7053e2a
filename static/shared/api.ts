// Requests to the gateway's own API with the session of the person at the page. Knows no resource.
// Invariant: the credential travels in a header only, and an answer of 401 ends the session at once.
import { signal } from "@preact/signals";
import { inChinese } from "./error-words.ts";
import { keep, kept } from "./keeping.ts";
import { language } from "./language.ts";
import { at } from "./place.ts";

const SESSION = "grok2api.session";
const BASE = "/api/v1/admin";

export const session = signal<string | null>(kept(SESSION));

export const setSession = (token: string | null): void => {
  keep(SESSION, token);
  session.value = token;
};

/** Another tab logged in or out. */
window.addEventListener("storage", (event) => {
  if (event.key === SESSION) session.value = event.newValue;
});

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly param: string | null;
  /** How long the gateway asks to wait before the next try; null where it does not say. */
  readonly retryAfterMs: number | null;
  constructor(
    message: string,
    about: { status: number; code: string; param: string | null; retryAfterMs?: number | null },
  ) {
    super(message);
    this.status = about.status;
    this.code = about.code;
    this.param = about.param;
    this.retryAfterMs = about.retryAfterMs ?? null;
  }
}

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

interface Options {
  readonly query?: Query;
  readonly body?: unknown;
  readonly text?: string;
  readonly signal?: AbortSignal;
  /** For the login itself, whose refusal is no end of a session. */
  readonly open?: boolean;
}

type Method = "GET" | "POST" | "PUT" | "DELETE";

export const withQuery = (path: string, query: Query = {}): string => {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") params.set(name, String(value));
  }
  const text = params.toString();
  return text === "" ? path : `${path}?${text}`;
};

/** The bare answer, of a good status. */
export const ask = async (method: Method, path: string, options: Options = {}): Promise<Response> => {
  const headers = new Headers();
  if (session.value !== null && options.open !== true) headers.set("authorization", `Bearer ${session.value}`);
  const body = options.body === undefined ? options.text : JSON.stringify(options.body);
  if (body !== undefined) headers.set("content-type", options.body === undefined ? "text/plain" : "application/json");
  let response: Response;
  try {
    response = await fetch(
      withQuery(
        at(path.startsWith("/v1/") || path === "/health" || path === "/readyz" ? path : `${BASE}${path}`),
        options.query,
      ),
      {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        ...(options.signal ? { signal: options.signal } : {}),
      },
    );
  } catch (thrown) {
    if (options.signal?.aborted === true) throw thrown;
    throw new ApiError("The gateway cannot be reached.", { status: 0, code: "unreachable", param: null });
  }
  if (response.ok) return response;
  const error = await errorOf(response);
  if (error.status === 401 && options.open !== true) setSession(null);
  throw error;
};

/** What a route answers is its contract; the pages are built and shipped with it. */
const json = async <T>(response: Response): Promise<T> => (await response.json()) as T;

export const get = async <T>(path: string, query?: Query, abort?: AbortSignal): Promise<T> =>
  json<T>(await ask("GET", path, { ...(query ? { query } : {}), ...(abort ? { signal: abort } : {}) }));

export const send = async <T>(method: Exclude<Method, "GET">, path: string, options: Options = {}): Promise<T> =>
  json<T>(await ask(method, path, options));

export const post = <T>(path: string, body: unknown = {}, query: Query = {}): Promise<T> =>
  send<T>("POST", path, { body, query });

interface ErrorBody {
  readonly error?: { readonly message?: string; readonly code?: string | null; readonly param?: string | null };
}

export const errorOf = async (response: Response): Promise<ApiError> => {
  const body = await json<ErrorBody>(response).catch((): ErrorBody => ({}));
  const { message, code, param } = body.error ?? {};
  const seconds = Number(response.headers.get("retry-after") ?? "");
  return new ApiError(message ?? `${response.status} ${response.statusText}`, {
    status: response.status,
    code: code ?? "unknown",
    param: param ?? null,
    retryAfterMs: seconds > 0 ? seconds * 1000 : null,
  });
};

/** What went wrong, in the language of the page where its code is known. */
export const messageOf = (thrown: unknown): string => {
  if (thrown instanceof ApiError && language.value === "zh") return inChinese(thrown);
  return thrown instanceof Error ? thrown.message : String(thrown);
};

/** Hands an answer to the browser as a file. */
export const saveAs = async (response: Response, fallback: string): Promise<void> => {
  const named = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1];
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = named ?? fallback;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
};
