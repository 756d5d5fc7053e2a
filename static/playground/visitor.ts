// Who is at the page: anybody, or somebody with the playground's key; and requests in their name. Knows no page.
// Invariant: the key travels in a header only, is kept in this browser only, and is forgotten as soon as it is refused.
import { signal } from "@preact/signals";
import { ApiError, errorOf } from "../shared/api.ts";
import { keep, kept } from "../shared/keeping.ts";
import { at } from "../shared/place.ts";

const KEY = "grok2api.public_key";

export type Access =
  | { readonly kind: "asking" }
  /** The playground wants no key. */
  | { readonly kind: "open" }
  | { readonly kind: "keyed" }
  | { readonly kind: "locked" }
  | { readonly kind: "unreachable"; readonly problem: ApiError };

export const access = signal<Access>({ kind: "asking" });

let key = kept(KEY);

const setKey = (value: string | null): void => {
  key = value;
  keep(KEY, value);
};

/** Another tab signed in or out. */
window.addEventListener("storage", (event) => {
  if (event.key !== KEY || event.newValue === key) return;
  key = event.newValue;
  void enter();
});

const VERIFY = "/v1/public/verify";

const request = async (path: string, init: RequestInit, credential: string | null): Promise<Response> => {
  const headers = new Headers(init.headers);
  if (credential !== null) headers.set("authorization", `Bearer ${credential}`);
  try {
    return await fetch(at(path), { ...init, headers });
  } catch (thrown) {
    if (init.signal?.aborted === true) throw thrown;
    throw new ApiError("The gateway cannot be reached.", { status: 0, code: "unreachable", param: null });
  }
};

const verify = async (credential: string | null): Promise<boolean> => {
  const response = await request(VERIFY, {}, credential);
  if (response.ok) return true;
  const error = await errorOf(response);
  if (error.status === 401) return false;
  throw error;
};

/** Asks the gateway whether this browser may use the playground as it is. */
export const enter = async (): Promise<void> => {
  try {
    const [isOpen, isRight] = await Promise.all([verify(null), key === null ? false : verify(key)]);
    if (!isRight) setKey(null);
    access.value = { kind: isOpen ? "open" : isRight ? "keyed" : "locked" };
  } catch (thrown) {
    if (!(thrown instanceof ApiError)) throw thrown;
    access.value = { kind: "unreachable", problem: thrown };
  }
};

/** Whether the typed key was right; throws what else is wrong. */
export const tryKey = async (typed: string): Promise<boolean> => {
  const isRight = await verify(typed);
  if (isRight) {
    setKey(typed);
    access.value = { kind: "keyed" };
  }
  return isRight;
};

export const signOut = (): void => {
  setKey(null);
  access.value = { kind: "locked" };
};

/** A request to the gateway in the visitor's name; gives the bare answer of a good status. */
export const call = async (path: string, init: RequestInit = {}): Promise<Response> => {
  const response = await request(path, init, key);
  if (response.ok) return response;
  const error = await errorOf(response);
  if (error.status === 401 && access.value.kind !== "open") signOut();
  throw error;
};

export const callJson = async <T>(path: string, body: unknown, abort?: AbortSignal): Promise<T> => {
  const response = await call(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(abort ? { signal: abort } : {}),
  });
  return (await response.json()) as T;
};
