// The official API as a provider: the pieces put together behind the port.
import type { Config } from "../../config/schema.ts";
import type { XaiModel } from "../../core/models.ts";
import type { Clock } from "../../lib/clock.ts";
import { addressOf, fileBodyOf } from "../files.ts";
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
      return client.download(call, { url: addressOf(source), maxBytes: call.maxBytes });
    },
    openFile: async (source, call) => fileBodyOf(await client.openFile(call, addressOf(source))),
  };
};
