// Reasoning that only the upstream can read, in a form that callers keep for us: which team it belongs to, the item's id and
// the blob. Invariant: a blob goes back to its own team only; to any other it would be an error.
import type { Credential } from "../../core/credential.ts";
import { fingerprint } from "../../lib/ids.ts";
import { stringAt, type JsonObject } from "../../lib/json.ts";

const VERSION = "xai1";
const FORM = /^xai1\.([0-9a-f]{32})\.([\w-]*)\.([^]+)$/;

const teamMark = (team: string): string => fingerprint(`xai-team:${team}`);

/** The item's reasoning for the caller to send back, or nothing when it has none. */
export const sealReasoning = (item: JsonObject, { teamId, accountId }: Credential): string | undefined => {
  const blob = stringAt(item, "encrypted_content");
  const id = stringAt(item, "id") ?? "";
  if (!blob || !/^[\w-]*$/.test(id)) return undefined;
  return [VERSION, teamMark(teamId ?? accountId), id, blob].join(".");
};

/** Items of input for those that the credential's team has made; all others are left out. */
export const openReasoning = (sealed: readonly string[], { teamId, accountId }: Credential): JsonObject[] => {
  // A team that was not known yet had the account's mark.
  const marks = [teamMark(accountId), ...(teamId ? [teamMark(teamId)] : [])];
  return sealed.flatMap((text) => {
    const [, mark, id, blob] = FORM.exec(text) ?? [];
    if (!mark || !blob || !marks.includes(mark)) return [];
    return [{ type: "reasoning", ...(id ? { id } : {}), summary: [], encrypted_content: blob }];
  });
};
