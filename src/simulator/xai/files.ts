// The files of a team: upload, list, read, delete.
// Knows no chat. Invariant: a file is seen by its own team alone.
import { nowMs, randomUuid } from "../chance.ts";
import { textOf } from "../fields.ts";
import { answered, isRefusal } from "./call.ts";
import type { XaiCall } from "./call.ts";
import { badArgument, notFound, refuse } from "./refusals.ts";
import type { XaiRefusal } from "./refusals.ts";
import type { XaiFile } from "./state.ts";

const MOST_BYTES = 50 * 1024 * 1024;

export async function uploadFile(call: XaiCall): Promise<Response | XaiRefusal> {
  const { world, key, entry } = call;
  const form = await readForm(call.request);
  if (isRefusal(form)) return form;
  entry.body = describeForm(form);
  // Text inferred: only the status is known.
  if (key.kind === "zdr") return refuse(403, "permission-denied", "Your team has zero data retention enabled.");
  const names = [...form.keys()];
  const file = form.get("file");
  if (!(file instanceof File)) return badArgument("Field `file` is missing.");
  const late = ["purpose", "expires_after"].find((name) => names.indexOf(name) > names.indexOf("file"));
  if (late !== undefined) return badArgument(`Field \`${late}\` must come before \`file\`.`);
  if (file.size > MOST_BYTES) return badArgument("The file is too large.");
  const life = form.get("expires_after");
  const seconds = life === null ? undefined : Number(life);
  if (seconds !== undefined && !(seconds >= 3_600 && seconds <= 2_592_000))
    return badArgument("`expires_after` must be between 3600 and 2592000 seconds.");
  const kept: XaiFile = {
    id: `file_${randomUuid()}`,
    teamId: key.team.id,
    filename: file.name,
    mimeType: file.type === "" ? "application/octet-stream" : file.type,
    purpose: textOf(form.get("purpose")) || "assistants",
    createdAt: Math.floor(nowMs() / 1000),
    expiresAt: seconds === undefined ? undefined : Math.floor(nowMs() / 1000) + seconds,
    bytes: new Uint8Array(await file.arrayBuffer()),
  };
  world.xai.rememberFile(kept);
  return answered(describeFile(kept));
}

/** Parts of a multipart body; anything else is refused. */
export async function readForm(request: Request): Promise<FormData | XaiRefusal> {
  if (!(request.headers.get("content-type") ?? "").includes("multipart/form-data"))
    return { status: 415, body: { error: "Expected request with `Content-Type: multipart/form-data`" } };
  try {
    return await request.formData();
  } catch {
    return { status: 400, body: { error: "Failed to parse the multipart body" } };
  }
}

/** What the journal keeps of a form: texts as they are, files as name, type and size. */
export function describeForm(form: FormData): Record<string, unknown> {
  const entries = [...form.entries()] as [string, string | File][];
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      typeof value === "string" ? value : { filename: value.name, type: value.type, bytes: value.size },
    ]),
  );
}

export function listFiles({ world, key, url }: XaiCall): Response {
  const query = url.searchParams;
  const limit = Math.min(100, Number(query.get("limit") ?? 100));
  const start = Number(query.get("pagination_token") ?? 0);
  const all = world.xai.fileIds(key.team.id).flatMap((id) => world.xai.files.get(id) ?? []);
  const ordered = query.get("order") === "asc" ? all : all.toReversed();
  const data = ordered.slice(start, start + limit).map(describeFile);
  // The token is there on the last page, too.
  return answered({ data, pagination_token: String(start + data.length) });
}

export function getFile(call: XaiCall): Response | XaiRefusal {
  const file = ownFile(call);
  return isRefusal(file) ? file : answered(describeFile(file));
}

export function deleteFile(call: XaiCall): Response | XaiRefusal {
  const file = ownFile(call);
  if (isRefusal(file)) return file;
  call.world.xai.files.delete(file.id);
  return answered({ id: file.id, object: "file", deleted: true });
}

export function fileContent(call: XaiCall): Response | XaiRefusal {
  const file = ownFile(call);
  if (isRefusal(file)) return file;
  return new Response(new Uint8Array(file.bytes), { headers: { "content-type": file.mimeType } });
}

function ownFile({ world, key, params }: XaiCall): XaiFile | XaiRefusal {
  const id = params["id"] ?? "";
  const file = world.xai.files.get(id);
  return file === undefined || file.teamId !== key.team.id ? notFound(`File ${id} not found.`) : file;
}

function describeFile(file: XaiFile): object {
  const { id, filename, purpose, createdAt } = file;
  const expires = file.expiresAt === undefined ? {} : { expires_at: file.expiresAt };
  return { id, object: "file", bytes: file.bytes.length, created_at: createdAt, ...expires, filename, purpose };
}
