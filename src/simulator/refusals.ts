// Answers that are not a stream: who is refused, where, with which status and body.
// Knows accounts and words, no stream. Invariant: a body here is one that was observed on the real upstream,
// or is marked as inferred.
import type { Account, Kind } from "./accounts.ts";
import { nowMs, randomHex } from "./chance.ts";
import type { Words } from "./scenarios.ts";
import { HEAVY_USAGE } from "./script.ts";

export interface Refusal {
  status: number;
  body: string;
  contentType: "application/json" | "text/html; charset=UTF-8" | "text/plain";
  challenge?: boolean;
  /** The connection is cut instead of answered. */
  cut?: boolean;
  /** The same verdict for a socket that is already open. */
  code: number;
  message: string;
}

/** What kind of call it is: tempers differ in what they touch. */
export type Area = "session" | "plain" | "upgrade" | "asset";

const SESSION_LOOKUP = "Failed to look up session ID. [WKE=unauthenticated:invalid-credentials]";
const BLOCKED = "User is blocked: Bot/distillation [WKE=unauthorized:blocked-user]";
const ANTI_BOT = "Request rejected by anti-bot rules.";
const OUT_OF_DATE = "This page is out of date. Reload to continue.";

export const unauthenticated = (): Refusal => json(401, 16, SESSION_LOOKUP);
export const tooManyRequests = (): Refusal => json(429, 8, "Too many requests");
export const antiBot = (): Refusal => json(403, 7, ANTI_BOT);
export const outOfDate = (): Refusal => json(403, 7, OUT_OF_DATE);
/** Body inferred: only the code is known. */
export const notFound = (what: string): Refusal => json(404, 5, `${what} not found`);
export const invalid = (message: string): Refusal => json(400, 3, message);

const BY_WORD: Record<string, () => Refusal> = {
  moderation: () => json(403, 7, "Content violates usage guidelines. [WKE=permission-denied:content-moderated]"),
  "rate-limit": tooManyRequests,
  "usage-limit": () => json(429, 8, "You have reached your usage limit for this model."),
  overload: () => json(429, 8, HEAVY_USAGE),
  antibot: antiBot,
  outdated: outOfDate,
  challenge: challengePage,
  "400": () => invalid("Invalid argument"),
  "401": unauthenticated,
  "403": () => forbidden(),
  "404": () => notFound("Conversation"),
  "500": () => json(500, 13, "Internal error"),
  "502": badGateway,
  "503": () => json(503, 14, "Service unavailable"),
};

export const REFUSING_WORDS = Object.keys(BY_WORD);

export function refusalByWord(words: Words): Refusal | undefined {
  const name = REFUSING_WORDS.find((word) => words.has(word));
  return name === undefined ? undefined : BY_WORD[name]?.();
}

export interface Question {
  account: Account;
  area: Area;
  /** The route wants an x-statsig-id. */
  signed: boolean;
}

export function refusalByAccount({ account, area, signed }: Question): Refusal | undefined {
  if (account.flags.blocked) return area === "session" ? status("blocked") : json(403, 7, BLOCKED);
  if (account.flags.sessionDead) return area === "session" ? status("unauthenticated") : unauthenticated();
  return everywhere(account.kind, area) ?? onUpgrade(account.kind, area) ?? onSigned(account, signed);
}

function everywhere(kind: Kind, area: Area): Refusal | undefined {
  switch (kind) {
    case "dead":
      return area === "session"
        ? status("unauthenticated")
        : area === "asset"
          ? json(403, 16, SESSION_LOOKUP)
          : unauthenticated();
    case "dead-403":
      return json(403, 16, SESSION_LOOKUP);
    case "blocked":
      return area === "session" ? status("blocked") : json(403, 7, BLOCKED);
    case "blocked-bare":
      return area === "session" ? status("blocked") : bare(403, 7, "User is blocked [WKE=unauthorized:blocked-user]");
    case "challenge":
      return challengePage();
    case "challenge-empty":
      return { ...challengePage(), body: "" };
    case "forbidden":
      return forbidden();
    case "region":
    case "region-451":
      return {
        ...badGateway(),
        status: kind === "region" ? 403 : 451,
        body: REGION,
        contentType: "text/plain",
        code: 7,
        message: REGION,
      };
    case "5xx":
      return badGateway();
    case "down":
      return { ...badGateway(), cut: true };
    default:
      return undefined;
  }
}

function onUpgrade(kind: Kind, area: Area): Refusal | undefined {
  if (area !== "upgrade") return undefined;
  if (kind === "nosocket") return challengePage();
  if (kind === "nosocket-404") return notFound("Socket");
  if (kind === "limited-upgrade") return tooManyRequests();
  return undefined;
}

function onSigned(account: Account, signed: boolean): Refusal | undefined {
  if (!signed) return undefined;
  account.signedCalls += 1;
  if (account.kind === "antibot") return antiBot();
  if (account.kind === "antibot-once" && account.signedCalls === 1) return antiBot();
  if (account.kind === "outdated") return outOfDate();
  return undefined;
}

/** Asked once per chat, picture or video, also by sockets, whose upgrade says nothing about the request. */
export function onGeneration(account: Account): Refusal | undefined {
  account.chatCalls += 1;
  switch (account.kind) {
    case "limited":
    case "limited-upgrade":
      return tooManyRequests();
    case "limited-usage":
      return BY_WORD["usage-limit"]?.();
    case "overloaded":
      return BY_WORD["overload"]?.();
    case "flaky":
      return account.chatCalls === 1 ? json(500, 13, "Internal error") : undefined;
    default:
      return undefined;
  }
}

/** Tempers that concern signed calls are in-band verdicts on a socket, which carries no signature. */
export function socketVerdict(account: Account): Refusal | undefined {
  if (account.kind === "antibot" || account.kind === "outdated") return onSigned(account, true);
  return onGeneration(account);
}

export function toResponse(refusal: Refusal, headers: Record<string, string> = {}): Response {
  if (refusal.cut === true) return cutResponse();
  return new Response(refusal.body, {
    status: refusal.status,
    headers: {
      "content-type": refusal.contentType,
      server: "cloudflare",
      "cf-ray": `${randomHex(16)}-SIM`,
      ...(refusal.challenge === true ? { "cf-mitigated": "challenge" } : { "x-trace-id": randomHex(32) }),
      ...headers,
    },
  });
}

/** A response whose body fails before its first byte: the server drops the connection. */
export function cutResponse(): Response {
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await Bun.sleep(1);
        controller.error(new Error("simulated cut"));
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body);
}

const REGION = "This service is not available in your region.";

function json(httpStatus: number, code: number, message: string): Refusal {
  const body = JSON.stringify({ error: { code, message, details: [] } });
  return { status: httpStatus, body, contentType: "application/json", code, message };
}

function bare(httpStatus: number, code: number, message: string): Refusal {
  return { ...json(httpStatus, code, message), body: JSON.stringify({ code, message, details: [] }) };
}

function status(value: string): Refusal {
  return {
    status: 200,
    body: JSON.stringify({ status: value }),
    contentType: "application/json",
    code: 16,
    message: value,
  };
}

/** Shape invented on purpose: a 403 that no rule recognises. */
function forbidden(): Refusal {
  const message = "Request denied by policy.";
  return {
    status: 403,
    body: JSON.stringify({ reason: "policy", message }),
    contentType: "application/json",
    code: 7,
    message,
  };
}

function badGateway(): Refusal {
  const body = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
  return { status: 502, body, contentType: "text/html; charset=UTF-8", code: 14, message: "Bad gateway" };
}

function challengePage(): Refusal {
  const ray = randomHex(16);
  const body =
    '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title>' +
    '<meta http-equiv="Content-Type" content="text/html; charset=UTF-8"><meta name="robots" content="noindex,nofollow">' +
    '</head><body><div class="main-wrapper" role="main"><noscript><span id="challenge-error-text">' +
    "Enable JavaScript and cookies to continue</span></noscript></div><script>(function(){" +
    `window._cf_chl_opt = {cvId: '3',cZone: 'grok.com',cType: 'managed',cRay: '${ray}',cITimeS: '${Math.floor(nowMs() / 1000)}'};` +
    "var a = document.createElement('script');" +
    `a.src = '/cdn-cgi/challenge-platform/h/g/orchestrate/chl_page/v1?ray=${ray}';}());</script></body></html>`;
  return { status: 403, body, contentType: "text/html; charset=UTF-8", challenge: true, code: 7, message: "Challenge" };
}
