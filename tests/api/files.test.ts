import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MediaFiles, StoredFile } from "../../src/http/context.ts";
import { serve } from "../../src/http/serve.ts";
import { createHarness, type Harness } from "./harness.ts";

const BYTES = new Uint8Array(1000).map((_, index) => index % 251);
const MODIFIED = Date.UTC(2026, 5, 1, 12, 0, 0, 500);
let folder = "";
let asked: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "files-test-"));
  writeFileSync(join(folder, "a.png"), BYTES);
});
afterAll(() => rmSync(folder, { recursive: true }));

const createFiles = (): MediaFiles => ({
  async find(kind, name): Promise<StoredFile | null> {
    asked.push(`${kind} ${name}`);
    if (name !== "a.png" || kind !== "image") return null;
    return { path: join(folder, name), mime: "image/png", bytes: 1000, etag: "e1", modifiedMs: MODIFIED };
  },
});

const harness = (): Harness => {
  asked = [];
  return createHarness({ media: createFiles() });
};

const get = (headers: Record<string, string> = {}, path = "/v1/files/image/a.png") =>
  harness().request(path, { headers });

const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

describe("a stored file", () => {
  test.each(["/v1/files/image/a.png", "/v1/files/image?id=a.png", "/images/a.png"])("is sent from %s", async (path) => {
    const response = await get({}, path);
    expect(response.status).toBe(200);
    expect(await bytesOf(response)).toEqual(BYTES);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "image/png",
      "cache-control": "public, max-age=31536000, immutable",
      etag: '"e1"',
      "accept-ranges": "bytes",
      "content-disposition": "inline",
      "x-content-type-options": "nosniff",
      "access-control-allow-origin": "*",
      "last-modified": "Mon, 01 Jun 2026 12:00:00 GMT",
    });
  });

  test.each([
    ["bytes=0-9", 206, "bytes 0-9/1000", [0, 10]],
    ["bytes=990-", 206, "bytes 990-999/1000", [990, 1000]],
    ["bytes=-10", 206, "bytes 990-999/1000", [990, 1000]],
    ["bytes=-5000", 206, "bytes 0-999/1000", [0, 1000]],
    ["bytes=5-99999", 206, "bytes 5-999/1000", [5, 1000]],
    ["bytes=0-0,5-6", 200, null, [0, 1000]],
    ["bytes=9-3", 200, null, [0, 1000]],
    ["lines=1-2", 200, null, [0, 1000]],
    ["bytes=-", 200, null, [0, 1000]],
  ] as const)("answers %s", async (range, status, contentRange, [start, end]) => {
    const response = await get({ range });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-range")).toBe(contentRange);
    expect(await bytesOf(response)).toEqual(BYTES.slice(start, end));
  });

  test.each(["bytes=1000-", "bytes=-0", "bytes=2000-3000"])("refuses %s with its size", async (range) => {
    const response = await get({ range });
    expect(response.status).toBe(416);
    expect(response.headers.get("content-range")).toBe("bytes */1000");
    expect(await response.json()).toMatchObject({ error: { code: "range_not_satisfiable" } });
  });

  test.each([
    [{ "if-none-match": '"e1"' }, 304],
    [{ "if-none-match": 'W/"e1", "e2"' }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": '"e2"' }, 200],
    [{ "if-none-match": '"e2"', "if-modified-since": "Mon, 01 Jun 2026 12:00:00 GMT" }, 200],
    [{ "if-modified-since": "Mon, 01 Jun 2026 12:00:00 GMT" }, 304],
    [{ "if-modified-since": "Mon, 01 Jun 2026 11:59:59 GMT" }, 200],
    [{ "if-modified-since": "nonsense" }, 200],
    [{ range: "bytes=0-9", "if-range": '"e1"' }, 206],
    [{ range: "bytes=0-9", "if-range": '"e2"' }, 200],
  ] as readonly [Record<string, string>, number][])("answers the condition %j with %d", async (headers, status) => {
    const response = await get(headers);
    expect(response.status).toBe(status);
    if (status === 304) expect((await bytesOf(response)).length).toBe(0);
    expect(response.headers.get("etag")).toBe('"e1"');
  });

  test.each([
    "/v1/files/image/..%2F..%2Fetc%2Fpasswd",
    "/v1/files/image/%2e%2e",
    "/v1/files/image/a%00.png",
    "/v1/files/image/a%5Cb",
    "/v1/files/image?id=../../etc/passwd",
    "/v1/files/image?id=",
    `/v1/files/image/${"a".repeat(201)}`,
    "/images/..%2fsecret",
  ])("is never looked for under %s", async (path) => {
    const response = await get({}, path);
    expect([400, 404]).toContain(response.status);
    expect(asked).toEqual([]);
  });

  test("that is gone is a 404 in JSON, after both kinds were looked at for the older address", async () => {
    const response = await get({}, "/images/none.png");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "file_not_found", type: "not_found_error" } });
    expect(asked).toEqual(["image none.png", "video none.png"]);
  });

  test("is of the kind that the address says", async () => {
    expect((await get({}, "/v1/files/video/a.png")).status).toBe(404);
  });
});

test("over a socket HEAD tells the length and sends nothing, GET sends a part once", async () => {
  const listening = serve({ server: harness().server, host: "127.0.0.1", port: 0 });
  try {
    const url = `${listening.url}/v1/files/image/a.png`;
    const head = await fetch(url, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(head.headers.get("content-length")).toBe("1000");
    expect((await bytesOf(head)).length).toBe(0);
    const part = await fetch(url, { headers: { range: "bytes=10-19" } });
    expect(part.status).toBe(206);
    expect(part.headers.get("content-length")).toBe("10");
    expect(await bytesOf(part)).toEqual(BYTES.slice(10, 20));
    const headPart = await fetch(url, { method: "HEAD", headers: { range: "bytes=10-19" } });
    expect([headPart.status, headPart.headers.get("content-length")]).toEqual([206, "10"]);
  } finally {
    await listening.stop(0);
  }
});
