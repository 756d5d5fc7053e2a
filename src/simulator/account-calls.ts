// The calls about the account itself: session, quotas, settings, the page with the verification meta.
// Knows nothing of generation. Invariant: numbers reported here are those that generation spends.
import { refill } from "./accounts.ts";
import type { Account, Counter, ImagineCounterName } from "./accounts.ts";
import { modeOfModeId, modeOfModelMode } from "./chat-request.ts";
import { nowMs, stableUuid } from "./chance.ts";
import { invalid, notFound, toResponse } from "./refusals.ts";
import { jsonResponse } from "./world.ts";
import { fieldsOf, textOf } from "./fields.ts";
import type { Call } from "./world.ts";

/** Also served without a cookie, as the real page is. */
export function indexPage(): Response {
  const content = Buffer.from("simulated grok-site-verification meta content, 48 b").toString("base64");
  const html =
    `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="grok-site-verification" content="${content}">` +
    '<title>Grok (simulated)</title></head><body><div id="root"></div></body></html>';
  return new Response(html, { headers: { "content-type": "text/html; charset=utf-8", server: "cloudflare" } });
}

export function sessionInfo({ account }: Call): Response {
  const email = `${account.name.replace(/[^a-z0-9.-]/gi, "")}@example.com`;
  const session = {
    userId: account.uuid,
    email,
    emailDomain: "example.com",
    givenName: "Simulated",
    familyName: "Account",
    profileImage: "",
    xUserId: "",
    organizationId: "",
    organizationRole: 0,
    organizationType: 0,
    organizationKind: 0,
    isOrgAdmin: false,
    hasPassword: false,
    emailConfirmed: true,
    googleEmail: email,
    xSubscriptionType: "",
    createTime: 1_787_514_616_739,
    sessionId: stableUuid(`${account.name}/session`),
    signInMethod: 2,
    isIntegrationSession: false,
  };
  return jsonResponse({ status: "authenticated", session });
}

export function rateLimits({ account, body }: Call): Response {
  const name = textOf(fieldsOf(body)["modelName"]);
  if (name === "") return toResponse(invalid("modelName"));
  const mode = modeOfModeId(name) ?? (name.startsWith("grok-") ? modeOfModelMode("", account) : undefined);
  const counter = mode === undefined ? undefined : account.modes[mode];
  // What the site says about a mode that the account lacks is not documented; inferred.
  if (counter === undefined) return toResponse(notFound("Model"));
  refill(counter);
  const remaining = Math.min(counter.remaining, counter.total);
  const wait = remaining > 0 ? {} : { waitTimeSeconds: Math.max(1, Math.ceil((counter.resetAt - nowMs()) / 1000)) };
  return jsonResponse({
    windowSizeSeconds: counter.windowSeconds,
    remainingQueries: remaining,
    ...wait,
    totalQueries: counter.total,
    lowEffortRateLimits: null,
    highEffortRateLimits: null,
  });
}

export function imagineQuota({ account }: Call): Response {
  const names: ImagineCounterName[] = ["imagePro", "imageEdit", "video", "video720p"];
  const counters = names.map((name) => [name, describeCounter(account.imagine[name])]);
  return jsonResponse({ image: null, ...Object.fromEntries(counters) });
}

function describeCounter(counter: Counter | undefined): object | null {
  if (counter === undefined) return null;
  refill(counter);
  const remainingQueries = Math.min(counter.remaining, counter.total);
  const next = remainingQueries > 0 ? {} : { nextAvailableAt: new Date(counter.resetAt).toISOString() };
  return { available: true, remainingQueries, windowSizeSeconds: counter.windowSeconds, ...next };
}

export function setTosAccepted({ account, body }: Call): Response {
  if (typeof fieldsOf(body)["tosVersion"] !== "number") return toResponse(invalid("tosVersion"));
  account.flags.tos = true;
  return jsonResponse({});
}

export function setBirthDate({ account, body }: Call): Response {
  const birthDate = textOf(fieldsOf(body)["birthDate"]);
  if (Number.isNaN(Date.parse(birthDate))) return toResponse(invalid("birthDate"));
  if (account.flags.birthDate !== null) {
    const message =
      "Birth date is locked once set. Contact support if you need to update it. [WKE=account:birth-date-change-limit-reached]";
    return jsonResponse({ code: 8, message, details: [] }, { status: 429 });
  }
  account.flags.birthDate = birthDate;
  return jsonResponse({});
}

/** gRPC-web: field 2 varint 1. */
export async function acceptTosVersion({ account, request, entry }: Call): Promise<Response> {
  const message = await grpcMessage(request);
  entry.body = { hex: Buffer.from(message ?? []).toString("hex") };
  if (message === undefined || message[0] !== 0x10) return grpcResponse(3, "Malformed message");
  account.flags.tos = true;
  return grpcResponse(0);
}

/** gRPC-web: field 1 = {2: on}, field 2 = {1: feature name}. */
export async function updateFeatureControls({ account, request, entry }: Call): Promise<Response> {
  const message = await grpcMessage(request);
  entry.body = { hex: Buffer.from(message ?? []).toString("hex") };
  if (message === undefined) return grpcResponse(3, "Malformed frame");
  const text = Buffer.from(message).toString("latin1");
  const control = /^\x0a\x02\x10([\x00\x01])\x12\x1a\x0a\x18always_show_nsfw_content$/.exec(text);
  if (control === null) return grpcResponse(3, "Unknown feature");
  if (!account.flags.tos || account.flags.birthDate === null) return grpcResponse(9, "Birth date and terms first");
  account.flags.nsfw = control[1] === "\x01";
  return grpcResponse(0);
}

/** Since 2026-08 the cookie alone is refused here. */
export function creditsConfig(): Response {
  return grpcResponse(16, "No credentials presented. [WKE=unauthenticated:no-credentials]");
}

async function grpcMessage(request: Request): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length < 5 || bytes[0] !== 0) return undefined;
  const length = new DataView(bytes.buffer).getUint32(1);
  return bytes.length === length + 5 ? bytes.subarray(5) : undefined;
}

/** An empty data frame and trailers; a refusal has its status in the headers and no body. */
function grpcResponse(status: number, message = ""): Response {
  const headers: Record<string, string> = { "content-type": "application/grpc-web+proto", server: "cloudflare" };
  if (status !== 0) {
    headers["grpc-status"] = String(status);
    headers["grpc-message"] = encodeURIComponent(message);
    return new Response(null, { headers });
  }
  const trailers = new TextEncoder().encode("grpc-status: 0\r\ngrpc-message: \r\n");
  const frame = new Uint8Array([0, 0, 0, 0, 0, 0x80, 0, 0, 0, trailers.length, ...trailers]);
  return new Response(frame, { headers });
}

export function describeAccount(account: Account): object {
  const { assets, conversations, ...facts } = account;
  return { ...facts, assets: [...assets.keys()], conversations: [...conversations.keys()] };
}
