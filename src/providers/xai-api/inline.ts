// Pictures on their way to and from the official API inside JSON: as data URIs there, as base64 with or without a prefix back.
// Knows no route.
import { GatewayError } from "../../core/errors.ts";
import type { MediaSource, Usage } from "../../core/events.ts";
import type { UploadFile } from "../../core/request.ts";
import { numberAt, objectAt, stringAt, type JsonObject } from "../../lib/json.ts";

const MEGABYTE = 1024 * 1024;
/** The newer of the two limits that are documented (2026-09). */
const MAX_BYTES = 20 * MEGABYTE;

const dataUri = async ({ mime, content }: UploadFile): Promise<string> => {
  if (content.size > MAX_BYTES) {
    const message = `The official API takes pictures of up to ${MAX_BYTES / MEGABYTE} MiB.`;
    throw new GatewayError("file_too_large", message, { param: "image" });
  }
  return `data:${mime};base64,${(await content.bytes()).toBase64()}`;
};

/** One after the other: each is held while it is turned into text. */
export const inlined = async (files: readonly UploadFile[]): Promise<readonly { readonly url: string }[]> => {
  const sources: { url: string }[] = [];
  for (const file of files) sources.push({ url: await dataUri(file) });
  return sources;
};

const PREFIX = /^data:([^;,]*)[^,]*,/;

/** Null for an item without a picture. */
export const pictureIn = (item: JsonObject): MediaSource | null => {
  const mime = stringAt(item, "mime_type");
  const base64 = stringAt(item, "b64_json");
  if (base64) {
    // Some models write a whole data URI (seen 2026-08); only its head is looked at, the rest may be megabytes.
    const [prefix, named] = PREFIX.exec(base64.slice(0, 100)) ?? [""];
    const known = named || mime;
    return { base64: base64.slice(prefix.length), ...(known ? { mime: known } : {}) };
  }
  const url = stringAt(item, "url");
  return url ? { url, ...(mime ? { mime } : {}) } : null;
};

/** What an answer with pictures or a clip cost; null when it does not say. Neither has tokens. */
export const costOf = (answer: JsonObject): number | null => {
  const ticks = numberAt(objectAt(answer, "usage"), "cost_in_usd_ticks");
  return ticks === undefined ? null : Math.max(0, Math.round(ticks));
};

export const costUsage = (costTicks: number): Usage => ({
  ...{ inputTokens: 0, outputTokens: 0, reasoningTokens: 0, cachedTokens: 0 },
  estimated: true,
  costTicks,
});
