// The Response object that userResponse, modelResponse and stored turns carry, with all keys in wire order
// (order and empty lists as observed 2026-03 and 2026-08). Knows no transport.
import { timestamp } from "./chance.ts";

export interface ResponseFacts {
  responseId: string;
  message: string;
  sender: "human" | "assistant";
  parentResponseId?: string;
  query?: string;
  queryType?: string;
  model?: string;
  metadata?: Record<string, unknown>;
  uiLayout?: Record<string, unknown>;
  requestMetadata?: Record<string, unknown>;
  fileAttachments?: string[];
  generatedImageUrls?: string[];
  cardAttachmentsJson?: string[];
  webSearchResults?: unknown[];
  citedWebSearchResults?: unknown[];
  streamErrors?: unknown[];
  mediaGenInput?: unknown;
  error?: string;
}

export type ResponseObject = Record<string, unknown> & { responseId: string };

export function responseObject(facts: ResponseFacts): ResponseObject {
  const optional = <Value>(key: string, value: Value | undefined): Record<string, Value> =>
    value === undefined ? {} : { [key]: value };
  return {
    responseId: facts.responseId,
    message: facts.message,
    sender: facts.sender,
    createTime: timestamp(),
    ...optional("parentResponseId", facts.parentResponseId),
    manual: false,
    partial: false,
    shared: false,
    query: facts.query ?? "",
    queryType: facts.queryType ?? "",
    webSearchResults: facts.webSearchResults ?? [],
    xpostIds: [],
    xposts: [],
    generatedImageUrls: facts.generatedImageUrls ?? [],
    imageAttachments: [],
    fileAttachments: facts.fileAttachments ?? [],
    cardAttachmentsJson: facts.cardAttachmentsJson ?? [],
    fileUris: [],
    fileAttachmentsMetadata: [],
    isControl: false,
    steps: [],
    imageEditUris: [],
    mediaTypes: [],
    webpageUrls: [],
    metadata: facts.metadata ?? {},
    ...optional("uiLayout", facts.uiLayout),
    citedWebSearchResults: facts.citedWebSearchResults ?? [],
    toolResponses: [],
    model: facts.model ?? "grok-3",
    ...optional("requestMetadata", facts.requestMetadata),
    ragResults: [],
    citedRagResults: [],
    searchProductResults: [],
    connectorSearchResults: [],
    collectionSearchResults: [],
    highlightsStories: [],
    streamErrors: facts.streamErrors ?? [],
    citedXposts: [],
    citedConnectorSearchResults: [],
    citedCollectionSearchResults: [],
    inputChunks: [],
    outputChunks: [],
    ...optional("mediaGenInput", facts.mediaGenInput),
    fileAttachmentAssetMetadata: [],
    fileIds: [],
    ...optional("error", facts.error),
  };
}
