// Which stored picture is the preview of which clip: the two come from the same place upstream, so their names begin alike.
// Pure; knows no folder.

const CLIP_END = /-generated[_-]video(?:_hd)?$/;
/** Told apart from a picture that merely lies beside the clip. */
const PREVIEW_END = /^(?:preview[_-]image|thumbnail|poster)/;

const stemOf = (name: string): string => name.replace(/\.[^.]*$/, "");

/** Names of the pictures that show the clip, best first. */
export const previewsOf = (clip: string, pictures: Iterable<string>): string[] => {
  const stem = stemOf(clip);
  const shared = CLIP_END.test(stem) ? `${stem.replace(CLIP_END, "")}-` : null;
  const same: string[] = [];
  const beside: string[] = [];
  for (const picture of pictures) {
    if (stemOf(picture) === stem) same.push(picture);
    else if (shared !== null && picture.startsWith(shared) && PREVIEW_END.test(picture.slice(shared.length)))
      beside.push(picture);
  }
  return [...same, ...beside];
};
