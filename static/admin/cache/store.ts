// What the page of the files shows: sizes, lists, what is known of the accounts' files. Draws nothing.
// Invariant: accounts are asked only when a person says so; what was learned stays while the page is open.
import { signal } from "@preact/signals";
import { get, messageOf, post } from "../../shared/api.ts";
import { follow, type Started } from "../../shared/tasks.ts";
import { toast } from "../../shared/toast.tsx";
import { tellEnd } from "../task-card.tsx";

export type Kind = "image" | "video";

export interface LocalUse {
  readonly count: number;
  readonly size_bytes: number;
  readonly limited: boolean;
  readonly limit_bytes: number;
  readonly usage_ratio: number;
}

export interface FileItem {
  readonly name: string;
  readonly size_bytes: number;
  readonly mtime_ms: number;
  readonly view_url: string;
  readonly preview_url?: string;
}

export interface FileList {
  readonly total: number;
  readonly items: readonly FileItem[];
}

export interface OnlineAccount {
  readonly token: string;
  readonly token_masked: string;
  readonly pool: string;
  readonly status: string;
  readonly last_asset_clear_at: number | null;
}

interface OnlineDetail {
  readonly token: string;
  readonly count: number;
  readonly status: string;
}

interface Summary {
  readonly local_image: LocalUse;
  readonly local_video: LocalUse;
  readonly online_accounts: readonly OnlineAccount[];
  readonly online_details: readonly OnlineDetail[];
}

export const local = signal<{ readonly image: LocalUse; readonly video: LocalUse } | null>(null);
export const accounts = signal<readonly OnlineAccount[]>([]);
/** Token to what the site said last. */
export const details = signal<ReadonlyMap<string, OnlineDetail>>(new Map());

const take = (summary: Summary): void => {
  local.value = { image: summary.local_image, video: summary.local_video };
  accounts.value = summary.online_accounts;
  details.value = new Map([...details.value, ...summary.online_details.map((one) => [one.token, one] as const)]);
};

export const loadSummary = async (): Promise<void> => {
  try {
    take(await get<Summary>("/cache"));
  } catch (thrown) {
    toast(messageOf(thrown), "error");
  }
};

const run = async (label: string, start: () => Promise<Started>, done: (result: unknown) => void): Promise<void> => {
  try {
    const { task_id: id, total = 0 } = await start();
    if (id === undefined) return;
    await follow({ id, total, label }, (ended, result) => {
      tellEnd(ended);
      if (result !== null) done(result);
    });
  } catch (thrown) {
    toast(messageOf(thrown), "error");
  }
};

/** Null asks for all accounts. */
export const countOnline = (label: string, tokens: readonly string[] | null): Promise<void> =>
  run(
    label,
    () => post<Started>("/cache/online/load/async", tokens === null ? { scope: "all" } : { tokens }),
    (result) => take(result as Summary),
  );

export const clearOnline = (label: string, tokens: readonly string[]): Promise<void> =>
  run(
    label,
    () => post<Started>("/cache/online/clear/async", { tokens }),
    () => {
      details.value = new Map([...details.value].filter(([token]) => !tokens.includes(token)));
      void loadSummary();
    },
  );
