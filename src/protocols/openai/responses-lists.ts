// The small answers around a response: its input items in pages, its deletion, a count of tokens, a compaction.
// Knows no store. Invariant: a page never names itself as its own successor, so that clients that follow pages end.
import { GatewayError } from "../../core/errors.ts";
import type { Usage } from "../../core/events.ts";
import type { JsonObject } from "../../lib/json.ts";
import { outputItemId, responsesUsage } from "./responses-object.ts";

const MOST_ITEMS = 100;
const USUAL_ITEMS = 20;

const bad = (param: string, message: string): GatewayError => new GatewayError("invalid_value", message, { param });

export interface ItemPage {
  readonly object: "list";
  readonly data: readonly JsonObject[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
}

const idOf = (item: JsonObject | undefined): string | null => {
  const id = item?.["id"];
  return typeof id === "string" ? id : null;
};

/** Newest first unless asked otherwise, as in OpenAI's lists. */
export const pageItems = (items: readonly JsonObject[], query: { get(name: string): string | null }): ItemPage => {
  const asked = query.get("limit");
  const limit = asked === null ? USUAL_ITEMS : Number(asked);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_ITEMS) {
    throw bad("limit", `'limit' must be a whole number from 1 to ${MOST_ITEMS}.`);
  }
  const order = query.get("order") ?? "desc";
  if (order !== "asc" && order !== "desc") throw bad("order", "'order' must be one of: asc, desc.");
  const all = order === "asc" ? items : items.toReversed();
  const after = query.get("after");
  const from = after === null ? 0 : all.findIndex((item) => item["id"] === after) + 1;
  if (after !== null && from === 0) throw bad("after", "'after' names no item of this response.");
  const data = all.slice(from, from + limit);
  return {
    object: "list",
    data,
    first_id: idOf(data[0]),
    last_id: idOf(data.at(-1)),
    has_more: from + limit < all.length,
  };
};

export const deletedResponse = (id: string) => ({ id, object: "response", deleted: true }) as const;

export const inputTokensObject = (count: number) => ({ object: "response.input_tokens", input_tokens: count }) as const;

/** What the model is asked when a conversation is to be replaced by a summary of it. */
export const COMPACTION_PROMPT =
  "Summarise the conversation so far so that it can be continued from your summary alone. Keep every fact, decision, " +
  "name, number, file path, piece of code and open task that a later answer may need; leave out greetings and " +
  "repetitions. Write only the summary.";

export interface Compaction {
  /** Of the answer that is not shown itself; its digits name the object's items. */
  readonly id: string;
  readonly created: number;
  /** Input items that stay as they are. */
  readonly kept: readonly JsonObject[];
  readonly sealed: string;
  readonly usage: Usage | null;
}

/** What the user said stays readable; everything else is in the sealed summary. */
export const compactionObject = ({ id, created, kept, sealed, usage }: Compaction) =>
  ({
    id,
    object: "response.compaction",
    created_at: created,
    output: [
      ...kept,
      { id: outputItemId("compaction", id, kept.length), type: "compaction", encrypted_content: sealed },
    ],
    usage: usage === null ? null : responsesUsage(usage),
  }) as const;
