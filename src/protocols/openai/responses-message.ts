// Writes message items: one text part with its citations. Knows no event but the citation's.
// Invariant: an annotation points into the text of its own item, whatever lines of ours were put between the upstream's.
import type { GenerationEvent } from "../../core/events.ts";
import type { ItemDesk, ItemPlace } from "./responses-desk.ts";
import type { ItemStatus, MessageItem, OutputText, UrlCitation } from "./responses-object.ts";

type Citation = Extract<GenerationEvent, { type: "citation" }>;

export interface MessageWriter {
  /** A piece of the upstream's answer; citations count in these. */
  add(text: string): void;
  /** Text of ours on a line of its own. */
  ownLine(text: string): void;
  cite(citation: Citation): void;
  open(): void;
  close(status: Extract<ItemStatus, "completed" | "incomplete">): void;
}

interface Open {
  readonly place: ItemPlace;
  readonly item: MessageItem;
  readonly part: OutputText;
  /** Where the item begins in the upstream's whole answer. */
  readonly from: number;
  readonly inserted: { readonly at: number; readonly length: number }[];
  breakBefore: boolean;
}

export const createMessageWriter = (desk: ItemDesk): MessageWriter => {
  let current: Open | null = null;
  /** Characters of the upstream's answer so far. */
  let answered = 0;
  const cited = new Set<string>();
  /** Sources without a place in the text: they point at its end. */
  let listed: Citation[] = [];

  const at = ({ place }: Open) => ({ item_id: place.itemId, output_index: place.outputIndex, content_index: 0 });
  const open = (): Open => {
    if (current !== null) return current;
    const place = desk.place("message");
    const item: MessageItem = {
      id: place.itemId,
      type: "message",
      status: "in_progress",
      role: "assistant",
      content: [],
    };
    const part: OutputText = { type: "output_text", text: "", annotations: [], logprobs: [] };
    current = { place, item, part, from: answered, inserted: [], breakBefore: false };
    desk.added(place, item);
    item.content.push(part);
    desk.sink.frame("response.content_part.added", { ...at(current), part });
    return current;
  };
  const write = (message: Open, text: string) => {
    message.part.text += text;
    desk.sink.textDelta(message.place, text);
  };
  const insert = (message: Open, text: string) => {
    message.inserted.push({ at: answered, length: text.length });
    write(message, text);
  };
  const placeOf = (message: Open, position: number, side: "start" | "end"): number => {
    let place = position - message.from;
    for (const { at: where, length } of message.inserted) {
      if (side === "start" ? where <= position : where < position) place += length;
    }
    return place;
  };
  const annotate = (message: Open, { url, title, range }: Citation) => {
    const end = message.part.text.length;
    const annotation: UrlCitation = {
      type: "url_citation",
      start_index: range === undefined ? end : placeOf(message, range[0], "start"),
      end_index: range === undefined ? end : placeOf(message, range[1], "end"),
      url,
      title,
    };
    const annotationIndex = message.part.annotations.push(annotation) - 1;
    desk.sink.frame("response.output_text.annotation.added", {
      ...at(message),
      annotation_index: annotationIndex,
      annotation,
    });
  };

  return {
    open: () => void open(),
    add(text) {
      const message = open();
      const lineEnd = message.breakBefore && !text.startsWith("\n") ? "\n" : "";
      message.breakBefore = false;
      if (lineEnd !== "") message.inserted.push({ at: answered, length: 1 });
      answered += text.length;
      write(message, lineEnd + text);
    },
    ownLine(text) {
      const message = open();
      const written = message.part.text;
      insert(message, written === "" || written.endsWith("\n") ? text : `\n${text}`);
      message.breakBefore = true;
    },
    cite(citation) {
      const key = `${citation.range?.join("-") ?? ""} ${citation.url}`;
      if (cited.has(key)) return;
      cited.add(key);
      if (citation.range === undefined) listed.push(citation);
      // A place in an item that is closed already can no longer be told.
      else if (current !== null && citation.range[0] >= current.from) annotate(current, citation);
    },
    close(status) {
      if (current === null) return;
      const { place, item, part } = current;
      for (const citation of listed) annotate(current, citation);
      listed = [];
      item.status = status;
      desk.sink.frame("response.output_text.done", { ...at(current), text: part.text, logprobs: [] });
      desk.sink.frame("response.content_part.done", { ...at(current), part });
      desk.done(place, item);
      current = null;
    },
  };
};
