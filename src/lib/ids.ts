// Identifiers and chance. The only place that asks for randomness.

export const uuid = (): string => crypto.randomUUID();

/** `prefix` + 32 lower-case hex digits. */
export const hexId = (prefix: string): string => prefix + crypto.randomUUID().replaceAll("-", "");

/** 128 bits that stand for a text; equal texts have equal ones. */
export const fingerprint = (text: string): string =>
  new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 32);

export const randomBytes = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));

/** A number in [0, 1). */
export const chance = (): number => Math.random();

const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

/** A password a person can copy by hand: no look-alike letters. 20 characters are about 116 bits. */
export const readablePassword = (length = 20): string => {
  const limit = 256 - (256 % LETTERS.length);
  let text = "";
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      // Bytes over the last whole multiple are dropped, else the first letters would come more often.
      if (byte < limit && text.length < length) text += LETTERS[byte % LETTERS.length];
    }
  }
  return text;
};
