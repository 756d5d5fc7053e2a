// The official API as a provider: the pieces put together behind the port.
import type { Config } from "../../config/schema.ts";
import { GatewayError } from "../../core/errors.ts";
import type { XaiModel } from "../../core/models.ts";
import type { Clock } from "../../lib/clock.ts";
import type { MediaProvider, ModelLister, Provider, SpeechProvider } from "../port.ts";
import type { UpstreamHttp } from "../upstream-port.ts";
import { createXaiClient } from "./client.ts";
import { createGenerate } from "./generate.ts";
import { createKeyCheck } from "./key.ts";
import { createMedia } from "./media.ts";
import { createModelList } from "./models.ts";
import { createSpeech } from "./speech.ts";

export interface XaiApi extends Provider<XaiModel>, MediaProvider<XaiModel>, ModelLister, SpeechProvider {}

export const createXaiApi = (deps: { http: UpstreamHttp; config: () => Config; clock: Clock }): XaiApi => {
  const client = createXaiClient(deps);
  return {
    generate: createGenerate({ client, config: deps.config }),
    ...createMedia({ ...deps, client }),
    ...createSpeech(client),
    quota: createKeyCheck(client),
    models: createModelList(client),
    resetEgress: client.reset,
    async download(source, call) {
      if (source.base64) {
        return { bytes: Uint8Array.fromBase64(source.base64), mime: source.mime ?? "application/octet-stream" };
      }
      if (!source.url) throw new GatewayError("upstream_malformed", "The upstream named no address for its file.");
      return client.download(call, { url: source.url, maxBytes: call.maxBytes });
    },
    async openFile(source, call) {
      if (!source.url) throw new GatewayError("upstream_malformed", "The upstream named no address for its file.");
      const { body, header } = await client.openFile(call, source.url);
      const length = Number(header("content-length") ?? Number.NaN);
      return {
        length: Number.isSafeInteger(length) ? length : null,
        read: () => body.read(),
        cancel: () => body.cancel(),
      };
    },
  };
};
