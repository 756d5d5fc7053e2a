// Files of a conversation that the models can only read from the team's file store. They go by themselves after an hour.
// Facts of docs.x.ai, 2026-09: `expires_after` has to stand before the file, and at most 48 MB are taken.
import { GatewayError } from "../../core/errors.ts";
import { stringAt } from "../../lib/json.ts";
import type { ProviderCall } from "../port.ts";
import type { XaiClient } from "./client.ts";
import type { Upload } from "./content.ts";

const EXPIRES_SECONDS = 3600;
const MAX_BYTES = 48 * 1024 * 1024;

export const createUpload =
  (client: XaiClient, call: ProviderCall): Upload =>
  async ({ name, mime, content }, param) => {
    if (content.size > MAX_BYTES) {
      throw new GatewayError("file_too_large", "The official API takes files of up to 48 MiB.", { param });
    }
    const form = new FormData();
    form.append("expires_after", String(EXPIRES_SECONDS));
    form.append("purpose", "assistants");
    form.append("file", new File([content], name, { type: mime }));
    const answer = await client.json(call, { path: "/files", form }).catch((thrown: unknown) => {
      throw keepsNoFiles(thrown) ? noFiles(param) : thrown;
    });
    const id = stringAt(answer, "id");
    if (!id) throw new GatewayError("upstream_malformed", "The upstream took a file but named no id for it.");
    return id;
  };

/** A team without data retention may not upload, nor may a key without that right: both still talk. */
const keepsNoFiles = (thrown: unknown): boolean =>
  thrown instanceof GatewayError &&
  thrown.detail.upstream?.status === 403 &&
  (thrown.code === "account_refused" || thrown.code === "account_model_denied");

const noFiles = (param: string): GatewayError =>
  new GatewayError(
    "unsupported_value",
    "The API key may not upload files, so the model cannot read this one. Pictures and text files are sent without an upload.",
    { param },
  );
