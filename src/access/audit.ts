// Who changed what on the admin side: one row a change, written in the transaction of the change itself, so that neither is
// there without the other. Knows no verb and no route. Invariant: a row never holds a secret and never grows without bound;
// the newest rows are kept, older ones go in small steps.
import { z } from "zod";
import type { Clock } from "../lib/clock.ts";
import { hexId } from "../lib/ids.ts";
import { withoutSecrets } from "../lib/log.ts";
import type { DocumentChange, Documents } from "../storage/port.ts";

/** Who asked for a change. */
export interface Actor {
  readonly id: string;
  readonly address: string;
}

export interface AuditEntry {
  readonly by: Actor;
  /** Thing and verb, such as `settings.change`. */
  readonly action: string;
  /** What was changed, under a name that is safe to show. */
  readonly target: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

const auditRow = z.object({
  /** Unix milliseconds. */
  time: z.number(),
  actor: z.string(),
  address: z.string(),
  action: z.string(),
  target: z.string(),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
});
export type AuditRow = z.infer<typeof auditRow> & { readonly id: string };

export interface AuditQuery {
  /** From 1. */
  readonly page: number;
  readonly pageSize: number;
  /** The beginning of the action. */
  readonly action?: string;
}

export interface AuditPage {
  /** Newest first. */
  readonly items: readonly AuditRow[];
  readonly total: number;
}

export interface AuditDocument {
  readonly collection: string;
  readonly id: string;
  readonly body: unknown;
}

export interface Audit {
  /** The row as a change, to be written together with what it tells of. */
  row(entry: AuditEntry): AuditDocument;
  /** The changes and their row, for one write. */
  audited(changes: readonly DocumentChange[], entry: AuditEntry): DocumentChange[];
  /** For a change that is made elsewhere, such as at the upstream. */
  write(entry: AuditEntry): Promise<void>;
  list(query: AuditQuery): Promise<AuditPage>;
  /** Removes the oldest rows above the cap and says how many; for a timer. */
  prune(): Promise<number>;
}

export interface AuditDeps {
  readonly documents: Documents;
  readonly clock: Pick<Clock, "now">;
  /** Tests: how many rows are kept. */
  readonly kept?: number;
}

const AUDIT = "audit";
const KEPT = 5_000;
const PRUNE_STEP = 200;
const LONGEST_TEXT = 300;
const LONGEST_LIST = 50;
const MOST_FIELDS = 100;
const DEEPEST = 4;

export const createAudit = ({ documents, clock, kept = KEPT }: AuditDeps): Audit => {
  let last = { time: 0, number: 0 };

  /** In the order of writing, also within a millisecond. */
  const newId = (time: number): string => {
    last = time === last.time ? { time, number: last.number + 1 } : { time, number: 0 };
    return `${String(time).padStart(14, "0")}-${String(last.number).padStart(5, "0")}-${hexId("").slice(0, 8)}`;
  };

  const row: Audit["row"] = ({ by, action, target, before, after }) => {
    const time = clock.now();
    const body = {
      time,
      actor: by.id,
      address: by.address,
      action,
      target: shown(target),
      ...(before === undefined ? {} : { before: shown(before) }),
      ...(after === undefined ? {} : { after: shown(after) }),
    };
    return { collection: AUDIT, id: newId(time), body };
  };

  return {
    row,
    audited: (changes, entry) => [...changes, row(entry)],
    async write(entry) {
      await documents.write([row(entry)]);
    },
    async list({ page, pageSize, action = "" }) {
      const stored = await documents.list(AUDIT);
      const rows = stored
        .flatMap(({ id, body }) => {
          const parsed = auditRow.safeParse(body);
          return parsed.success && parsed.data.action.startsWith(action) ? [{ id, ...parsed.data }] : [];
        })
        .toSorted((one, other) => (one.id < other.id ? 1 : -1));
      return { items: rows.slice((page - 1) * pageSize, page * pageSize), total: rows.length };
    },
    async prune() {
      const ids = (await documents.list(AUDIT)).map(({ id }) => id).toSorted();
      const old = ids.slice(0, Math.max(0, ids.length - kept));
      for (let start = 0; start < old.length; start += PRUNE_STEP) {
        const step = old.slice(start, start + PRUNE_STEP);
        await documents.write(step.map((id) => ({ collection: AUDIT, id, remove: true })));
      }
      return old.length;
    },
  };
};

/** Bounded, and without anything that looks like a secret. */
const shown = (value: unknown): unknown => withoutSecrets(bounded(value, 0));

const bounded = (value: unknown, depth: number): unknown => {
  if (typeof value === "string") {
    return value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}… (${value.length} characters)` : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEEPEST) return "…";
  if (Array.isArray(value)) {
    const left = value.slice(0, LONGEST_LIST).map((item) => bounded(item, depth + 1));
    return value.length > LONGEST_LIST ? [...left, `… and ${value.length - LONGEST_LIST} more`] : left;
  }
  const fields = Object.entries(value).slice(0, MOST_FIELDS);
  return Object.fromEntries(fields.map(([name, inner]) => [name, bounded(inner, depth + 1)]));
};
