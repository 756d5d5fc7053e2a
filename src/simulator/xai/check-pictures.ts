// Looks at the pictures and files in a message's content: what the simulated API cannot read is refused.
// Knows no conversation. Invariant: nothing is fetched; only inline pictures are measured.
import { fieldsOf, textOf } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { badArgument, badShape } from "./refusals.ts";
import type { XaiRefusal } from "./refusals.ts";

const LEAST_SIDE = 8;
const MOST_BYTES = 20 * 1024 * 1024;

export function checkPictures(parts: Fields[]): XaiRefusal | undefined {
  for (const part of parts) {
    const fault = checkPart(part);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function checkPart(part: Fields): XaiRefusal | undefined {
  const type = textOf(part["type"]);
  if (type === "input_file" && part["file_id"] === undefined && part["file_url"] === undefined)
    return badShape("input_file needs `file_id` or `file_url`");
  if (type !== "input_image" && type !== "image_url") return undefined;
  const url = textOf(part["image_url"]) || textOf(fieldsOf(part["image_url"])["url"]);
  return url === "" && part["file_id"] === undefined ? badShape("missing field `image_url`") : checkAddress(url);
}

export function checkAddress(url: string): XaiRefusal | undefined {
  if (url === "" || /^https?:\/\//.test(url)) return undefined;
  const [, mimeType = "", data = ""] = /^data:([\w/+.-]+);base64,([^]*)$/.exec(url) ?? [];
  if (!/^image\/(jpe?g|png|webp)$/.test(mimeType))
    return badArgument("Unsupported image format. Use jpg, png or webp.");
  const bytes = Buffer.from(data, "base64");
  if (bytes.length > MOST_BYTES) return badArgument("The image is larger than 20 MiB.");
  const isPng = bytes.length >= 24 && bytes.subarray(1, 4).toString() === "PNG";
  const small = isPng && Math.min(bytes.readUInt32BE(16), bytes.readUInt32BE(20)) < LEAST_SIDE;
  return small ? badArgument("The image is too small: each side must be at least 8 pixels.") : undefined;
}
