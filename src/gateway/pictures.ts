// Brings a picture or clip that an account has made into our own store and says how to link it. The caller never gets the
// upstream's address: it would need the account's cookie.
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../core/errors.ts";
import type { MediaSource } from "../core/events.ts";
import type { Clock } from "../lib/clock.ts";
import { dataLink, type MediaKind } from "../media/links.ts";
import type { FetchedMedia, Provider, ProviderCall } from "../providers/port.ts";

export interface KeptFile {
  readonly name: string;
  readonly mime: string;
  readonly bytes: Uint8Array;
  readonly link: string;
}

export interface Pictures {
  /** The stored file and its public link, whatever the settings say about pictures. Throws GatewayError. */
  keep(source: MediaSource, call: ProviderCall & { baseUrl: string; kind: MediaKind }): Promise<KeptFile>;
  /** The bytes alone, for what is not worth storing. Throws GatewayError. */
  fetch(source: MediaSource, call: ProviderCall): Promise<FetchedMedia>;
  /** A public link, or a data URI when the caller wants the bytes or `app.image_format` says so. Throws GatewayError. */
  store(source: MediaSource, call: ProviderCall & { baseUrl: string; inline: boolean }): Promise<string>;
}

export interface PictureDeps {
  readonly provider: Pick<Provider, "download">;
  readonly config: () => Config;
  readonly clock: Clock;
  /** Keeps the bytes and returns the stored name and the type that they really have. */
  readonly keep: (file: {
    kind: MediaKind;
    bytes: Uint8Array;
    origin: string;
    account: string;
  }) => Promise<{ name: string; mime: string }>;
  readonly link: (baseUrl: string, file: { kind: MediaKind; name: string }) => string;
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

  const fetch: Pictures["fetch"] = (source, call) =>
    fetchPatiently(source, call).catch((thrown: unknown) => {
      call.signal.throwIfAborted();
      // A refused download says nothing about the account: the answer itself was served.
      throw new GatewayError("upstream_error", "A file of the answer could not be fetched from the upstream.", {
        cause: thrown,
      });
    });
  const stored: Pictures["keep"] = async (source, call) => {
    const { bytes } = await fetch(source, call);
    const { kind } = call;
    const origin = source.url ?? "inline";
    const { name, mime } = await keep({ kind, bytes, origin, account: call.credential.accountId });
    return { name, mime, bytes, link: link(call.baseUrl, { kind, name }) };
  };

  return {
    fetch,
    keep: stored,
    async store(source, call) {
      const file = await stored(source, { ...call, kind: "image" });
      const inline = call.inline || config().app.image_format !== "url";
      return inline ? dataLink(file.mime, file.bytes) : file.link;
    },
  };
};
