// Gets the session cookie's value out of whatever a person pasted: a bare token, `sso=…`, a whole cookie line, quotes, and the
// invisible characters and typographic dashes that chat programs put in. Pure. Invariant: a reason never quotes the input.

/** Zero-width and other invisible characters, soft hyphens and the byte order mark. */
const INVISIBLE = /[\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]|\u034F|[\uFE00-\uFE0F]/g;
const DASHES = /[\u2010-\u2015\u2212\u2E3A\u2E3B\uFE58\uFE63\uFF0D]/g;
const SPACES = /[\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]/g;
const QUOTES = /[\u2018\u2019\u201C\u201D\uFF02\uFF07]/g;
/** Full-width forms of the ASCII characters. */
const FULL_WIDTH = /[\uFF01-\uFF5E]/g;

export const cleanText = (text: string): string =>
  text
    .replace(INVISIBLE, "")
    .replace(DASHES, "-")
    .replace(SPACES, " ")
    .replace(QUOTES, '"')
    .replace(FULL_WIDTH, (character) => String.fromCharCode(character.charCodeAt(0) - 0xfee0));

const ALLOWED = /^[A-Za-z0-9._~+/=%-]+$/;
const SSO_COOKIE = /(?:^|[;\s])sso=\s*([^;\s]+)/;
const LONG_ENOUGH = 20;

export type TokenReading = { readonly token: string } | { readonly reason: string };

/** A real session is far longer; short names are those of the simulator's accounts. */
const isToken = (text: string): boolean => text.length >= LONG_ENOUGH || (text.length >= 3 && /[\d._-]/.test(text));

export const readToken = (raw: string): TokenReading => {
  const bare = cleanText(raw)
    .trim()
    .replace(/^["'`]+|["'`,;]+$/g, "")
    .replace(/^cookie:\s*/i, "")
    .trim();
  if (bare === "") return { reason: "is empty" };
  const isCookieLine = /(?:^|[;\s])[\w-]+=[^=]/.test(bare) && /^[\w-]+=|;/.test(bare);
  const cookie = SSO_COOKIE.exec(bare)?.[1];
  if (isCookieLine && cookie === undefined) return { reason: "is a cookie line without an sso cookie" };
  const token = (cookie ?? bare).replace(/^["']+|["',;]+$/g, "");
  if (/\s/.test(token)) return { reason: "has spaces inside" };
  if (!ALLOWED.test(token)) return { reason: "has characters that a session cookie cannot have" };
  return isToken(token) ? { token } : { reason: "is too short to be a session cookie" };
};
