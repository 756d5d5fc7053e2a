// Reads a body that may be a JSON object or a multipart form, as fields and files. Knows no field. Invariant: never more than
// the limit is held, and a broken form is told as a 400.
import { GatewayError } from "../core/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { bodyLimit, readObject } from "./body.ts";
import type { Call } from "./context.ts";

export interface FormFile {
  /** The field that carried it. */
  readonly field: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface FormBody {
  readonly fields: JsonObject;
  readonly files: readonly FormFile[];
}

const isForm = (request: Request): boolean =>
  /^\s*multipart\/form-data\b/i.test(request.headers.get("content-type") ?? "");

export const readFormOrJson = async (call: Pick<Call, "request" | "config">): Promise<FormBody> =>
  isForm(call.request) ? readForm(call) : { fields: await readObject(call), files: [] };

/** A field that comes more than once becomes a list. */
export const readForm = async (call: Pick<Call, "request" | "config">): Promise<FormBody> => {
  const form = await parseForm(call);
  const fields: Record<string, unknown> = {};
  const files: FormFile[] = [];
  const entries: [string, string | File][] = [];
  form.forEach((value, field) => entries.push([field, value]));
  for (const [field, value] of entries) {
    if (typeof value !== "string") {
      files.push({ field, name: value.name, bytes: new Uint8Array(await value.arrayBuffer()) });
      continue;
    }
    const before = fields[field];
    fields[field] =
      before === undefined ? value : [...(Array.isArray(before) ? (before as unknown[]) : [before]), value];
  }
  return { fields, files };
};

const parseForm = async (call: Pick<Call, "request" | "config">): Promise<FormData> => {
  const { request } = call;
  if (!isForm(request)) {
    throw new GatewayError(
      "unsupported_media_type",
      "This route takes a form: send Content-Type: multipart/form-data.",
    );
  }
  const body = await readBytes(call);
  try {
    const headers = { "content-type": request.headers.get("content-type") ?? "" };
    return await new Response(body, { headers }).formData();
  } catch (thrown) {
    throw new GatewayError("invalid_value", "The form could not be read.", { cause: thrown });
  }
};

/** Counted while it is read, because a chunked body declares no size. */
const readBytes = async (call: Pick<Call, "request" | "config">): Promise<Blob> => {
  const limit = bodyLimit(call);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of call.request.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > limit) {
      throw new GatewayError("request_too_large", "The request body is larger than server.max_body_mb allows.");
    }
    chunks.push(new Uint8Array(chunk));
  }
  return new Blob(chunks);
};
