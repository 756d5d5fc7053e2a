// The text of an answer's messages: raw citation markup out, annotations to citations, and of several messages what a caller
// should see. Pure. Invariant: the same text and ranges come out for every way of cutting what comes in.
import { numberAt, stringAt, type JsonObject } from "../../lib/json.ts";
import type { Blocks } from "./blocks.ts";

export interface MessageText {
  /** A message begins; the one before it is over. */
  begin(): void;
  delta(text: string): void;
  /** The whole text, to supply what was not streamed. */
  complete(text: string): void;
  annotate(annotation: JsonObject): void;
  end(): void;
  /** Nothing replaces any more what was held back. */
  flush(): void;
}

/** Markup stands between these two characters of the private area (observed 2026). */
const MARK_BEGIN = "\ue200";
const MARK_END = "\ue201";
/** A mark is short; what does not end within this is text. */
const MAX_MARK = 1000;

/** Removes the marks of a message and remembers where they stood. */
const createMarkFilter = () => {
  let held = "";
  let read = 0;
  const removed: { readonly at: number; readonly length: number }[] = [];
  const release = (): string => {
    const text = held.slice(1);
    removed.push({ at: read, length: 1 });
    read += held.length;
    held = "";
    return text;
  };
  return {
    push(text: string): string {
      if (held === "" && !text.includes(MARK_BEGIN)) {
        read += text.length;
        return text;
      }
      let out = "";
      let rest = held + text;
      held = "";
      for (;;) {
        const begin = rest.indexOf(MARK_BEGIN);
        if (begin < 0) {
          read += rest.length;
          return out + rest;
        }
        out += rest.slice(0, begin);
        read += begin;
        rest = rest.slice(begin);
        const end = rest.indexOf(MARK_END);
        if (end < 0 || end >= MAX_MARK) {
          held = rest.slice(0, MAX_MARK);
          rest = rest.slice(MAX_MARK);
          if (held.length < MAX_MARK) return out;
          out += release();
          continue;
        }
        removed.push({ at: read, length: end + 1 });
        read += end + 1;
        rest = rest.slice(end + 1);
      }
    },
    /** The mark that has begun is dropped: it would have been one. */
    reset() {
      held = "";
      read = 0;
      removed.length = 0;
    },
    /** Where a place of the raw text is in the filtered one. */
    place(raw: number): number {
      let shift = 0;
      for (const { at, length } of removed) if (at < raw) shift += Math.min(length, raw - at);
      return raw - shift;
    },
  };
};

type Range = readonly [start: number, end: number];

const LINK = /^\s*\[[^]*\)\s*$|^\ue200[^]*\ue201$/;

/** Places counted in whole characters, as upstreams in other languages do, as places of our text. */
const fromCharacters = (text: string, [start, end]: Range): Range => {
  const characters = [...text];
  const length = (count: number) => characters.slice(0, count).join("").length;
  return [length(start), length(end)];
};

/** The link's place in the raw text; null where there is none. */
const locate = (raw: string, annotation: JsonObject): Range | null => {
  const start = numberAt(annotation, "start_index") ?? 0;
  const end = numberAt(annotation, "end_index") ?? 0;
  if (end <= start || start < 0) return null;
  if (LINK.test(raw.slice(start, end))) return [start, end];
  const converted = fromCharacters(raw, [start, end]);
  if (LINK.test(raw.slice(...converted))) return converted;
  return end <= raw.length ? [start, end] : null;
};

interface Cited {
  readonly url: string;
  readonly title: string;
  /** Within the message. */
  readonly range: Range | null;
}

export const createMessageText = (blocks: Blocks, { lastOnly }: { lastOnly: boolean }): MessageText => {
  const marks = createMarkFilter();
  let raw = "";
  let clean = "";
  /** What has been shown of the message. */
  let shown = 0;
  /** Where the message begins in the answer's text. */
  let base = 0;
  let previous: string | null = null;
  /** Held back while it may be the message before, said again; or until no other follows. */
  let holds = lastOnly;
  let active = false;
  /** A message has begun and nothing of it has come. */
  let fresh = false;
  let cited = new Set<string>();
  let waiting: Cited[] = [];
  /** Annotations of text that has not come yet. */
  let early: JsonObject[] = [];

  const show = () => {
    if (shown === clean.length && waiting.length === 0) return;
    if (shown === 0 && clean !== "") {
      if (previous !== null && !/\s$/.test(previous) && !/^\s/.test(clean)) blocks.text("\n\n");
      base = blocks.written;
    }
    blocks.text(clean.slice(shown));
    shown = clean.length;
    for (const { url, title, range } of waiting) {
      const place = range === null ? {} : { range: [base + range[0], base + range[1]] as const };
      blocks.loose({ type: "citation", url, title, ...place });
    }
    waiting = [];
  };
  const cite = (annotation: JsonObject) => {
    const url = stringAt(annotation, "url");
    if (!url) return;
    const key = `${numberAt(annotation, "start_index") ?? 0}-${numberAt(annotation, "end_index") ?? 0} ${url}`;
    if (cited.has(key)) return;
    cited.add(key);
    const found = locate(raw, annotation);
    const range = found && ([marks.place(found[0]), marks.place(found[1])] as const);
    const title = stringAt(annotation, "title") ?? "";
    // The title is often the link's number.
    waiting.push({ url, title: /^\d*$/.test(title) ? "" : title, range: range && range[1] > range[0] ? range : null });
    if (!holds) show();
  };

  /** Late, so that a message without a word replaces none. */
  const reset = () => {
    fresh = false;
    marks.reset();
    raw = "";
    clean = "";
    shown = 0;
    base = blocks.written;
    cited = new Set();
    waiting = [];
    holds = lastOnly || previous !== null;
  };
  const delta: MessageText["delta"] = (text) => {
    if (text === "") return;
    if (fresh) reset();
    active = true;
    raw += text;
    const piece = marks.push(text);
    if (!holds && waiting.length === 0 && shown > 0) {
      clean += piece;
      shown = clean.length;
      return blocks.text(piece);
    }
    clean += piece;
    if (holds && !lastOnly && previous?.startsWith(clean) !== true) holds = false;
    if (!holds) show();
  };
  const end = () => {
    if (fresh || !active) return;
    active = false;
    for (const annotation of early) cite(annotation);
    early = [];
    if (lastOnly) return;
    // Said twice in the same words, it is the same message.
    if (!(holds && clean === previous)) show();
    previous = clean === "" ? previous : clean;
  };
  return {
    begin() {
      end();
      fresh = true;
    },
    delta,
    complete(text) {
      const known = fresh ? "" : raw;
      if (text.length > known.length && text.startsWith(known)) delta(text.slice(known.length));
    },
    annotate(annotation) {
      if (annotation["type"] !== undefined && annotation["type"] !== "url_citation") return;
      if (fresh || (numberAt(annotation, "end_index") ?? 0) > raw.length) early.push(annotation);
      else cite(annotation);
    },
    end,
    flush() {
      end();
      if (lastOnly) show();
    },
  };
};
