// A first look at a text that is about to be imported. Pure. Invariant: it decides nothing, the gateway reads the text itself;
// no sample shows more of a session than its ends.

export type Look =
  | { readonly kind: "nothing" }
  | { readonly kind: "broken" }
  | {
      readonly kind: "json";
      readonly accounts: number;
      /** How many of them are keys of the official API. */
      readonly keys: number;
      readonly samples: readonly string[];
    }
  | {
      readonly kind: "lines";
      readonly good: number;
      readonly keys: number;
      readonly repeated: number;
      /** Numbers of lines that look wrong. */
      readonly odd: readonly number[];
      readonly samples: readonly string[];
    };

const SAMPLES = 3;
const SHORTEST = 8;

const keysIn = (tokens: readonly string[]): number => tokens.filter((token) => token.startsWith("xai-")).length;

const mask = (token: string): string =>
  token.length > 20 ? `${token.slice(0, 8)}…${token.slice(-8)}` : `${token.slice(0, 3)}…`;

/** The session inside a cookie line or a JSON line, or the line itself. */
const tokenIn = (line: string): string => {
  const [inJson] = line.startsWith("{") ? accountsIn(parse(line)) : [];
  return (inJson ?? /(?:^|[;\s])sso=([^;\s]+)/.exec(line)?.[1] ?? line).trim();
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Texts and objects with a session, wherever they stand. */
const accountsIn = (value: unknown): string[] => {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(accountsIn);
  if (!isObject(value)) return [];
  const own = value["token"] ?? value["sso"] ?? value["sso_token"];
  return typeof own === "string" ? [own] : Object.entries(value).flatMap(([name, inner]) => accountOrMore(name, inner));
};

/** In the oldest shape the session is the name of its fields. */
const accountOrMore = (name: string, inner: unknown): string[] => {
  const found = typeof inner === "object" ? accountsIn(inner) : [];
  return found.length === 0 && isObject(inner) && name.length > 40 ? [name] : found;
};

export const lookAt = (text: string): Look => {
  const trimmed = text.trim();
  if (trimmed === "") return { kind: "nothing" };
  if (/^[[{]/.test(trimmed)) {
    const parsed = parse(trimmed);
    if (parsed !== undefined) {
      const found = accountsIn(parsed);
      return { kind: "json", accounts: found.length, keys: keysIn(found), samples: found.slice(0, SAMPLES).map(mask) };
    }
    if (!trimmed.split("\n").some((line) => isObject(parse(line.trim())))) return { kind: "broken" };
  }
  const lines = text
    .split(/\r\n|\r|\n/)
    .map((line, index) => ({ line: tokenIn(line.trim()), number: index + 1 }))
    .filter(({ line }) => line !== "" && !line.startsWith("#") && !line.startsWith("//"));
  const odd = lines.filter(({ line }) => line.length < SHORTEST);
  const good = lines.filter(({ line }) => line.length >= SHORTEST).map(({ line }) => line);
  return {
    kind: "lines",
    good: good.length,
    keys: keysIn(good),
    repeated: good.length - new Set(good).size,
    odd: odd.map(({ number }) => number),
    samples: good.slice(0, SAMPLES).map(mask),
  };
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
