// Conditions and byte ranges of a GET on a file, as RFC 9110 has them. Pure; knows no file and no route.
// Invariant: what cannot be understood is ignored, as the RFC wants, and never a reason to refuse.

export interface FileFacts {
  readonly bytes: number;
  /** Strong entity tag without quotes. */
  readonly etag: string;
  readonly modifiedMs: number;
}

export type RangeAnswer =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly start: number; readonly end: number }
  | { readonly kind: "unsatisfiable" };

export const quotedTag = (etag: string): string => `"${etag}"`;

/** True when the caller's copy is still good. */
export const isUnchanged = (headers: Headers, file: FileFacts): boolean => {
  const tags = headers.get("if-none-match");
  if (tags !== null) {
    const known = tags.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    return known.includes("*") || known.includes(quotedTag(file.etag));
  }
  const since = Date.parse(headers.get("if-modified-since") ?? "");
  // Header dates have no fractions of a second.
  return !Number.isNaN(since) && Math.floor(file.modifiedMs / 1000) * 1000 <= since;
};

/** `end` is exclusive. Several ranges at once are answered with the whole file, which is allowed. */
export const rangeOf = (headers: Headers, file: FileFacts): RangeAnswer => {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(headers.get("range")?.trim() ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (!match || (first === "" && last === "") || !isSameVersion(headers, file)) return { kind: "whole" };
  if (first === "") {
    const length = Math.min(Number(last), file.bytes);
    return length === 0 ? { kind: "unsatisfiable" } : { kind: "part", start: file.bytes - length, end: file.bytes };
  }
  const start = Number(first);
  const end = last === "" ? file.bytes : Math.min(Number(last) + 1, file.bytes);
  if (last !== "" && Number(last) < start) return { kind: "whole" };
  return start >= file.bytes ? { kind: "unsatisfiable" } : { kind: "part", start, end };
};

/** A range of another version would be glued to the wrong bytes. */
const isSameVersion = (headers: Headers, file: FileFacts): boolean => {
  const condition = headers.get("if-range");
  if (condition === null) return true;
  if (condition.startsWith('"')) return condition === quotedTag(file.etag);
  return Date.parse(condition) === Math.floor(file.modifiedMs / 1000) * 1000;
};
