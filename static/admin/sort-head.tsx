// A head of a column that sorts by it: once the natural way, again the other way, a third time not at all.
// Knows no table. Invariant: how a column is sorted is said to everybody, by sign and by word.
import type { Signal } from "@preact/signals";
import { Icon } from "../shared/icons.tsx";

export interface Sorting<K extends string> {
  readonly by: K;
  readonly descending: boolean;
}

export interface SortHeadProps<K extends string> {
  readonly name: string;
  readonly by: K;
  readonly sorting: Signal<Sorting<K> | null>;
  /** The way of the first click: the most or the newest first, for all but names. */
  readonly descending?: boolean;
}

export const SortHead = <K extends string>({ name, by, sorting, descending = true }: SortHeadProps<K>) => {
  const { value } = sorting;
  const mine = value?.by === by ? value : null;
  const next = () => {
    if (mine === null) sorting.value = { by, descending };
    else sorting.value = mine.descending === descending ? { by, descending: !descending } : null;
  };
  return (
    <th aria-sort={mine === null ? undefined : mine.descending ? "descending" : "ascending"}>
      <button type="button" class={`sort-head ${mine === null ? "" : mine.descending ? "down" : "up"}`} onClick={next}>
        {name}
        <Icon name="down" size={14} />
      </button>
    </th>
  );
};
