// The use cases of stored responses: what a request continues, what its input refers to, and keeping what was answered.
// Knows no protocol: items and response objects are JSON here. Invariant: another caller's response does not exist.
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { arrayAt, isObject, type JsonObject } from "../lib/json.ts";
import type { RequestRecord } from "./record.ts";
import { type ResponseStore, SHARED_DIGITS, type StoredResponse, type Thread } from "./response-store.ts";
import type { Seal } from "./seal.ts";

export interface PastTurns {
  /** Items of all earlier turns, oldest first. */
  readonly items: readonly JsonObject[];
  readonly response: JsonObject;
  readonly thread: Thread | null;
}

export interface References {
  readonly itemIds: readonly string[];
  /** Sealed summaries. */
  readonly sealed: readonly string[];
}

/** An answer that has ended. */
export interface Answered {
  readonly id: string;
  readonly owner: string;
  readonly parent: string | null;
  readonly body: JsonObject;
  readonly input: readonly JsonObject[];
  readonly events: readonly JsonObject[] | null;
  readonly upstream: { readonly conversationId?: string; readonly responseId?: string };
  /** Its record knows the account. */
  readonly record: RequestRecord;
}

export interface Responses {
  past(id: string, owner: string): Promise<PastTurns>;
  /** What could be found; the rest is left out. */
  find(
    references: References,
    owner: string,
  ): Promise<{ readonly items: Map<string, JsonObject>; readonly summaries: Map<string, string> }>;
  keep(answered: Answered): void;
  get(id: string, owner: string): Promise<StoredResponse>;
  remove(id: string, owner: string): Promise<void>;
  /** Seals a summary for its owner. */
  seal(text: string, owner: string): Promise<string>;
}

/** A conversation of more turns would not fit into any model. */
const MOST_TURNS = 1_000;

const notFound = (id: string, param?: string): GatewayError =>
  new GatewayError("response_not_found", `Response with id '${id.slice(0, 100)}' not found.`, {
    ...(param === undefined ? {} : { param }),
  });

export const createResponses = (deps: {
  store: ResponseStore;
  seal: Seal;
  clock: Clock;
  config: () => Config;
}): Responses => {
  const { store, seal, clock, config } = deps;

  const get: Responses["get"] = async (id, owner) => {
    const found = await store.find(id, owner);
    if (found === null) throw notFound(id);
    return found;
  };

  const past: Responses["past"] = async (id, owner) => {
    const param = "previous_response_id";
    const newest = await store.find(id, owner);
    if (newest === null) throw notFound(id, param);
    const turns = [newest];
    for (let parent = newest.parent; parent !== null;) {
      const turn = await store.find(parent, owner);
      if (turn === null) {
        const message = `Response '${id.slice(0, 100)}' continues a response that was deleted.`;
        throw new GatewayError("response_not_found", message, { param });
      }
      if (turns.push(turn) > MOST_TURNS) {
        throw new GatewayError("context_too_long", `The conversation has more than ${MOST_TURNS} turns.`, { param });
      }
      parent = turn.parent;
    }
    const items = turns.toReversed().flatMap((turn) => [...turn.input, ...outputOf(turn)]);
    return { items, response: newest.body, thread: newest.thread };
  };

  /** An item's id begins with the digits of its response, unless the caller has chosen it. */
  const findItem = async (id: string, owner: string): Promise<JsonObject | null> => {
    const digits = id.slice(id.indexOf("_") + 1, id.indexOf("_") + 1 + SHARED_DIGITS);
    const response = await store.findByDigits(digits, owner);
    if (response === null) return null;
    return [...outputOf(response), ...response.input].find((item) => item["id"] === id) ?? null;
  };

  /**
   * The upstream's own conversation can be gone on with only when it was kept there. Temporary ones are not in the account's
   * history; whether they can be gone on with for a while is unknown (no capture shows it, 2026-08), so they are told anew.
   * An answer that was cut here is longer there, so it is told anew as well.
   */
  const threadOf = ({ upstream, record, body }: Answered): Thread | null => {
    const { conversationId, responseId } = upstream;
    if (config().app.temporary || body["status"] !== "completed") return null;
    if (conversationId === undefined || responseId === undefined || record.account === null) return null;
    return { accountId: record.account, conversationId, responseId };
  };

  return {
    past,
    get,
    async find({ itemIds, sealed }, owner) {
      const items = new Map<string, JsonObject>();
      const summaries = new Map<string, string>();
      for (const id of itemIds) {
        const item = await findItem(id, owner);
        if (item !== null) items.set(id, item);
      }
      for (const text of sealed) {
        const summary = await seal.open(text, owner);
        if (summary !== null) summaries.set(text, summary);
      }
      return { items, summaries };
    },
    keep(answered) {
      const { id, owner, parent, body, input, events } = answered;
      store.put({ id, owner, parent, createdMs: clock.now(), body, input, events, thread: threadOf(answered) });
    },
    async remove(id, owner) {
      if (!(await store.remove(id, owner))) throw notFound(id);
    },
    seal: (text, owner) => seal.seal(text, owner),
  };
};

const outputOf = ({ body }: StoredResponse): readonly JsonObject[] => arrayAt(body, "output").filter(isObject);
