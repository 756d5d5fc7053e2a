// Which dialog of the page of the tokens is open, and about what.
import type { Signal } from "@preact/signals";
import type { Row } from "./store.ts";

export type Dialog =
  | { readonly kind: "add" }
  | { readonly kind: "import" }
  | { readonly kind: "edit"; readonly row: Row }
  | { readonly kind: "edit-many"; readonly ids: readonly string[] }
  | { readonly kind: "test"; readonly row: Row }
  | { readonly kind: "adult"; readonly ids: readonly string[] }
  | { readonly kind: "restore" };

export type Opened = Signal<Dialog | null>;
