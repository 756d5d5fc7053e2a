// Writes reasoning items: one item for reasoning that nothing interrupts, one summary part for each block of it.
// Knows no event. Invariant: every part and every item that was opened is closed by `close`, in order.
import type { ItemDesk, ItemPlace } from "./responses-desk.ts";
import type { ReasoningItem, SummaryText } from "./responses-object.ts";

export interface ReasoningWriter {
  add(text: string): void;
  /** A line of ours among the reasoning. */
  line(text: string): void;
  /** The next text begins a new part. */
  part(): void;
  /** The reasoning so far as only its upstream can read it; ends the item. */
  seal(sealed: string): void;
  close(): void;
}

interface Open {
  readonly place: ItemPlace;
  readonly item: ReasoningItem;
  part: SummaryText | null;
}

export const createReasoningWriter = (desk: ItemDesk): ReasoningWriter => {
  let current: Open | null = null;
  let nextIsNew = false;

  const at = ({ place, item }: Open) => ({
    item_id: place.itemId,
    output_index: place.outputIndex,
    summary_index: item.summary.length - 1,
  });
  const openItem = (): Open => {
    if (current !== null) return current;
    const place = desk.place("reasoning");
    const item: ReasoningItem = { id: place.itemId, type: "reasoning", summary: [], status: "in_progress" };
    current = { place, item, part: null };
    desk.added(place, item);
    return current;
  };
  const closePart = (open: Open) => {
    const { part } = open;
    if (part === null) return;
    desk.sink.frame("response.reasoning_summary_text.done", { ...at(open), text: part.text });
    desk.sink.frame("response.reasoning_summary_part.done", { ...at(open), part });
    open.part = null;
  };
  const openPart = (open: Open): SummaryText => {
    if (nextIsNew) closePart(open);
    nextIsNew = false;
    if (open.part !== null) return open.part;
    const part: SummaryText = { type: "summary_text", text: "" };
    open.part = part;
    open.item.summary.push(part);
    desk.sink.frame("response.reasoning_summary_part.added", { ...at(open), part });
    return part;
  };
  const write = (text: string) => {
    const open = openItem();
    openPart(open).text += text;
    desk.sink.frame("response.reasoning_summary_text.delta", { ...at(open), delta: text });
  };

  const finish = () => {
    if (current === null) return;
    closePart(current);
    current.item.status = "completed";
    desk.done(current.place, current.item);
    current = null;
  };

  return {
    add: write,
    line(text) {
      nextIsNew = false;
      const before = current?.part?.text ?? "";
      write(`${before === "" || before.endsWith("\n") ? "" : "\n"}${text}\n`);
    },
    part() {
      nextIsNew = true;
    },
    seal(sealed) {
      const open = openItem();
      open.item.encrypted_content = sealed;
      finish();
    },
    close: finish,
  };
};
