// What a caller asked for, in one shape for every downstream protocol. Protocols build it, providers read it.
// Values are already checked; nothing here knows a wire format.

import type { ClipWishes, PictureWishes } from "./media-wishes.ts";

/** Bytes by address or inline; `url` is http(s) only, `data` is base64 without a prefix. */
export type Attachment =
  | { readonly kind: "url"; readonly url: string; readonly name?: string }
  | { readonly kind: "data"; readonly mime: string; readonly data: string; readonly name?: string };

export type ContentPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly source: Attachment; readonly param: string }
  | { readonly type: "audio"; readonly source: Attachment; readonly param: string }
  | { readonly type: "file"; readonly source: Attachment; readonly param: string };

export type Role = "system" | "user" | "assistant" | "tool";

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

export interface Message {
  readonly role: Role;
  readonly content: readonly ContentPart[];
  readonly toolCalls?: readonly ToolCall[];
  readonly toolCallId?: string;
  readonly name?: string;
  /** Reasoning that went with an assistant's message, as the `sealed` of an earlier answer's events. */
  readonly sealedReasoning?: readonly string[];
}

/** A function that the caller declares; `parameters` is a JSON schema. */
export interface ToolDefinition {
  readonly name: string;
  readonly description?: string;
  readonly parameters: { readonly [key: string]: unknown };
  readonly strict?: boolean;
}

/** A tool that the upstream runs by itself, for upstreams that take such; others use their own as they see fit. */
export interface ServerTool {
  readonly type: "web_search" | "x_search" | "code_interpreter";
  /** Options under the official API's names; unknown ones are left out by whoever parses them. */
  readonly options: { readonly [key: string]: unknown };
}

/** `allowed` narrows the declared tools for this turn. */
export type ToolChoice =
  | { readonly mode: "auto" | "none" | "required"; readonly allowed?: readonly string[] }
  | { readonly mode: "forced"; readonly name: string };

export type ResponseFormat =
  | { readonly type: "text" }
  | { readonly type: "json_object" }
  | {
      readonly type: "json_schema";
      readonly name: string;
      readonly schema: { readonly [key: string]: unknown };
      readonly strict: boolean;
    };

/** Where the conversation lives upstream, for a turn that continues it there instead of sending the whole history. */
export interface Continuation {
  readonly accountId: string;
  readonly conversationId: string;
  /** The assistant response being answered. */
  readonly parentResponseId: string;
  /** How many leading messages of the request the upstream has already. */
  readonly known: number;
}

/** An answer that missed what was demanded, to be shown to the model again with what was wrong with it. */
export interface Correction {
  readonly answer: string;
  /** Instruction to the model, in English. */
  readonly note: string;
}

export type ReasoningEffort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh";

export interface GenerationRequest {
  /** The id as the caller wrote it; answers echo it. */
  readonly model: string;
  readonly messages: readonly Message[];
  readonly stream: boolean;
  readonly temperature?: number;
  readonly topP?: number;
  /** Absent: the operator's default decides whether reasoning is shown. */
  readonly reasoningEffort?: ReasoningEffort;
  /** Explicit wish about showing reasoning; wins over the operator's default. */
  readonly showReasoning?: boolean;
  /** The caller will send reasoning back with the conversation, in the form that only its upstream can read. */
  readonly wantsSealedReasoning?: boolean;
  readonly maxTokens?: number;
  readonly stop?: readonly string[];
  readonly tools?: readonly ToolDefinition[];
  readonly toolChoice?: ToolChoice;
  /** Absent means true. */
  readonly parallelToolCalls?: boolean;
  readonly responseFormat?: ResponseFormat;
  /** False switches the upstream's own web search off; absent leaves it to the upstream. */
  readonly webSearch?: boolean;
  readonly serverTools?: readonly ServerTool[];
  /** Stable key of the caller's conversation: keeps it on one account while that account is well. */
  readonly sessionKey?: string;
  readonly continuation?: Continuation;
  /** Heard by models that draw or film, ignored by others. */
  readonly pictureWishes?: PictureWishes;
  readonly clipWishes?: ClipWishes;
  /** Set by the gateway when it asks again. */
  readonly correction?: Correction;
}

/** Whether reasoning is part of the answer: the caller's word first, then the operator's. */
export const showsReasoning = (request: GenerationRequest, byDefault: boolean): boolean =>
  request.showReasoning ?? (request.reasoningEffort ? request.reasoningEffort !== "none" : byDefault);

/** A fetched attachment, ready for an upload. Large ones lie on the disk: read them as late as possible and hold one at a time. */
export interface UploadFile {
  readonly name: string;
  readonly mime: string;
  readonly content: Blob;
}

/** A file that came with a request and lies on the disk. */
export interface ReceivedFile {
  /** As the caller named it. */
  readonly name: string;
  readonly path: string;
  readonly content: Blob;
  /** Makes it outlive the request; the result lets go of it. */
  keep(): () => void;
}
