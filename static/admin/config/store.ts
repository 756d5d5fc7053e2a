// The form as the gateway describes it and what was typed into it. Knows no setting by name and draws nothing.
// Invariant: only what differs is sent; a draft outlives a conflict, so that nothing typed is lost.
import { batch, computed, signal } from "@preact/signals";
import type { ConfigForm, FormField } from "../../../src/config/describe.ts";
import { ApiError, get, messageOf, send } from "../../shared/api.ts";
import { toast } from "../../shared/toast.tsx";
import { say } from "./words.ts";

export type Form = ConfigForm & { readonly warning: string | null };

/** What is typed; null takes the stored value away. */
export type Draft = string | boolean | null;

export const form = signal<Form | null>(null);
export const drafts = signal<ReadonlyMap<string, Draft>>(new Map());
export const problem = signal<string | null>(null);
export const saving = signal(false);
/** Path of the setting that was refused, and why. */
export const refused = signal<{ path: string | null; message: string } | null>(null);

export const dirty = computed(() => drafts.value.size > 0);

export const load = async (): Promise<void> => {
  try {
    form.value = await get<Form>("/config/form");
    problem.value = null;
  } catch (thrown) {
    problem.value = messageOf(thrown);
  }
};

const isList = ({ kind }: FormField): boolean => kind === "text-list" || kind === "integer-list";

/** The stored value as the controls hold it. */
export const shownValue = (field: FormField): string | boolean => {
  const { value } = field;
  if (typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(String).join("\n");
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
};

/** Secrets of one line are typed anew, never edited. */
export const isHidden = (field: FormField): boolean => field.secret && !isList(field);

export const typed = (field: FormField): string | boolean => {
  const draft = drafts.value.get(field.path);
  if (draft !== undefined && draft !== null) return draft;
  return isHidden(field) ? "" : shownValue(field);
};

/** What the switch would be after saving, when that leaves the setting without effect; else null. */
export const idleBecause = ({ needs }: FormField): FormField["needs"] | null => {
  if (!needs) return null;
  const fields = (form.value?.sections ?? []).flatMap((section) => section.fields);
  const needed = fields.find(({ path }) => path === needs.path);
  return needed === undefined || typed(needed) === needs.is ? null : needs;
};

export const setDraft = (field: FormField, value: Draft | undefined): void => {
  const next = new Map(drafts.value);
  const isSame = value === undefined || (isHidden(field) ? value === "" : value === shownValue(field));
  if (isSame) next.delete(field.path);
  else next.set(field.path, value);
  batch(() => {
    drafts.value = next;
    if (refused.value?.path === field.path) refused.value = null;
  });
};

export const discard = (): void => {
  batch(() => {
    drafts.value = new Map();
    refused.value = null;
  });
};

const asValue = (field: FormField, draft: Draft): unknown => {
  if (!isList(field) || typeof draft !== "string") return draft;
  return draft
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
};

const treeOf = (): Record<string, Record<string, unknown>> => {
  const tree: Record<string, Record<string, unknown>> = {};
  for (const section of form.value?.sections ?? []) {
    for (const field of section.fields) {
      const draft = drafts.value.get(field.path);
      if (draft !== undefined) (tree[section.name] ??= {})[field.name] = asValue(field, draft);
    }
  }
  return tree;
};

interface Saved {
  readonly changed: readonly string[];
  readonly notes: readonly string[];
}

export const save = async (): Promise<void> => {
  if (saving.value || form.value === null) return;
  saving.value = true;
  refused.value = null;
  try {
    const query = { revision: form.value.revision };
    const { changed, notes } = await send<Saved>("POST", "/config", { body: treeOf(), query });
    discard();
    toast(changed.length > 0 ? say("saved", { keys: changed.join(", ") }) : say("savedNothing"));
    for (const note of notes) toast(note, "info");
    await load();
  } catch (thrown) {
    await refuse(thrown);
  } finally {
    saving.value = false;
  }
};

const refuse = async (thrown: unknown): Promise<void> => {
  if (thrown instanceof ApiError && thrown.status === 409) {
    await load();
    refused.value = { path: null, message: say("conflict") };
  } else {
    refused.value = { path: thrown instanceof ApiError ? thrown.param : null, message: messageOf(thrown) };
  }
};
