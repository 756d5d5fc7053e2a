// Which foreign pages may read an answer. Admin routes are never for foreign pages; files are for everybody, because their
// names cannot be guessed. Invariant: no credentials are ever allowed, so `*` is a safe origin.
import { ATTEMPTS_HEADER, COST_HEADER, type AuthClass, CONTINUATION_HEADER, SESSION_HEADER } from "./context.ts";

const EXPOSED = [
  "x-request-id, request-id, retry-after, retry-after-ms, openai-processing-ms",
  ATTEMPTS_HEADER,
  COST_HEADER,
  SESSION_HEADER,
  CONTINUATION_HEADER,
  ...["requests", "concurrency", "tokens", "chat", "heavy", "images", "videos"].flatMap((what) =>
    ["limit", "remaining", "reset"].map((which) => `x-ratelimit-${which}-${what}`),
  ),
].join(", ");
const METHODS = "GET, POST, PUT, DELETE, OPTIONS, HEAD";
/** For a preflight that names none. SDKs in a browser send many of their own, so named ones are sent back as they are. */
const USUAL_HEADERS = "authorization, content-type, x-api-key, x-request-id";

export interface CorsQuestion {
  readonly request: Request;
  readonly auth: AuthClass;
  readonly origins: readonly string[];
}

/** The origin that may read the answer; null for none. */
const allowedOrigin = ({ request, auth, origins }: CorsQuestion): string | null => {
  if (auth === "admin" || auth === "metrics") return null;
  if (auth === "file" || origins.includes("*")) return "*";
  const origin = request.headers.get("origin");
  return origin !== null && origins.includes(origin) ? origin : null;
};

export const addCors = (headers: Headers, question: CorsQuestion): void => {
  const origin = allowedOrigin(question);
  if (origin !== null) {
    headers.set("access-control-allow-origin", origin);
    headers.set("access-control-expose-headers", EXPOSED);
  }
  if (origin !== "*") headers.append("vary", "origin");
};

/** The answer to a preflight. Without an allowed origin it allows nothing, and the browser stops there. */
export const preflight = (question: CorsQuestion): Response => {
  const headers = new Headers({ vary: "access-control-request-headers" });
  addCors(headers, question);
  if (headers.has("access-control-allow-origin")) {
    const wanted = question.request.headers.get("access-control-request-headers");
    headers.set("access-control-allow-methods", METHODS);
    headers.set("access-control-allow-headers", wanted === null || wanted === "" ? USUAL_HEADERS : wanted);
    headers.set("access-control-max-age", "86400");
  }
  return new Response(null, { status: 204, headers });
};
