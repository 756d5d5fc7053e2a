// Which conversation a request belongs to, by the ids that clients send: the request's own field first, then headers.
// Without any, the gateway derives a key from the conversation itself. The value is opaque and scoped by the API key later.
import { isObject } from "../../lib/json.ts";
import { given, refuse } from "./field.ts";

const FIELDS = ["prompt_cache_key", "session_id", "conversation_id"];
const HEADERS = ["x-session-id", "session_id", "conversation_id"];
const MAX_LENGTH = 1024;

const usable = (value: unknown): value is string =>
  typeof value === "string" && value.trim() !== "" && value.length <= MAX_LENGTH;

export const explicitSession = (parsed: unknown, headers: { get(name: string): string | null }): string | undefined => {
  const body = isObject(parsed) ? parsed : {};
  const cacheKey = given(body, "prompt_cache_key");
  if (cacheKey !== undefined && typeof cacheKey !== "string") {
    return refuse({ code: "invalid_value", param: "prompt_cache_key" }, "'prompt_cache_key' must be a string.");
  }
  const candidates = [...FIELDS.map((field) => body[field]), ...HEADERS.map((name) => headers.get(name))];
  return candidates.find(usable);
};
