// The kinds of values a setting can have. Each function makes one zod schema with its default, its checks and one sentence
// that says what is allowed; the notes beside it (help, unit, secrecy …) are what forms, examples and tables are drawn from.
// Knows no key. Invariant: text is accepted for every kind, so that a variable, a form and a file speak the same language.
import { isIP } from "node:net";
import { z } from "zod";
import { cleanHeaderText } from "./clean.ts";

export interface Help {
  en: string;
  zh: string;
}

export type Kind =
  | "text"
  | "long-text"
  | "integer"
  | "number"
  | "boolean"
  | "choice"
  | "text-list"
  | "integer-list"
  | "url"
  | "proxy-url";

export interface KeyNotes {
  help: Help;
  /** Hidden in every dump; of a URL only the password is. */
  secret?: boolean;
  /** A change acts after a restart. */
  restart?: boolean;
  /** Only the file and the environment may set it: it is needed before stored settings can be read. */
  startup?: boolean;
  /** The environment variable, when its name is not made from section and key. */
  env?: string;
  /** A switch; while it stands otherwise, this setting has no effect. */
  needs?: { path: string; is: boolean };
  unit?: "seconds" | "milliseconds" | "hours" | "megabytes" | "tokens";
}

export interface KeyMeta extends KeyNotes {
  kind: Kind;
  /** What is allowed, as the end of the sentence "must be …". */
  allowed: string;
  choices?: readonly string[];
  min?: number;
  max?: number;
}

export const keyRegistry = z.registry<KeyMeta>();
export const sectionRegistry = z.registry<{ title: Help }>();

interface Range {
  min: number;
  max: number;
}

export function section<Shape extends z.ZodRawShape>(title: Help, shape: Shape) {
  return z.object(shape).register(sectionRegistry, { title });
}

export function text(fallback: string, notes: KeyNotes) {
  return cleanedText(fallback, { kind: "text", clean: (value) => value.trim() }, notes);
}

export function longText(fallback: string, notes: KeyNotes) {
  return cleanedText(fallback, { kind: "long-text", clean: (value) => value }, notes);
}

/** Text that travels in a header or a cookie: typographic characters from chat programs are put right. */
export function headerText(fallback: string, notes: KeyNotes) {
  return cleanedText(fallback, { kind: "text", clean: (value) => cleanHeaderText(value).trim() }, notes);
}

/** Text brought into one spelling; `tidy` answers null for a value that is not allowed. */
export function spelledText(
  fallback: string,
  rule: { allowed: string; tidy: (value: string) => string | null },
  notes: KeyNotes,
) {
  const { allowed, tidy } = rule;
  const schema = z.string({ error: mustBe(allowed) }).transform(orIssue(tidy, allowed));
  return schema.default(fallback).register(keyRegistry, { kind: "text", allowed, ...notes });
}

export function integer(fallback: number, range: Range, notes: KeyNotes) {
  const allowed = `a whole number from ${range.min} to ${range.max}`;
  const number = z
    .int({ error: mustBe(allowed) })
    .min(range.min, mustBe(allowed))
    .max(range.max, mustBe(allowed));
  const schema = z.preprocess(readNumber, number).default(fallback);
  return schema.register(keyRegistry, { kind: "integer", allowed, ...range, ...notes });
}

export function number(fallback: number, range: Range, notes: KeyNotes) {
  const allowed = `a number from ${range.min} to ${range.max}`;
  const number = z
    .number({ error: mustBe(allowed) })
    .min(range.min, mustBe(allowed))
    .max(range.max, mustBe(allowed));
  const schema = z.preprocess(readNumber, number).default(fallback);
  return schema.register(keyRegistry, { kind: "number", allowed, ...range, ...notes });
}

export function boolean(fallback: boolean, notes: KeyNotes) {
  const allowed = "true or false";
  const schema = z.preprocess(readBoolean, z.boolean({ error: mustBe(allowed) })).default(fallback);
  return schema.register(keyRegistry, { kind: "boolean", allowed, ...notes });
}

/** `aliases` are other spellings that mean one of the choices. */
export function choice<const Choices extends readonly [string, ...string[]]>(
  fallback: NoInfer<Choices[number]>,
  options: { choices: Choices; aliases?: Record<string, Choices[number]> },
  notes: KeyNotes,
) {
  const { choices, aliases = {} } = options;
  const allowed = `one of ${choices.join(", ")}`;
  const readChoice = (value: unknown): unknown => {
    if (typeof value !== "string") return value;
    const spelled = value.trim().toLowerCase();
    return Object.hasOwn(aliases, spelled) ? aliases[spelled] : spelled;
  };
  const schema = z.preprocess(readChoice, z.enum(choices, { error: mustBe(allowed) })).prefault(fallback);
  return schema.register(keyRegistry, { kind: "choice", allowed, choices, ...notes });
}

export function textList(fallback: readonly string[], notes: KeyNotes) {
  return checkedList(fallback, { allowed: "a list of texts", accepts: () => true }, notes);
}

export function addressList(fallback: readonly string[], notes: KeyNotes) {
  const allowed = "a list of IP addresses or ranges such as 10.0.0.0/8";
  return checkedList(fallback, { allowed, accepts: isAddressOrRange }, notes);
}

export function originList(fallback: readonly string[], notes: KeyNotes) {
  const allowed = 'a list of origins such as https://chat.example.com, or "*"';
  return checkedList(fallback, { allowed, accepts: isOrigin }, notes);
}

export function statusList(fallback: readonly number[], notes: KeyNotes) {
  const allowed = "a list of HTTP status codes from 400 to 599";
  const code = z.preprocess(readNumber, z.int(mustBe(allowed)).min(400, mustBe(allowed)).max(599, mustBe(allowed)));
  const list = z.array(code, { error: mustBe(allowed) }).transform((codes) => [...new Set(codes)]);
  const schema = z.preprocess(readList, list).default([...fallback]);
  return schema.register(keyRegistry, { kind: "integer-list", allowed, ...notes });
}

/** An http(s) address; any host is allowed on purpose, also a private one. Empty only when the default is empty. */
export function httpUrl(fallback: string, notes: KeyNotes) {
  const allowed = `an address that begins with http:// or https://${fallback === "" ? ", or empty" : ""}`;
  const tidy = (value: string): string | null => {
    const cleaned = cleanHeaderText(value).trim();
    if (cleaned === "" && fallback === "") return "";
    const url = URL.canParse(cleaned) ? new URL(cleaned) : null;
    if (url === null || !["http:", "https:"].includes(url.protocol)) return null;
    return cleaned.replace(/\/+$/, "");
  };
  const schema = z.string({ error: mustBe(allowed) }).transform(orIssue(tidy, allowed));
  return schema.default(fallback).register(keyRegistry, { kind: "url", allowed, ...notes });
}

const proxySchemes = ["http:", "https:", "socks5:", "socks5h:"];

/** Empty means no proxy. */
export function proxyUrl(notes: KeyNotes) {
  const allowed =
    "empty or a proxy address with scheme http, https, socks5 or socks5h and a host (socks4 is not supported)";
  const tidy = (value: string): string | null => {
    const cleaned = cleanHeaderText(value)
      .replace(/\s/g, "")
      .replace(/^socks:\/\//i, "socks5://");
    if (cleaned === "") return "";
    const url = URL.canParse(cleaned) ? new URL(cleaned) : null;
    return url === null || !proxySchemes.includes(url.protocol) || url.hostname === "" ? null : cleaned;
  };
  const schema = z.string({ error: mustBe(allowed) }).transform(orIssue(tidy, allowed));
  return schema.default("").register(keyRegistry, { kind: "proxy-url", allowed, secret: true, ...notes });
}

function cleanedText(fallback: string, rule: { kind: Kind; clean: (value: string) => string }, notes: KeyNotes) {
  const { kind, clean } = rule;
  const allowed = "text in quotes";
  const schema = z
    .string({ error: mustBe(allowed) })
    .transform(clean)
    .default(fallback);
  return schema.register(keyRegistry, { kind, allowed, ...notes });
}

function checkedList(
  fallback: readonly string[],
  rule: { allowed: string; accepts: (item: string) => boolean },
  notes: KeyNotes,
) {
  const { allowed, accepts } = rule;
  const item = z
    .string({ error: mustBe(allowed) })
    .trim()
    .refine((value) => value === "" || accepts(value), mustBe(allowed));
  const list = z
    .array(item, { error: mustBe(allowed) })
    .transform((items) => [...new Set(items)].filter((one) => one !== ""));
  const schema = z.preprocess(readList, list).default([...fallback]);
  return schema.register(keyRegistry, { kind: "text-list", allowed, ...notes });
}

const mustBe = (allowed: string): string => `must be ${allowed}`;

function orIssue(tidy: (value: string) => string | null, allowed: string) {
  return (value: string, context: z.core.$RefinementCtx<string>): string => {
    const tidied = tidy(value);
    if (tidied !== null) return tidied;
    context.addIssue({ code: "custom", message: mustBe(allowed), input: value });
    return z.NEVER;
  };
}

function readNumber(value: unknown): unknown {
  return typeof value === "string" && value.trim() !== "" ? Number(value) : value;
}

const booleanWords = new Map([
  ["true", true],
  ["1", true],
  ["yes", true],
  ["on", true],
  ["false", false],
  ["0", false],
  ["no", false],
  ["off", false],
]);

function readBoolean(value: unknown): unknown {
  if (value === 0 || value === 1) return value === 1;
  return typeof value === "string" ? (booleanWords.get(value.trim().toLowerCase()) ?? value) : value;
}

/** A list may be written as JSON or with commas; a single number stands for a list of one. */
function readList(value: unknown): unknown {
  if (typeof value === "number") return [value];
  if (typeof value !== "string") return value;
  const trimmed = value.trim();
  if (!trimmed.startsWith("[")) return trimmed === "" ? [] : trimmed.split(",").filter((part) => part.trim() !== "");
  try {
    return JSON.parse(trimmed);
  } catch {
    return value;
  }
}

function isAddressOrRange(value: string): boolean {
  const [address = "", bits, ...rest] = value.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function isOrigin(value: string): boolean {
  if (value === "*") return true;
  return URL.canParse(value) && new URL(value).origin === value.replace(/\/$/, "");
}
