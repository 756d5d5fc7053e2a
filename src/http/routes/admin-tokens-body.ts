// What the account routes share: how bodies name accounts and say yes, and in whose name things are done.
// Invariant: a field of the wrong shape is refused by name.
import { GatewayError } from "../../core/errors.ts";
import { isObject, type JsonObject, stringAt } from "../../lib/json.ts";
import { actorOf } from "../actor.ts";
import type { Call } from "../context.ts";

/** The verbs, in the name of whoever calls. */
export const changes = (call: Call) => call.deps.accounts.by(actorOf(call));

export const wrong = (param: string, message: string): GatewayError =>
  new GatewayError("invalid_value", message, { param });

export const texts = (value: unknown, param: string): readonly string[] => {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw wrong(param, `'${param}' must be a list of texts.`);
};

/** `tokens` or `ids`, or a single `token` or `id`, or the body itself when it is a list. */
export const namedIn = (body: unknown): readonly string[] => {
  if (Array.isArray(body)) return texts(body, "tokens");
  const given: JsonObject = isObject(body) ? body : {};
  const list = given["tokens"] ?? given["ids"];
  const single = stringAt(given, "token") ?? stringAt(given, "id");
  if (list === undefined && single !== undefined) return [single];
  return texts(list ?? [], "tokens");
};

export const oneIn = (body: JsonObject, param = "token"): string => {
  const found = stringAt(body, param) ?? stringAt(body, "id");
  if (found !== undefined && found.trim() !== "") return found;
  throw wrong(param, `'${param}' must name an account.`);
};

/** Nobody named, or an empty list, or `all`: everybody. */
export const isForAll = (body: JsonObject): boolean => body["all"] === true || namedIn(body).length === 0;

export const isConfirmed = (call: Call, body?: JsonObject): boolean =>
  call.url.searchParams.get("confirm") === "true" || body?.["confirm"] === true;

export const flagIn = (body: JsonObject, param: string): boolean => {
  const value = body[param];
  if (typeof value === "boolean") return value;
  throw wrong(param, `'${param}' must be true or false.`);
};

export const isTrue = (call: Call, name: string): boolean => call.url.searchParams.get(name) === "true";

/** From the query or the body; what is no whole number from 1 is refused. */
export const countIn = (call: Call, from: { body: JsonObject; name: string; least?: number }): number | undefined => {
  const { body, name, least = 1 } = from;
  const value = call.url.searchParams.get(name) ?? body[name];
  if (value === undefined || value === null || value === "") return undefined;
  const count = typeof value === "string" ? Number(value) : value;
  if (typeof count === "number" && Number.isInteger(count) && count >= least) return count;
  throw wrong(name, `'${name}' must be a whole number from ${least}.`);
};

/** The words of both generations of pages. */
export const done = (more: object = {}): Response => Response.json({ status: "success", success: true, ...more });
