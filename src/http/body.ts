// Reads request bodies within a limit. Knows no field. Invariant: never more than the limit is held, and whatever is wrong
// with a body is told as a 4xx in the caller's terms.
import { GatewayError } from "../core/errors.ts";
import { isObject, type JsonObject, parseObject } from "../lib/json.ts";
import type { Call } from "./context.ts";

const MEGABYTE = 1024 * 1024;

export const bodyLimit = (call: Pick<Call, "config">): number => Math.floor(call.config.server.max_body_mb * MEGABYTE);

export const tooLarge = (limit: number): GatewayError =>
  new GatewayError(
    "request_too_large",
    `The request body is larger than ${(limit / MEGABYTE).toFixed(1)} MB (server.max_body_mb).`,
  );

/** The declared size; bodies without one are counted while they are read. */
export const checkDeclaredSize = (call: Pick<Call, "request" | "config">): void => {
  const declared = call.request.headers.get("content-length");
  if (declared !== null && Number(declared) > bodyLimit(call)) throw tooLarge(bodyLimit(call));
};

const isJson = (contentType: string): boolean => {
  const [type = ""] = contentType.split(";");
  return /^\s*(application\/json|[\w.+-]+\/[\w.+-]+\+json)\s*$/i.test(type);
};

/** A JSON body of any shape. A missing content type is taken for JSON. */
export const readJson = async (call: Pick<Call, "request" | "config">): Promise<unknown> => {
  const { request } = call;
  const contentType = request.headers.get("content-type");
  if (contentType !== null && !isJson(contentType)) {
    throw new GatewayError("unsupported_media_type", "This route takes JSON: send Content-Type: application/json.");
  }
  const coding = request.headers.get("content-encoding");
  if (coding !== null && coding !== "identity") {
    throw new GatewayError("unsupported_media_type", "Compressed request bodies are not accepted.");
  }
  try {
    if (request.headers.get("content-length") !== null) return await request.json();
    return JSON.parse(await readText(request, bodyLimit(call)));
  } catch (thrown) {
    if (thrown instanceof GatewayError) throw thrown;
    if (request.signal.aborted) throw new GatewayError("client_closed", "The client closed the connection.");
    throw new GatewayError("invalid_json", "The request body is not valid JSON.");
  }
};

export const readObject = async (call: Pick<Call, "request" | "config">): Promise<JsonObject> => {
  const body = await readJson(call);
  if (!isObject(body)) throw new GatewayError("invalid_json", "The request body must be a JSON object.");
  return body;
};

/** An object whatever its content type says; undefined when there is none. For the few routes that scripts call by hand. */
export const readLooseObject = async (call: Pick<Call, "request" | "config">): Promise<JsonObject | undefined> =>
  parseObject(await readLooseText(call));

/** The body as text whatever its content type says, such as a file that is sent as it is. */
export const readLooseText = (call: Pick<Call, "request" | "config">): Promise<string> =>
  readText(call.request, bodyLimit(call));

/** Counts while it reads, because a chunked body declares no size. */
const readText = async (request: Request, limit: number): Promise<string> => {
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = "";
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > limit) throw tooLarge(limit);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
};
