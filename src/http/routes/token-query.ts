// The query of the account list: which filters there are and what they may hold. Pure.
// Invariant: an unknown filter is ignored, a known one with an impossible value is refused by name.
import type { AccountAdmin } from "../../admin/accounts.ts";
import { GatewayError } from "../../core/errors.ts";

type ListQuery = NonNullable<Parameters<AccountAdmin["list"]>[0]>;

const STATUS = ["active", "cooling", "expired", "disabled"] as const satisfies readonly ListQuery["status"][];
const STATES = ["active", "exhausted", "invalid"] as const satisfies readonly ListQuery["state"][];
const SORT = ["created", "last_used", "use_count", "quota"] as const satisfies readonly ListQuery["sort"][];

const UPSTREAMS = ["web", "xai"] as const satisfies readonly ListQuery["upstream"][];
const ORDER = ["asc", "desc"] as const satisfies readonly ListQuery["order"][];

const chosen = <T extends string>(
  query: URLSearchParams,
  rule: { name: string; from: readonly T[] },
): T | undefined => {
  const value = query.get(rule.name) ?? "";
  if (value === "") return undefined;
  const found = rule.from.find((one) => one === value);
  if (found === undefined) throw refused(rule.name, `must be one of ${rule.from.join(", ")}`);
  return found;
};

const whole = (query: URLSearchParams, name: string): number | undefined => {
  const value = query.get(name) ?? "";
  if (value === "") return undefined;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw refused(name, "must be a whole number from 1");
  return Number(value);
};

const refused = (param: string, what: string): GatewayError =>
  new GatewayError("invalid_value", `'${param}' ${what}.`, { param });

export const listQueryOf = (query: URLSearchParams): ListQuery => {
  const text = (name: string): string | undefined => query.get(name) || undefined;
  const given: { [K in keyof ListQuery]: ListQuery[K] | undefined } = {
    search: text("search"),
    status: chosen(query, { name: "status", from: STATUS }),
    state: chosen(query, { name: "state", from: STATES }),
    pool: text("pool"),
    upstream: chosen(query, { name: "upstream", from: UPSTREAMS }),
    tag: text("tag"),
    without_tag: text("without_tag"),
    sort: chosen(query, { name: "sort", from: SORT }),
    order: chosen(query, { name: "order", from: ORDER }),
    page: whole(query, "page"),
    page_size: whole(query, "page_size"),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
};
