// Reads what is stated of a client key, in today's spelling and in those of earlier programs. Knows no store.
// Invariant: a wrong value is refused by its name; a limit never becomes unlimited by a slip.
import type { KeyFields } from "../access/client-keys.ts";
import { GatewayError } from "../core/errors.ts";
import type { Catalogue } from "../core/models.ts";
import { speechModelById } from "../core/speech.ts";
import { isObject, type JsonObject } from "../lib/json.ts";

const MAX_NAME = 100;
const MAX_NOTE = 1_000;
const MAX_RPM = 100_000;
const MAX_CONCURRENCY = 1_024;
const MAX_UNITS = 1_000_000_000_000;
const MAX_USD = 1_000_000;

const wrong = (param: string, message: string): GatewayError => new GatewayError("invalid_value", message, { param });

const text = (value: unknown, param: string, most: number): string => {
  if (typeof value !== "string") throw wrong(param, `'${param}' must be text.`);
  const trimmed = value.trim();
  if (trimmed.length > most) throw wrong(param, `'${param}' may have ${most} characters.`);
  return trimmed;
};

const flag = (value: unknown, param: string): boolean => {
  if (typeof value === "boolean") return value;
  if (value === 0 || value === 1) return value === 1;
  throw wrong(param, `'${param}' must be true or false.`);
};

const whole = (value: unknown, param: string, range: { least: number; most: number }): number => {
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= range.least && number <= range.most) {
    return number;
  }
  throw wrong(param, `'${param}' must be a whole number from ${range.least} to ${range.most}.`);
};

/** −1, null and an empty field mean unlimited; 0 means none. */
const units = (value: unknown, param: string): number =>
  value === null || value === "" ? -1 : whole(value, param, { least: -1, most: MAX_UNITS });

/** US dollars, also with cents; −1, null and an empty field mean unlimited, 0 means none. */
const dollars = (value: unknown, param: string): number => {
  if (value === null || value === "" || value === -1) return -1;
  const number = typeof value === "string" ? Number(value) : value;
  if (typeof number === "number" && number >= 0 && number <= MAX_USD) return number;
  throw wrong(param, `'${param}' must be an amount in US dollars from 0 to ${MAX_USD}, or -1 for no limit.`);
};

/** 0, −1, null and an empty field mean unlimited: a key that may send no request is a key that is off. */
const rate = (value: unknown, param: string, most: number): number =>
  value === null || value === "" ? 0 : Math.max(0, whole(value, param, { least: -1, most }));

/** Unix seconds or milliseconds, or a date as ISO writes it. */
const time = (value: unknown, param: string): number | null => {
  if (value === null || value === "" || value === 0) return null;
  const ms =
    typeof value === "number"
      ? value < 1e11
        ? value * 1000
        : value
      : typeof value === "string"
        ? Date.parse(value)
        : NaN;
  if (Number.isFinite(ms) && ms > 0) return ms;
  throw wrong(param, `'${param}' must be a time in Unix seconds or as in 2030-01-31T00:00:00Z.`);
};

const models = (value: unknown, param: string, catalogue: Pick<Catalogue, "find">): string[] | null => {
  if (value === null) return null;
  const names: readonly unknown[] | null = Array.isArray(value) ? value : null;
  if (!names?.every((name) => typeof name === "string"))
    throw wrong(param, `'${param}' must be a list of model names.`);
  if (names.length === 0) return null;
  return [
    ...new Set(
      names.flatMap((name) => {
        const found = catalogue.find(name.trim());
        const model = found ?? speechModelById(name.trim())?.model;
        if (!model) throw wrong(param, `'${param}' names the model '${name.slice(0, 100)}', which does not exist.`);
        // A name that both kinds of account serve stands for the model of either.
        const both = found && found.kind !== "image-edit" ? found.offers.map(({ id }) => id) : [];
        return [model.id, ...both];
      }),
    ),
  ];
};

type Reader = (value: unknown, param: string, catalogue: Pick<Catalogue, "find">) => Partial<KeyFields>;

const READERS: Readonly<Record<string, Reader>> = {
  name: (value, param) => ({ name: text(value, param, MAX_NAME) }),
  note: (value, param) => ({ note: text(value, param, MAX_NOTE) }),
  is_active: (value, param) => ({ enabled: flag(value, param) }),
  enabled: (value, param) => ({ enabled: flag(value, param) }),
  expires_at: (value, param) => ({ expiresMs: time(value, param) }),
  models: (value, param, catalogue) => ({ models: models(value, param, catalogue) }),
  rpm: (value, param) => ({ rpm: rate(value, param, MAX_RPM) }),
  concurrency: (value, param) => ({ concurrency: rate(value, param, MAX_CONCURRENCY) }),
  chat_limit: (value, param) => ({ chat: units(value, param) }),
  heavy_limit: (value, param) => ({ heavy: units(value, param) }),
  image_limit: (value, param) => ({ image: units(value, param) }),
  video_limit: (value, param) => ({ video: units(value, param) }),
  daily_tokens: (value, param) => ({ dailyTokens: units(value, param) }),
  monthly_tokens: (value, param) => ({ monthlyTokens: units(value, param) }),
  daily_usd: (value, param) => ({ dailyUsd: dollars(value, param) }),
  monthly_usd: (value, param) => ({ monthlyUsd: dollars(value, param) }),
};

/** Names inside `limits`, as an earlier program's page sends them. */
const LIMIT_NAMES: Readonly<Record<string, string>> = {
  chat_per_day: "chat_limit",
  heavy_per_day: "heavy_limit",
  image_per_day: "image_limit",
  video_per_day: "video_limit",
};

/** Only what is stated. */
export const readKeyFields = (body: JsonObject, catalogue: Pick<Catalogue, "find">): Partial<KeyFields> => {
  const stated = Object.entries(body).flatMap(([name, value]) => {
    const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    return reader && value !== undefined ? [reader(value, name, catalogue)] : [];
  });
  return Object.assign({}, ...limitsOf(body, catalogue), ...stated) as Partial<KeyFields>;
};

const limitsOf = (body: JsonObject, catalogue: Pick<Catalogue, "find">): Partial<KeyFields>[] => {
  const { limits } = body;
  if (limits === undefined || limits === null) return [];
  if (!isObject(limits)) throw wrong("limits", "'limits' must be an object.");
  return Object.entries(limits).flatMap(([name, value]) => {
    const known = LIMIT_NAMES[name] ?? name;
    const reader = Object.hasOwn(READERS, known) ? READERS[known] : undefined;
    return reader ? [reader(value, `limits.${name}`, catalogue)] : [];
  });
};

/** A secret that the operator chose. */
export const readChosenSecret = (value: unknown): string | undefined => {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string" && /^[\x21-\x7e]{12,200}$/.test(value)) return value;
  throw wrong("key", "'key' must have 12 to 200 characters without spaces.");
};
