// The providers as one: whoever has a model or a credential is served by the provider of its kind. Knows no provider's inside.
import { upstreamOf, type Credential } from "../core/credential.ts";
import type { Model, Upstream, WebModel, XaiModel } from "../core/models.ts";
import type { ChatCall, MediaCall, MediaProvider, Provider } from "./port.ts";

type Whole<M extends Model> = Provider<M> & MediaProvider<M>;

export interface ByUpstream {
  readonly web: Whole<WebModel>;
  readonly xai: Whole<XaiModel>;
}

/** The call with its model's kind known, so that each provider sees its own models only. */
const split = <R, C extends ChatCall | MediaCall>(
  call: C,
  to: { web: (call: C & { model: WebModel }) => R; xai: (call: C & { model: XaiModel }) => R },
): R => {
  const { model } = call;
  return model.upstream === "web" ? to.web({ ...call, model }) : to.xai({ ...call, model });
};

export const createByUpstream = (providers: ByUpstream): Whole<Model> => {
  const { web, xai } = providers;
  const of = ({ credential }: { credential: Credential }) => providers[upstreamOf(credential.token)];
  return {
    generate: (request, call) =>
      split(call, { web: (own) => web.generate(request, own), xai: (own) => xai.generate(request, own) }),
    images: (task, call) => split(call, { web: (own) => web.images(task, own), xai: (own) => xai.images(task, own) }),
    edit: (task, call) => split(call, { web: (own) => web.edit(task, own), xai: (own) => xai.edit(task, own) }),
    video: (task, call) => split(call, { web: (own) => web.video(task, own), xai: (own) => xai.video(task, own) }),
    picturesPerCall: (model) => (model.upstream === "web" ? web.picturesPerCall(model) : xai.picturesPerCall(model)),
    quota: (call) => of(call).quota(call),
    download: (source, call) => of(call).download(source, call),
    openFile: (source, call) => of(call).openFile(source, call),
    upscale: (clipId, call) => of(call).upscale(clipId, call),
    findClip: (clipId, call) => of(call).findClip(clipId, call),
    resetEgress: (upstream: Upstream) => providers[upstream].resetEgress(upstream),
  };
};
