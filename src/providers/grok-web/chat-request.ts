// Builds what the site's chat takes: one flattened text, and the body around it for both REST generations.
// Pure. The payload shapes are those of browsers and gateways between 2026-02 and 2026-08.
import type { ContentPart, GenerationRequest, Message, ReasoningEffort } from "../../core/request.ts";
import type { Mode, WebModel } from "../../core/models.ts";
import { isObject } from "../../lib/json.ts";
import { promptFrame } from "./tool-prompt.ts";

export interface ChatSettings {
  readonly temporary: boolean;
  readonly disableMemory: boolean;
  readonly customInstruction: string;
  /** `mode_id` since 2026-04; `model_mode` is the older pair of modelName and modelMode. */
  readonly selector: "mode_id" | "model_mode";
}

/** What a message without any text says when it only carries attachments. */
const ATTACHMENTS_ONLY = "Refer to the attached content.";

/** A line that would look like a turn or a call of ours if it stood in a caller's text. */
const FORGED_TURN = /^(\s*)\[((?:system|user|assistant|developer|tool\b[^\]]*)\])/gim;
const FORGED_CALL = /<(\/?)(tool_calls?|tool_name|parameters?|(?:xai:)?function_calls?|invoke)\b/gi;

const neutralise = (text: string): string => text.replace(FORGED_TURN, "$1\\[$2").replace(FORGED_CALL, "<\\$1$2");

const textOf = (parts: readonly ContentPart[]): string =>
  parts
    .flatMap((part) => (part.type === "text" ? [part.text] : []))
    .join("\n")
    .trim();

/** Sound JSON cannot forge anything once its tags are broken up; anything else is a text like others. */
const argumentsMarkup = (text: string): string => {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return JSON.stringify(value).replaceAll("</", "<\\/");
  } catch {
    // A call that the caller wrote by hand.
  }
  return neutralise(text);
};

/** A call in the history, in the same markup that a model is asked to use. */
const callMarkup = (message: Message): string => {
  const calls = (message.toolCalls ?? []).map(
    (call) =>
      `  <tool_call>\n    <tool_name>${neutralise(call.name)}</tool_name>\n    <parameters>${argumentsMarkup(call.arguments)}</parameters>\n  </tool_call>`,
  );
  return calls.length > 0 ? `<tool_calls>\n${calls.join("\n")}\n</tool_calls>` : "";
};

/** A result's place in the conversation; the older role `function` has a name instead of an id. */
const resultTitle = ({ toolCallId, name }: Message): string =>
  `[tool result for ${(toolCallId || name || "unknown").replace(/[\]\n\r]/g, "")}]`;

const turn = (message: Message): string => {
  const text = message.role === "system" ? textOf(message.content) : neutralise(textOf(message.content));
  if (message.role === "tool") return `${resultTitle(message)}\n${text}`;
  const body = [text, callMarkup(message)].filter((part) => part !== "").join("\n");
  if (body !== "") return `[${message.role}]\n${body}`;
  return message.content.length > 0 ? `[${message.role}]\n${ATTACHMENTS_ONLY}` : "";
};

const systemTurn = (text: string): Message => ({ role: "system", content: [{ type: "text", text }] });

/**
 * The whole conversation as one text. A lone user message goes bare, as a browser sends it; otherwise each turn is
 * `[role]` on a line of its own, system turns first. Callers' text cannot forge a turn or a tool call.
 */
export const flatten = (messages: readonly Message[]): string => {
  const [only] = messages;
  if (messages.length === 1 && only?.role === "user") return textOf(only.content) || ATTACHMENTS_ONLY;
  const system = messages.filter((message) => message.role === "system");
  const rest = messages.filter((message) => message.role !== "system");
  return [...system, ...rest]
    .map(turn)
    .filter((text) => text !== "")
    .join("\n\n");
};

/**
 * The text of a request: its turns (or those of `messages`), framed by what the model has to know about tools and form,
 * and the answer that missed the demand when it is asked for again.
 */
export const promptOf = (request: GenerationRequest, messages: readonly Message[] = request.messages): string => {
  const { opening, closing } = promptFrame(request, neutralise);
  const { correction } = request;
  const missed: Message[] =
    correction === undefined || correction.answer.trim() === ""
      ? []
      : [{ role: "assistant", content: [{ type: "text", text: correction.answer }] }];
  const body = flatten([...(opening === null ? [] : [systemTurn(opening)]), ...messages, ...missed]);
  return closing === null ? body : `${body}\n\n[system]\n${closing}`;
};

/** What the upstream does not have yet: the whole conversation, or what a follow-up adds to it. */
export const newMessages = ({ messages, continuation }: GenerationRequest): readonly Message[] =>
  continuation === undefined ? messages : messages.slice(continuation.known);

/** A browser window on a Mac, as every gateway has sent it unchanged since 2025. */
const DEVICE = {
  darkModeEnabled: false,
  devicePixelRatio: 2,
  screenWidth: 2056,
  screenHeight: 1329,
  viewportWidth: 2056,
  viewportHeight: 1083,
};

const NO_CONNECTORS = {
  gmailSearch: false,
  googleCalendarSearch: false,
  outlookSearch: false,
  outlookCalendarSearch: false,
  googleDriveSearch: false,
};

export interface ChatBody {
  readonly request: GenerationRequest;
  readonly model: WebModel;
  readonly mode: Mode;
  readonly message: string;
  readonly fileIds: readonly string[];
  readonly settings: ChatSettings;
}

/** The site's own scale has three steps (2026-08). */
const EFFORTS: Readonly<Record<ReasoningEffort, "low" | "medium" | "high" | null>> = {
  none: null,
  minimal: "low",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "high",
};

/** Sampling values; whether the site honours them is unproven (2026-08). */
const overrides = (request: GenerationRequest): object | undefined => {
  const effort = request.reasoningEffort === undefined ? null : EFFORTS[request.reasoningEffort];
  const values = {
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    ...(request.topP === undefined ? {} : { topP: request.topP }),
    ...(effort === null ? {} : { reasoningEffort: effort }),
  };
  return Object.keys(values).length > 0 ? values : undefined;
};

const selectorOf = ({ model, mode, settings }: ChatBody): object =>
  settings.selector === "model_mode"
    ? { modelName: model.web.modelName, modelMode: model.web.modelMode }
    : { modeId: mode };

const metadataOf = (chat: ChatBody): object => {
  const override = overrides(chat.request);
  return {
    ...(chat.settings.selector === "model_mode" ? { requestModelDetails: { modelId: chat.model.web.modelName } } : {}),
    ...(override ? { modelConfigOverride: override } : {}),
  };
};

/** Body of `POST /rest/app-chat/conversations/new`. */
export const newConversationBody = (chat: ChatBody): object => ({
  temporary: chat.settings.temporary,
  ...selectorOf(chat),
  message: chat.message,
  fileAttachments: chat.fileIds,
  imageAttachments: [],
  disableSearch: chat.request.webSearch === false,
  enableImageGeneration: true,
  returnImageBytes: false,
  returnRawGrokInXaiRequest: false,
  enableImageStreaming: true,
  imageGenerationCount: 2,
  forceConcise: false,
  toolOverrides: NO_CONNECTORS,
  enableSideBySide: true,
  sendFinalMetadata: true,
  isReasoning: false,
  disableTextFollowUps: false,
  responseMetadata: metadataOf(chat),
  disableMemory: chat.settings.disableMemory,
  forceSideBySide: false,
  isAsyncChat: false,
  disableSelfHarmShortCircuit: false,
  collectionIds: [],
  connectors: [],
  searchAllConnectors: false,
  deviceEnvInfo: DEVICE,
  ...(chat.settings.customInstruction ? { customPersonality: chat.settings.customInstruction } : {}),
});

export interface FollowUp {
  readonly conversationId: string;
  /** The assistant response being answered. */
  readonly parentResponseId: string;
}

/** Body of a follow-up, after a browser's of 2026-03. */
const followUpBody = (chat: ChatBody, { parentResponseId }: FollowUp): object => {
  const { responseMetadata, ...body } = newConversationBody(chat) as { responseMetadata: object };
  return {
    ...body,
    parentResponseId,
    metadata: { ...responseMetadata, request_metadata: { mode: chat.mode } },
    disableArtifact: false,
    isFromGrokFiles: false,
    skipCancelCurrentInflightRequests: false,
    isRegenRequest: false,
  };
};

/** A turn of a conversation that the upstream holds; the page that a browser sends it from is the conversation's. */
export const followUpCall = (chat: ChatBody, followUp: FollowUp): { path: string; body: object; referer: string } => {
  const id = encodeURIComponent(followUp.conversationId);
  return {
    path: `/rest/app-chat/conversations/${id}/responses`,
    body: followUpBody(chat, followUp),
    referer: `/c/${id}?rid=${encodeURIComponent(followUp.parentResponseId)}`,
  };
};
