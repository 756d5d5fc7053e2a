// The operator's verbs about settings and storage. Knows no route and no form; what is shown is masked here.
// Invariant: a change is taken whole or refused whole, and a refusal names the key.
import { type ConfigForm, describeForm, maskedConfig } from "../config/describe.ts";
import type { LiveConfig, PatchResult } from "../config/live.ts";
import { formatProblems } from "../config/load.ts";
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
  change(tree: Tree, expectRevision?: number): Promise<SettingsChanged>;
  storage(): { readonly type: string };
}

export interface SettingsAdminDeps {
  readonly live: LiveConfig;
  readonly storageType: string;
  /** One sentence when the admin password is a weak one. */
  readonly passwordWeakness: () => string | null;
}

export const createSettingsAdmin = (deps: SettingsAdminDeps): SettingsAdmin => ({
  read: () => maskedConfig(deps.live.current()),
  form: () => ({ ...describeForm(deps.live.snapshot()), warning: deps.passwordWeakness() }),
  async change(tree, expectRevision) {
    const result = await deps.live.patch(tree, expectRevision === undefined ? {} : { expectRevision });
    if (!result.ok) throw refusal(result);
    const { revision, changed, restart, notes } = result;
    return { revision, changed, restart, notes: notes.map(({ message }) => message) };
  },
  storage: () => ({ type: deps.storageType }),
});

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
