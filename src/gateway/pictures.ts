// Brings a picture that an account has drawn into our own store and says how to link it. The caller never gets the
// upstream's address: it would need the account's cookie.
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../core/errors.ts";
import type { MediaSource } from "../core/events.ts";
import type { Clock } from "../lib/clock.ts";
import type { FetchedMedia, Provider, ProviderCall } from "../providers/port.ts";

export interface Pictures {
  /** A public link, or a data URI when `app.image_format` says so. Throws GatewayError. */
  store(source: MediaSource, call: ProviderCall & { baseUrl: string }): Promise<string>;
}

export interface PictureDeps {
  readonly provider: Pick<Provider, "download">;
  readonly config: () => Config;
  readonly clock: Clock;
  /** Keeps the bytes and returns the stored name and the type that they really have. */
  readonly keep: (file: {
    bytes: Uint8Array;
    origin: string;
    account: string;
  }) => Promise<{ name: string; mime: string }>;
  readonly link: (baseUrl: string, name: string) => string;
}

/** The file may not be there yet when its frame comes (observed 2026-08): these pauses, then give up. */
const PAUSES_MS = [200, 750, 1500];
const NOT_YET = new Set([403, 404, 408, 425, 429, 500, 502, 503, 504]);

export const createPictures = ({ provider, config, clock, keep, link }: PictureDeps): Pictures => {
  const fetchPatiently = async (source: MediaSource, call: ProviderCall): Promise<FetchedMedia> => {
    const maxBytes = config().asset.max_download_mb * 1024 * 1024;
    for (const pause of [...PAUSES_MS, null]) {
      try {
        return await provider.download(source, { ...call, maxBytes });
      } catch (thrown) {
        const status = thrown instanceof GatewayError ? thrown.detail.upstream?.status : undefined;
        if (pause === null || status === undefined || !NOT_YET.has(status)) throw thrown;
        await clock.sleep(pause, call.signal);
      }
    }
    throw new GatewayError("upstream_error", "The picture could not be fetched.");
  };

  return {
    async store(source, call) {
      const file = await fetchPatiently(source, call).catch((thrown: unknown) => {
        call.signal.throwIfAborted();
        // A refused download says nothing about the account: the answer itself was served.
        throw new GatewayError("upstream_error", "A picture of the answer could not be fetched from the upstream.", {
          cause: thrown,
        });
      });
      const kept = await keep({
        bytes: file.bytes,
        origin: source.url ?? "inline",
        account: call.credential.accountId,
      });
      if (config().app.image_format === "url") return link(call.baseUrl, kept.name);
      const base64 = Buffer.from(file.bytes.buffer, file.bytes.byteOffset, file.bytes.byteLength).toString("base64");
      return `data:${kept.mime};base64,${base64}`;
    },
  };
};
