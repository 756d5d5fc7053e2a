// Makes the self-signed certificate of the TLS mock, so that the bench needs no openssl on the machine.
// Owns a few lines of DER; knows nothing of servers. Invariant: key and certificate live two days, in the rig's temporary folder.
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const SEQUENCE = 0x30;
const SET = 0x31;
const DAY_MS = 86_400_000;
const OID_COMMON_NAME = "550403";
const OID_ECDSA_SHA256 = "2a8648ce3d040302";
const OID_ALTERNATIVE_NAME = "551d11";

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"));
const text = (value: string) => der(0x0c, Buffer.from(value));
const time = (ms: number) =>
  der(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`));

export function writeCertificate(folder: string): { keyPath: string; certPath: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(SEQUENCE, oid(OID_ECDSA_SHA256));
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, oid(OID_COMMON_NAME), text("localhost"))));
  const hosts = der(SEQUENCE, der(0x82, Buffer.from("localhost")), der(0x87, Buffer.from([127, 0, 0, 1])));
  const extensions = der(0xa3, der(SEQUENCE, der(SEQUENCE, oid(OID_ALTERNATIVE_NAME), der(0x04, hosts))));
  const serial = randomBytes(8);
  serial[0] = 0x4a;
  const now = Date.now();
  const body = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    name,
    der(SEQUENCE, time(now - DAY_MS), time(now + DAY_MS)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    extensions,
  );
  const signature = sign("sha256", body, privateKey);
  const certificate = der(SEQUENCE, body, algorithm, der(0x03, Buffer.from([0]), signature));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  const keyPath = join(folder, "key.pem");
  const certPath = join(folder, "cert.pem");
  writeFileSync(keyPath, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  writeFileSync(certPath, `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`);
  return { keyPath, certPath };
}
