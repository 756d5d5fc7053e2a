// Addresses of stored files that end: a time and a proof of it, made with a secret that never leaves the storage. Off, an address
// is as good as its unguessable name. Knows no file and no route. Invariant: without a good proof nothing about a file is told,
// not even whether it exists.
import { timingSafeEqual } from "node:crypto";
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { randomBytes } from "../lib/ids.ts";
import { isObject, stringAt } from "../lib/json.ts";
import type { Documents } from "../storage/port.ts";
import type { MediaLinks } from "./links.ts";

const COLLECTION = "secrets";
const NAME = "links";
const DIGITS = /^\d{1,12}$/;

const stored = async (documents: Documents): Promise<string | undefined> => {
  const body = (await documents.get(COLLECTION, NAME))?.body;
  return isObject(body) ? stringAt(body, "key") : undefined;
};

/** Two processes may start at the same time: the first one's key is everybody's. */
const readKey = async (documents: Documents): Promise<Uint8Array> => {
  let key = await stored(documents);
  if (key === undefined) {
    const fresh = randomBytes(32).toBase64();
    await documents.write([{ collection: COLLECTION, id: NAME, body: { key: fresh }, expect: 0 }]);
    key = (await stored(documents)) ?? fresh;
  }
  return Uint8Array.fromBase64(key);
};

export interface SignedLinksDeps {
  readonly documents: Documents;
  readonly clock: Pick<Clock, "now">;
  /** 0 signs nothing and asks for no proof. */
  readonly lifeSeconds: () => number;
}

export const createSignedLinks = async ({ documents, clock, lifeSeconds }: SignedLinksDeps): Promise<MediaLinks> => {
  const key = await readKey(documents);
  const proofOf = (name: string, expires: number): string =>
    new Bun.CryptoHasher("sha256", key).update(`${expires} ${name}`).digest("base64url");
  const isProof = (given: string, name: string, expires: number): boolean => {
    const [one, other] = [Buffer.from(given), Buffer.from(proofOf(name, expires))];
    return one.byteLength === other.byteLength && timingSafeEqual(one, other);
  };
  const nowSeconds = (): number => Math.floor(clock.now() / 1000);
  return {
    query(name) {
      const life = lifeSeconds();
      if (life === 0) return "";
      const expires = nowSeconds() + life;
      return `?expires=${expires}&signature=${proofOf(name, expires)}`;
    },
    secondsLeft(name, query) {
      if (lifeSeconds() === 0) return null;
      const expires = query.get("expires") ?? "";
      const signature = query.get("signature") ?? "";
      if (!DIGITS.test(expires) || !isProof(signature, name, Number(expires))) {
        throw new GatewayError("invalid_link", "The link is not signed, or was changed.");
      }
      const left = Number(expires) - nowSeconds();
      if (left <= 0) throw new GatewayError("invalid_link", "The link has expired.");
      return left;
    },
  };
};
