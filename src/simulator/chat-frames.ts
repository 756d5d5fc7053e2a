// Translates steps into the objects of the REST answer stream (one line each).
// Knows nothing of sockets, quotas or framing. Invariant: with a flat envelope no `response` level and no
// `conversation` frame ever appears; nested, both do.
import { randomHex, timestamp } from "./chance.ts";
import type { Conversation } from "./accounts.ts";
import { responseObject } from "./response-object.ts";
import type { ResponseObject } from "./response-object.ts";
import type { CitationCard, Step, StreamFault } from "./steps.ts";

export interface ChatFrameContext {
  conversation: Conversation;
  flat: boolean;
  userResponse: ResponseObject;
  responseId: string;
  mode: string;
  modelMode: string;
  suggestions: boolean;
}

export interface ChatFrames {
  open(): object[];
  step(step: Step): object[];
  /** The answer as it is stored; undefined until the final step. */
  answer(): ResponseObject | undefined;
}

type Frame = Record<string, unknown>;

const MODEL_HASH = "c2ltdWxhdGVkIG1vZGVsIGhhc2gsIDMyIGJ5dGVzIGw=";

export function createChatFrames(context: ChatFrameContext): ChatFrames {
  let text = "";
  const cards: string[] = [];
  const webResults: unknown[] = [];
  const pictures: string[] = [];
  let stored: ResponseObject | undefined;

  function wrap(frame: Frame, responseId = context.responseId): object {
    const full = {
      ...frame,
      isThinking: frame["isThinking"] ?? false,
      isSoftStop: frame["isSoftStop"] ?? false,
      responseId,
    };
    return { result: context.flat ? full : { response: full } };
  }
  function open(): object[] {
    const layout = {
      reasoningUiLayout: "SPLIT",
      willThinkLong: false,
      effort: "LOW",
      steerModelId: "grok-4",
      rolloutIds: [],
    };
    const conversation = context.flat ? [] : [{ result: { conversation: describeConversation(context.conversation) } }];
    return [
      ...conversation,
      wrap({ userResponse: context.userResponse }, context.userResponse.responseId),
      wrap({ uiLayout: layout }),
      wrap({ llmInfo: { modelHash: MODEL_HASH } }),
    ];
  }
  function card(value: Record<string, unknown>): object {
    const jsonData = JSON.stringify(value);
    cards.push(jsonData);
    return wrap({ cardAttachment: { jsonData }, messageTag: "final" });
  }
  function say(value: string, extra: Frame = {}): object {
    if (extra["sideBySideIndex"] !== 1) text += value;
    return wrap({ token: value, messageTag: "final", ...extra });
  }
  function finish(step: Extract<Step, { do: "final" }>): object {
    stored = responseObject({
      responseId: context.responseId,
      message: text + step.extra,
      sender: "assistant",
      parentResponseId: context.userResponse.responseId,
      metadata: {
        deepsearchPreset: "",
        llm_info: { modelHash: MODEL_HASH },
        request_metadata: { effort: "low", mode: context.mode, model: `grok-4-${context.mode}` },
        request_trace_id: randomHex(32),
        ui_layout: { effort: "LOW", reasoningUiLayout: "FUNCTION_CALL", willThinkLong: false },
      },
      uiLayout: { reasoningUiLayout: "FUNCTION_CALL", willThinkLong: false, effort: "LOW", rolloutIds: [] },
      requestMetadata: { model: `grok-4-${context.mode}`, mode: context.modelMode, effort: "LOW" },
      webSearchResults: webResults,
      cardAttachmentsJson: cards,
      generatedImageUrls: pictures,
      streamErrors: step.faults.map(faultObject),
      ...(step.error === undefined ? {} : { error: step.error }),
    });
    return wrap({ modelResponse: stored });
  }

  function translate(step: Step): object[] {
    switch (step.do) {
      case "layout":
        return [
          wrap({
            uiLayout: { reasoningUiLayout: step.layout, willThinkLong: false, effort: "LOW", rolloutIds: step.agents },
          }),
        ];
      case "token":
        return [step.channel === "answer" ? say(step.text, sideOf(step)) : wrap(reasoningFrame(step))];
      case "spacer":
        return [wrap({ token: "" })];
      case "keep-alive":
        return [wrap({ keepAlive: {}, padding: "x".repeat(step.bytes) })];
      case "tool":
        return toolFrames(step).map((frame) => wrap(frame));
      case "found":
        webResults.push(...(step.web ?? []));
        return [wrap(foundFrame(step))];
      case "card":
        return [card(citationCard(step.card))];
      case "cite":
        return citePieces(step).map((piece) => say(piece));
      case "picture":
        if (step.legacy) return step.chunk === null ? [] : [legacyPicture(step.chunk)];
        return [card(pictureCard(step))];
      case "picture-tag":
        return [say(pictureTag(step))];
      case "found-picture": {
        const shown = card({
          id: step.cardId,
          type: "render_searched_image",
          cardType: "image_card",
          image: step.picture,
        });
        return [
          shown,
          say(
            `<grok:render card_id="${step.cardId}" card_type="image_card" type="render_searched_image"></grok:render>`,
          ),
        ];
      }
      case "fail":
        return [{ error: { code: step.code, message: step.message, details: [] } }];
      case "fault":
        return [wrap({ error: faultObject(step.fault) })];
      case "soft-stop":
        return [wrap({ token: "", isSoftStop: true })];
      case "suggestions":
        return context.suggestions ? [wrap({ finalMetadata: SUGGESTIONS })] : [];
      case "final":
        return [finish(step)];
      case "title":
        return context.flat ? [] : [{ result: { title: { newTitle: step.title } } }];
      case "pause":
      case "hang":
      case "cut":
      case "session-ended":
        return [];
    }
  }

  function legacyPicture(chunk: NonNullable<Extract<Step, { do: "picture" }>["chunk"]>): object {
    if (chunk.progress >= 100 && !chunk.moderated) pictures.push(chunk.imageUrl);
    const { imageUuid, prompt: _prompt, index, ...rest } = chunk;
    const facts = {
      ...rest,
      imageId: imageUuid,
      imageIndex: index,
      assetId: imageUuid,
      imageModel: "imagine-x-1",
      rRated: false,
    };
    return wrap({ streamingImageGenerationResponse: facts });
  }

  return { open, step: translate, answer: () => stored };
}

export function describeConversation(conversation: Conversation): object {
  return {
    conversationId: conversation.id,
    title: conversation.title,
    starred: false,
    createTime: conversation.createdAt,
    modifyTime: conversation.modifiedAt,
    systemPromptName: "",
    temporary: conversation.temporary,
    mediaTypes: [],
    workspaces: [],
    taskResult: null,
    latestAssetMetadata: null,
    viewerIsOwner: true,
    kind: conversation.kind,
  };
}

export function faultObject(fault: StreamFault): object {
  const severity = `STREAM_ERROR_SEVERITY_${fault.fatal ? "FATAL" : "NORMAL"}`;
  return { message: fault.message, severity, [fault.detail]: {} };
}

function sideOf(step: Extract<Step, { do: "token" }>): Frame {
  return step.side === undefined ? {} : { sideBySideIndex: step.side };
}

function reasoningFrame(step: Extract<Step, { do: "token" }>): Frame {
  return {
    token: step.text,
    isThinking: true,
    ...(step.channel === "thinking" ? {} : { messageTag: step.channel }),
    ...origin(step),
  };
}

function origin(step: { agent?: string; step?: number }): Frame {
  return {
    ...(step.agent === undefined ? {} : { rolloutId: step.agent }),
    ...(step.step === undefined ? {} : { messageStepId: step.step }),
  };
}

const XML_TOOL_NAMES: Record<string, string> = {
  webSearch: "web_search",
  xSearch: "x_search",
  codeExecution: "code_execution",
  chatroomSend: "chatroom_send",
};

/** The card twice: as XML in the tokens, whose last piece also carries the structured form. */
function toolFrames(step: Extract<Step, { do: "tool" }>): Frame[] {
  const xml =
    `<xai:tool_usage_card>\n  <xai:tool_usage_card_id>${step.id}</xai:tool_usage_card_id>\n` +
    `  <xai:tool_name>${XML_TOOL_NAMES[step.tool] ?? step.tool}</xai:tool_name>\n` +
    `  <xai:tool_args><![CDATA[${JSON.stringify(step.args)}]]></xai:tool_args>\n</xai:tool_usage_card>`;
  const pieces = cutInto(xml, step.pieces);
  return pieces.map((piece, index) => ({
    token: piece,
    isThinking: true,
    messageTag: "tool_usage_card",
    toolUsageCardId: step.id,
    ...origin(step),
    ...(index === pieces.length - 1
      ? { toolUsageCard: { toolUsageCardId: step.id, [step.tool]: { args: step.args } } }
      : {}),
  }));
}

function foundFrame(step: Extract<Step, { do: "found" }>): Frame {
  const frame: Frame = {
    messageTag: "raw_function_result",
    isThinking: true,
    toolUsageCardId: step.id,
    ...origin(step),
  };
  if (step.web !== undefined) frame["webSearchResults"] = { results: step.web };
  if (step.posts !== undefined) frame["xSearchResults"] = { results: step.posts };
  if (step.code !== undefined) frame["codeExecutionResult"] = { ...step.code, commandTimedOut: false };
  return frame;
}

function citationCard(card: CitationCard): Record<string, unknown> {
  return { id: card.id, type: "render_inline_citation", cardType: "citation_card", url: card.url };
}

function citePieces(step: Extract<Step, { do: "cite" }>): string[] {
  const { card } = step;
  const tag =
    `<grok:render card_id="${card.id}" card_type="citation_card" type="render_inline_citation">\n` +
    `<argument name="citation_id">${card.citationId}</argument>\n</grok:render>`;
  return cutInto(step.before + tag + step.after, step.pieces);
}

function pictureTag(step: Extract<Step, { do: "picture-tag" }>): string {
  return (
    `<grok:render card_id="${step.cardId}" card_type="generated_image_card" type="render_file">` +
    `<argument name="file_path">${step.file}</argument></grok:render>`
  );
}

function pictureCard({ cardId, chunk }: Extract<Step, { do: "picture" }>): Record<string, unknown> {
  const base = { id: cardId, type: "render_file", cardType: "generated_image_card" };
  if (chunk === null) return { ...base, image_chunk: null };
  return { ...base, image_chunk: imageChunk(chunk) };
}

export function imageChunk(chunk: NonNullable<Extract<Step, { do: "picture" }>["chunk"]>): object {
  const { prompt, index, ...rest } = chunk;
  return {
    ...rest,
    imagePrompt: { prompt, upsampledPrompt: prompt, modelName: "imagine-x-1" },
    imageTitle: "",
    imageIndex: index,
    imageModel: "imagine-x-1",
    rRated: false,
    ...(chunk.moderated ? { rejectionReason: "MEDIA_REJECTION_REASON_SAFETY", systemErrCode: 1003 } : {}),
  };
}

export function cutInto(text: string, pieces: number): string[] {
  if (pieces <= 1) return [text];
  const size = Math.ceil(text.length / pieces);
  return Array.from({ length: pieces }, (_, index) => text.slice(index * size, (index + 1) * size)).filter(
    (piece) => piece !== "",
  );
}

const SUGGESTIONS = {
  followUpSuggestions: [
    {
      properties: { messageType: "TEXT", followUpType: "TANGENTIAL" },
      label: "What else can a simulator do?",
      toolOverrides: { imageGen: false, webSearch: false, xSearch: false, videoGen: false },
    },
  ],
  feedbackLabels: [],
  toolsUsed: null,
  disclaimer: "",
};

export function newConversation(facts: { id: string; kind: string; temporary: boolean }): Conversation {
  const createdAt = timestamp();
  return { ...facts, title: "New conversation", createdAt, modifiedAt: createdAt, responses: [] };
}
