// Takes the site's own markup out of a text that arrives in pieces, by span and never with the text around it.
// Pure. Invariant: the pieces' borders change nothing; text outside an element comes out whole and in order.

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly inner: string;
}

/** Where the two kinds of content go, in their order. */
export interface TagSink {
  text(text: string): void;
  element(element: Element): void;
}

export interface TagFilter {
  push(text: string): void;
  /** The end of the text: an element that was never closed is dropped, a mere beginning of one is text. */
  end(): void;
}

/** An element larger than this is taken for text: markup of the site is a few hundred characters. */
const MAX_ELEMENT = 256 * 1024;

const attributesOf = (head: string): Record<string, string> => {
  const found: Record<string, string> = {};
  for (const match of head.matchAll(/([\w:-]+)="([^"]*)"/g)) found[match[1] ?? ""] = match[2] ?? "";
  return found;
};

export const createTagFilter = (names: readonly string[], sink: TagSink): TagFilter => {
  let held = "";
  const openings = names.map((name) => ({ name, open: `<${name}`, close: `</${name}>` }));

  /** What a `<` at `at` begins: one of our elements, perhaps one (too short to tell), or nothing of ours. */
  const opening = (text: string, at: number) => {
    let perhaps = false;
    for (const candidate of openings) {
      for (const mark of [candidate.open, candidate.close.slice(0, -1)]) {
        const piece = text.slice(at, at + mark.length + 1);
        if (piece.length <= mark.length) {
          if (mark.startsWith(piece)) perhaps = true;
        } else if (piece.startsWith(mark) && /[\s>/]/.test(piece[mark.length] ?? "")) {
          return { ...candidate, closing: mark !== candidate.open };
        }
      }
    }
    return perhaps ? "perhaps" : null;
  };

  /** The element whose head starts at `at`, or null when it is not complete yet. */
  const element = (text: string, at: number, close: string) => {
    const headEnd = text.indexOf(">", at);
    if (headEnd < 0) return null;
    const head = text.slice(at, headEnd);
    if (head.endsWith("/")) return { end: headEnd + 1, inner: "", head };
    const closeAt = text.indexOf(close, headEnd);
    if (closeAt < 0) return null;
    return { end: closeAt + close.length, inner: text.slice(headEnd + 1, closeAt), head };
  };

  const run = (text: string, final: boolean): void => {
    let from = 0;
    const write = (to: number) => {
      if (to > from) sink.text(text.slice(from, to));
    };
    const hold = (at: number) => {
      if (!final) held = text.slice(at);
    };
    for (let search = 0; ;) {
      const at = text.indexOf("<", search);
      if (at < 0) return write(text.length);
      const found = opening(text, at);
      if (found === null) {
        search = at + 1;
        continue;
      }
      if (found === "perhaps") {
        write(final ? text.length : at);
        return hold(at);
      }
      const end = found.closing ? text.indexOf(">", at) + 1 : -1;
      const whole = found.closing ? null : element(text, at, found.close);
      if (end > 0 || whole) {
        write(at);
        if (whole) sink.element({ name: found.name, attributes: attributesOf(whole.head), inner: whole.inner });
        from = search = whole?.end ?? end;
        continue;
      }
      if (text.length - at > MAX_ELEMENT) {
        search = at + 1;
        continue;
      }
      write(at);
      return hold(at);
    }
  };

  return {
    push(text) {
      // Nearly every piece has no markup at all.
      if (held === "" && !text.includes("<")) return sink.text(text);
      const all = held + text;
      held = "";
      run(all, false);
    },
    end() {
      const rest = held;
      held = "";
      if (rest !== "") run(rest, true);
    },
  };
};
