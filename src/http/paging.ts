// The page that a list route was asked for. Knows no list.
// Invariant: a page is at least 1 and never larger than the list allows; a wrong number is refused by its name.
import { GatewayError } from "../core/errors.ts";

export interface Page {
  readonly page: number;
  readonly pageSize: number;
}

const whole = (query: URLSearchParams, name: string): number | undefined => {
  const text = query.get(name) ?? "";
  if (text === "") return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new GatewayError("invalid_value", `'${name}' must be a whole number from 1.`, { param: name });
};

export const pageOf = (query: URLSearchParams, sizes: { readonly usual: number; readonly most: number }): Page => ({
  page: whole(query, "page") ?? 1,
  pageSize: Math.min(sizes.most, whole(query, "page_size") ?? sizes.usual),
});
