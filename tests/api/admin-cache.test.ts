import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAudit } from "../../src/access/audit.ts";
import { createMediaAdmin } from "../../src/admin/media.ts";
import { serve } from "../../src/http/serve.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createMediaStore } from "../../src/media/store.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import { APP_KEY, createHarness, json, type Harness } from "./harness.ts";

const BASE = "/api/v1/admin/cache";
const PNG = "\x89PNG\r\n\x1a\n";
const MP4 = "\0\0\0\x10ftypisom\0\0\0\0";
const MEGABYTE = 1024 * 1024;
let folder = "";
let harness: Harness;

const NOW = Date.UTC(2026, 7, 9, 10, 11, 12);
const fill = (kind: "image" | "video", name: string, about: { content?: string; age?: number } = {}) => {
  const path = join(folder, kind, name);
  writeFileSync(path, about.content ?? (kind === "image" ? PNG : MP4) + name, "latin1");
  const time = (NOW - (about.age ?? 0) * 1000) / 1000;
  utimesSync(path, time, time);
};
const left = (kind: "image" | "video") => readdirSync(join(folder, kind)).toSorted();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cache-test-"));
  for (const kind of ["image", "video"]) mkdirSync(join(folder, kind));
  const documents = createMemoryDocuments();
  const audit = createAudit({ documents, clock: systemClock });
  const store = createMediaStore({
    directory: folder,
    documents,
    clock: systemClock,
    log: silentLog,
    limits: () => ({
      maxFileBytes: { image: MEGABYTE, video: MEGABYTE },
      maxTotalBytes: 10 * MEGABYTE,
      minFreeBytes: 0,
      autoClean: true,
    }),
  });
  harness = createHarness({
    audit,
    media: store,
    mediaAdmin: createMediaAdmin({ store, audit, clock: { now: () => NOW }, limitBytes: () => 10 * MEGABYTE }),
  });
});
afterEach(() => rmSync(folder, { recursive: true }));

const get = async (path: string) => (await harness.admin(path)).json();
const post = async (path: string, body: unknown) => harness.admin(path, json(body));
const answer = async (path: string, body: unknown) => (await post(path, body)).json();
const auditRows = async () => {
  const page = (await get("/api/v1/admin/audit")) as { items: Record<string, unknown>[] };
  return page.items;
};

describe("what is stored", () => {
  test.each(["/api/v1/admin", "/v1/admin", "/admin/api"])(
    "is counted below %s, with the share of the limit",
    async (base) => {
      fill("image", "a.png", { content: PNG + "x".repeat(MEGABYTE - 8) });
      fill("image", "b.png", { content: PNG + "x".repeat(MEGABYTE / 2 - 8) });
      const limit = { limited: true, limit_bytes: 10 * MEGABYTE, limit_mb: 10 };
      expect(await get(`${base}/cache/local`)).toEqual({
        local_image: {
          count: 2,
          size_mb: 1.5,
          size_bytes: 1.5 * MEGABYTE,
          ...limit,
          usage_ratio: 0.15,
          usage_percent: 15,
        },
        local_video: { count: 0, size_mb: 0, size_bytes: 0, ...limit, usage_ratio: 0, usage_percent: 0 },
      });
    },
  );

  test("is listed newest first, page by page, with links that work", async () => {
    for (let index = 0; index < 5; index++) fill("image", `pic-${index}.png`, { age: index });
    const page = (await get(`${BASE}/list?type=image&page=2&page_size=2`)) as {
      items: { name: string; view_url: string }[];
    };
    expect(page).toMatchObject({ status: "success", total: 5, page: 2, page_size: 2 });
    expect(page.items.map(({ name }) => name)).toEqual(["pic-2.png", "pic-3.png"]);
    expect(page.items[0]).toEqual({
      name: "pic-2.png",
      size_bytes: 17,
      mtime_ms: NOW - 2000,
      modified_at: (NOW - 2000) / 1000,
      view_url: "/v1/files/image/pic-2.png",
    } as never);
    expect((await harness.request(page.items[0]?.view_url ?? "")).status).toBe(200);
    expect(await get(`${BASE}/list?cache_type=video`)).toMatchObject({ total: 0, items: [], page_size: 1000 });
  });

  test("a clip is shown by the picture that came with it", async () => {
    fill("video", "users-1-generated-2-generated_video.mp4");
    fill("image", "users-1-generated-2-preview_image.jpg");
    const { items } = (await get(`${BASE}/list?type=video`)) as { items: object[] };
    expect(items).toMatchObject([{ preview_url: "/v1/files/image/users-1-generated-2-preview_image.jpg" }]);
  });

  test("5,000 files are listed well within a second", async () => {
    for (let index = 0; index < 5000; index++) fill("image", `pic-${index}.png`, { content: PNG });
    const started = performance.now();
    const page = (await get(`${BASE}/list?type=image&page_size=50`)) as { total: number };
    expect(page.total).toBe(5000);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test.each([
    `${BASE}/list?type=audio`,
    `${BASE}/list?type=image&page=0`,
    `${BASE}/list?type=image&page_size=-1`,
    `${BASE}/list?type=constructor`,
  ])("%s is refused", async (path) => {
    expect((await harness.admin(path)).status).toBe(400);
  });
});

describe("removal", () => {
  beforeEach(() => {
    for (const name of ["a.png", "b.png", "c.png"]) fill("image", name);
    fill("video", "users-1-generated-2-generated_video.mp4");
    fill("image", "users-1-generated-2-preview_image.jpg");
  });

  test("of one file says whether it was there, and is remembered with who asked", async () => {
    expect(await answer(`${BASE}/item/delete`, { type: "image", name: "a.png" })).toEqual({
      status: "success",
      result: { deleted: true },
    });
    expect(await answer(`${BASE}/item/delete`, { type: "image", name: "a.png" })).toMatchObject({
      result: { deleted: false },
    });
    expect(left("image")).toEqual(["b.png", "c.png", "users-1-generated-2-preview_image.jpg"]);
    const rows = await auditRows();
    expect(rows.at(-1)).toMatchObject({
      action: "cache.delete",
      actor: "admin",
      address: "unknown",
      before: { count: 1, bytes: 13, names: ["image/a.png"] },
    });
  });

  test("of a clip takes its preview along", async () => {
    const body = { type: "video", name: "users-1-generated-2-generated_video.mp4" };
    expect(await answer(`${BASE}/item/delete`, body)).toMatchObject({ result: { deleted: true } });
    expect([left("video"), left("image")]).toEqual([[], ["a.png", "b.png", "c.png"]]);
  });

  test("of many counts what was there and what was not", async () => {
    const body = { type: "image", names: ["a.png", "none.png", "b.png", "a.png"] };
    expect(await answer(`${BASE}/items/delete`, body)).toEqual({
      status: "success",
      result: { deleted: 2, missing: 1 },
    });
  });

  test("of a whole kind leaves the other", async () => {
    expect(await answer(`${BASE}/clear`, { type: "video" })).toMatchObject({
      status: "success",
      result: { count: 1, size_mb: 0, deleted: 1, removed: 1 },
    });
    expect([left("video").length, left("image").length]).toEqual([0, 4]);
    expect(await auditRows()).toMatchObject([{ action: "cache.clear" }]);
  });

  test.each([
    ["", 5, [0, 0]],
    ["?type=image", 4, [0, 1]],
  ] as const)("DELETE cache%s removes %d files", async (query, count, [images, clips]) => {
    const response = await harness.admin(`${BASE}${query}`, { method: "DELETE" });
    expect(await response.json()).toMatchObject({ result: { count } });
    expect([left("image").length, left("video").length]).toEqual([images, clips]);
  });

  test.each([
    ["clear", {}, "invalid_value"],
    ["clear", { type: "all" }, "invalid_value"],
    ["item/delete", { type: "image" }, "missing_file_name"],
    ["item/delete", { name: "a.png" }, "invalid_value"],
    ["item/delete", { type: "image", name: "../image/a.png" }, "invalid_file_name"],
    ["items/delete", { type: "image", names: [] }, "missing_file_names"],
    ["items/delete", { type: "image", names: ["a.png", 7] }, "missing_file_names"],
    ["items/delete", { type: "image", names: ["a.png", "..\\b.png"] }, "invalid_file_name"],
  ])("POST cache/%s of %j removes nothing", async (path, body, code) => {
    const response = await post(`${BASE}/${path}`, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code } });
    expect(left("image").length).toBe(4);
    expect(left("video").length).toBe(1);
    expect(await auditRows()).toEqual([]);
  });
});

describe("download", () => {
  test("of one file is the file with its type and name", async () => {
    fill("video", "clip.mp4");
    const response = await post(`${BASE}/download`, { type: "video", names: ["clip.mp4"] });
    expect(response.headers.get("content-type")).toBe("video/mp4");
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="clip.mp4"');
    expect(Buffer.from(await response.arrayBuffer()).toString("latin1")).toBe(`${MP4}clip.mp4`);
  });

  test("of several over a socket is a zip that others can read", async () => {
    const names = Array.from({ length: 200 }, (_, index) => `pic-${index}.png`);
    for (const name of names) fill("image", name, { content: PNG + name.repeat(5000) });
    const listening = serve({ server: harness.server, host: "127.0.0.1", port: 0 });
    try {
      const response = await fetch(`${listening.url}${BASE}/download`, {
        ...json({ type: "image", names: [...names, "none.png"] }),
        headers: { "content-type": "application/json", authorization: `Bearer ${APP_KEY}` },
      });
      expect(response.headers.get("content-type")).toBe("application/zip");
      expect(response.headers.get("content-disposition")).toMatch(
        /^attachment; filename="image_2026\d{4}_\d{6}\.zip"$/,
      );
      const path = join(folder, "all.zip");
      await Bun.write(path, response);
      const { exitCode, stdout } = Bun.spawnSync(["unzip", "-tq", path]);
      expect([exitCode, stdout.toString()]).toEqual([0, expect.stringContaining("No errors")]);
      const listed = Bun.spawnSync(["unzip", "-Z1", path]).stdout.toString().trim().split("\n");
      expect(listed.toSorted()).toEqual(names.toSorted());
      expect(harness.records.at(-1)?.outcome).toBe("finished");
    } finally {
      await listening.stop(0);
    }
  });

  test("that the reader gives up stops reading files", async () => {
    for (let index = 0; index < 20; index++) {
      fill("video", `clip-${index}.mp4`, { content: MP4 + "x".repeat(900_000) });
    }
    const names = left("video");
    const listening = serve({ server: harness.server, host: "127.0.0.1", port: 0 });
    try {
      const stop = new AbortController();
      const response = await fetch(`${listening.url}${BASE}/download`, {
        ...json({ type: "video", names }),
        headers: { "content-type": "application/json", authorization: `Bearer ${APP_KEY}` },
        signal: stop.signal,
      });
      await response.body!.getReader().read();
      stop.abort();
      for (let round = 0; round < 100 && harness.records.length === 0; round++) await Bun.sleep(10);
      expect(harness.records.at(-1)?.outcome).toBe("client-closed");
      const open = Bun.spawnSync(["ls", "-l", `/proc/${process.pid}/fd`]).stdout.toString();
      expect(open).not.toContain(folder);
    } finally {
      await listening.stop(0);
    }
  });

  test.each([
    [{ type: "image", names: [] }, 400, "missing_file_names"],
    [{ type: "image" }, 400, "missing_file_names"],
    [{ type: "image", names: ["../../etc/passwd"] }, 400, "invalid_file_name"],
    [{ type: "image", names: ["a:b", "c.png"] }, 400, "invalid_file_name"],
    [{ type: "image", names: ["none.png"] }, 404, "file_not_found"],
    [{ type: "image", names: ["none.png", "neither.png"] }, 404, "file_not_found"],
  ])("of %j is refused with %d", async (body, status, code) => {
    const response = await post(`${BASE}/download`, body);
    expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([
      status,
      code,
    ]);
  });
});

describe("the oldest page", () => {
  test("reads sizes as people do", async () => {
    fill("image", "a.png", { content: PNG + "x".repeat(1536 - 8) });
    fill("video", "b.mp4", { content: MP4 + "x".repeat(484) });
    expect(await get("/api/cache/size")).toEqual({
      success: true,
      data: {
        image_size: "1.5 KB",
        video_size: "500 B",
        total_size: "2.0 KB",
        image_size_bytes: 1536,
        video_size_bytes: 500,
        total_size_bytes: 2036,
      },
    });
  });

  test("lists both kinds by offset", async () => {
    fill("image", "a.png", { age: 3 });
    fill("video", "b.mp4", { age: 2 });
    fill("image", "c.png", { age: 1 });
    const { data } = (await get("/api/cache/list?limit=2&offset=1")) as { data: { items: object[] } };
    expect(data).toMatchObject({ total: 3, offset: 1, limit: 2, has_more: false });
    expect(data.items).toMatchObject([
      { name: "b.mp4", type: "video", url: "/images/b.mp4", size: "21 B", size_bytes: 21, mtime: NOW - 2000 },
      { name: "a.png", type: "image" },
    ]);
    expect(await get("/api/cache/list?type=image&limit=1")).toMatchObject({ data: { total: 2, has_more: true } });
  });

  test.each([
    ["/api/cache/clear", { deleted_count: 2, image_count: 1, video_count: 1 }],
    ["/api/cache/clear/images", { deleted_count: 1, type: "images" }],
    ["/api/cache/clear/videos", { deleted_count: 1, type: "videos" }],
  ])("POST %s", async (path, data) => {
    fill("image", "a.png");
    fill("video", "b.mp4");
    const response = await harness.admin(path, { method: "POST" });
    expect(await response.json()).toEqual({ success: true, data });
  });
});
