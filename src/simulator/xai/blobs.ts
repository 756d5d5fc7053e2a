// Encrypted reasoning and compacted histories: texts that only the team which got them can hand back.
// Knows no request. Invariant: a blob of another team, or with one character changed, does not open.
import { createHash } from "node:crypto";
import { randomHex } from "../chance.ts";

export type BlobKind = "reasoning" | "compaction";

export function sealBlob(teamId: string, kind: BlobKind, turns = 0): string {
  const head = `${kind}.${turns}.${randomHex(24)}`;
  return Buffer.from(`${head}.${seal(teamId, head)}`).toString("base64");
}

/** Turns that the blob stands for; undefined when it is not this team's, not of this kind, or altered. */
export function openBlob(teamId: string, kind: BlobKind, blob: string): number | undefined {
  const [name = "", turns = "", nonce = "", mark = ""] = Buffer.from(blob, "base64").toString().split(".");
  const genuine = name === kind && mark === seal(teamId, `${name}.${turns}.${nonce}`);
  // Base64 readers forgive trailing characters; the real API does not.
  const same = Buffer.from(`${name}.${turns}.${nonce}.${mark}`).toString("base64") === blob;
  return genuine && same ? Number(turns) : undefined;
}

function seal(teamId: string, head: string): string {
  return createHash("sha256").update(`${teamId}/${head}`).digest("hex");
}
