// What a response consists of: events become items (reasoning, searches, text, calls, pictures) and the frames that tell of
// them, in the order in which a caller sees them. Stream and single body are both written from here. Knows no framing.
// Invariants: at most one item that is not a function call is open; an item's frames never follow its `done`; where batches
// begin or end changes nothing.
import type { GatewayError } from "../../core/errors.ts";
import type { FinishReason, GenerationEvent, Usage } from "../../core/events.ts";
import type { ItemDesk, ItemPlace, ResponsesSink } from "./responses-desk.ts";
import { createDrawingWriter } from "./responses-drawing.ts";
import { createMessageWriter } from "./responses-message.ts";
import { createReasoningWriter } from "./responses-reasoning.ts";
import {
  type FunctionCallItem,
  outputItemId,
  type OutputItem,
  type SearchAction,
  type WebSearchItem,
} from "./responses-object.ts";

/** Ids by which the upstream knows the conversation, for a later turn. */
export interface UpstreamIds {
  readonly conversationId?: string;
  readonly responseId?: string;
}

export interface ResponsesFold {
  accept(event: GenerationEvent): void;
  /** All items so far; complete once the answer has ended. */
  readonly output: readonly OutputItem[];
  readonly upstream: UpstreamIds;
  /** True after `finish` or `failure`; later events are ignored. */
  readonly ended: boolean;
}

export interface ResponsesFoldOptions {
  readonly responseId: string;
  /** Pictures are items with their bytes instead of links in the text. */
  readonly pictureItems: boolean;
}

export const createResponsesFold = (
  { responseId, pictureItems }: ResponsesFoldOptions,
  sink: ResponsesSink,
): ResponsesFold => {
  const output: OutputItem[] = [];
  const desk: ItemDesk = {
    sink,
    place: (type) => ({ itemId: outputItemId(type, responseId, output.length), outputIndex: output.length }),
    added(place, item) {
      output.push(item);
      sink.frame("response.output_item.added", { output_index: place.outputIndex, item });
    },
    done(place, item) {
      sink.frame("response.output_item.done", { output_index: place.outputIndex, item });
    },
  };
  const reasoning = createReasoningWriter(desk);
  const message = createMessageWriter(desk);
  const search = createSearchWriter(desk);
  const drawing = createDrawingWriter(desk);
  const tools = createToolWriter(desk);
  let upstream: UpstreamIds = {};
  let usage: Usage | null = null;
  let ended = false;

  const text = (piece: string) => {
    if (piece === "") return;
    reasoning.close();
    search.close();
    drawing.close();
    message.add(piece);
  };
  const ownLine = (line: string) => {
    reasoning.close();
    search.close();
    drawing.close();
    message.ownLine(line);
  };
  const thinking = () => {
    message.close("completed");
    search.close();
    drawing.close();
  };
  const picture = (event: Extract<GenerationEvent, { type: "image" }>) => {
    const { link, base64 } = event.source;
    const bytes = base64 ?? inlineBytes(link);
    if (pictureItems && bytes !== undefined) {
      reasoning.close();
      search.close();
      message.close("completed");
      return event.partial ? drawing.preview(bytes) : drawing.complete(bytes);
    }
    // A picture without a link could not be stored; its upstream address is useless to a caller.
    if (!event.partial && link !== undefined) ownLine(`![image](${link})`);
  };
  const activity = (event: Extract<GenerationEvent, { type: "activity" }>) => {
    const action = searchAction(event);
    if (event.phase === "end") {
      if (action !== null) search.close();
      return;
    }
    if (action === null) {
      thinking();
      return reasoning.line(lineOf(event));
    }
    reasoning.close();
    message.close("completed");
    drawing.close();
    search.open(action);
  };
  const finish = (reason: FinishReason) => {
    reasoning.close();
    search.close();
    drawing.close();
    if (!output.some(({ type }) => isAnswer(type))) message.open();
    message.close(reason === "length" || reason === "content-filter" ? "incomplete" : "completed");
    sink.finish({ reason, usage });
  };
  /** What was being written stays in the output, marked as unfinished. */
  const fail = (error: GatewayError) => {
    for (const item of output) {
      if (item.status === "completed" || item.status === "failed") continue;
      item.status = item.type === "image_generation_call" ? "failed" : "incomplete";
    }
    sink.failure(error);
  };

  return {
    output,
    get upstream() {
      return upstream;
    },
    get ended() {
      return ended;
    },
    accept(event) {
      if (ended) return;
      switch (event.type) {
        case "text-delta":
          return text(event.text);
        case "reasoning-delta":
          if (event.text === "") return;
          thinking();
          return reasoning.add(event.text);
        case "start":
          return sink.start();
        case "reasoning-start":
          return reasoning.part();
        case "activity":
          return activity(event);
        case "tool-start":
          reasoning.close();
          search.close();
          drawing.close();
          message.close("completed");
          return tools.start(event);
        case "tool-delta":
          return tools.add(event.block, event.text);
        case "tool-end":
          return tools.end(event.block, event.arguments);
        case "image":
          return picture(event);
        case "video":
          if (event.source.link !== undefined) ownLine(`[video](${event.source.link})`);
          return;
        case "citation":
          return message.cite(event);
        case "upstream":
          upstream = {
            ...upstream,
            ...(event.conversationId === undefined ? {} : { conversationId: event.conversationId }),
            ...(event.responseId === undefined ? {} : { responseId: event.responseId }),
          };
          return;
        case "usage":
          usage = event.usage;
          return;
        case "finish":
          ended = true;
          return finish(event.reason);
        case "failure":
          ended = true;
          return fail(event.error);
        case "reasoning-end":
          if (event.sealed === undefined) return;
          thinking();
          return reasoning.seal(event.sealed);
        case "text-start":
        case "text-end":
        case "progress":
        case "audio":
        case "connected":
          return;
        default:
          event satisfies never;
      }
    },
  };
};

/** An answer needs one of these; when it has none it gets an empty message. */
const isAnswer = (type: OutputItem["type"]): boolean =>
  type === "message" || type === "function_call" || type === "image_generation_call";

const inlineBytes = (link: string | undefined): string | undefined =>
  link?.startsWith("data:") ? link.slice(link.indexOf(",") + 1) : undefined;

type Activity = Extract<GenerationEvent, { type: "activity" }>;

/** Searches and visits have an item of their own; the official clients know no item for the upstream's other tools. */
const searchAction = ({ kind, detail }: Activity): SearchAction | null => {
  switch (kind) {
    case "web-search":
    case "x-search":
    case "image-search":
      return { type: "search", query: detail };
    case "browse":
      return { type: "open_page", url: detail };
    case "code":
    case "agent":
    case "other":
      return null;
    default:
      return kind satisfies never;
  }
};

const lineOf = ({ kind, detail, agent }: Activity): string => {
  const what = kind === "code" ? "Running code" : kind === "agent" ? "Agent" : "Working";
  return `${agent ? `${agent}: ` : ""}${what}${detail === "" ? "" : `: ${detail}`}`;
};

const createSearchWriter = (desk: ItemDesk) => {
  let current: { readonly place: ItemPlace; readonly item: WebSearchItem } | null = null;
  const step = (status: "in_progress" | "searching" | "completed") => {
    if (current === null) return;
    current.item.status = status;
    const { itemId, outputIndex } = current.place;
    desk.sink.frame(`response.web_search_call.${status}`, { item_id: itemId, output_index: outputIndex });
  };
  const close = () => {
    if (current === null) return;
    step("completed");
    desk.done(current.place, current.item);
    current = null;
  };
  return {
    open(action: SearchAction) {
      close();
      const place = desk.place("web_search_call");
      const item: WebSearchItem = { id: place.itemId, type: "web_search_call", status: "in_progress", action };
      current = { place, item };
      desk.added(place, item);
      step("in_progress");
      step("searching");
    },
    close,
  };
};

const createToolWriter = (desk: ItemDesk) => {
  const open = new Map<number, { readonly place: ItemPlace; readonly item: FunctionCallItem }>();
  const add = (block: number, text: string) => {
    const tool = open.get(block);
    if (tool === undefined || text === "") return;
    tool.item.arguments += text;
    const { itemId, outputIndex } = tool.place;
    desk.sink.frame("response.function_call_arguments.delta", {
      item_id: itemId,
      output_index: outputIndex,
      delta: text,
    });
  };
  return {
    start(event: Extract<GenerationEvent, { type: "tool-start" }>) {
      const place = desk.place("function_call");
      const item: FunctionCallItem = {
        id: place.itemId,
        type: "function_call",
        status: "in_progress",
        call_id: event.callId,
        name: event.name,
        arguments: "",
      };
      open.set(event.block, { place, item });
      desk.added(place, item);
    },
    add,
    end(block: number, whole: string) {
      const tool = open.get(block);
      if (tool === undefined) return;
      const { place, item } = tool;
      if (whole.startsWith(item.arguments)) add(block, whole.slice(item.arguments.length));
      item.arguments = whole;
      item.status = "completed";
      desk.sink.frame("response.function_call_arguments.done", {
        item_id: place.itemId,
        output_index: place.outputIndex,
        name: item.name,
        arguments: whole,
      });
      desk.done(place, item);
      open.delete(block);
    },
  };
};
