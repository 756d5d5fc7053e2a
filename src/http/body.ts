// Reads request bodies within a limit. Knows no field. Invariants: never more than the limit is held, whatever is wrong with a
// body is told as a 4xx in the caller's terms, and one that stops coming ends its request.
import { GatewayError } from "../core/errors.ts";
import { isObject, type JsonObject, parseObject } from "../lib/json.ts";
import type { Call } from "./context.ts";

export interface BodyCall extends Pick<Call, "request" | "config"> {
  /** Tests only. */
  readonly bodyMs?: number;
}

const MEGABYTE = 1024 * 1024;
/** For a JSON body of a declared size as a whole, else for each piece: the server's own limit is lifted while an answer is made. */
const BODY_MS = 300_000;

export const bodyLimit = (call: Pick<Call, "config">): number => Math.floor(call.config.server.max_body_mb * MEGABYTE);

const tooLarge = (limit: number): GatewayError =>
  new GatewayError(
    "request_too_large",
    `The request body is larger than ${(limit / MEGABYTE).toFixed(1)} MB (server.max_body_mb).`,
  );

/** The declared size; bodies without one are counted while they are read. */
export const checkDeclaredSize = (call: Pick<Call, "request" | "config">): void => {
  const declared = call.request.headers.get("content-length");
  if (declared !== null && Number(declared) > bodyLimit(call)) throw tooLarge(bodyLimit(call));
};

const inTime = async <T>(work: Promise<T>, { bodyMs = BODY_MS }: BodyCall): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const message = `The rest of the request did not come within ${bodyMs / 1000} seconds.`;
    timer = setTimeout(() => reject(new GatewayError("client_closed", message)), bodyMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** The body as it comes. Counts while it reads, because a chunked body declares no size. */
export async function* bodyPieces(call: BodyCall): AsyncGenerator<Uint8Array, void> {
  const limit = bodyLimit(call);
  const reader = call.request.body?.getReader();
  if (!reader) return;
  let bytes = 0;
  let whole = false;
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read(), call);
      if (done) break;
      bytes += value.byteLength;
      if (bytes > limit) throw tooLarge(limit);
      yield value;
    }
    whole = true;
  } finally {
    // Not waited for: whoever sends nothing may not answer this either.
    if (!whole) reader.cancel().catch(() => {});
  }
}

const isJson = (contentType: string): boolean => {
  const [type = ""] = contentType.split(";");
  return /^\s*(application\/json|[\w.+-]+\/[\w.+-]+\+json)\s*$/i.test(type);
};

/** A JSON body of any shape. A missing content type is taken for JSON. */
export const readJson = async (call: BodyCall): Promise<unknown> => {
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
    if (request.headers.get("content-length") !== null) return await inTime(request.json(), call);
    return JSON.parse(await readLooseText(call));
  } catch (thrown) {
    if (thrown instanceof GatewayError) throw thrown;
    if (request.signal.aborted) throw new GatewayError("client_closed", "The client closed the connection.");
    throw new GatewayError("invalid_json", "The request body is not valid JSON.");
  }
};

export const readObject = async (call: BodyCall): Promise<JsonObject> => {
  const body = await readJson(call);
  if (!isObject(body)) throw new GatewayError("invalid_json", "The request body must be a JSON object.");
  return body;
};

/** An object whatever its content type says; undefined when there is none. For the few routes that scripts call by hand. */
export const readLooseObject = async (call: BodyCall): Promise<JsonObject | undefined> =>
  parseObject(await readLooseText(call));

/** The body as text whatever its content type says, such as a file that is sent as it is. */
export const readLooseText = async (call: BodyCall): Promise<string> => {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of bodyPieces(call)) text += decoder.decode(piece, { stream: true });
  return text + decoder.decode();
};
