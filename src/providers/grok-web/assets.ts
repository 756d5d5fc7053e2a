// Files on the site: uploads for messages (the newest endpoint first, the older one where it is missing), the list of an
// account's files, and their removal. Facts of 2026-08 and 2026-04.
import type { Config } from "../../config/schema.ts";
import { GatewayError } from "../../core/errors.ts";
import type { UploadFile } from "../../core/request.ts";
import { createGate } from "../../lib/lock.ts";
import { numberAt, objectAt, objectsAt, stringAt, type JsonObject } from "../../lib/json.ts";
import type { ProviderCall, RemoteAsset, RemoteAssets } from "../port.ts";
import type { GrokClient } from "./client.ts";
import { uploadForm } from "./upload-form.ts";

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
  // Each upload holds its whole body, so this bounds the memory too.
  const gate = createGate(() => config().asset.upload_concurrent);

  const direct = async (call: ProviderCall, file: UploadFile, purpose: Purpose): Promise<Uploaded> => {
    const fields: Record<string, string> =
      purpose === "imagine" ? { file_source: "IMAGINE_SELF_UPLOAD_FILE_SOURCE" } : {};
    const answer = await client.json(call, {
      path: "/http/upload-file-v2/direct",
      form: await uploadForm(file, fields),
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
          content: (await file.content.bytes()).toBase64(),
        },
        firstByte: limit(),
        idle: limit(),
      }),
    );

  return async (call: ProviderCall, file: UploadFile, purpose: Purpose = "chat"): Promise<Uploaded> => {
    const leave = await gate.enter(call.signal);
    try {
      return await direct(call, file, purpose);
    } catch (thrown) {
      const status = thrown instanceof GatewayError ? thrown.detail.upstream?.status : undefined;
      if (status === undefined || !MISSING.has(status)) throw thrown;
      return await legacy(call, file);
    } finally {
      leave();
    }
  };
};

/** 100 pages of 50: more than any account was seen with, and an end when the site repeats itself. */
const MAX_PAGES = 100;
const LIST = "/rest/assets?pageSize=50&orderBy=ORDER_BY_LAST_USE_TIME&source=SOURCE_ANY&isLatest=true";
const GONE = new Set([404, 410]);

const described = (asset: JsonObject): RemoteAsset[] => {
  const id = stringAt(asset, "assetId");
  if (!id) return [];
  return [
    {
      id,
      name: stringAt(asset, "name") ?? "",
      mime: stringAt(asset, "mimeType") ?? "",
      bytes: numberAt(asset, "sizeBytes") ?? 0,
      createdAt: stringAt(asset, "createTime") ?? null,
      key: stringAt(asset, "key") ?? "",
    },
  ];
};

export const createRemoteAssets = (deps: { client: GrokClient; config: () => Config }): RemoteAssets => {
  const { client, config } = deps;
  const limit = (setting: "list_timeout" | "delete_timeout") => {
    const patience = { ms: config().asset[setting] * 1000, setting: `asset.${setting}` };
    return { firstByte: patience, idle: patience };
  };
  return {
    async list(call) {
      const found = new Map<string, RemoteAsset>();
      const seen = new Set<string>();
      let page = "";
      while (!seen.has(page) && seen.size < MAX_PAGES) {
        seen.add(page);
        const path = page === "" ? LIST : `${LIST}&pageToken=${encodeURIComponent(page)}`;
        const answer = await client.json(call, { method: "GET", path, referer: "/files", ...limit("list_timeout") });
        for (const asset of objectsAt(answer, "assets").flatMap(described)) found.set(asset.id, asset);
        // Absent on the last page (2026-08); an empty one is the first page again.
        page = stringAt(answer, "nextPageToken") ?? "";
      }
      return [...found.values()];
    },
    async remove(assetId, call) {
      const path = `/rest/assets-metadata/${encodeURIComponent(assetId)}`;
      try {
        const response = await client.open(call, {
          method: "DELETE",
          path,
          referer: "/files",
          ...limit("delete_timeout"),
        });
        await response.text(1024);
        return true;
      } catch (thrown) {
        const status = thrown instanceof GatewayError ? thrown.detail.upstream?.status : undefined;
        if (status === undefined || !GONE.has(status)) throw thrown;
        return false;
      }
    },
  };
};
