// Uploads, the asset list, deletion and downloads.
// Knows nothing of chats. Invariant: a file is reachable only with a cookie of a living account.
import type { Account, Asset } from "./accounts.ts";
import { randomUuid, timestamp } from "./chance.ts";
import { invalid, notFound, refusalByAccount, toResponse } from "./refusals.ts";
import { finishedJpeg } from "./pictures.ts";
import { jsonResponse, keepAsset } from "./world.ts";
import { fieldsOf, textOf } from "./fields.ts";
import type { Call, World } from "./world.ts";

const SOURCES = [
  "SELF_UPLOAD_FILE_SOURCE",
  "IMAGINE_SELF_UPLOAD_FILE_SOURCE",
  "GOOGLE_DRIVE_FILE_SOURCE",
  "ONE_DRIVE_FILE_SOURCE",
];

/** multipart: `file`, then optionally `file_source`. */
export async function uploadDirect(call: Call): Promise<Response> {
  let form: FormData;
  try {
    form = await call.request.formData();
  } catch {
    return toResponse(invalid("multipart body expected"));
  }
  const file = form.get("file");
  const source = textOf(form.get("file_source")) || "SELF_UPLOAD_FILE_SOURCE";
  call.entry.body = describeForm(form);
  if (!(file instanceof File)) return toResponse(invalid("part 'file' is missing"));
  if (!SOURCES.includes(source)) return toResponse(invalid("file_source"));
  if (/sim-?refused/.test(file.name))
    return jsonResponse({
      uploadId: randomUuid(),
      terminalError: { code: "FILE_REJECTED", message: "File was rejected." },
    });
  const bytes = new Uint8Array(await file.arrayBuffer());
  const mimeType = file.type === "" ? "application/octet-stream" : file.type;
  const asset = store(call.account, { name: file.name, mimeType: mimeType.split(";")[0] ?? mimeType, bytes, source });
  // Some uploads are still being processed when the answer goes out: then the metadata is missing.
  if (/sim-?async/.test(file.name)) return jsonResponse({ uploadId: asset.id });
  return jsonResponse({ uploadId: randomUuid(), fileMetadata: metadata(asset) });
}

export function uploadLegacy({ account, body }: Call): Response {
  const fields = fieldsOf(body);
  const name = textOf(fields["fileName"]);
  const content = textOf(fields["content"]);
  if (name === "" || content === "" || content.startsWith("data:"))
    return toResponse(invalid("fileName and base64 content expected"));
  const bytes = new Uint8Array(Buffer.from(content, "base64"));
  const mimeType = textOf(fields["fileMimeType"]) || "application/octet-stream";
  const source = textOf(fields["fileSource"]) || "SELF_UPLOAD_FILE_SOURCE";
  return jsonResponse(metadata(store(account, { name, mimeType, bytes, source })));
}

export function listAssets({ account, url }: Call): Response {
  const query = url.searchParams;
  const size = Math.max(1, Math.min(100, Number(query.get("pageSize") ?? 50)));
  const start = Number(query.get("pageToken") ?? 0);
  const source = query.get("source");
  const all = [...account.assets.values()]
    .filter((asset) => !asset.id.endsWith("-preview"))
    .filter(
      (asset) => source === null || source === "SOURCE_ANY" || asset.generated === (source === "SOURCE_GENERATED"),
    )
    .toReversed();
  const next = start + size < all.length ? { nextPageToken: String(start + size) } : {};
  return jsonResponse({ assets: all.slice(start, start + size).map((asset) => describe(account, asset)), ...next });
}

export function getAsset({ account, params }: Call): Response {
  const asset = account.assets.get(params["id"] ?? "");
  return asset === undefined ? toResponse(notFound("Asset")) : jsonResponse(describe(account, asset));
}

export function deleteAsset({ account, params }: Call): Response {
  return account.assets.delete(params["id"] ?? "") ? jsonResponse({}) : toResponse(notFound("Asset"));
}

/** The assets host: `users/<uuid>/…`, private, with ranges. */
export async function downloadAsset(call: Call): Promise<Response> {
  const { account, request, url } = call;
  const key = decodeURIComponent(url.pathname.slice(1));
  const verdict = refusalByAccount({ account, area: "asset", signed: false });
  if (verdict !== undefined) return toResponse(verdict);
  // A preview lies beside its picture under the same id with a suffix.
  const wanted = key.replace("-part-0/", "/");
  const asset = [...account.assets.values()].find((one) => one.key === wanted);
  if (asset === undefined)
    return toResponse(
      key.startsWith(`users/${account.uuid}/`) ? notFound("File") : { ...notFound("File"), status: 403 },
    );
  if ((asset.refusals ?? 0) > 0) {
    asset.refusals = (asset.refusals ?? 0) - 1;
    return toResponse({ ...notFound("File"), status: 403 });
  }
  return fileResponse(await asset.bytes(), { mimeType: asset.mimeType, range: request.headers.get("range") });
}

/** The public picture host, folded into this server: needs no cookie, draws any id. */
export async function downloadPublic(_world: World, url: URL, range: string | null): Promise<Response> {
  const name = url.pathname.split("/").at(-1) ?? "";
  return fileResponse(await finishedJpeg({ seed: name.replace(/\.\w+$/, ""), width: 768, height: 1152 }), {
    mimeType: "image/jpeg",
    range,
  });
}

function fileResponse(bytes: Uint8Array, how: { mimeType: string; range: string | null }): Response {
  const headers: Record<string, string> = {
    "content-type": how.mimeType,
    "accept-ranges": "bytes",
    server: "cloudflare",
  };
  const asked = /^bytes=(\d*)-(\d*)$/.exec(how.range ?? "");
  if (asked === null) return new Response(new Uint8Array(bytes), { headers });
  const suffix = asked[1] === "";
  const start = suffix ? Math.max(0, bytes.length - Number(asked[2])) : Number(asked[1]);
  const end = suffix || asked[2] === "" ? bytes.length - 1 : Math.min(Number(asked[2]), bytes.length - 1);
  if (start > end || start >= bytes.length) {
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${bytes.length}` } });
  }
  headers["content-range"] = `bytes ${start}-${end}/${bytes.length}`;
  return new Response(bytes.slice(start, end + 1), { status: 206, headers });
}

function store(account: Account, file: { name: string; mimeType: string; bytes: Uint8Array; source: string }): Asset {
  const id = randomUuid();
  return keepAsset(account, {
    id,
    name: file.name,
    mimeType: file.mimeType,
    sizeBytes: file.bytes.length,
    key: `users/${account.uuid}/${id}/content`,
    fileSource: file.source,
    generated: false,
    bytes: () => file.bytes,
    extra: {},
  });
}

function metadata(asset: Asset): object {
  return {
    fileMetadataId: asset.id,
    fileMimeType: asset.mimeType,
    fileName: asset.name,
    fileUri: asset.key,
    parsedFileUri: "",
    createTime: timestamp(asset.createdAt),
    fileSource: asset.fileSource,
  };
}

function describe(account: Account, asset: Asset): object {
  const time = timestamp(asset.createdAt);
  return {
    assetId: asset.id,
    mimeType: asset.mimeType,
    name: asset.name,
    sizeBytes: asset.sizeBytes,
    createTime: time,
    lastUseTime: time,
    summary: "",
    previewImageKey: "",
    key: asset.key,
    auxKeys: { moderated: "false", r_rated: "false" },
    isDeleted: false,
    fileSource: asset.fileSource,
    rootAssetId: asset.id,
    isModelGenerated: asset.generated,
    updateTime: time,
    isLatest: true,
    inlineStatus: "DEFAULT_ARTIFACT_INLINE_STATUS",
    isRootAssetCreatedByModel: asset.generated,
    sharedWithTeam: false,
    sharedWithUserIds: [],
    isPublic: false,
    ...asset.extra,
    ownerUserId: account.uuid,
  };
}

function describeForm(form: FormData): unknown {
  const parts: Record<string, unknown> = {};
  form.forEach((value, name) => {
    parts[name] = typeof value === "string" ? value : { fileName: value.name, type: value.type, size: value.size };
  });
  return { parts };
}
