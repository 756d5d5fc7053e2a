// What the providers' files have in common: where a file lies, and its body on its way. Knows no host and no credential.
import { GatewayError } from "../core/errors.ts";
import type { MediaSource } from "../core/events.ts";
import type { FileBody } from "./port.ts";
import type { UpstreamResponse } from "./upstream-port.ts";

/** Throws GatewayError for a file that the upstream did not say where to find. */
export const addressOf = ({ url }: MediaSource): string => {
  if (url) return url;
  throw new GatewayError("upstream_malformed", "The upstream named no address for its file.");
};

/** An answer as the file that it carries. */
export const fileBodyOf = ({ body, header }: UpstreamResponse): FileBody => {
  const length = Number(header("content-length") ?? Number.NaN);
  return {
    length: Number.isSafeInteger(length) ? length : null,
    read: () => body.read(),
    cancel: () => body.cancel(),
  };
};
