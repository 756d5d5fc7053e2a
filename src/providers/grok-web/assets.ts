// Uploads for messages: the newest endpoint first, the older one where it is missing. Facts of 2026-08 and 2026-04.
import type { Config } from "../../config/schema.ts";
import { GatewayError } from "../../core/errors.ts";
import type { UploadFile } from "../../core/request.ts";
import { objectAt, stringAt, type JsonObject } from "../../lib/json.ts";
import type { ProviderCall } from "../port.ts";
import type { GrokClient } from "./client.ts";

export interface Uploaded {
  /** What a message's attachment list takes. */
  readonly fileId: string;
  /** Path below the assets host, when the upstream tells. */
  readonly fileUri: string | null;
}

/** What a file is for: pictures to change or to film are uploaded under a source of their own (2026-08). */
export type Purpose = "chat" | "imagine";

/** The newest endpoint does not exist everywhere: these statuses mean "ask the old one". */
const MISSING = new Set([404, 405, 410, 501]);

const metadata = (answer: JsonObject): Uploaded => {
  const file = objectAt(answer, "fileMetadata") ?? answer;
  const fileId = stringAt(file, "fileMetadataId") ?? stringAt(file, "fileId") ?? stringAt(answer, "uploadId");
  if (!fileId) throw new GatewayError("upstream_malformed", "The upstream took a file but named no id for it.");
  return { fileId, fileUri: stringAt(file, "fileUri") ?? null };
};

export const createUploads = (deps: { client: GrokClient; config: () => Config }) => {
  const { client, config } = deps;
  const limit = () => ({ ms: config().asset.upload_timeout * 1000, setting: "asset.upload_timeout" });

  const direct = async (call: ProviderCall, file: UploadFile, purpose: Purpose): Promise<Uploaded> => {
    const form = new FormData();
    form.append("file", new File([new Uint8Array(file.bytes)], file.name, { type: file.mime }));
    if (purpose === "imagine") form.append("file_source", "IMAGINE_SELF_UPLOAD_FILE_SOURCE");
    const answer = await client.json(call, {
      path: "/http/upload-file-v2/direct",
      body: form,
      referer: purpose === "imagine" ? "/imagine" : "/",
      signed: false,
      firstByte: limit(),
      idle: limit(),
    });
    const refused = objectAt(answer, "terminalError");
    if (refused && Object.keys(refused).length > 0) {
      const moderated = /moderat|safety|policy/i.test(JSON.stringify(refused));
      throw new GatewayError(
        moderated ? "content_policy_violation" : "upstream_error",
        moderated ? "The upstream refused the attachment on content grounds." : "The upstream refused the attachment.",
      );
    }
    return metadata(answer);
  };

  const legacy = async (call: ProviderCall, file: UploadFile): Promise<Uploaded> =>
    metadata(
      await client.json(call, {
        path: "/rest/app-chat/upload-file",
        body: {
          fileName: file.name,
          fileMimeType: file.mime,
          content: Buffer.from(file.bytes.buffer, file.bytes.byteOffset, file.bytes.byteLength).toString("base64"),
        },
        firstByte: limit(),
        idle: limit(),
      }),
    );

  return async (call: ProviderCall, file: UploadFile, purpose: Purpose = "chat"): Promise<Uploaded> => {
    try {
      return await direct(call, file, purpose);
    } catch (thrown) {
      const status = thrown instanceof GatewayError ? thrown.detail.upstream?.status : undefined;
      if (status === undefined || !MISSING.has(status)) throw thrown;
      return legacy(call, file);
    }
  };
};
