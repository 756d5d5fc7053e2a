// Fingerprints of secrets: a secret is compared and looked up by its SHA-256 only, so that timing tells nothing about it.
// Knows no kind of secret.
import { randomBytes } from "../lib/ids.ts";

export const digestOf = (secret: string): string => new Bun.CryptoHasher("sha256").update(secret).digest("hex");

/** 256 bits of chance that survive in a header, with a readable beginning. */
export const newSecret = (prefix: string): string => prefix + Buffer.from(randomBytes(32)).toString("base64url");
