// What an operator states for accounts on the site: that the terms are accepted, a birth date, adult content on or off.
// Runs because a person asked for it, never by itself. Invariant: nothing is made up; a birth date is typed and confirmed,
// under 18 it is refused, and what was not stated is not done.
import type { Actor, Audit } from "../access/audit.ts";
import { isApiKey } from "../accounts/api-keys.ts";
import type { Pool } from "../accounts/pool.ts";
import { asGatewayError, type GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { isObject, stringAt, type JsonObject } from "../lib/json.ts";
import { mapLimited } from "../lib/lock.ts";
import type { Log } from "../lib/log.ts";
import type { AccountSettings, BirthDateOutcome, ProviderCall } from "../providers/port.ts";
import { invalid } from "./account-checks.ts";
import { createAccountRefs, type Refs } from "./account-refs.ts";
import type { ItemOutcome, TaskInfo, Tasks } from "./tasks.ts";
import { byMaskedToken, maskToken } from "./token-info.ts";

/** Marks accounts whose adult content is switched on. */
export const ADULT_TAG = "nsfw";
const OF_AGE = 18;

export interface Statement {
  readonly acceptTerms: boolean;
  /** YYYY-MM-DD. */
  readonly birthDate: string | null;
  readonly adultContent: boolean | null;
}

export type SettingsStep = "tos" | "birth" | "nsfw";

export interface SettingsOutcome {
  readonly id: string;
  readonly token: string;
  readonly success: boolean;
  readonly done: {
    readonly terms?: "accepted";
    readonly birth_date?: BirthDateOutcome;
    readonly adult_content?: "on" | "off";
  };
  /** Where it ended. */
  readonly step: SettingsStep | null;
  readonly attempts: number;
  readonly http_status: number;
  readonly grpc_status: number | null;
  readonly grpc_message: string | null;
  readonly error: string | null;
  /** Whether the account is expired now. */
  readonly invalidated: boolean;
}

export interface SettingsRequest {
  readonly by: Actor;
  /** Left out: every account that is neither expired nor disabled. */
  readonly refs?: Refs;
  readonly statement: Statement;
  /** Leave out accounts that carry the adult tag already. */
  readonly skipTagged?: boolean;
  readonly concurrency?: number;
  readonly retries?: number;
}

export interface Planned {
  readonly ids: readonly string[];
  /** Left out because they carry the tag. */
  readonly skipped: number;
  /** Left out because they are keys of the official API, which have no settings on the site. */
  readonly api_keys: number;
}

export interface SiteSettings {
  /** Reads `accept_terms`, `birth_date` with `confirm`, `adult_content`. Throws by the field's name. */
  statement(body: JsonObject, implied?: Partial<Statement>): Statement;
  /** What a statement leaves undone that older pages took for granted; null when nothing. */
  warning(statement: Statement): string | null;
  /** Whom a request is about. Throws when there is nobody. */
  plan(request: SettingsRequest): Planned;
  now(request: SettingsRequest, signal: AbortSignal): Promise<SettingsOutcome[]>;
  start(request: SettingsRequest): TaskInfo;
}

export interface SiteSettingsDeps {
  readonly pool: Pool;
  readonly site: AccountSettings;
  readonly tasks: Tasks;
  readonly audit: Pick<Audit, "write">;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: () => { readonly concurrent: number; readonly retries: number };
}

const mayPass = ({ code, row }: GatewayError): boolean => row.retry === "once" && code !== "upstream_error";

const MOST_AT_ONCE = 100;
const MOST_RETRIES = 10;
const PAUSE_MS = 500;

export const createSiteSettings = (deps: SiteSettingsDeps): SiteSettings => {
  const { pool, site, tasks, audit, clock, log, settings } = deps;
  const refs = createAccountRefs(pool);

  const callFor = (id: string, signal: AbortSignal): ProviderCall | null => {
    const credential = pool.credential(id);
    const learn = ({ userId }: { userId?: string }) => {
      if (userId !== undefined) pool.signal(id, { type: "learned", userId });
    };
    return credential && { credential, signal, log, learn };
  };

  /** A fault of the upstream or of the way there may pass; a refusal is an answer. */
  const patiently = async <T>(
    run: () => Promise<T>,
    left: { tries: number; attempts: number; signal: AbortSignal },
  ) => {
    for (;;) {
      left.attempts++;
      try {
        return await run();
      } catch (thrown) {
        if (!mayPass(asGatewayError(thrown)) || left.tries-- <= 0 || left.signal.aborted) throw thrown;
        await clock.sleep(PAUSE_MS, left.signal);
      }
    }
  };

  const one = async (id: string, request: SettingsRequest, signal: AbortSignal): Promise<SettingsOutcome> => {
    const outcome = await apply(id, request, signal);
    if (Object.keys(outcome.done).length > 0) {
      await audit.write({ by: request.by, action: "accounts.site_settings", target: id, after: outcome.done });
    }
    return outcome;
  };

  const apply = async (id: string, request: SettingsRequest, signal: AbortSignal): Promise<SettingsOutcome> => {
    const { statement, retries = settings().retries } = request;
    const token = pool.get(id)?.token ?? "";
    const call = callFor(id, signal);
    const none = { id, token, done: {}, step: null, attempts: 0, grpc_status: null, grpc_message: null };
    if (!call) return { ...none, success: false, http_status: 0, error: "the account was removed", invalidated: false };
    const left = { tries: Math.min(MOST_RETRIES, retries), attempts: 0, signal };
    let step: SettingsStep = "tos";
    let done: SettingsOutcome["done"] = {};
    try {
      if (statement.acceptTerms) {
        await patiently(() => site.acceptTerms(call), left);
        done = { ...done, terms: "accepted" };
      }
      step = "birth";
      const { birthDate, adultContent } = statement;
      if (birthDate !== null) {
        done = { ...done, birth_date: await patiently(() => site.setBirthDate(birthDate, call), left) };
      }
      step = "nsfw";
      if (adultContent !== null) {
        await patiently(() => site.setAdultContent(adultContent, call), left);
        await (adultContent ? pool.addTags([id], [ADULT_TAG]) : pool.removeTags([id], [ADULT_TAG]));
        done = { ...done, adult_content: adultContent ? "on" : "off" };
      }
      return {
        ...{ ...none, success: true, done, attempts: left.attempts },
        ...{ http_status: 200, grpc_status: 0, error: null, invalidated: false },
      };
    } catch (thrown) {
      const error = asGatewayError(thrown);
      return { ...none, ...failed(id, error), success: false, done, step, attempts: left.attempts };
    }
  };

  const failed = (id: string, error: GatewayError) => {
    const { signal } = error.row;
    // Like any refused session; being throttled here says nothing about the account's own work.
    if (signal === "suspect" || signal === "dead") pool.signal(id, { type: "failed", error, mode: "fast" });
    log.at(error.row.log, "an account's settings could not be changed", { account: id, code: error.code, error });
    const { upstream } = error.detail;
    const grpc = upstream?.code !== undefined && /^\d+$/.test(upstream.code) ? Number(upstream.code) : null;
    return {
      http_status: upstream?.status ?? error.row.status,
      grpc_status: grpc,
      grpc_message: grpc === null ? null : (upstream?.text ?? ""),
      error: error.message,
      invalidated: pool.get(id)?.status === "expired",
    };
  };

  const plan = (request: SettingsRequest): Planned => {
    const manageable = () => pool.all().filter(({ status }) => status === "active" || status === "cooling");
    const named = (these: Refs) => refs.resolve(these).ids.flatMap((id) => pool.get(id) ?? []);
    const found = request.refs === undefined ? manageable() : named(request.refs);
    const sessions = found.filter((one) => !isApiKey(one));
    // Keys count as left out only where somebody named them.
    const api_keys = request.refs === undefined ? 0 : found.length - sessions.length;
    if (sessions.length + api_keys === 0) throw invalid("tokens", "No tokens available");
    const wanted = request.skipTagged ? sessions.filter(({ tags }) => !tags.includes(ADULT_TAG)) : sessions;
    return { ids: wanted.map(({ id }) => id), skipped: sessions.length - wanted.length, api_keys };
  };
  const atOnce = ({ concurrency = settings().concurrent }: SettingsRequest): number =>
    Math.min(MOST_AT_ONCE, Math.max(1, Math.floor(concurrency)));

  return {
    statement: (body, implied = {}) => readStatement(body, { implied, now: clock.now() }),
    warning: warningOf,
    plan,
    now: (request, signal) => mapLimited(plan(request).ids, atOnce(request), (id) => one(id, request, signal)),
    start(request) {
      const { ids, skipped } = plan(request);
      const outcomes: SettingsOutcome[] = [];
      return tasks.start({
        kind: "account-settings",
        items: ids,
        concurrency: atOnce(request),
        mask: (id) => maskToken(pool.get(id)?.token ?? ""),
        run: async (id, signal): Promise<ItemOutcome> => {
          const outcome = await one(id, request, signal);
          outcomes.push(outcome);
          const { success: ok, error } = outcome;
          return { ok, detail: shownOutcome(outcome), ...(error === null ? {} : { error }) };
        },
        result: (summary) => ({
          status: "success",
          summary: { ...summary, ...(request.skipTagged ? { skipped } : {}) },
          results: byMaskedToken(outcomes, shownOutcome),
        }),
        warning: warningOf(request.statement),
      });
    },
  };
};

/** Everything but the secret. */
export const shownOutcome = (outcome: SettingsOutcome): Omit<SettingsOutcome, "token"> => {
  const { token: _, ...shown } = outcome;
  return shown;
};

const readStatement = (body: JsonObject, about: { implied: Partial<Statement>; now: number }): Statement => {
  const given = isObject(body["settings"]) ? body["settings"] : body;
  const { implied, now } = about;
  const adult = given["adult_content"];
  if (adult !== undefined && typeof adult !== "boolean")
    throw invalid("adult_content", "'adult_content' is true or false.");
  const terms = given["accept_terms"];
  if (terms !== undefined && typeof terms !== "boolean")
    throw invalid("accept_terms", "'accept_terms' is true or false.");
  const statement = {
    acceptTerms: terms ?? implied.acceptTerms ?? false,
    birthDate: birthDateOf(given, now),
    adultContent: adult ?? implied.adultContent ?? null,
  };
  if (statement.acceptTerms || statement.birthDate !== null || statement.adultContent !== null) return statement;
  throw invalid("adult_content", "State at least one of accept_terms, birth_date with confirm, adult_content.");
};

const birthDateOf = (given: JsonObject, now: number): string | null => {
  if (given["birth_date"] === undefined || given["birth_date"] === null) return null;
  const text = stringAt(given, "birth_date")?.trim() ?? "";
  const at = Date.parse(`${text}T00:00:00Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(at) || !new Date(at).toISOString().startsWith(text)) {
    throw invalid("birth_date", "'birth_date' is a calendar date such as 1990-12-31.");
  }
  const age = ageOn(text, now);
  if (age < OF_AGE) throw invalid("birth_date", `The holder of an account must be ${OF_AGE} or older.`);
  if (age > 120) throw invalid("birth_date", "'birth_date' is too long ago.");
  if (given["confirm"] !== true) {
    throw invalid("confirm", "Confirm with confirm: true that this is the birth date of the accounts' holder.");
  }
  return text;
};

/** Whole years; a day that has not begun everywhere does not count yet. */
const ageOn = (date: string, now: number): number => {
  const today = new Date(now - 12 * 3_600_000).toISOString().slice(0, 10);
  const years = Number(today.slice(0, 4)) - Number(date.slice(0, 4));
  return today.slice(5) < date.slice(5) ? years - 1 : years;
};

const warningOf = ({ acceptTerms, birthDate, adultContent }: Statement): string | null => {
  if (adultContent !== true) return null;
  const undone = [
    ...(acceptTerms ? [] : ["the terms were not accepted (state accept_terms: true)"]),
    ...(birthDate === null ? ["no birth date was set (state birth_date and confirm: true)"] : []),
  ];
  return undone.length === 0 ? null : `Only what was stated was done: ${undone.join("; ")}.`;
};
