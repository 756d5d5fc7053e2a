// The simulated accounts: who exists, what tier and temper they have, what is left of their quotas.
// Knows no route and no frame. Invariant: a token of the form `sim-[tier-]<kind>[-suffix]` always names
// the same account with the same uuid; every other token names nobody unless the options introduced it.
import { nowMs, stableUuid } from "./chance.ts";

export const TIERS = ["basic", "super", "heavy"] as const;
export type Tier = (typeof TIERS)[number];

export const MODES = ["auto", "fast", "expert", "heavy"] as const;
export type Mode = (typeof MODES)[number];

export type ImagineCounterName = "imagePro" | "imageEdit" | "video" | "video720p";

/** What an account's temper makes the upstream answer. `ok` is the healthy one. */
export const KINDS = {
  ok: "healthy",
  dead: "401 code 16 everywhere; the session call says unauthenticated",
  "dead-403": "the same verdict with status 403",
  blocked: "403 code 7 blocked-user; the session call says blocked",
  "blocked-bare": "the same without the error wrapper",
  limited: "429 code 8 'Too many requests' on chat and media",
  "limited-usage": "429 'usage limit' on chat and media",
  "limited-upgrade": "429 already on a socket upgrade",
  overloaded: "429 code 8 'under heavy usage' on chat",
  "empty-pool": "every counter is 0",
  challenge: "challenge page (403 HTML, cf-mitigated) everywhere",
  "challenge-empty": "403 with an empty body from the edge",
  antibot: "403 code 7 anti-bot on signed routes",
  "antibot-once": "anti-bot on the first signed call, then healthy",
  outdated: "403 code 7 'out of date' on signed routes",
  forbidden: "403 with a JSON body that nobody has documented",
  region: "403 text: not available in your region",
  "region-451": "the same with status 451",
  flaky: "500 on the first chat call, then healthy",
  "5xx": "502 HTML everywhere",
  down: "the connection is cut without an answer",
  nosocket: "socket upgrades refused with the challenge page; REST works",
  "nosocket-404": "socket upgrades refused with 404; REST works",
} as const;
export type Kind = keyof typeof KINDS;

export interface Counter {
  total: number;
  remaining: number;
  windowSeconds: number;
  resetAt: number;
}

export interface Flags {
  tos: boolean;
  birthDate: string | null;
  nsfw: boolean;
  blocked: boolean;
  sessionDead: boolean;
}

export interface Asset {
  id: string;
  name: string;
  mimeType: string;
  sizeBytes: number;
  key: string;
  fileSource: string;
  createdAt: number;
  generated: boolean;
  /** Computed on demand: thousands of generated pictures must cost nothing until somebody downloads one. */
  bytes: () => Uint8Array | Promise<Uint8Array>;
  /** So many downloads are still refused: the file is not where its frame says yet. */
  refusals?: number;
  extra: Record<string, unknown>;
}

export interface Conversation {
  id: string;
  title: string;
  kind: string;
  temporary: boolean;
  createdAt: string;
  modifiedAt: string;
  responses: Record<string, unknown>[];
}

export interface Account {
  name: string;
  token: string;
  uuid: string;
  tier: Tier;
  kind: Kind;
  modes: Partial<Record<Mode, Counter>>;
  imagine: Partial<Record<ImagineCounterName, Counter>>;
  flags: Flags;
  /** Scenario words that hold for every chat of this account, e.g. "sim:slow sim:thinking". */
  scenario: string;
  chatCalls: number;
  signedCalls: number;
  assets: Map<string, Asset>;
  conversations: Map<string, Conversation>;
}

/** What a caller may say about an account, at creation or later through the control routes. */
export interface SimulatedAccount {
  name: string;
  token?: string;
  tier?: Tier;
  kind?: Kind;
  flags?: Partial<Flags>;
  scenario?: string;
  /** Remaining calls (total unchanged), or a whole counter; null takes the mode away. */
  quota?: Partial<Record<Mode, number | Partial<Omit<Counter, "resetAt">> | null>>;
  imagine?: Partial<Record<ImagineCounterName, number | null>>;
}

export interface AccountBook {
  find(token: string): Account | undefined;
  byName(name: string): Account | undefined;
  change(change: SimulatedAccount): Account;
  list(): Account[];
  reset(): void;
}

const CHAT_QUOTA: Record<Tier, { window: number; totals: Partial<Record<Mode, number>> }> = {
  basic: { window: 86_400, totals: { auto: 20, fast: 30 } },
  super: { window: 7_200, totals: { auto: 50, fast: 140, expert: 50 } },
  heavy: { window: 7_200, totals: { auto: 150, fast: 400, expert: 150, heavy: 20 } },
};

const IMAGINE_QUOTA: Record<Tier, Partial<Record<ImagineCounterName, number>>> = {
  basic: { imagePro: 8, video720p: 2 },
  super: { imagePro: 100, imageEdit: 50, video: 50, video720p: 20 },
  heavy: { imagePro: 400, imageEdit: 200, video: 200, video720p: 80 },
};

const BUILT_IN = ["sim-basic-1", "sim-basic-2", "sim-super-1", "sim-heavy-1"];

export function createAccountBook(introduced: SimulatedAccount[], unlimited: boolean): AccountBook {
  const byToken = new Map<string, Account>();
  const byName = new Map<string, Account>();

  function add(account: Account): Account {
    byToken.set(account.token, account);
    byName.set(account.name, account);
    return account;
  }
  function find(token: string): Account | undefined {
    const known = byToken.get(token);
    if (known !== undefined) return known;
    const parsed = parseToken(token);
    return parsed === undefined ? undefined : add(openAccount({ name: token, ...parsed }, unlimited));
  }
  function change(wish: SimulatedAccount): Account {
    const known = byName.get(wish.name) ?? find(wish.token ?? wish.name);
    if (known === undefined) return add(openAccount(wish, unlimited));
    applyChange(known, wish);
    return known;
  }
  function reset(): void {
    byToken.clear();
    byName.clear();
    for (const name of BUILT_IN) find(name);
    for (const account of introduced) change(account);
  }
  reset();
  return {
    find,
    byName: (name) => byName.get(name) ?? find(name),
    change,
    list: () => [...byName.values()],
    reset,
  };
}

/** `sim-super-limited-3` is a super account with the temper `limited`; the longest known kind wins. */
export function parseToken(token: string): { tier: Tier; kind: Kind } | undefined {
  if (!/^sim-[a-z0-9][a-z0-9._-]*$/i.test(token)) return undefined;
  const rest = token.slice(4);
  const tier = TIERS.find((name) => rest === name || rest.startsWith(`${name}-`));
  const tail = tier === undefined ? rest : rest.slice(tier.length + 1);
  const kind = (Object.keys(KINDS) as Kind[])
    .filter((name) => tail === name || tail.startsWith(`${name}-`))
    .toSorted((a, b) => b.length - a.length)[0];
  if (tier === undefined && kind === undefined) return undefined;
  return { tier: tier ?? "basic", kind: kind ?? "ok" };
}

/** Takes `cost` units; false when the counter is missing or has too little left. */
export function spend(counter: Counter | undefined, cost = 1): boolean {
  if (counter === undefined) return false;
  refill(counter);
  if (counter.remaining < cost) return false;
  if (counter.remaining === counter.total) counter.resetAt = nowMs() + counter.windowSeconds * 1000;
  counter.remaining -= cost;
  return true;
}

export function refill(counter: Counter): Counter {
  if (counter.remaining < counter.total && nowMs() >= counter.resetAt) counter.remaining = counter.total;
  return counter;
}

function openAccount(wish: SimulatedAccount, unlimited: boolean): Account {
  const tier = wish.tier ?? "basic";
  const kind = wish.kind ?? "ok";
  const account: Account = {
    name: wish.name,
    token: wish.token ?? wish.name,
    uuid: stableUuid(wish.name),
    tier,
    kind,
    modes: {},
    imagine: {},
    flags: { tos: true, birthDate: null, nsfw: false, blocked: false, sessionDead: false },
    scenario: "",
    chatCalls: 0,
    signedCalls: 0,
    assets: new Map(),
    conversations: new Map(),
  };
  fillCounters(account, unlimited);
  applyChange(account, wish);
  return account;
}

function fillCounters(account: Account, unlimited: boolean): void {
  const empty = account.kind === "empty-pool";
  const chat = CHAT_QUOTA[account.tier];
  for (const mode of MODES) {
    const total = chat.totals[mode];
    if (total !== undefined) account.modes[mode] = counter(total, chat.window, { empty, unlimited });
  }
  for (const [name, total] of Object.entries(IMAGINE_QUOTA[account.tier]) as [ImagineCounterName, number][]) {
    account.imagine[name] = counter(total, 86_400, { empty, unlimited });
  }
}

function counter(total: number, windowSeconds: number, how: { empty: boolean; unlimited: boolean }): Counter {
  const resetAt = nowMs() + windowSeconds * 1000;
  const remaining = how.empty ? 0 : how.unlimited ? Number.MAX_SAFE_INTEGER : total;
  // `remaining` above `total` never triggers a refill, which is what "unlimited" means here.
  return { total, remaining, windowSeconds, resetAt };
}

function applyChange(account: Account, wish: SimulatedAccount): void {
  if (wish.tier !== undefined && wish.tier !== account.tier) {
    account.tier = wish.tier;
    account.modes = {};
    account.imagine = {};
    fillCounters(account, false);
  }
  if (wish.kind !== undefined) {
    account.kind = wish.kind;
    account.chatCalls = 0;
    account.signedCalls = 0;
  }
  if (wish.scenario !== undefined) account.scenario = wish.scenario;
  Object.assign(account.flags, wish.flags);
  for (const [mode, value] of Object.entries(wish.quota ?? {}) as [Mode, number | Partial<Counter> | null][]) {
    changeCounter(account.modes, mode, value);
  }
  for (const [name, value] of Object.entries(wish.imagine ?? {}) as [ImagineCounterName, number | null][]) {
    changeCounter(account.imagine, name, value);
  }
}

function changeCounter<Name extends string>(
  counters: Partial<Record<Name, Counter>>,
  name: Name,
  value: number | Partial<Counter> | null,
): void {
  if (value === null) {
    delete counters[name];
    return;
  }
  const asked = typeof value === "number" ? { remaining: value } : value;
  const total = asked.total ?? counters[name]?.total ?? asked.remaining ?? 0;
  const windowSeconds = asked.windowSeconds ?? counters[name]?.windowSeconds ?? 7_200;
  const remaining = asked.remaining ?? total;
  counters[name] = { total, remaining, windowSeconds, resetAt: nowMs() + windowSeconds * 1000 };
}
