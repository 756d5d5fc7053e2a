// The verbs by which an administrator changes accounts, without HTTP. Rows that were not named are never touched, and every
// change is written down in its own transaction. Invariant: bad input is a GatewayError that names its field, and nothing
// has been changed then.
import type { Actor, Audit } from "../access/audit.ts";
import { accountId, type Account } from "../accounts/account.ts";
import { parseImport, parseImportValue, type ImportProblem, type ParsedImport } from "../accounts/import.ts";
import type { Pool } from "../accounts/pool.ts";
import { canonicalPool } from "../accounts/pools.ts";
import type { Roster, UpsertResult } from "../accounts/roster.ts";
import { upstreamOf } from "../core/credential.ts";
import { GatewayError } from "../core/errors.ts";
import { isObject } from "../lib/json.ts";
import type { Log } from "../lib/log.ts";
import { checkedNote, checkedPool, checkedTags, checkedToken, invalid } from "./account-checks.ts";
import { createAccountRefs, type Refs } from "./account-refs.ts";
import type { TokenInfo } from "./token-info.ts";

export interface ImportOutcome {
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly removed: number;
  /** Ids of accounts that are new. */
  readonly added_ids: readonly string[];
  readonly problems: readonly ImportProblem[];
}

export interface ChangeOutcome {
  readonly changed: readonly string[];
  /** What was named and is not there, masked where it was a token. */
  readonly missing: readonly string[];
}

export interface RemovalOutcome extends ChangeOutcome {
  /** Ids of keys from the settings: they would come back at the next start, so they stay. */
  readonly kept: readonly string[];
}

export interface ReplaceOutcome extends ImportOutcome {
  /** Named in `restore` it brings everything back; null when nothing was there to lose. */
  readonly snapshot: string | null;
  /** Pools that the list did not name, so that nothing of theirs was removed. */
  readonly untouched_pools: readonly string[];
}

export interface AccountChanges {
  add(request: { tokens: Refs; pool?: string; tags?: readonly string[]; note?: string }): Promise<ImportOutcome>;
  /** Text or JSON of any known shape; only adds and fills gaps. */
  importText(text: string, options?: { pool?: string }): Promise<ImportOutcome>;
  /**
   * Whole pools as a client regrouped them: stated fields win, and what a named pool's list leaves out is removed; pools
   * that are not named keep what they have, and keys from the settings stay. Refused when a row cannot be read, when somebody else added or removed
   * accounts since `revision`, and without `confirm` when more than half of a pool would go.
   */
  replacePools(value: unknown, options?: { confirm?: boolean; revision?: string }): Promise<ReplaceOutcome>;
  /** Keys from the settings stay; refused when nothing else was named. */
  remove(refs: Refs, options?: { confirm?: boolean }): Promise<RemovalOutcome>;
  /** Another token, another pool, or both. */
  edit(ref: string, change: { token?: string; pool?: string }): Promise<TokenInfo>;
  setTags(refs: Refs, tags: readonly string[]): Promise<ChangeOutcome>;
  addTags(refs: Refs, tags: readonly string[]): Promise<ChangeOutcome>;
  setNote(ref: string, note: string): Promise<TokenInfo>;
  setPool(refs: Refs, pool: string): Promise<ChangeOutcome>;
  enable(refs: Refs): Promise<ChangeOutcome>;
  disable(refs: Refs): Promise<ChangeOutcome>;
  clearCooldown(refs: Refs): Promise<ChangeOutcome>;
  clearAllCooldowns(): Promise<ChangeOutcome>;
  /** The newest when none is named. */
  restore(snapshotId?: string): Promise<ImportOutcome>;
}

export interface AccountChangesDeps {
  readonly pool: Pool;
  readonly audit: Pick<Audit, "row">;
  readonly log: Log;
  readonly info: (account: Account) => TokenInfo;
  readonly revision: () => string;
}

/** A removal of more named accounts than this, and of more than half of all, wants a confirmation. */
const FREE_REMOVALS = 5;

const OTHER_KIND = "A session and a key of the official API do not replace each other; add the new one by itself.";

type Recorded = (after?: object) => Roster;

const targetOf = (ids: readonly string[]): string => (ids.length === 1 ? (ids[0] ?? "") : `${ids.length} accounts`);

export const createAccountChanges =
  (deps: AccountChangesDeps) =>
  (by: Actor): AccountChanges => {
    const { pool, audit, log, info, revision } = deps;
    const { account, resolve } = createAccountRefs(pool);

    const recorded = (verb: string, target: string, after: object): Roster =>
      pool.recording([audit.row({ by, action: `accounts.${verb}`, target, after })]);

    const changeAll = async (
      verb: string,
      refs: Refs,
      change: (ids: string[], roster: Recorded) => Promise<string[]>,
    ): Promise<ChangeOutcome> => {
      const { ids, missing } = resolve(refs);
      const roster: Recorded = (after = {}) => recorded(verb, targetOf(ids), { ids, ...after });
      return { changed: ids.length > 0 ? await change(ids, roster) : [], missing };
    };

    const isFromSettings = (id: string): boolean => pool.get(id)?.from_config === true;
    const settingsOwn = (what: string): string =>
      `A key from the setting xai.api_keys is ${what} there; here it can be switched off.`;
    const wantsConfirm = (count: number, of: string) =>
      invalid("confirm", `This would remove ${count} of ${of}; say so with confirm: true.`);
    const guardMany = (count: number) => {
      if (count > FREE_REMOVALS && count * 2 > pool.size) throw wantsConfirm(count, `${pool.size} accounts`);
    };
    const guardPool = (name: string, leaving: readonly Account[]) => {
      const size = pool.all().filter((one) => one.pool === name).length;
      const count = leaving.filter((one) => one.pool === name).length;
      if (count > 1 && count * 2 > size) throw wantsConfirm(count, `the ${size} accounts in ${name}`);
    };

    const told = (
      how: string,
      result: UpsertResult & { removed?: readonly string[] },
      problems: readonly ImportProblem[] = [],
    ): ImportOutcome => {
      const counts = {
        added: result.added.length,
        updated: result.updated.length,
        unchanged: result.unchanged.length,
        removed: result.removed?.length ?? 0,
      };
      log.info("accounts were changed by an administrator", { how, ...counts, problems: problems.length });
      return { ...counts, added_ids: result.added, problems };
    };
    const put = async (parsed: ParsedImport, how: string, after: object): Promise<ImportOutcome> => {
      const ids = parsed.accounts.map(({ token }) => accountId(token));
      const result = await recorded(how, targetOf(ids), { ids, ...after }).upsert(parsed.accounts);
      return told(how, result, parsed.problems);
    };

    return {
      async add({ tokens, pool: poolName, tags = [], note }) {
        if (tokens.length === 0) throw invalid("tokens", "No tokens provided.");
        const rows = tokens.map((token) => ({
          token,
          tags: checkedTags(tags),
          ...(note === undefined ? {} : { note: checkedNote(note) }),
        }));
        const parsed = parseImportValue(rows, poolName === undefined ? {} : { pool: poolName });
        return put(parsed, "add", { pool: poolName ?? null });
      },
      async importText(text, options = {}) {
        const parsed = parseImport(text, options);
        if (parsed.accounts.length === 0 && parsed.problems.length === 0) {
          throw invalid("text", "There is no account in it.");
        }
        return put(parsed, "import", { pool: options.pool ?? null });
      },
      async replacePools(value, { confirm = false, revision: seen } = {}) {
        if (seen !== undefined && seen !== revision()) {
          throw new GatewayError("conflict", "Accounts came or went since this list was read; read it again.");
        }
        const parsed = parseImportValue(value);
        refuseUnreadable(parsed);
        const kept = new Set(parsed.accounts.map(({ token }) => accountId(token)));
        const named = poolsNamed(value);
        const leaving = pool
          .all()
          .filter((found) => named.has(found.pool) && !kept.has(found.id) && !found.from_config);
        if (!confirm) for (const name of named) guardPool(name, leaving);
        const untouched = new Set(pool.all().flatMap((found) => (named.has(found.pool) ? [] : [found.pool])));
        const leavingIds = leaving.map(({ id }) => id);
        const note = { rows: parsed.accounts.length, removed: leavingIds };
        const result = await recorded("replace", [...named].join(" "), note).replace(parsed.accounts, leavingIds);
        const outcome = told("replace", result, parsed.problems);
        return { ...outcome, snapshot: result.snapshot, untouched_pools: [...untouched] };
      },
      async remove(refs, { confirm = false } = {}) {
        const { ids: named, missing } = resolve(refs);
        const kept = named.filter(isFromSettings);
        const ids = named.filter((id) => !isFromSettings(id));
        if (ids.length === 0 && kept.length > 0) throw invalid("tokens", settingsOwn("removed"));
        if (!confirm) guardMany(ids.length);
        const changed = ids.length > 0 ? await recorded("remove", targetOf(ids), { ids }).remove(ids) : [];
        log.info("accounts were removed by an administrator", { removed: changed.length, left: pool.size });
        return { changed, missing, kept };
      },
      async edit(ref, change) {
        let { id } = account(ref, "old_token");
        const poolName = change.pool === undefined ? undefined : checkedPool(change.pool);
        if (change.token !== undefined) {
          const token = checkedToken(change.token);
          if (accountId(token) !== id) {
            if (isFromSettings(id)) throw invalid("token", settingsOwn("replaced"));
            if (upstreamOf(token) !== upstreamOf(account(id).token)) throw invalid("token", OTHER_KIND);
            const moved = await recorded("edit", id, { new_id: accountId(token) }).replaceToken(id, token);
            if (moved === null)
              throw new GatewayError("conflict", "Another account has this token.", { param: "token" });
            id = moved;
          }
        }
        if (poolName !== undefined && poolName !== account(id).pool) {
          await recorded("edit", id, { pool: poolName }).setPool([id], poolName);
        }
        return info(account(id));
      },
      setTags: async (refs, tags) => {
        const clean = checkedTags(tags);
        return changeAll("set_tags", refs, (ids, roster) => roster({ tags: clean }).setTags(ids, clean));
      },
      addTags: async (refs, tags) => {
        const clean = checkedTags(tags);
        return changeAll("add_tags", refs, (ids, roster) => roster({ tags: clean }).addTags(ids, clean));
      },
      async setNote(ref, note) {
        const { id } = account(ref);
        const clean = checkedNote(note);
        await recorded("set_note", id, { note: clean }).setNote(id, clean);
        return info(account(id));
      },
      setPool: async (refs, poolName) => {
        const name = checkedPool(poolName);
        return changeAll("set_pool", refs, (ids, roster) => roster({ pool: name }).setPool(ids, name));
      },
      enable: (refs) => changeAll("enable", refs, (ids, roster) => roster().enable(ids)),
      disable: (refs) => changeAll("disable", refs, (ids, roster) => roster().disable(ids)),
      clearCooldown: (refs) => changeAll("clear_cooldown", refs, (ids, roster) => roster().clearCooldown(ids)),
      clearAllCooldowns: async () => {
        const held = pool.all().filter(({ status, windows, quota, model_rests }) => {
          const isEmpty = Object.values(windows).some(({ remaining }) => remaining === 0);
          return status === "cooling" || isEmpty || quota === 0 || Object.keys(model_rests).length > 0;
        });
        if (held.length === 0) return { changed: [], missing: [] };
        const ids = held.map(({ id }) => id);
        return { changed: await recorded("clear_cooldown", targetOf(ids), { ids }).clearCooldown(ids), missing: [] };
      },
      async restore(snapshotId) {
        const id = snapshotId ?? (await pool.snapshots())[0]?.id;
        const result = id === undefined ? null : await recorded("restore", id, {}).restore(id);
        if (!result) throw new GatewayError("not_found", "There is no such snapshot.", { param: "snapshot" });
        return told("restore", result);
      },
    };
  };

const refuseUnreadable = ({ problems }: ParsedImport): void => {
  const broken = problems.filter(({ kind }) => kind === "unreadable");
  const [first] = broken;
  if (!first) return;
  const text = `${broken.length} rows cannot be read, the first because it ${first.reason}; nothing was saved.`;
  throw invalid(first.where ?? `row ${first.line}`, text);
};

/** A list without pools names none, so that nothing is removed by it. */
const poolsNamed = (value: unknown): ReadonlySet<string> => {
  if (!isObject(value)) return new Set();
  const inner = value.accounts ?? value.tokens;
  const pools = isObject(inner) ? inner : Array.isArray(inner) ? {} : value;
  return new Set(Object.keys(pools).flatMap((name) => canonicalPool(name) ?? []));
};
