// Files on their way to the site: the form byte by byte, one that lies on the disk, and never more at once than the setting allows.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configSchema } from "../../src/config/schema.ts";
import { GatewayError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createUploads } from "../../src/providers/grok-web/assets.ts";
import type { GrokClient, SiteRequest } from "../../src/providers/grok-web/client.ts";
import { uploadForm } from "../../src/providers/grok-web/upload-form.ts";
import { rejection } from "../support/events.ts";

const folder = mkdtempSync(join(tmpdir(), "grok2api-upload-"));
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = new Uint8Array(300_000).map((_, index) => index % 253);
const parsed = async ({ contentType, body }: Awaited<ReturnType<typeof uploadForm>>) =>
  new Response(body, { headers: { "content-type": contentType } }).formData();

describe("the form of an upload", () => {
  test.each(["held", "on the disk"])("has the file whole that is %s, then the fields", async (where) => {
    const path = join(folder, "a.bin");
    writeFileSync(path, bytes);
    const content = where === "held" ? new Blob([bytes]) : Bun.file(path);
    const form = await uploadForm({ name: "a.png", mime: "image/png", content }, { file_source: "SELF" });
    const read = await parsed(form);
    expect([...read.keys()]).toEqual(["file", "file_source"]);
    const file = read.get("file");
    if (!(file instanceof File)) throw new Error("no file");
    expect([file.name, file.type, await file.bytes()]).toEqual(["a.png", "image/png", bytes]);
    expect(read.get("file_source")).toBe("SELF");
  });

  test("is written as a browser writes it", async () => {
    const content = new Blob(["x"]);
    const { contentType, body } = await uploadForm({ name: 'Grüße "1"\r\n.png', mime: "image/png", content }, {});
    const [, boundary = ""] =
      /^multipart\/form-data; boundary=(----WebKitFormBoundary[A-Za-z0-9]{16})$/.exec(contentType) ?? [];
    expect(new TextDecoder().decode(body)).toBe(
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="Grüße %221%22%0D%0A.png"\r\n` +
        `Content-Type: image/png\r\n\r\nx\r\n--${boundary}--\r\n`,
    );
  });
});

describe("uploads at the same time", () => {
  const file = { name: "a.png", mime: "image/png", content: new Blob(["x"]) };
  const set = (answer: (request: SiteRequest) => Promise<object>) => {
    const client = { json: (_: unknown, request: SiteRequest) => answer(request) } as unknown as GrokClient;
    const upload = createUploads({ client, config: () => configSchema.parse({ asset: { upload_concurrent: 2 } }) });
    const leaving = new AbortController();
    const call = {
      credential: { accountId: "acc_1", token: "t", tier: "super" as const },
      signal: leaving.signal,
      log: silentLog,
      learn: () => {},
    };
    return { send: () => upload(call, file), leaving };
  };

  test("are as many as asset.upload_concurrent allows; a failure gives its place back", async () => {
    let now = 0;
    let ever = 0;
    let count = 0;
    const { send } = set(async () => {
      ever = Math.max(ever, ++now);
      await Bun.sleep(2);
      now--;
      if (count++ < 2) throw new Error("broken");
      return { fileMetadataId: `file_${count}` };
    });
    const ends = await Promise.allSettled(Array.from({ length: 7 }, send));
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
    expect(ever).toBe(2);
  });

  test("have the time of asset.upload_timeout, in either shape", async () => {
    const limits: unknown[] = [];
    const { send } = set(async ({ path, firstByte, idle }) => {
      limits.push([path, firstByte.setting, idle.setting]);
      if (limits.length === 1)
        throw new GatewayError("not_found", "no such call", { upstream: { status: 404, text: "" } });
      return { fileMetadataId: "file_1" };
    });
    await send();
    const setting = "asset.upload_timeout";
    expect(limits).toEqual([
      ["/http/upload-file-v2/direct", setting, setting],
      ["/rest/app-chat/upload-file", setting, setting],
    ]);
  });

  test("a caller that leaves waits no longer", async () => {
    const { send, leaving } = set(() => new Promise(() => {}));
    void send();
    void send();
    const waiting = send();
    leaving.abort(new Error("left"));
    expect(String(await rejection(waiting))).toContain("left");
  });
});
