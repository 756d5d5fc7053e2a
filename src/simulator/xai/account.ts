// Who a key is and which models it may use: /v1/api-key, /v1/me, the four listings, tokenize-text.
// Knows no generation. Invariant: a key of a small team sees in every listing what it may use, and nothing else.
import { fieldsOf, textOf } from "../fields.ts";
import { tokensOf } from "../answers.ts";
import { answered } from "./call.ts";
import type { XaiCall } from "./call.ts";
import { checkShape } from "./check.ts";
import type { XaiKey } from "./keys.ts";
import {
  findModel,
  IMAGE_MODELS,
  imageEntry,
  languageEntry,
  plainEntry,
  TEXT_MODELS,
  VIDEO_MODELS,
  videoEntry,
} from "./models.ts";
import type { ImageModel, TextModel, VideoModel } from "./models.ts";
import { mask, modelMissing } from "./refusals.ts";
import type { XaiRefusal } from "./refusals.ts";

const CREATED = "2026-01-01T12:55:18.139305Z";

export function keyInfo({ key }: XaiCall): Response {
  return answered({
    redacted_api_key: mask(key.text),
    user_id: key.userId,
    name: `Simulated key of team ${key.team.word}`,
    create_time: CREATED,
    modify_time: CREATED,
    modified_by: key.userId,
    team_id: key.team.id,
    acls: rightsOf(key),
    api_key_id: key.keyId,
    team_blocked: key.kind === "team-blocked",
    api_key_blocked: key.kind === "blocked",
    api_key_disabled: key.kind === "disabled",
  });
}

function rightsOf({ kind }: XaiKey): string[] {
  if (kind === "acl") return ["api-key:model:*"];
  if (kind === "acl-text") return ["api-key:model:*", "api-key:endpoint:chat"];
  return [kind === "small" ? "api-key:model:grok-4.3" : "api-key:model:*", "api-key:endpoint:*"];
}

export function me({ key }: XaiCall): Response {
  return answered({
    user_id: key.userId,
    team_id: key.team.id,
    team_blocked: key.kind === "team-blocked",
    zdr_status: key.kind === "zdr" ? "enabled" : "disabled",
    api_key: { api_key_id: key.keyId, name: `Simulated key of team ${key.team.word}`, acls: rightsOf(key) },
    oauth: null,
  });
}

const textModels = ({ kind }: XaiKey): readonly TextModel[] =>
  kind === "small" ? TEXT_MODELS.filter(({ id }) => id === "grok-4.3") : TEXT_MODELS;
const imageModels = ({ kind }: XaiKey): readonly ImageModel[] =>
  kind === "small" || kind === "acl-text" ? [] : IMAGE_MODELS;
const videoModels = ({ kind }: XaiKey): readonly VideoModel[] =>
  kind === "small" || kind === "acl-text" ? [] : VIDEO_MODELS;

export function listModels({ key }: XaiCall): Response {
  const all = [...textModels(key), ...imageModels(key), ...videoModels(key)];
  return answered({ object: "list", data: all.map(plainEntry) });
}

export function getModel(call: XaiCall): Response | XaiRefusal {
  const { key } = call;
  return oneOf(call, [...textModels(key), ...imageModels(key), ...videoModels(key)], plainEntry);
}

export function listLanguageModels({ key }: XaiCall): Response {
  return answered({ models: textModels(key).map(languageEntry) });
}

export function getLanguageModel(call: XaiCall): Response | XaiRefusal {
  return oneOf(call, textModels(call.key), languageEntry);
}

export function listImageModels({ key }: XaiCall): Response {
  return answered({ models: imageModels(key).map(imageEntry) });
}

export function getImageModel(call: XaiCall): Response | XaiRefusal {
  return oneOf(call, imageModels(call.key), imageEntry);
}

export function listVideoModels({ key }: XaiCall): Response {
  return answered({ models: videoModels(key).map(videoEntry) });
}

export function getVideoModel(call: XaiCall): Response | XaiRefusal {
  return oneOf(call, videoModels(call.key), videoEntry);
}

export function listEmbeddingModels(): Response {
  return answered({ models: [] });
}

function oneOf<T extends { id: string; aliases: string[] }>(
  { key, params }: XaiCall,
  models: readonly T[],
  entry: (model: T) => object,
): Response | XaiRefusal {
  const id = params["id"] ?? "";
  const model = findModel(models, id);
  return model === undefined ? modelMissing(key, id) : answered(entry(model));
}

/** Ids are made up; texts and bytes are those of the simulator's own tokens. */
export function tokenizeText({ body }: XaiCall): Response | XaiRefusal {
  const shape = checkShape({ input: "", ...fieldsOf(body) }, "input");
  if (shape !== undefined) return shape;
  const tokens = tokensOf(textOf(fieldsOf(body)["text"])).map((token) => ({
    token_id: Number(Bun.hash.wyhash(token) % 130_000n),
    string_token: token,
    token_bytes: [...Buffer.from(token)],
  }));
  const headers = { "x-ratelimit-limit-requests": "41000", "x-ratelimit-remaining-requests": "40999" };
  return answered({ token_ids: tokens }, { headers });
}
