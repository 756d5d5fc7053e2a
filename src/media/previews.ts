// Which stored picture is the preview of which clip: the two come from the same place upstream, so their names begin alike.
// Pure; knows no folder.

const CLIP_END = /-generated[_-]video(?:_hd)?$/;
/** Told apart from a picture that merely lies beside the clip. */
const PREVIEW = /^(.+)-(?:preview[_-]image|thumbnail|poster)/;

const stemOf = (name: string): string => name.replace(/\.[^.]*$/, "");

/** Names of the pictures that show a clip, best first. */
export type PreviewIndex = (clip: string) => readonly string[];

export const indexPreviews = (pictures: Iterable<string>): PreviewIndex => {
  const byStem = new Map<string, string[]>();
  const byPlace = new Map<string, string[]>();
  const note = (map: Map<string, string[]>, key: string, picture: string) => {
    const known = map.get(key);
    if (known) known.push(picture);
    else map.set(key, [picture]);
  };
  for (const picture of pictures) {
    note(byStem, stemOf(picture), picture);
    const place = PREVIEW.exec(picture)?.[1];
    if (place !== undefined) note(byPlace, place, picture);
  }
  return (clip) => {
    const stem = stemOf(clip);
    const beside = CLIP_END.test(stem) ? byPlace.get(stem.replace(CLIP_END, "")) : undefined;
    return [...(byStem.get(stem) ?? []), ...(beside ?? [])];
  };
};
