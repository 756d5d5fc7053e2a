// Changes of single rows: token, pool, tags, note, switching on and off, ending a rest. Each touches only what it names.
// Decides nothing about accounts. Invariant: the rows that were not there are told, masked.
import type { ChangeOutcome } from "../../admin/account-changes.ts";
import { stringAt } from "../../lib/json.ts";
import { readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { adminPaths, withLegacy } from "./admin-paths.ts";
import { changes, done, flagIn, isForAll, namedIn, oneIn, texts, wrong } from "./admin-tokens-body.ts";

const summaryOf = ({ changed, missing }: ChangeOutcome) => ({
  summary: { total: changed.length + missing.length, ok: changed.length, fail: missing.length },
  missing,
});

const edit = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const { accounts } = call.deps;
  const [token, pool, note] = [stringAt(body, "token"), stringAt(body, "pool"), stringAt(body, "note")];
  const old = oneIn(body, "old_token");
  const edited = await changes(call).edit(old, {
    ...(token === undefined ? {} : { token }),
    ...(pool === undefined ? {} : { pool }),
  });
  if (body["tags"] !== undefined) await changes(call).setTags([edited.id], texts(body["tags"], "tags"));
  if (note !== undefined) await changes(call).setNote(edited.id, note);
  const { token: _, ...item } = accounts.get(edited.id);
  return done({ item });
};

const move = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const pool = stringAt(body, "pool") ?? "";
  const outcome = await changes(call).setPool(namedIn(body), pool);
  const tags = body["tags"] === undefined ? [] : texts(body["tags"], "tags");
  if (tags.length > 0 && outcome.changed.length > 0) await changes(call).addTags(outcome.changed, tags);
  return done({ pool, count: outcome.changed.length, missing: outcome.missing });
};

const switchRows = async (call: Call, named: readonly string[], disabled: boolean): Promise<ChangeOutcome> =>
  disabled ? changes(call).disable(named) : changes(call).enable(named);

const disable = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const { id } = call.deps.accounts.get(oneIn(body));
  await switchRows(call, [id], flagIn(body, "disabled"));
  return done({ disabled: flagIn(body, "disabled") });
};

const disableMany = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  return done(summaryOf(await switchRows(call, namedIn(body), flagIn(body, "disabled"))));
};

const tag = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const { accounts } = call.deps;
  const named = namedIn(body);
  const [only] = named;
  const outcome = await changes(call).setTags(named, texts(body["tags"], "tags"));
  // A single row that is not there is an error; of many it is a result.
  const tags = only !== undefined && named.length === 1 ? accounts.get(only).tags : body["tags"];
  return done({ message: "Tags saved.", tags, ...summaryOf(outcome) });
};

const annotate = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const note = stringAt(body, "note");
  if (note === undefined) throw wrong("note", "'note' must be a text.");
  const saved = await changes(call).setNote(oneIn(body), note);
  return done({ message: "Note saved.", note: saved.note });
};

const allTags = (call: Call): Response => done({ data: call.deps.accounts.allTags() });

const clearCooldown = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  if (body["all"] !== true && isForAll(body)) throw wrong("tokens", "Name accounts in 'tokens', or send all: true.");
  const outcome = await (body["all"] === true
    ? changes(call).clearAllCooldowns()
    : changes(call).clearCooldown(namedIn(body)));
  return done(summaryOf(outcome));
};

export const adminTokenRowRoutes: readonly Route[] = [
  {
    method: "PUT",
    ...adminPaths("/tokens/edit"),
    auth: "admin",
    summary: "Give an account another token, pool, tags or note; what is known of it moves along.",
    handle: edit,
  },
  {
    method: "PUT",
    ...adminPaths("/tokens/pool"),
    auth: "admin",
    summary: "Move accounts to a pool.",
    handle: move,
  },
  {
    method: "POST",
    ...adminPaths("/tokens/disabled"),
    auth: "admin",
    summary: "Switch one account off or on.",
    handle: disable,
  },
  {
    method: "POST",
    ...adminPaths("/tokens/disabled/batch"),
    auth: "admin",
    summary: "Switch accounts off or on.",
    handle: disableMany,
  },
  {
    method: "POST",
    ...withLegacy("/tokens/tags"),
    auth: "admin",
    summary: "Set the tags of accounts.",
    handle: tag,
  },
  {
    method: "POST",
    ...withLegacy("/tokens/note"),
    auth: "admin",
    summary: "Set an account's note.",
    handle: annotate,
  },
  {
    method: "GET",
    ...withLegacy("/tokens/tags/all"),
    auth: "admin",
    summary: "Every tag in use.",
    handle: allTags,
  },
  {
    method: "POST",
    ...adminPaths("/tokens/clear-cooldown"),
    auth: "admin",
    summary: "End the rest of accounts at once, in memory too.",
    handle: clearCooldown,
  },
];
