// Seals text so that only this gateway can read it again, and only for the caller that it was made for. Knows no use of it.
// Invariant: the key is made once, kept in storage and never leaves; what is not ours opens to null, never to an error.
import { randomBytes } from "../lib/ids.ts";
import type { Documents } from "../storage/port.ts";

export interface Seal {
  seal(text: string, owner: string): Promise<string>;
  open(sealed: string, owner: string): Promise<string | null>;
}

const PREFIX = "g2a_sealed_v1.";
const IV_BYTES = 12;
const COLLECTION = "secrets";
const NAME = "seal";

const stored = async (documents: Documents): Promise<string | null> => {
  const found = await documents.get(COLLECTION, NAME);
  const { key } = (found?.body ?? {}) as { key?: unknown };
  return typeof key === "string" ? key : null;
};

/** Two processes may start at the same time: the first one's key is everybody's. */
const readKey = async (documents: Documents): Promise<CryptoKey> => {
  let key = await stored(documents);
  if (key === null) {
    const fresh = randomBytes(32).toBase64();
    await documents.write([{ collection: COLLECTION, id: NAME, body: { key: fresh }, expect: 0 }]);
    key = (await stored(documents)) ?? fresh;
  }
  return crypto.subtle.importKey("raw", Uint8Array.fromBase64(key), "AES-GCM", false, ["encrypt", "decrypt"]);
};

export const createSeal = (documents: Documents): Seal => {
  let reading: Promise<CryptoKey> | null = null;
  const keyOf = (): Promise<CryptoKey> => (reading ??= readKey(documents));
  const context = (owner: string) => new TextEncoder().encode(owner);
  return {
    async seal(text, owner) {
      const iv = new Uint8Array(randomBytes(IV_BYTES));
      const rule = { name: "AES-GCM", iv, additionalData: context(owner) };
      const cipher = await crypto.subtle.encrypt(rule, await keyOf(), new TextEncoder().encode(text));
      const whole = new Uint8Array(IV_BYTES + cipher.byteLength);
      whole.set(iv);
      whole.set(new Uint8Array(cipher), IV_BYTES);
      return PREFIX + whole.toBase64();
    },
    async open(sealed, owner) {
      if (!sealed.startsWith(PREFIX)) return null;
      try {
        const whole = Uint8Array.fromBase64(sealed.slice(PREFIX.length));
        const rule = { name: "AES-GCM", iv: whole.slice(0, IV_BYTES), additionalData: context(owner) };
        return new TextDecoder().decode(await crypto.subtle.decrypt(rule, await keyOf(), whole.slice(IV_BYTES)));
      } catch {
        // Changed on the way, or sealed for somebody else.
        return null;
      }
    },
  };
};
