// What a caller asked to be drawn or filmed, in one shape for every downstream protocol, and the tables of what there is to
// choose from. Protocols build it, the gateway reads it. Values are already checked; nothing here knows a wire format.
import type { ClipFields, PictureQuality, PictureResolution, Preset, Resolution } from "./media-wishes.ts";
import type { Attachment, ReceivedFile } from "./request.ts";

/** A picture that the caller sent along: linked, inline, or as an uploaded file. */
export interface Reference {
  readonly source: Attachment | { readonly kind: "file"; readonly content: Blob; readonly keep?: ReceivedFile["keep"] };
  readonly param: string;
}

export interface PictureRequest {
  /** The id as the caller wrote it; answers echo it. */
  readonly model: string;
  readonly prompt: string;
  readonly count: number;
  /** Null leaves it to the upstream, which matters for edits only. */
  readonly ratio: string | null;
  /** Absent leaves both to the upstream. */
  readonly resolution?: PictureResolution;
  /** A wish: models without such a choice draw as they do. */
  readonly fineness?: PictureQuality;
  /** The field that stated the resolution. */
  readonly resolutionField?: string;
  /** Pictures to change; none means to draw from the prompt alone. */
  readonly references: readonly Reference[];
  /** Earlier stages wanted of each picture. */
  readonly previews: number;
  /** Calls that may run at the same time. */
  readonly concurrency: number;
  readonly adult: boolean;
  /** The caller has said no: the operator's default for adult content does not count. */
  readonly tame?: boolean;
  readonly stream: boolean;
  /** The caller wants the bytes themselves, not only a link. */
  readonly inline: boolean;
}

/** A clip that a new one carries on. */
export interface Extension {
  readonly accountId: string;
  /** The clip to carry on, and the first one of its chain; upstream ids. */
  readonly clipId: string;
  readonly firstClipId: string;
  /** Where the new part begins. */
  readonly startSeconds: number;
  /** The file as it is stored here, for upstreams that no longer have it. */
  readonly content?: Blob;
}

/** A clip to be changed: one that an account made, with its file as it is stored here, or one that lies somewhere. */
export interface SourceClip {
  readonly accountId?: string;
  /** The upstream's id of it. */
  readonly clipId?: string;
  readonly content?: Blob;
  /** Of a file that came with the request. */
  readonly keep?: ReceivedFile["keep"];
  readonly url?: string;
}

export interface ClipRequest {
  readonly model: string;
  readonly prompt: string;
  readonly ratio: string;
  readonly seconds: number;
  readonly resolution: Resolution;
  readonly preset: Preset;
  readonly references: readonly Reference[];
  /** The pictures say what is to be seen; otherwise a single one is the first frame. */
  readonly guides?: boolean;
  /** Without sound. */
  readonly silent?: boolean;
  readonly extension?: Extension;
  readonly edit?: SourceClip;
  readonly stated?: ClipFields;
  readonly stream: boolean;
}

/** Sizes that callers of other APIs ask for, and the ratio that comes nearest. */
export const SIZE_RATIOS: Readonly<Record<string, string>> = {
  "1024x1024": "1:1",
  "512x512": "1:1",
  "256x256": "1:1",
  "1280x720": "16:9",
  "1024x576": "16:9",
  "1536x864": "16:9",
  "720x1280": "9:16",
  "576x1024": "9:16",
  "864x1536": "9:16",
  "1792x1024": "3:2",
  "1536x1024": "3:2",
  "1024x768": "3:2",
  "768x512": "3:2",
  "1024x1792": "2:3",
  "1024x1536": "2:3",
  "768x1024": "2:3",
  "512x768": "2:3",
};

/** Sizes of twice the usual side. */
export const LARGE_SIZE_RATIOS: Readonly<Record<string, string>> = {
  "2048x2048": "1:1",
  "2048x1152": "16:9",
  "1152x2048": "9:16",
  "2304x1536": "3:2",
  "1536x2304": "2:3",
  "2048x1536": "4:3",
  "1536x2048": "3:4",
};

/** Ratios that may stand in `size`. */
export const PLAIN_RATIOS: readonly string[] = ["1:1", "16:9", "9:16", "3:2", "2:3"];

/** Ratios that the picture models draw (observed 2026-08). */
export const PICTURE_RATIOS: readonly string[] = [
  ...PLAIN_RATIOS,
  ...["4:3", "3:4", "2:1", "1:2", "21:9", "5:2", "19.5:9", "9:19.5", "20:9", "9:20"],
];

export const DEFAULT_SIZE = "1024x1024";

/** Ratios that some kind of account films (docs.x.ai, 2026-09); web accounts film the plain ones. */
export const CLIP_RATIOS: readonly string[] = [...PLAIN_RATIOS, "4:3", "3:4"];

/** Sizes that a clip may be asked for in, beside the ratios themselves. */
export const CLIP_SIZES: readonly string[] = ["1280x720", "720x1280", "1792x1024", "1024x1792", "1024x1024"];

/** Lengths that web accounts film (observed 2026-08); others are rounded up. */
export const CLIP_SECONDS: readonly number[] = [6, 10, 15];

export const PRESETS: readonly Preset[] = ["fun", "normal", "spicy", "custom"];

/** Pictures that a request may send along, as in OpenAI's API (2026-10). */
export const MAX_REFERENCES = 16;
