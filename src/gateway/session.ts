// Which account a conversation was last served by, so that its next turn goes there: the upstream's caches are per account.
// Keys are the caller's own ids, else a fingerprint of how the conversation begins. Knows no account's state.
// Invariant: a key of one API key never meets a conversation of another.
import type { GenerationRequest } from "../core/request.ts";
import { createBoundedMap } from "../lib/bounded-map.ts";
import { fingerprint } from "../lib/ids.ts";

/** How the conversation's account came about; callers see it in a response header. */
export type SessionOutcome = "new" | "kept" | "moved";

export interface Session {
  /** The account that should serve this turn if it can. */
  readonly account: string | undefined;
  /** Told when an account has begun to answer; says what that means for the conversation. */
  bind(account: string): SessionOutcome;
  /** The account failed it: the next turn may go anywhere. */
  forget(): void;
}

export interface Sessions {
  /** `scope` is the API key's id. */
  open(request: GenerationRequest, scope: string | null): Session;
}

const CAPACITY = 20_000;

const textOf = (messages: GenerationRequest["messages"]): string =>
  JSON.stringify(
    messages.map(({ role, content }) => [role, content.map((part) => (part.type === "text" ? part.text : part.type))]),
  );

/** The system texts and the first user turn: what stays the same while a conversation grows. */
const beginning = ({ messages }: GenerationRequest): string => {
  const first = messages.findIndex(({ role }) => role === "user");
  return textOf(messages.filter(({ role }, index) => role === "system" || index === first));
};

export const createSessions = (options: { readonly lifeMs: () => number; readonly nowMs: () => number }): Sessions => {
  const accounts = createBoundedMap<string>({ capacity: CAPACITY, ...options });
  return {
    open(request, scope) {
      const explicit = request.sessionKey;
      const key = fingerprint(JSON.stringify([scope, explicit === undefined, explicit ?? beginning(request)]));
      // Strangers often begin with the same words. A conversation that only begins has nothing to come back to, so it is
      // not drawn to their account; it is remembered for its second turn.
      const begins = explicit === undefined && !request.messages.some(({ role }) => role === "assistant");
      const known = begins ? undefined : accounts.get(key);
      return {
        account: known,
        bind(account) {
          accounts.set(key, account);
          if (known === undefined) return "new";
          return known === account ? "kept" : "moved";
        },
        forget: () => accounts.delete(key),
      };
    },
  };
};
