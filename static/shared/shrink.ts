// Makes photographs as large as any model looks at: those of telephones are far larger. Knows no page.
// Invariant: what cannot be read as a picture, or would not become smaller, comes back as it was.

const SHRINK_FROM_BYTES = 3 * 1024 * 1024;
const LONGEST_EDGE = 2048;

export const shrunk = async (blob: Blob): Promise<Blob> => {
  if (blob.size < SHRINK_FROM_BYTES || !/^image\/(png|jpeg|webp)$/.test(blob.type)) return blob;
  try {
    const picture = await createImageBitmap(blob);
    const scale = Math.min(1, LONGEST_EDGE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const smaller = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
    return smaller !== null && smaller.size < blob.size ? smaller : blob;
  } catch {
    return blob;
  }
};
