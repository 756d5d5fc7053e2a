// Brings a picture or clip that an account has made into our own store and says how to link it. The caller never gets the
// upstream's address: it would need the account's cookie.
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../core/errors.ts";
import type { MediaSource } from "../core/events.ts";
import type { Clock } from "../lib/clock.ts";
import { dataLink, type MediaKind } from "../media/links.ts";
import type { FetchedMedia, FileBody, Provider, ProviderCall } from "../providers/port.ts";

export interface KeptClip {
  readonly name: string;
  readonly mime: string;
  readonly link: string;
}

export interface KeptFile extends KeptClip {
  readonly bytes: Uint8Array;
}

export interface Pictures {
  /** The stored file and its public link, whatever the settings say about pictures. Throws GatewayError. */
  keep(source: MediaSource, call: ProviderCall & { baseUrl: string }): Promise<KeptFile>;
  /** The same for a clip, which goes to the disk without being held. Throws GatewayError. */
  keepClip(source: MediaSource, call: ProviderCall & { baseUrl: string }): Promise<KeptClip>;
  /** The bytes alone, for what is not worth storing. Throws GatewayError. */
  fetch(source: MediaSource, call: ProviderCall): Promise<FetchedMedia>;
  /** A public link, or a data URI when the caller wants the bytes or `app.image_format` says so. Throws GatewayError. */
  store(source: MediaSource, call: ProviderCall & { baseUrl: string; inline: boolean }): Promise<string>;
}

export interface PictureDeps {
  readonly provider: Pick<Provider, "download" | "openFile">;
  readonly config: () => Config;
  readonly clock: Clock;
  /** Keeps the bytes and returns the stored name and the type that they really have. */
  readonly keep: (file: {
    kind: MediaKind;
    bytes: Uint8Array;
    origin: string;
    account: string;
  }) => Promise<{ name: string; mime: string }>;
  readonly keepBody: (file: {
    kind: MediaKind;
    body: FileBody;
    origin: string;
    account: string;
  }) => Promise<{ name: string; mime: string }>;
  readonly link: (baseUrl: string, file: { kind: MediaKind; name: string }) => string;
}

/** The file may not be there yet when its frame comes (observed 2026-08): these pauses, then give up. */
const PAUSES_MS = [200, 750, 1500];
const NOT_YET = new Set([403, 404, 408, 425, 429, 500, 502, 503, 504]);

export const createPictures = ({ provider, config, clock, keep, keepBody, link }: PictureDeps): Pictures => {
  const patiently = async <T>(call: ProviderCall, ask: () => Promise<T>): Promise<T> => {
    for (const pause of [...PAUSES_MS, null]) {
      try {
        return await ask();
      } catch (thrown) {
        const status = thrown instanceof GatewayError ? thrown.detail.upstream?.status : undefined;
        if (pause === null || status === undefined || !NOT_YET.has(status)) throw thrown;
        await clock.sleep(pause, call.signal);
      }
    }
    throw new GatewayError("upstream_error", "The picture could not be fetched.");
  };

  /** A refused download says nothing about the account: the answer itself was served. */
  const blameless =
    (call: ProviderCall) =>
    (thrown: unknown): never => {
      call.signal.throwIfAborted();
      if (thrown instanceof GatewayError && thrown.code === "storage_full") throw thrown;
      throw new GatewayError("upstream_error", "A file of the answer could not be fetched from the upstream.", {
        cause: thrown,
      });
    };
  const fetch: Pictures["fetch"] = (source, call) => {
    const maxBytes = config().asset.max_download_mb * 1024 * 1024;
    return patiently(call, () => provider.download(source, { ...call, maxBytes })).catch(blameless(call));
  };
  const stored: Pictures["keep"] = async (source, call) => {
    const { bytes } = await fetch(source, call);
    const kind = "image";
    const origin = source.url ?? "inline";
    const { name, mime } = await keep({ kind, bytes, origin, account: call.credential.accountId });
    return { name, mime, bytes, link: link(call.baseUrl, { kind, name }) };
  };

  return {
    fetch,
    keep: stored,
    async keepClip(source, call) {
      const kind = "video";
      const { accountId: account } = call.credential;
      const body = await patiently(call, () => provider.openFile(source, call)).catch(blameless(call));
      try {
        const { name, mime } = await keepBody({ kind, body, origin: source.url ?? "inline", account });
        return { name, mime, link: link(call.baseUrl, { kind, name }) };
      } catch (thrown) {
        body.cancel();
        return blameless(call)(thrown);
      }
    },
    async store(source, call) {
      const file = await stored(source, call);
      const inline = call.inline || config().app.image_format !== "url";
      return inline ? dataLink(file.mime, file.bytes) : file.link;
    },
  };
};
