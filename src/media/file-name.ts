// The names of stored files: the upstream's path with its separators flattened, as older gateways did, so that known links
// keep working. Invariant: two different contents never share a name, and whoever knows one name cannot guess another.
import type { MediaType } from "./sniff.ts";

const EXTENSIONS: Readonly<Record<MediaType, readonly [string, ...string[]]>> = {
  "image/png": ["png"],
  "image/jpeg": ["jpg", "jpeg"],
  "image/webp": ["webp"],
  "image/gif": ["gif"],
  "video/mp4": ["mp4"],
};
const KNOWN = new Set(Object.values(EXTENSIONS).flat());
const MAX_LENGTH = 200;
/** Hex digits of a content's digest in a name: 128 bits. */
const DIGEST_LENGTH = 32;

const SECRET = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}/i;
/** The account's own id is in every one of its links: it keeps nothing secret. */
const OWNER = /^users-[0-9a-f-]{36}-?/i;

export interface NameFacts {
  /** Upstream path or address, or a name of our own. */
  readonly origin: string;
  readonly mime: MediaType;
  /** SHA-256 of the content in hex. */
  readonly digest: string;
}

/** The plain name, and the one to take when the plain one is in use for another content. */
export const fileNames = ({ origin, mime, digest }: NameFacts): readonly [plain: string, unique: string] => {
  const flat = pathOf(origin)
    .replace(/^\/+/, "")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[.-]+/, "");
  const dot = flat.lastIndexOf(".");
  const written = dot > 0 ? flat.slice(dot + 1).toLowerCase() : "";
  const extensions = EXTENSIONS[mime];
  const extension = extensions.includes(written) ? written : extensions[0];
  const stem = (KNOWN.has(written) ? flat.slice(0, dot) : flat) || "file";
  const mark = digest.slice(0, DIGEST_LENGTH);
  const room = MAX_LENGTH - extension.length - 1;
  const unique = `${stem.slice(0, room - mark.length - 1)}-${mark}.${extension}`;
  const plain = `${stem}.${extension}`;
  const guessable = !SECRET.test(stem.replace(OWNER, ""));
  return [guessable || plain.length > MAX_LENGTH ? unique : plain, unique];
};

const pathOf = (origin: string): string => {
  const path = URL.canParse(origin) ? new URL(origin).pathname : (origin.split(/[?#]/)[0] ?? "");
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};
