// The little HTML that answers have: a player for a clip. Pure.
// Invariant: only addresses are taken out of it, never markup.

export interface FoundClip {
  readonly source: string;
  readonly poster?: string;
}

export const clipIn = (html: string): FoundClip | null => {
  if (!/<video\b/i.test(html)) return null;
  const source = /<(?:video|source)\b[^>]*\bsrc="([^"]+)"/i.exec(html)?.[1];
  if (source === undefined) return null;
  const poster = /<video\b[^>]*\bposter="([^"]+)"/i.exec(html)?.[1];
  return poster === undefined ? { source } : { source, poster };
};
