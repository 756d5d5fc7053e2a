// Draws the simulated pictures: real JPEG and PNG files, made from a seed, as large as the real ones where
// size matters (clients tell previews from finished pictures by the length of the base64 text).
// Knows no route. Invariant: the same seed and size give the same picture.
import { deflateSync } from "node:zlib";
import type { Asset } from "./accounts.ts";

export interface PictureWish {
  seed: string;
  width: number;
  height: number;
}

/** More than 100 000 base64 characters: what older clients take for a finished picture. */
const FINAL_BYTES = 84_000;
const PREVIEW_BYTES = 33_000;

export async function finishedJpeg(wish: PictureWish): Promise<Uint8Array> {
  const small = scene({ ...wish, width: Math.ceil(wish.width / 4), height: Math.ceil(wish.height / 4) });
  const jpeg = await new Bun.Image(small).resize(wish.width, wish.height).jpeg({ quality: 85 }).bytes();
  return padJpeg(jpeg, FINAL_BYTES);
}

export async function previewJpeg(wish: PictureWish): Promise<Uint8Array> {
  const small = scene({ ...wish, width: Math.ceil(wish.width / 16), height: Math.ceil(wish.height / 16) });
  const jpeg = await new Bun.Image(small)
    .resize(Math.ceil(wish.width / 2), Math.ceil(wish.height / 2))
    .jpeg({ quality: 40 })
    .bytes();
  return padJpeg(jpeg, PREVIEW_BYTES);
}

/** A PNG: a sky, a sun and two hills, coloured by the seed. */
export function scene({ seed, width, height }: PictureWish): Uint8Array<ArrayBuffer> {
  const hash = Number(Bun.hash.wyhash(seed) & 0xffffffn);
  const hue = hash % 360;
  const sky = [hsl(hue, 0.6, 0.78), hsl((hue + 40) % 360, 0.7, 0.5)] as const;
  const sun = { x: width * (0.25 + ((hash >> 8) % 50) / 100), y: height * 0.35, r: Math.min(width, height) * 0.14 };
  const hills = [hsl((hue + 130) % 360, 0.35, 0.38), hsl((hue + 150) % 360, 0.4, 0.26)] as const;
  const stride = width * 3 + 1;
  const rows = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const far = height * (0.68 + 0.05 * Math.sin((x / width) * 7 + hash));
      const near = height * (0.8 + 0.06 * Math.sin((x / width) * 5 + hash * 2));
      const inSun = (x - sun.x) ** 2 + (y - sun.y) ** 2 < sun.r ** 2;
      const colour = y > near ? hills[1] : y > far ? hills[0] : inSun ? SUN : mix(sky[0], sky[1], y / height);
      rows.set(colour, y * stride + 1 + x * 3);
    }
  }
  return encodePng(rows, width, height);
}

export function newGeneratedPicture(facts: { id: string; owner: string; seed: string }): Omit<Asset, "createdAt"> {
  return {
    id: facts.id,
    name: "image.jpg",
    mimeType: "image/jpeg",
    sizeBytes: FINAL_BYTES,
    key: `users/${facts.owner}/generated/${facts.id}/image.jpg`,
    fileSource: "IMAGINE_GENERATED_FILE_SOURCE",
    generated: true,
    bytes: () => finishedJpeg({ seed: facts.seed, width: 768, height: 1152 }),
    extra: { width: 768, height: 1152, rRated: false },
  };
}

type Rgb = readonly [number, number, number];
const SUN: Rgb = [255, 240, 190];

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  return [0, 1, 2].map((index) =>
    Math.round((from[index] ?? 0) * (1 - share) + (to[index] ?? 0) * share),
  ) as unknown as Rgb;
}

function hsl(hue: number, saturation: number, lightness: number): Rgb {
  const channel = (offset: number): number => {
    const k = (offset + hue / 30) % 12;
    const a = saturation * Math.min(lightness, 1 - lightness);
    return Math.round(255 * (lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

function encodePng(rows: Uint8Array, width: number, height: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2, 0, 0, 0], 8);
  const parts = [
    new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]),
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(rows, { level: 3 })),
    pngChunk("IEND", new Uint8Array(0)),
  ];
  return new Uint8Array(Buffer.concat(parts));
}

function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set(new TextEncoder().encode(type), 4);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, Bun.hash.crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

/** Comment segments after the start marker make a file larger without changing the picture. */
function padJpeg(jpeg: Uint8Array, bytes: number): Uint8Array {
  const parts: Uint8Array[] = [jpeg.subarray(0, 2)];
  let missing = bytes - jpeg.length;
  while (missing > 0) {
    const size = Math.min(Math.max(missing, 4), 60_000);
    const comment = new Uint8Array(size);
    comment.set([0xff, 0xfe, (size - 2) >> 8, (size - 2) & 0xff]);
    parts.push(comment.fill(0x20, 4));
    missing -= size;
  }
  parts.push(jpeg.subarray(2));
  return new Uint8Array(Buffer.concat(parts));
}
