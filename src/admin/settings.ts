// The operator's verbs about settings and storage. Knows no route and no form; what is shown is masked here.
// Invariant: a change is taken whole or refused whole, and a refusal names the key.
import type { Actor, Audit } from "../access/audit.ts";
import { type ConfigForm, describeForm, maskedConfig } from "../config/describe.ts";
import type { LiveConfig, PatchOptions, PatchResult } from "../config/live.ts";
import { formatProblems } from "../config/load.ts";
import { maskValue } from "../config/mask.ts";
import { configValue } from "../config/patch.ts";
import { type Config, configKeys } from "../config/schema.ts";
import type { Tree } from "../config/tree.ts";
import { GatewayError } from "../core/errors.ts";

export interface SettingsChanged {
  readonly revision: number;
  readonly changed: readonly string[];
  /** Keys of `changed` that act after a restart. */
  readonly restart: readonly string[];
  /** What old names were translated to, and what was ignored. */
  readonly notes: readonly string[];
}

export interface SettingsAdmin {
  /** Section → key → value, secrets masked. */
  read(): Record<string, Tree>;
  form(): ConfigForm & { readonly warning: string | null };
  /** A null takes a stored value away. Throws `invalid_value` or `conflict`. */
  change(tree: Tree, options: { readonly by: Actor; readonly expectRevision?: number }): Promise<SettingsChanged>;
  storage(): { readonly type: string };
}

export interface SettingsAdminDeps {
  readonly audit: Pick<Audit, "row">;
  readonly live: LiveConfig;
  readonly storageType: string;
  /** One sentence when the admin password is a weak one. */
  readonly passwordWeakness: () => string | null;
}

export const createSettingsAdmin = (deps: SettingsAdminDeps): SettingsAdmin => ({
  read: () => maskedConfig(deps.live.current()),
  form: () => ({ ...describeForm(deps.live.snapshot()), warning: deps.passwordWeakness() }),
  async change(tree, { by, expectRevision }) {
    const result = await deps.live.patch(tree, {
      ...(expectRevision === undefined ? {} : { expectRevision }),
      along: settingsAudit(deps.audit, by),
    });
    if (!result.ok) throw refusal(result);
    const { revision, changed, restart, notes } = result;
    return { revision, changed, restart, notes: notes.map(({ message }) => message) };
  },
  storage: () => ({ type: deps.storageType }),
});

/** The row about a change of settings, for the change's own transaction. */
export const settingsAudit =
  (audit: Pick<Audit, "row">, by: Actor): NonNullable<PatchOptions["along"]> =>
  ({ before, after, changed }) => [
    audit.row({
      by,
      action: "settings.change",
      target: changed.join(", "),
      before: maskedValues(before, changed),
      after: maskedValues(after, changed),
    }),
  ];

const maskedValues = (config: Config, paths: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(
    paths.flatMap((path) => {
      const key = configKeys.get(path);
      return key ? [[path, maskValue(key, configValue(config, key))]] : [];
    }),
  );

const refusal = (result: Extract<PatchResult, { ok: false }>): GatewayError => {
  switch (result.reason) {
    case "invalid":
      return new GatewayError("invalid_value", formatProblems(result.problems), paramOf(result.problems[0]?.key));
    case "locked": {
      const text = result.locked.map(({ key, reason }) => `${key} ${reason}`).join("\n");
      return new GatewayError("invalid_value", text, paramOf(result.locked[0]?.key));
    }
    case "conflict":
      return new GatewayError(
        "conflict",
        `The settings were changed by somebody else (revision ${result.revision}); read them again.`,
      );
  }
};

const paramOf = (key: string | undefined) => (key === undefined ? {} : { param: key });
