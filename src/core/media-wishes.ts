// What a conversation may say to models that draw or film, beside its text. Checked values, absent where it says nothing.
// Stands apart from the requests for pictures and clips, because a conversation's request carries it.

export type Preset = "fun" | "normal" | "spicy" | "custom";
export type Resolution = "480p" | "720p" | "1080p";
export type PictureResolution = "1k" | "1.5k" | "2k";
export type PictureQuality = "low" | "medium" | "high";

/** The field that stated a value, for errors that name it; absent for what nobody chose. */
export type ClipFields = Partial<Record<"ratio" | "seconds" | "resolution" | "preset" | "sound", string>>;

export interface PictureWishes {
  readonly count?: number;
  readonly ratio?: string;
  /** The bytes themselves instead of a link. */
  readonly inline?: boolean;
  readonly adult?: boolean;
  /** Earlier stages wanted of each picture. */
  readonly previews?: number;
  readonly resolution?: PictureResolution;
  /** The field that stated the resolution. */
  readonly resolutionField?: string;
}

export interface ClipWishes {
  readonly ratio?: string;
  readonly seconds?: number;
  readonly resolution?: Resolution;
  readonly preset?: Preset;
  readonly stated?: ClipFields;
}
