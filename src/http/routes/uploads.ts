// POST /v1/uploads/image: keeps a caller's picture and says where it lies, for requests that name pictures by address.
// Knows no store.
import { GatewayError } from "../../core/errors.ts";
import { baseUrl } from "../client-address.ts";
import type { Call, Route } from "../context.ts";
import { readForm } from "../form.ts";

const MAX_MEGABYTES = 25;

const uploadPicture = async (call: Call): Promise<Response> => {
  const { files } = await readForm(call, { maxFileMegabytes: MAX_MEGABYTES });
  const file = files.find(({ field }) => field === "file")?.file;
  if (!file) throw new GatewayError("missing_file", "The form has no part 'file'.", { param: "file" });
  const { url, name, bytes } = await call.deps.uploads.keep(file, baseUrl(call));
  return Response.json({ url, name, size_bytes: bytes });
};

export const uploadRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/uploads/image",
    auth: "api",
    toggle: "enable_images",
    summary: "Keeps a picture (form field file) and answers with its address.",
    handle: uploadPicture,
  },
];
