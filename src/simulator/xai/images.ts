// POST /v1/images/generations and /v1/images/edits: JSON in, addresses or base64 out, a bill in ticks.
// Knows no chat. Invariant: a picture that is moderated has no address and no bytes, and is billed all the same.
import { fieldsOf, textOf } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { finishedJpeg } from "../pictures.ts";
import type { Words } from "../scenarios.ts";
import { pause } from "../chance.ts";
import { answered, generationHeaders, hangHeaders, isRefusal, refusedGeneration } from "./call.ts";
import type { XaiCall } from "./call.ts";
import { checkAddress } from "./check-pictures.ts";
import { findModel, IMAGE_MODELS } from "./models.ts";
import type { ImageModel } from "./models.ts";
import { publish } from "./public-files.ts";
import { badArgument, badShape, modelMissing } from "./refusals.ts";
import type { XaiRefusal } from "./refusals.ts";
import { readXaiWords } from "./words.ts";

const RATIOS = "1:1 3:4 4:3 9:16 16:9 2:3 3:2 9:19.5 19.5:9 9:20 20:9 1:2 2:1 21:9 5:2 auto".split(" ");
const UNSUPPORTED = ["size", "style", "seed", "mask", "stream"];
const MOST_SOURCES = 5;
const QUALITIES = ["low", "medium", "high", "auto"];

export function generateImages(call: XaiCall): Promise<Response | XaiRefusal> {
  return draw(call, []);
}

export function editImages(call: XaiCall): Response | XaiRefusal | Promise<Response | XaiRefusal> {
  const sources = readSources(call);
  return isRefusal(sources) ? sources : draw(call, sources);
}

/** Pictures are named by address or by file; one of `image` and `images`. */
function readSources(call: XaiCall): Fields[] | XaiRefusal {
  const body = fieldsOf(call.body);
  if (body["image"] !== undefined && body["images"] !== undefined)
    return badArgument("Only one of `image` and `images` can be given.");
  const given = Array.isArray(body["images"]) ? body["images"] : [body["image"]];
  if (given.length > MOST_SOURCES)
    return badArgument(`Too many images: ${given.length}. Maximum allowed is ${MOST_SOURCES}.`);
  const sources = given.map(fieldsOf);
  for (const source of sources) {
    const fault = checkSource(call, source);
    if (fault !== undefined) return fault;
  }
  return sources.length === 0 ? badShape("missing field `image`") : sources;
}

export function checkSource({ world, key }: XaiCall, source: Fields): XaiRefusal | undefined {
  const fileId = textOf(source["file_id"]);
  if (fileId !== "") {
    const file = world.xai.files.get(fileId);
    return file === undefined || file.teamId !== key.team.id ? badArgument(`File ${fileId} not found.`) : undefined;
  }
  const url = textOf(source["url"]);
  return url === "" ? badShape("missing field `url`") : checkAddress(url);
}

async function draw(call: XaiCall, sources: Fields[]): Promise<Response | XaiRefusal> {
  const { world, key, request } = call;
  const body = fieldsOf(call.body);
  if (textOf(body["model"]) === "") return badShape("missing field `model`");
  const model = findModel(IMAGE_MODELS, textOf(body["model"]));
  if (model === undefined || key.kind === "small") return modelMissing(key, textOf(body["model"]));
  const fault = checkWishes(body, model);
  if (fault !== undefined) return fault;
  const prompt = textOf(body["prompt"]);
  const words = readXaiWords(prompt, key.scenario);
  const refusal = refusedGeneration(call, words, model.id);
  if (refusal !== undefined) return refusal;
  const open = world.journal.open(call.entry, "rest");
  if (words.has("hang") || words.has("hang-headers")) return hangHeaders(call, open);
  const count = Number(body["n"] ?? 1);
  const seconds = words.has("silence") ? words.number("silence") : 0;
  await pause(world.options.mediaDelayMs * count + seconds * 1000, request.signal);
  open.close(request.signal.aborted ? "aborted" : "completed");
  const wanted = Array.from({ length: count }, (_, index) => index);
  const data = await Promise.all(
    wanted.map((index) => picture(call, { body, words, index, last: index === count - 1 })),
  );
  const blocked = data.some((one) => one["respect_moderation"] === false);
  return answered(
    {
      data,
      usage: { cost_in_usd_ticks: words.has("no-cost") ? 0 : cost(model, body, sources.length) },
      ...(blocked ? { block_reason: "Content violates usage guidelines." } : {}),
    },
    { headers: generationHeaders(key) },
  );
}

function checkWishes(body: Fields, model: ImageModel): XaiRefusal | undefined {
  const unsupported = UNSUPPORTED.find((name) => body[name] != null);
  if (unsupported !== undefined) return badArgument(`Argument not supported: ${unsupported}`);
  if (textOf(body["prompt"]) === "") return badShape("missing field `prompt`");
  const count = body["n"] ?? 1;
  if (typeof count !== "number" || count < 1 || count > 10 || !Number.isInteger(count))
    return badArgument("Invalid value for `n`: must be between 1 and 10.");
  const ratio = body["aspect_ratio"];
  if (ratio != null && !RATIOS.includes(textOf(ratio))) return badArgument(`Invalid aspect ratio: ${textOf(ratio)}`);
  const resolution = body["resolution"];
  if (resolution != null && model.prices.low?.[textOf(resolution)] === undefined)
    return badArgument(`Invalid resolution: ${textOf(resolution)}`);
  const format = body["response_format"];
  if (format != null && format !== "url" && format !== "b64_json")
    return badArgument(`Invalid response format: ${textOf(format)}`);
  return checkQuality(body["quality"], model);
}

/** Only the newest model has qualities; `high` is a known word without a price. */
function checkQuality(quality: unknown, model: ImageModel): XaiRefusal | undefined {
  if (quality == null) return undefined;
  if (model.prices.medium === undefined) return badArgument(`Model ${model.id} does not support parameter quality.`);
  return QUALITIES.includes(textOf(quality)) && quality !== "high"
    ? undefined
    : badArgument(`Invalid quality: ${textOf(quality)}`);
}

function cost(model: ImageModel, body: Fields, sources: number): number {
  const asked = body["quality"] ?? "auto";
  // The retired name is served by its successor at its lowest quality.
  const retired = body["model"] === "grok-imagine-image-quality";
  const medium = !retired && (asked === "medium" || (asked === "auto" && sources > 0));
  const prices = (medium ? model.prices.medium : undefined) ?? model.prices.low ?? {};
  const output = prices[textOf(body["resolution"]) || "1k"] ?? 0;
  return output * Number(body["n"] ?? 1) + sources * model.inputPrice;
}

async function picture(
  { world }: XaiCall,
  { body, words, index, last }: { body: Fields; words: Words; index: number; last: boolean },
): Promise<Fields> {
  const facts = { mime_type: "image/jpeg", revised_prompt: "" };
  const encoded = body["response_format"] === "b64_json";
  if (words.has("image-moderated") || (last && words.has("blocked-picture")))
    return { ...facts, [encoded ? "b64_json" : "url"]: "", respect_moderation: false };
  const [width, height] = sizeOf(textOf(body["aspect_ratio"]));
  const bytes = (): Promise<Uint8Array> => finishedJpeg({ seed: `${textOf(body["prompt"])}/${index}`, width, height });
  if (!encoded) {
    const url = publish(world, { mimeType: "image/jpeg", refused: words.has("asset-refused"), bytes });
    return { url, ...facts, respect_moderation: true };
  }
  const prefix = words.has("b64-prefix") ? "data:image/jpeg;base64," : "";
  return { b64_json: prefix + Buffer.from(await bytes()).toString("base64"), ...facts, respect_moderation: true };
}

function sizeOf(ratio: string): [number, number] {
  const [wide = 1, high = 1] = /^[\d.]+:[\d.]+$/.test(ratio) ? ratio.split(":").map(Number) : [1, 1];
  const scale = Math.sqrt((1024 * 1024) / (wide * high));
  return [Math.round((wide * scale) / 16) * 16, Math.round((high * scale) / 16) * 16];
}
