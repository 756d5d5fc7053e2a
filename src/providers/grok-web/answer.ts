// Writes an answer of the site as events, whichever transport it came by: reasoning before text, markup out, citations
// and pictures from their cards, and one honest end. Pure; both readers (REST frames, socket events) call it.
// Invariant: what it writes obeys the grammar of core/events.ts, and an answer without content is a failure.
import { GatewayError } from "../../core/errors.ts";
import type { ActivityKind, GenerationEvent } from "../../core/events.ts";
import { isObject, numberAt, objectAt, parseObject, stringAt, type JsonObject } from "../../lib/json.ts";
import { createTagFilter, type Element } from "./tag-filter.ts";

export interface AnswerStart {
  readonly id: string;
  readonly model: string;
  readonly created: number;
}

export interface AnswerOptions extends AnswerStart {
  readonly filterTags: readonly string[];
  /** Base of relative picture paths, without a trailing slash. */
  readonly assetsUrl: string;
}

export interface Answer {
  reasoning(text: string): void;
  text(text: string): void;
  /** A step's title, a paragraph of its own inside the reasoning. */
  heading(text: string): void;
  activity(seen: Activity): void;
  /** Remembers a page's title for the citations to come. */
  source(url: string, title: string): void;
  card(card: JsonObject): void;
  /** A citation outside the text's markup. */
  cite(url: string, title?: string): void;
  image(picture: Picture): void;
  upstream(ids: { conversationId?: string | undefined; responseId?: string | undefined }): void;
  /** The complete text, to supply what was not streamed. */
  complete(text: string): void;
  fail(error: GatewayError): void;
  /** The upstream's own end mark has been seen: a closed connection is no longer a cut. */
  concluded(): void;
  /** The connection has ended. */
  end(): void;
  /** Takes the events written since the last call. */
  take(): GenerationEvent[];
  readonly over: boolean;
}

export interface Activity {
  readonly kind: ActivityKind;
  readonly detail: string;
  /** The same tool use may be told twice. */
  readonly id: string | undefined;
  readonly agent: string | undefined;
}

export interface Picture {
  /** Absolute, or relative to the assets host. */
  readonly url: string;
  readonly final: boolean;
  readonly moderated: boolean;
  readonly title?: string | undefined;
}

const CARD_TAG = "grok:render";
const TOOL_TAG = "xai:tool_usage_card";
/** Sources remembered for titles; an answer with more keeps its links and loses only titles. */
const MAX_SOURCES = 256;

const ACTIVITY_KINDS: Record<string, ActivityKind> = {
  web_search: "web-search",
  x_search: "x-search",
  x_keyword_search: "x-search",
  x_semantic_search: "x-search",
  code_execution: "code",
  browse_page: "browse",
  open_page: "browse",
  image_search: "image-search",
  search_images: "image-search",
  chatroom_send: "agent",
};

const toSnake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Kind and the one argument worth showing, for a tool by its name in either spelling. */
export const describeTool = (name: string, args: JsonObject | undefined): { kind: ActivityKind; detail: string } => {
  const kind = ACTIVITY_KINDS[toSnake(name)] ?? "other";
  const shown =
    stringAt(args, "query") ??
    stringAt(args, "url") ??
    stringAt(args, "imageDescription") ??
    stringAt(args, "image_description") ??
    stringAt(args, "message") ??
    stringAt(args, "code");
  return { kind, detail: shown ?? (kind === "other" ? toSnake(name).replaceAll("_", " ") : "") };
};

/** Raw reason of an answer in which a picture was withheld, whatever else it says. */
export const PICTURE_WITHHELD = "picture-withheld";

const markdownSafe = (text: string): string => text.replace(/[[\]\n]/g, " ").trim();

export const createAnswer = (options: AnswerOptions): Answer => {
  let out: GenerationEvent[] = [];
  let block = 0;
  let open: "none" | "reasoning" | "text" = "none";
  let started = false;
  let over = false;
  let concluded = false;
  let withheld = false;
  let visible = false;
  let textSeen = false;
  let images = 0;
  /** Length of the text written downstream, for citation ranges. */
  let written = 0;
  /** The answer text as it came, markup included: to compare with the complete text. */
  let raw = "";
  let lastCited = "";
  /** The last characters of the reasoning, to set headings apart by exactly one blank line. */
  let reasoningTail = "\n\n";
  const cards = new Map<string, JsonObject>();
  const wanted = new Set<string>();
  const titles = new Map<string, string>();
  const cited = new Map<string, number>();
  const seenPictures = new Set<string>();
  const seenTools = new Set<string>();

  const emit = (event: GenerationEvent) => {
    if (!started) {
      started = true;
      out.push({ type: "start", id: options.id, model: options.model, created: options.created });
    }
    out.push(event);
  };
  const closeBlock = () => {
    if (open === "text") emit({ type: "text-end", block });
    if (open === "reasoning") emit({ type: "reasoning-end", block });
    open = "none";
  };
  const openBlock = (kind: "reasoning" | "text") => {
    if (open === kind) return;
    closeBlock();
    block++;
    open = kind;
    emit(kind === "text" ? { type: "text-start", block } : { type: "reasoning-start", block });
  };
  const writeText = (text: string) => {
    if (text === "") return;
    openBlock("text");
    textSeen = true;
    visible = true;
    written += text.length;
    lastCited = "";
    emit({ type: "text-delta", block, text });
  };
  const writeReasoning = (text: string) => {
    // Reasoning that comes after the answer has begun would tear the answer apart.
    if (text === "" || textSeen) return;
    openBlock("reasoning");
    reasoningTail = (reasoningTail + text).slice(-2);
    emit({ type: "reasoning-delta", block, text });
  };

  /** `[[n]](url)` for the first and every later mention; the same source twice in a row is written once. */
  const citation = (url: string): void => {
    if (url === lastCited) return;
    const number = cited.get(url) ?? cited.size + 1;
    cited.set(url, number);
    const link = `[[${number}]](${url})`;
    const from = written;
    writeText(link);
    lastCited = url;
    emit({ type: "citation", url, title: titles.get(url) ?? "", range: [from, from + link.length] });
  };

  const rendered = (card: JsonObject): void => {
    const kind = stringAt(card, "cardType") ?? stringAt(card, "type") ?? "";
    const url = stringAt(card, "url");
    if (/citation/.test(kind) && url) return citation(url);
    const picture = objectAt(card, "image");
    const original = stringAt(picture, "original") ?? stringAt(picture, "thumbnail");
    if (/image_card|searched_image/.test(kind) && original) {
      const title = markdownSafe(stringAt(picture, "title") ?? "image");
      const link = stringAt(picture, "link") ?? original;
      writeText(`[![${title}](${stringAt(picture, "thumbnail") ?? original})](${link})`);
    }
  };

  const tool = (element: Element): void => {
    const part = (name: string) => new RegExp(`<xai:${name}>([\\s\\S]*?)</xai:${name}>`).exec(element.inner)?.[1] ?? "";
    const id = part("tool_usage_card_id").trim();
    const args = parseObject(part("tool_args").replace(/^\s*<!\[CDATA\[|\]\]>\s*$/g, ""));
    const { kind, detail } = describeTool(part("tool_name").trim(), args);
    activity({ kind, detail, id: id || undefined, agent: undefined });
  };

  const answerText = createTagFilter(options.filterTags, {
    text: writeText,
    element: (element) => {
      if (element.name === TOOL_TAG) return tool(element);
      const id = element.name === CARD_TAG ? element.attributes["card_id"] : undefined;
      if (!id) return;
      const card = cards.get(id);
      if (card) rendered(card);
      else wanted.add(id);
    },
  });
  const reasoningText = createTagFilter(options.filterTags, {
    text: writeReasoning,
    element: (element) => {
      if (element.name === TOOL_TAG) tool(element);
    },
  });

  const activity: Answer["activity"] = ({ kind, detail, id, agent }) => {
    if (id) {
      if (seenTools.has(id)) return;
      seenTools.add(id);
    }
    if (textSeen) return;
    emit({ type: "activity", kind, phase: "start", detail, ...(agent ? { agent } : {}) });
  };

  const image: Answer["image"] = ({ url, final, moderated, title }) => {
    if (moderated) {
      withheld = true;
      return;
    }
    if (url === "" || url.startsWith("prompt:")) return;
    const absolute = /^https?:\/\//.test(url) ? url : `${options.assetsUrl}/${url.replace(/^\//, "")}`;
    if (seenPictures.has(absolute)) return;
    if (!final) {
      emit({ type: "progress", value: 0.5, note: "image" });
      return;
    }
    seenPictures.add(absolute);
    answerText.end();
    visible = true;
    lastCited = "";
    emit({
      type: "image",
      index: images++,
      source: { url: absolute, ...(title ? { title } : {}) },
      partial: false,
    });
  };

  const card: Answer["card"] = (found) => {
    const id = stringAt(found, "id");
    const chunk = objectAt(found, "image_chunk");
    if (chunk) {
      const progress = numberAt(chunk, "progress") ?? 0;
      image({
        url: stringAt(chunk, "imageUrl") ?? "",
        final: progress >= 100,
        moderated: chunk["moderated"] === true,
        title: stringAt(chunk, "imageTitle"),
      });
    }
    if (!id) return;
    cards.set(id, found);
    // The card came after its tag: its place in the text has gone by, so the source is only listed.
    if (wanted.delete(id)) {
      const url = stringAt(found, "url");
      if (url && !cited.has(url)) {
        cited.set(url, cited.size + 1);
        emit({ type: "citation", url, title: titles.get(url) ?? "" });
      }
    }
  };

  const finish = (event: GenerationEvent) => {
    closeBlock();
    over = true;
    if (event.type === "failure" && !started) out.push(event);
    else emit(event);
  };

  const fail: Answer["fail"] = (error) => {
    if (!over) finish({ type: "failure", error });
  };

  return {
    get over() {
      return over;
    },
    reasoning: (text) => reasoningText.push(text),
    heading: (text) => {
      reasoningText.end();
      const apart = reasoningTail.endsWith("\n\n") ? "" : reasoningTail.endsWith("\n") ? "\n" : "\n\n";
      writeReasoning(`${apart}${text}\n\n`);
    },
    text: (text) => {
      if (over) return;
      raw += text;
      answerText.push(text);
    },
    activity,
    source: (url, title) => {
      if (titles.size < MAX_SOURCES && !titles.get(url)) titles.set(url, title);
    },
    card,
    cite: (url, title) => {
      if (title && !titles.get(url)) titles.set(url, title);
      answerText.end();
      citation(url);
    },
    image,
    upstream: ({ conversationId, responseId }) => {
      if (!conversationId && !responseId) return;
      emit({ type: "upstream", ...(conversationId ? { conversationId } : {}), ...(responseId ? { responseId } : {}) });
    },
    complete: (text) => {
      if (text.length > raw.length && text.startsWith(raw)) {
        const missing = text.slice(raw.length);
        raw = text;
        answerText.push(missing);
      }
    },
    concluded: () => {
      concluded = true;
    },
    fail,
    end: () => {
      if (over) return;
      reasoningText.end();
      answerText.end();
      if (!concluded) {
        return fail(new GatewayError("upstream_cut", "The upstream's answer ended before it was complete."));
      }
      // A text around a withheld picture is no complete answer.
      const reason = withheld && images === 0 ? "content-filter" : "stop";
      if (visible) return finish({ type: "finish", reason, raw: withheld ? PICTURE_WITHHELD : null });
      fail(
        withheld
          ? new GatewayError("content_policy_violation", "The upstream withheld the picture on content grounds.")
          : new GatewayError("upstream_empty", "The upstream ended its answer without any content."),
      );
    },
    take: () => {
      const events = out;
      out = [];
      return events;
    },
  };
};

/** Cards travel as JSON inside a string. */
export const parseCard = (value: unknown): JsonObject | undefined =>
  typeof value === "string" ? parseObject(value) : isObject(value) ? value : undefined;
