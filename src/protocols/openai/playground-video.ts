// How the playground asks for a clip: flat fields that become a conversation with the clip model, because the answer is told as
// one. Knows no route. Invariant: every field is checked here, so that a task that was accepted can be filmed.
import type { ContentPart, GenerationRequest } from "../../core/request.ts";
import type { JsonObject } from "../../lib/json.ts";
import { given, oneOf } from "./field.ts";
import { clipPreset, clipRatio, clipResolution, clipSeconds } from "./media-clips.ts";
import { parsePrompt, parseReferences } from "./media-fields.ts";
import { refuseAdult } from "./playground-imagine.ts";

export const CLIP_MODEL = "grok-imagine-1.0-video";

const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh"] as const;

const STATED = { ratio: "aspect_ratio", seconds: "video_length", resolution: "resolution_name", preset: "preset" };

/** What was asked for, and the ratio as it was understood. */
export interface VideoStart {
  readonly request: GenerationRequest;
  readonly ratio: string;
}

export const parseVideoStart = (fields: JsonObject, { adultAllowed }: { adultAllowed: boolean }): VideoStart => {
  const ratio = clipRatio(given(fields, "aspect_ratio") ?? "3:2", "aspect_ratio");
  const preset = clipPreset(given(fields, "preset") ?? "normal", "preset");
  if (preset === "spicy" && !adultAllowed) return refuseAdult("preset");
  const effort = given(fields, "reasoning_effort");
  const reasoningEffort =
    effort === undefined || effort === ""
      ? undefined
      : oneOf(effort, { code: "invalid_reasoning_effort", param: "reasoning_effort", allowed: EFFORTS });
  const seconds = clipSeconds(given(fields, "video_length") ?? 6, "video_length");
  const resolution = clipResolution(given(fields, "resolution_name") ?? "480p", "resolution_name");
  const content: ContentPart[] = [{ type: "text", text: parsePrompt(fields) }, ...pictures(fields)];
  return {
    ratio,
    request: {
      model: CLIP_MODEL,
      messages: [{ role: "user", content }],
      stream: true,
      // Progress is told as reasoning: a page without it would show nothing for a minute.
      showReasoning: reasoningEffort !== "none",
      clipWishes: { ratio, seconds, resolution, preset, stated: STATED },
    },
  };
};

const pictures = (fields: JsonObject): ContentPart[] =>
  parseReferences({ fields, files: [] }, { fields: ["image_url", "image_urls"] }).flatMap(({ source, param }) =>
    source.kind === "url" || source.kind === "data" ? [{ type: "image", source, param } as const] : [],
  );
