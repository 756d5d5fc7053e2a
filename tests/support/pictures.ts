// Small real pictures for tests that send some. Knows no format but PNG and JPEG.
// Invariant: what comes out is told apart from anything else by its first bytes.
import { scene } from "../../src/simulator/pictures.ts";

/** A picture of one grey pixel. */
export const pngBytes = (): Uint8Array<ArrayBuffer> =>
  Uint8Array.fromBase64("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==");

/** The start of a JPEG, enough to be recognised. */
export const jpegBytes = (): Uint8Array<ArrayBuffer> => new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46]);

/** A picture that is large enough for models that look at pictures: some refuse sides below eight pixels. */
export const drawnPng = (seed = "a"): Uint8Array<ArrayBuffer> => scene({ seed, width: 64, height: 48 });
