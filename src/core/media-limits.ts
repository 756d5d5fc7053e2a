// What each kind of account can draw and film, against what a request asks for. Pure: a check gives the error that names the
// field, or what the account is to make. Knows no account. Facts of the site: 2026-08; of the official API: docs.x.ai, 2026-09.
// Invariant: nothing that was asked for is silently left out; an offer that cannot do it is not used.
import { GatewayError } from "./errors.ts";
import { CLIP_RATIOS, CLIP_SECONDS, CLIP_SIZES, type ClipRequest, PLAIN_RATIOS } from "./media-request.ts";
import type { PictureRequest } from "./media-request.ts";
import type { Resolution } from "./media-wishes.ts";
import type { Model, WebModel, XaiModel } from "./models.ts";

/** What an account is to film, in values that its kind has. */
export interface ClipPlan {
  readonly ratio: string;
  readonly seconds: number;
  readonly resolution: Resolution;
}

const MOST_EDITED = 5;
const MOST_GUIDES = 7;
const GUIDED_BASE_SECONDS = 10;
const EXTENSION_SECONDS = { least: 2, most: 10 };

/** The first model for clips has rules of its own, and is the only one that changes and carries on clips. */
const isBase = ({ id }: XaiModel): boolean => id === "grok-imagine-video";
const isFirstPictures = ({ id }: XaiModel): boolean => id === "grok-imagine-image";

const refuse = (code: GatewayError["code"], about: { param: string; message: string }): GatewayError =>
  new GatewayError(code, about.message, { param: about.param });

/** The offers that can do it, the preferred first. Throws the preferred one's error when none can. */
export const fitting = (offers: readonly Model[], check: (offer: Model) => GatewayError | object | null): Model[] => {
  const found = offers.map((offer) => ({ offer, error: check(offer) }));
  const able = found.flatMap(({ offer, error }) => (error instanceof GatewayError ? [] : [offer]));
  const [first] = found;
  if (able.length === 0 && first?.error instanceof GatewayError) throw first.error;
  return able;
};

/** Null when the model can draw what is asked for. */
export const checkPictures = (model: Model, request: PictureRequest): GatewayError | null => {
  const { resolution = "1k", resolutionField: param = "resolution", references } = request;
  const isSize = param.endsWith("size");
  if (model.upstream === "web") {
    if (resolution === "1k") return null;
    const message = `'${param}' asks for ${resolution}; web accounts draw in 1k.`;
    return refuse(isSize ? "invalid_size" : "invalid_resolution", { param, message });
  }
  if (resolution === "1.5k" && isFirstPictures(model)) {
    return refuse("invalid_resolution", { param, message: `The model '${model.id}' draws in 1k or 2k.` });
  }
  return tooMany(references, MOST_EDITED);
};

const tooMany = (references: ClipRequest["references"], most: number): GatewayError | null => {
  const surplus = references[most];
  if (!surplus) return null;
  const message = `The official API takes ${most === 1 ? "one picture" : `up to ${most} pictures`} here.`;
  return refuse("invalid_image_count", { param: surplus.param, message });
};

/** What an account is to film for the request, or why it cannot. */
export const planClip = (model: Model, request: ClipRequest): ClipPlan | GatewayError =>
  model.upstream === "web" ? planOnSite(model, request) : planOverApi(model, request);

const planOnSite = (_: WebModel, { ratio, seconds, resolution, stated, silent, edit }: ClipRequest) => {
  if (edit) {
    return new GatewayError("unsupported_operation", "Web accounts have no edits of clips; API keys have.");
  }
  if (silent) {
    const param = stated?.sound ?? "generate_audio";
    return refuse("unsupported_value", { param, message: "Clips of web accounts always come with their sound." });
  }
  if (!PLAIN_RATIOS.includes(ratio)) {
    const param = stated?.ratio ?? "aspect_ratio";
    const message = `'${param}' must be one of: ${[...PLAIN_RATIOS, ...CLIP_SIZES].join(", ")}.`;
    return refuse("invalid_aspect_ratio", { param, message });
  }
  if (resolution === "1080p") {
    const param = stated?.resolution ?? "resolution";
    return refuse("invalid_resolution", { param, message: `'${param}' must be one of: 480p, 720p, SD, HD.` });
  }
  return { ratio, resolution, seconds: CLIP_SECONDS.find((one) => one >= seconds) ?? seconds };
};

const planOverApi = (model: XaiModel, request: ClipRequest): ClipPlan | GatewayError => {
  const { ratio, seconds, resolution, preset, stated } = request;
  // Adult clips are the web accounts' alone; whoever chooses the accounts says so.
  if (preset === "fun") {
    const param = stated?.preset ?? "preset";
    return refuse("invalid_preset", { param, message: "The official API has no preset 'fun'." });
  }
  const error = request.extension || request.edit ? checkAgain(model, request) : checkNew(model, request);
  return error ?? { ratio, seconds, resolution };
};

/** A clip that is changed or carried on keeps its shape. */
const checkAgain = (model: XaiModel, { extension, seconds, stated }: ClipRequest): GatewayError | null => {
  if (!isBase(model)) {
    const message = `The model '${model.id}' neither changes clips nor carries them on; 'grok-imagine-video' does.`;
    return refuse("model_not_supported", { param: "model", message });
  }
  const fixed = stated?.ratio ?? stated?.resolution;
  if (fixed !== undefined) {
    const message = `The official API keeps the shape of the clip; leave '${fixed}' out.`;
    return refuse("unsupported_parameter", { param: fixed, message });
  }
  const { least, most } = EXTENSION_SECONDS;
  if (!extension || (seconds >= least && seconds <= most)) return null;
  const param = stated?.seconds ?? "seconds";
  const message = `'${param}' must be ${least} to ${most}: the official API carries clips on by so many seconds.`;
  return refuse("invalid_video_length", { param, message });
};

const checkNew = (model: XaiModel, request: ClipRequest): GatewayError | null => {
  const { ratio, seconds, resolution, references, stated } = request;
  const guided = isGuided(request.guides, references.length);
  const surplus = tooMany(references, guided ? MOST_GUIDES : 1);
  if (surplus) return surplus;
  if (!CLIP_RATIOS.includes(ratio)) {
    const param = stated?.ratio ?? "aspect_ratio";
    return refuse("invalid_aspect_ratio", { param, message: `'${param}' must be one of: ${CLIP_RATIOS.join(", ")}.` });
  }
  if (resolution === "1080p" && (isBase(model) || guided)) {
    const param = stated?.resolution ?? "resolution";
    const what = guided ? "Clips from reference pictures are" : `Clips of the model '${model.id}' are`;
    return refuse("invalid_resolution", { param, message: `${what} filmed in 480p or 720p.` });
  }
  if (guided && isBase(model) && seconds > GUIDED_BASE_SECONDS) {
    const param = stated?.seconds ?? "seconds";
    const message = `The model '${model.id}' films up to ${GUIDED_BASE_SECONDS} s from reference pictures.`;
    return refuse("invalid_video_length", { param, message });
  }
  return null;
};

/** Whether the pictures say what is to be seen, and none is the first frame. */
export const isGuided = (guides: boolean | undefined, pictures: number): boolean =>
  pictures > 1 || (guides === true && pictures > 0);
