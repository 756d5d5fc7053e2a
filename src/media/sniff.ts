// What a file really is, told by its first bytes; names and declared types are not believed. Knows no folder and no upload.
// Invariant: only a type found here is ever served inline, so that nothing that a browser would run can pass as a picture.

/** Types that are stored and served. */
export type MediaType = "image/png" | "image/jpeg" | "image/webp" | "image/gif" | "video/mp4";

export const kindOf = (mime: MediaType): "image" | "video" => (mime === "video/mp4" ? "video" : "image");

/** Bytes from the start that are enough to tell every type apart. */
export const SNIFF_BYTES = 64;

const startsWith = (bytes: Uint8Array, text: string): boolean => matchesAt(bytes, { at: 0, text });

/** Compares bytes with a text of characters up to 0xff. */
const matchesAt = (bytes: Uint8Array, part: { readonly at: number; readonly text: string }): boolean => {
  if (bytes.length < part.at + part.text.length) return false;
  for (let index = 0; index < part.text.length; index++) {
    if (bytes[part.at + index] !== part.text.charCodeAt(index)) return false;
  }
  return true;
};

const latin = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Brands of ISO media files that players open as MP4; HEIC, AVIF and QuickTime have other ones. */
const MP4_BRANDS = /^(?:isom|iso[2-9]|mp4[12]|avc1|dash|M4V |M4VP|MSNV|mmp4|F4V )/;

/** The brands of an ISO media file: the main one and the list of compatible ones. */
const isoBrands = (bytes: Uint8Array): readonly string[] => {
  if (!matchesAt(bytes, { at: 4, text: "ftyp" })) return [];
  const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
  const brands = [latin(bytes.subarray(8, 12))];
  for (let at = 16; at + 4 <= Math.min(size, SNIFF_BYTES, bytes.length); at += 4) {
    brands.push(latin(bytes.subarray(at, at + 4)));
  }
  return brands;
};

const NOT_VIDEO = /^(?:M4A |M4B |heic|heix|mif1|msf1|avif|avis|qt {2})/;

const isMp4 = (bytes: Uint8Array): boolean => {
  const brands = isoBrands(bytes);
  const [main = ""] = brands;
  return !NOT_VIDEO.test(main) && brands.some((brand) => MP4_BRANDS.test(brand));
};

/** A type that may be stored and served, or null. */
export const sniffMedia = (bytes: Uint8Array): MediaType | null => {
  if (startsWith(bytes, "\x89PNG\r\n\x1a\n")) return "image/png";
  if (startsWith(bytes, "\xff\xd8\xff")) return "image/jpeg";
  if (startsWith(bytes, "GIF87a") || startsWith(bytes, "GIF89a")) return "image/gif";
  if (startsWith(bytes, "RIFF") && matchesAt(bytes, { at: 8, text: "WEBP" })) return "image/webp";
  return isMp4(bytes) ? "video/mp4" : null;
};

/** Frames of MPEG audio layer III begin with eleven set bits; the layer tells them from AAC. */
const isMp3 = (bytes: Uint8Array): boolean =>
  startsWith(bytes, "ID3") || (bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe6) === 0xe2);

/** Any type that first bytes can prove: what is served, and documents and sounds that callers send. */
export const sniffBytes = (bytes: Uint8Array): string | null => {
  const media = sniffMedia(bytes);
  if (media !== null) return media;
  if (startsWith(bytes, "%PDF-")) return "application/pdf";
  if (startsWith(bytes, "RIFF") && matchesAt(bytes, { at: 8, text: "WAVE" })) return "audio/wav";
  if (startsWith(bytes, "fLaC")) return "audio/flac";
  if (startsWith(bytes, "OggS")) return "audio/ogg";
  if (/^M4[AB] /.test(isoBrands(bytes)[0] ?? "")) return "audio/mp4";
  return isMp3(bytes) ? "audio/mpeg" : null;
};

const DECLARED = /^[a-z0-9][a-z0-9.+-]{0,60}\/[a-z0-9][a-z0-9.+-]{0,80}$/;

/** The type of a caller's file: proven by its bytes, else as declared, else whether it is text. */
export const uploadType = (bytes: Uint8Array, declared: string | null): string => {
  const proven = sniffBytes(bytes);
  if (proven !== null) return proven;
  const claimed = (declared ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (DECLARED.test(claimed) && claimed !== "application/octet-stream") return claimed;
  return isText(bytes) ? "text/plain" : "application/octet-stream";
};

const isText = (bytes: Uint8Array): boolean => {
  if (bytes.length === 0 || bytes.includes(0)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
};
