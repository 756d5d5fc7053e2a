// Reads a body that may be a JSON object or a multipart form, as fields and files. The files go to the disk while they come and
// are removed when the call is closed, unless somebody keeps them. Knows no field.
// Invariants: no file is held, limits act while the body is read, and a form that breaks off leaves nothing behind.
import type { Readable } from "node:stream";
import { Busboy, type BusboyInstance } from "@fastify/busboy";
import { GatewayError } from "../core/errors.ts";
import type { ReceivedFile } from "../core/request.ts";
import type { JsonObject } from "../lib/json.ts";
import { type BodyCall, bodyLimit, bodyPieces, readObject } from "./body.ts";
import type { Call } from "./context.ts";

export interface FormFile {
  /** The field that carried it. */
  readonly field: string;
  readonly file: ReceivedFile;
}

export interface FormBody {
  readonly fields: JsonObject;
  readonly files: readonly FormFile[];
}

export interface FormLimits {
  readonly maxFileMegabytes: number;
}

/** What the upstream takes for one picture (2026-08). */
export const PICTURE_FILES: FormLimits = { maxFileMegabytes: 50 };

type FormCall = BodyCall & Pick<Call, "onClose"> & { readonly deps: Pick<Call["deps"], "incoming"> };

const MEGABYTE = 1024 * 1024;
/** Beyond every honest form; a flood of tiny parts costs more than its bytes. */
const MOST_FILES = 64;
const MOST_FIELDS = 512;

const isForm = (request: Request): boolean =>
  /^\s*multipart\/form-data\b/i.test(request.headers.get("content-type") ?? "");

export const readFormOrJson = async (call: FormCall, limits: FormLimits): Promise<FormBody> =>
  isForm(call.request) ? readForm(call, limits) : { fields: await readObject(call), files: [] };

/** A field that comes more than once becomes a list. */
export const readForm = async (call: FormCall, limits: FormLimits): Promise<FormBody> => {
  const { request } = call;
  if (!isForm(request)) {
    throw new GatewayError(
      "unsupported_media_type",
      "This route takes a form: send Content-Type: multipart/form-data.",
    );
  }
  const fields = new Map<string, unknown>();
  const parser = openParser(call);
  const incoming = watch(parser, {
    onField: (name, value) => {
      const before = fields.get(name);
      fields.set(
        name,
        before === undefined ? value : [...(Array.isArray(before) ? (before as unknown[]) : [before]), value],
      );
    },
    onFile: async (field, { stream, name }) => {
      const file = await call.deps.incoming.receive(name, capped(stream, { field, ...limits }));
      call.onClose(file.keep());
      return { field, file };
    },
  });
  try {
    for await (const chunk of bodyPieces(call)) await incoming.write(chunk);
    return { files: await incoming.end(), fields: Object.fromEntries(fields) };
  } catch (thrown) {
    await incoming.giveUp();
    if (thrown instanceof GatewayError) throw thrown;
    if (request.signal.aborted) throw new GatewayError("client_closed", "The client closed the connection.");
    throw thrown;
  }
};

const unreadable = (cause: unknown): GatewayError =>
  new GatewayError("invalid_value", "The form could not be read.", { cause });

const openParser = (call: FormCall): BusboyInstance => {
  const headers = { "content-type": call.request.headers.get("content-type") ?? "" };
  const limits = { files: MOST_FILES, fields: MOST_FIELDS, fieldSize: bodyLimit(call) };
  try {
    return new Busboy({ headers, limits });
  } catch (thrown) {
    throw unreadable(thrown);
  }
};

interface FormHandlers {
  readonly onField: (name: string, value: string) => void;
  readonly onFile: (field: string, file: { stream: Readable; name: string }) => Promise<FormFile>;
}

/** The parser as promises: whatever goes wrong in it, or with a file, rejects whoever waits. */
const watch = (parser: BusboyInstance, { onField, onFile }: FormHandlers) => {
  const files: Promise<FormFile>[] = [];
  const streams: Readable[] = [];
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  failed.catch(() => {});
  const finished = new Promise<void>((resolve) => parser.on("finish", resolve));
  parser.on("error", (error) => fail(unreadable(error)));
  parser.on("field", onField);
  parser.on("file", (field, stream, name) => {
    // Whoever reads it is told; one that nobody reads yet would end the process.
    stream.on("error", () => {});
    streams.push(stream);
    const file = onFile(field, { stream, name: name ?? "" });
    file.catch(fail);
    files.push(file);
  });
  for (const event of ["filesLimit", "fieldsLimit"] as const) {
    parser.on(event, () =>
      fail(
        new GatewayError("invalid_value", `A form may have ${MOST_FIELDS} fields and ${MOST_FILES} files at the most.`),
      ),
    );
  }
  return {
    /** Resolves when there is room for more. */
    write: (chunk: Uint8Array): Promise<void> =>
      Promise.race([failed, new Promise<void>((resolve) => parser.write(chunk, () => resolve()))]),
    async end(): Promise<FormFile[]> {
      parser.end();
      await Promise.race([failed, finished]);
      return Promise.race([failed, Promise.all(files)]);
    },
    async giveUp(): Promise<void> {
      for (const stream of streams) stream.destroy(new Error("the form is not read any further"));
      parser.destroy();
      await Promise.allSettled(files);
    },
  };
};

async function* capped(
  stream: Readable,
  { field, maxFileMegabytes }: FormLimits & { field: string },
): AsyncGenerator<Uint8Array, void> {
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxFileMegabytes * MEGABYTE) {
      const message = `The file in '${field}' is larger than ${maxFileMegabytes} MiB.`;
      throw new GatewayError("file_too_large", message, { param: field });
    }
    yield chunk;
  }
}
