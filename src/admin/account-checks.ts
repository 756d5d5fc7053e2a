// What an administrator may write into an account's row. Pure. Invariant: whatever is refused is refused by the name of its
// field, and a message never quotes a token.
import { canonicalPool } from "../accounts/pools.ts";
import { readToken } from "../accounts/tokens.ts";
import { GatewayError } from "../core/errors.ts";

const MAX_TAGS = 50;
const MAX_TAG_LENGTH = 50;
const MAX_NOTE_LENGTH = 500;
const MAX_POOL_LENGTH = 50;

export const invalid = (param: string, message: string): GatewayError =>
  new GatewayError("invalid_value", message, { param });

export const checkedTags = (tags: readonly string[], param = "tags"): string[] => {
  const clean = [...new Set(tags.map((tag) => tag.trim()).filter((tag) => tag !== ""))];
  if (clean.length > MAX_TAGS) throw invalid(param, `At most ${MAX_TAGS} tags are allowed.`);
  if (clean.some((tag) => tag.length > MAX_TAG_LENGTH)) {
    throw invalid(param, `A tag has at most ${MAX_TAG_LENGTH} characters.`);
  }
  return clean;
};

export const checkedNote = (note: string): string => {
  const clean = note.trim();
  if (clean.length > MAX_NOTE_LENGTH) throw invalid("note", `A note has at most ${MAX_NOTE_LENGTH} characters.`);
  return clean;
};

export const checkedPool = (pool: string): string => {
  const name = canonicalPool(pool);
  if (name === null) throw invalid("pool", "A pool needs a name.");
  if (name.length > MAX_POOL_LENGTH) throw invalid("pool", `A pool's name has at most ${MAX_POOL_LENGTH} characters.`);
  return name;
};

export const checkedToken = (token: string): string => {
  const reading = readToken(token);
  if ("reason" in reading) throw invalid("token", `The token ${reading.reason}.`);
  return reading.token;
};
