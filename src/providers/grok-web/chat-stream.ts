// Reads the REST chat's frames into an answer. Both envelopes: `{result:{response:frame}}` of a new conversation and
// the flat `{result:frame}` of a follow-up. Pure; the framing oddities are lib/ndjson's. Frame kinds as observed to 2026-09.
import { GatewayError } from "../../core/errors.ts";
import { arrayAt, isObject, numberAt, objectAt, objectsAt, stringAt, type JsonObject } from "../../lib/json.ts";
import { describeTool, parseCard, type Answer } from "./answer.ts";
import { classifyFrame, classifyResponse } from "./failures.ts";

export interface FrameReader {
  /** Takes one parsed object of the stream. */
  accept(root: unknown): void;
}

/** Tags whose tokens are steps of the reasoning whatever `isThinking` says (observed 2026-03). */
const REASONING_TAGS = new Set(["header", "summary", "analysis", "thinking"]);

const postUrl = (post: JsonObject): string | undefined => {
  const id = stringAt(post, "postId");
  return id ? `https://x.com/${stringAt(post, "username") ?? "i"}/status/${id}` : undefined;
};

export const createFrameReader = (answer: Answer, mode: string): FrameReader => {
  let agent: string | undefined;

  const sources = (frame: JsonObject) => {
    for (const key of ["webSearchResults", "citedWebSearchResults"] as const) {
      const list = objectAt(frame, key) ? objectsAt(objectAt(frame, key), "results") : objectsAt(frame, key);
      for (const page of list) {
        const url = stringAt(page, "url");
        if (url) answer.source(url, stringAt(page, "title") ?? "");
      }
    }
    for (const post of objectsAt(objectAt(frame, "xSearchResults"), "results")) {
      const url = postUrl(post);
      const text = (stringAt(post, "text") ?? "").slice(0, 50);
      if (url) answer.source(url, `𝕏/@${stringAt(post, "username") ?? ""}: ${text}`);
    }
  };

  const cards = (frame: JsonObject) => {
    const single = objectAt(frame, "cardAttachment");
    const all = [...(single ? [single] : []), ...objectsAt(frame, "cardAttachments")];
    for (const attachment of all) {
      const card = parseCard(attachment["jsonData"]);
      if (card) answer.card(card);
    }
  };

  const toolCard = (frame: JsonObject) => {
    const card = objectAt(frame, "toolUsageCard");
    if (!card) return;
    const id = stringAt(card, "toolUsageCardId");
    for (const [name, value] of Object.entries(card)) {
      if (!isObject(value)) continue;
      const { kind, detail } = describeTool(name, objectAt(value, "args"));
      answer.activity({ kind, detail, id, agent: stringAt(frame, "rolloutId") });
    }
  };

  const token = (frame: JsonObject, text: string) => {
    const tag = stringAt(frame, "messageTag");
    if (tag === "raw_function_result") return;
    // The same card comes as an object too; where it does, its XML is not needed. Older streams split the XML.
    if (tag === "tool_usage_card") return objectAt(frame, "toolUsageCard") ? undefined : answer.reasoning(text);
    const thinking = frame["isThinking"] === true || (tag !== undefined && REASONING_TAGS.has(tag));
    if (!thinking) return answer.text(text);
    const speaker = stringAt(frame, "rolloutId");
    if (speaker && speaker !== agent && text !== "") {
      if (agent !== undefined || speaker !== "Grok") answer.heading(`[${speaker}]`);
      agent = speaker;
    }
    if (tag === "header") answer.heading(text);
    else answer.reasoning(text);
  };

  const picture = (frame: JsonObject) => {
    const streaming = objectAt(frame, "streamingImageGenerationResponse");
    if (streaming) {
      answer.image({
        url: stringAt(streaming, "imageUrl") ?? stringAt(streaming, "url") ?? "",
        final: numberAt(streaming, "progress") === 100 || streaming["isFinal"] === true,
        moderated: streaming["moderated"] === true,
      });
    }
    const cached = objectAt(frame, "cachedImageGenerationResponse");
    if (cached) {
      answer.image({ url: stringAt(cached, "imageUrl") ?? "", final: true, moderated: cached["moderated"] === true });
    }
  };

  const whole = (response: JsonObject) => {
    const error = classifyResponse(response, mode);
    if (error) return answer.fail(error);
    sources(response);
    for (const text of arrayAt(response, "cardAttachmentsJson")) {
      const card = parseCard(text);
      if (card) answer.card(card);
    }
    answer.complete(stringAt(response, "message") ?? "");
    for (const url of arrayAt(response, "generatedImageUrls")) {
      if (typeof url === "string") answer.image({ url, final: true, moderated: false });
    }
    answer.upstream({ responseId: stringAt(response, "responseId") });
    answer.concluded();
  };

  /** The frame that nearly all are: a piece of the answer and nothing else. */
  const plainToken = (root: JsonObject): boolean => {
    const result = root["result"] as JsonObject | undefined;
    const frame = (result?.["response"] ?? result) as JsonObject | undefined;
    const text = frame?.["token"];
    if (
      typeof text !== "string" ||
      frame?.["messageTag"] !== "final" ||
      frame["isThinking"] !== false ||
      frame["isSoftStop"] !== false ||
      frame["sideBySideIndex"] === 1 ||
      frame["cardAttachment"] !== undefined ||
      frame["error"] !== undefined ||
      root["error"] !== undefined
    ) {
      return false;
    }
    if (text !== "") answer.text(text);
    return true;
  };

  const accept: FrameReader["accept"] = (root) => {
    if (answer.over || !isObject(root) || plainToken(root)) return;
    if (root["error"] !== undefined) {
      const error = classifyFrame(root["error"], mode);
      if (error) return answer.fail(error);
    }
    const result = objectAt(root, "result");
    if (!result) {
      // The edge sometimes answers 200 with a bare error object.
      if (stringAt(root, "message") !== undefined && numberAt(root, "code") !== undefined) {
        answer.fail(classifyFrame(root, mode) ?? new GatewayError("upstream_error", "The upstream reported an error."));
      }
      return;
    }
    const conversation = objectAt(result, "conversation");
    if (conversation) answer.upstream({ conversationId: stringAt(conversation, "conversationId") });
    const frame = objectAt(result, "response") ?? result;
    // Of two candidate answers only the first is ours.
    if (numberAt(frame, "sideBySideIndex") === 1) return;
    const error = classifyFrame(frame["error"], mode);
    if (error) return answer.fail(error);
    const text = frame["token"];
    if (typeof text === "string" && text !== "") token(frame, text);
    if (frame["isSoftStop"] === true) answer.concluded();
    sources(frame);
    toolCard(frame);
    cards(frame);
    picture(frame);
    const response = objectAt(frame, "modelResponse");
    if (response) whole(response);
  };

  return { accept };
};
