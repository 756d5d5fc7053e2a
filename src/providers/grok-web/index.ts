// grok.com web accounts as a provider: the pieces put together behind the port.
import type { Config } from "../../config/schema.ts";
import type { WebModel } from "../../core/models.ts";
import type { Clock } from "../../lib/clock.ts";
import { addressOf, fileBodyOf } from "../files.ts";
import type { AccountSettings, MediaProvider, Provider, RemoteAssets, VoiceProvider } from "../port.ts";
import type { UpstreamHttp } from "../upstream-port.ts";
import { createAccountSettings } from "./account-settings.ts";
import { createRemoteAssets, createUploads } from "./assets.ts";
import { createChat } from "./chat.ts";
import { createGrokClient } from "./client.ts";
import { createClips } from "./clips.ts";
import { createEdits } from "./edits.ts";
import { createPictures } from "./pictures.ts";
import { createQuota } from "./quota.ts";
import { createVoice } from "./voice.ts";

export interface GrokWeb extends Provider<WebModel>, MediaProvider<WebModel>, VoiceProvider {
  readonly accountSettings: AccountSettings;
  readonly assets: RemoteAssets;
  warmUp(): Promise<void>;
}

export const createGrokWeb = (deps: { http: UpstreamHttp; config: () => Config; clock: Clock }): GrokWeb => {
  const { config } = deps;
  const client = createGrokClient(deps);
  const upload = createUploads({ client, config });
  const generate = createChat({ ...deps, client, upload });
  const { perCall, images } = createPictures({ ...deps, client, chat: generate });
  const edit = createEdits({ client, config, upload });
  return {
    generate,
    picturesPerCall: (model) => (model.kind === "image-edit" ? 1 : perCall(model)),
    images,
    edit,
    ...createClips({ client, config, upload }),
    ...createVoice({ client, config }),
    quota: createQuota({ ...deps, client }),
    accountSettings: createAccountSettings({ ...deps, client }),
    assets: createRemoteAssets({ client, config }),
    resetEgress: client.reset,
    warmUp: client.warmUp,
    async download(source, call) {
      if (source.base64) {
        return { bytes: new Uint8Array(Buffer.from(source.base64, "base64")), mime: "application/octet-stream" };
      }
      return client.download(call, addressOf(source), call.maxBytes);
    },
    openFile: async (source, call) => fileBodyOf(await client.openFile(call, addressOf(source))),
  };
};
