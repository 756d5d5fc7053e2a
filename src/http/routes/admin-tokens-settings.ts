// What the operator states for accounts on the site: terms, birth date, adult content; under the names of earlier gateways
// too. Decides nothing. Invariant: what was not stated is not done, and the answer says so.
import {
  shownOutcome,
  type SettingsOutcome,
  type SettingsRequest,
  type Statement,
} from "../../admin/account-settings.ts";
import { byMaskedToken } from "../../admin/token-info.ts";
import type { JsonObject } from "../../lib/json.ts";
import { actorOf } from "../actor.ts";
import { readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { adminPaths } from "./admin-paths.ts";
import { countIn, done, isForAll, isTrue, namedIn, wrong } from "./admin-tokens-body.ts";
import { started } from "./admin-tokens-refresh.ts";

const requestOf = (call: Call, from: { body: JsonObject; implied?: Partial<Statement> }): SettingsRequest => {
  const { body, implied } = from;
  const concurrency = countIn(call, { body, name: "concurrency" });
  const retries = countIn(call, { body, name: "retries", least: 0 });
  return {
    by: actorOf(call),
    ...(isForAll(body) ? {} : { refs: namedIn(body) }),
    statement: call.deps.siteSettings.statement(body, implied),
    skipTagged: body["skip_tagged"] === true,
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(retries === undefined ? {} : { retries }),
  };
};

const leftOut = (api_keys: number) => (api_keys > 0 ? { api_keys } : {});

/** Null as long as somebody is left to work on. */
const nobodyLeft = (call: Call, request: SettingsRequest): Response | null => {
  const { ids, skipped, api_keys } = call.deps.siteSettings.plan(request);
  if (ids.length > 0) return null;
  const message =
    skipped > 0
      ? "Every named account carries the tag already."
      : "Keys of the official API have no settings on the site.";
  return done({ message, skipped, ...leftOut(api_keys) });
};

const warned = (call: Call, { statement }: SettingsRequest) => {
  const warning = call.deps.siteSettings.warning(statement);
  return warning === null ? {} : { warning };
};

const now = async (call: Call, request: SettingsRequest): Promise<Response> => {
  const nobody = nobodyLeft(call, request);
  if (nobody) return nobody;
  const { skipped, api_keys } = call.deps.siteSettings.plan(request);
  const outcomes = await call.deps.siteSettings.now(request, call.signal);
  const ok = outcomes.filter(({ success }) => success).length;
  const summary = {
    total: outcomes.length,
    ok,
    fail: outcomes.length - ok,
    ...(request.skipTagged ? { skipped } : {}),
    ...leftOut(api_keys),
  };
  return done({ summary, results: byMaskedToken(outcomes, shownOutcome), ...warned(call, request) });
};

const asTask = (call: Call, request: SettingsRequest): Response => {
  const nobody = nobodyLeft(call, request);
  if (nobody) return nobody;
  const { api_keys } = call.deps.siteSettings.plan(request);
  return started(call.deps.siteSettings.start(request), { ...warned(call, request), ...leftOut(api_keys) });
};

/** Names must be given where nothing is implied; an empty body would otherwise change every account. */
const settingsRequest = async (call: Call): Promise<SettingsRequest> => {
  const body = await readObject(call);
  if (body["all"] !== true && isForAll(body)) throw wrong("tokens", "Name accounts in 'tokens', or send all: true.");
  return requestOf(call, { body });
};

const ADULT = { adultContent: true } as const;
const adultRequest = async (call: Call): Promise<SettingsRequest> =>
  requestOf(call, { body: await readObject(call), implied: ADULT });

const batch = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const adultContent = call.url.searchParams.get("enabled") !== "false" && body["enabled"] !== false;
  const request = requestOf(call, { body, implied: { adultContent } });
  return isTrue(call, "async") ? asTask(call, request) : now(call, request);
};

const failureOf = ({ id, attempts, step, error, invalidated }: SettingsOutcome) => ({
  ...{ ok: false, id, attempts, step, error, invalidated },
});

const refreshAdult = async (call: Call): Promise<Response> => {
  const request = await adultRequest(call);
  const outcomes = await call.deps.siteSettings.now(request, call.signal);
  const failed = outcomes.filter(({ success }) => !success);
  const summary = {
    total: outcomes.length,
    success: outcomes.length - failed.length,
    failed: failed.length,
    invalidated: failed.filter(({ invalidated }) => invalidated).length,
  };
  const rows = Object.entries(byMaskedToken(failed, failureOf)).map(([token, row]) => ({ token, ...row }));
  return done({ summary, failed: rows, ...warned(call, request) });
};

export const adminTokenSettingsRoutes: readonly Route[] = [
  {
    method: "POST",
    ...adminPaths("/tokens/settings"),
    auth: "admin",
    summary: "State accept_terms, birth_date with confirm, adult_content for accounts, and wait.",
    handle: async (call) => now(call, await settingsRequest(call)),
  },
  {
    method: "POST",
    ...adminPaths("/tokens/settings/async"),
    auth: "admin",
    summary: "The same as a batch task.",
    handle: async (call) => asTask(call, await settingsRequest(call)),
  },
  {
    method: "POST",
    ...adminPaths("/tokens/nsfw/enable"),
    auth: "admin",
    summary: "Switch adult content on; terms and birth date only when stated.",
    handle: async (call) => now(call, await adultRequest(call)),
  },
  {
    method: "POST",
    ...adminPaths("/tokens/nsfw/enable/async"),
    auth: "admin",
    summary: "The same as a batch task.",
    handle: async (call) => asTask(call, await adultRequest(call)),
  },
  {
    method: "POST",
    ...adminPaths("/tokens/nsfw/refresh"),
    auth: "admin",
    summary: "The same, told by failures.",
    handle: refreshAdult,
  },
  {
    method: "POST",
    ...adminPaths("/batch/nsfw"),
    auth: "admin",
    summary: "Switch adult content on or off (?enabled=false); ?async=true makes it a batch task.",
    handle: batch,
  },
];
