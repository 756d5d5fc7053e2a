import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ZipEntry, type ZipLimits, zipFiles } from "../../src/media/archive.ts";
import { indexPreviews } from "../../src/media/previews.ts";
import { rejection } from "../support/events.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "archive-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const modifiedMs = new Date(2026, 7, 9, 10, 11, 12).getTime();
const entry = (name: string, content: string | Uint8Array): ZipEntry => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return { name, path, modifiedMs };
};

const write = async (path: string, entries: readonly ZipEntry[], limits?: ZipLimits): Promise<number> => {
  const file = Bun.file(path).writer();
  let largest = 0;
  for await (const piece of zipFiles(entries, limits)) {
    largest = Math.max(largest, piece.byteLength);
    await file.write(piece);
    await file.flush();
  }
  await file.end();
  return largest;
};

const unzip = (args: readonly string[]) => {
  const { exitCode, stdout } = Bun.spawnSync(["unzip", ...args]);
  return { exitCode, text: stdout.toString() };
};
const hasUnzip = Bun.which("unzip") !== null;

/** Reads a zip by its directory alone, as any reader does; sizes of 32 bits. */
const readBack = async (path: string): Promise<Map<string, Uint8Array>> => {
  const bytes = new Uint8Array(await Bun.file(path).arrayBuffer());
  const view = new DataView(bytes.buffer);
  const end = bytes.length - 22;
  expect(view.getUint32(end, true)).toBe(0x06054b50);
  const files = new Map<string, Uint8Array>();
  let at = view.getUint32(end + 16, true);
  for (let index = 0; index < view.getUint16(end + 10, true); index++) {
    expect(view.getUint32(at, true)).toBe(0x02014b50);
    const [crc, size, nameLength] = [
      view.getUint32(at + 16, true),
      view.getUint32(at + 20, true),
      view.getUint16(at + 28, true),
    ];
    const local = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    expect(view.getUint32(local, true)).toBe(0x04034b50);
    expect([view.getUint32(local + 14, true), view.getUint32(local + 18, true)]).toEqual([crc, size]);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const content = bytes.slice(start, start + size);
    expect(Bun.hash.crc32(content)).toBe(crc);
    files.set(name, content);
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return files;
};

describe("a zip", () => {
  test("of nothing, of an empty file and of others reads back as it was", async () => {
    const path = join(folder, "small.zip");
    await write(path, []);
    expect((await readBack(path)).size).toBe(0);
    const big = new Uint8Array(700_000).map((_, index) => index % 253);
    await write(path, [
      entry("empty.png", ""),
      entry("a.png", "hello"),
      entry("ü.png", "umlaut"),
      entry("big.mp4", big),
    ]);
    const files = await readBack(path);
    expect([...files.keys()]).toEqual(["empty.png", "a.png", "ü.png", "big.mp4"]);
    expect(new TextDecoder().decode(files.get("a.png"))).toBe("hello");
    expect(files.get("big.mp4")).toEqual(big);
  });

  test("leaves out what has gone, and breaks off when a file shrinks", async () => {
    const path = join(folder, "gone.zip");
    const gone = { name: "gone.png", path: join(folder, "never-there.png"), modifiedMs };
    await write(path, [gone, entry("a.png", "hello")]);
    expect([...(await readBack(path)).keys()]).toEqual(["a.png"]);
    const shrinking = entry("shrinking.mp4", new Uint8Array(1_000_000));
    const pieces = zipFiles([shrinking]);
    await pieces.next();
    await pieces.next();
    truncateSync(shrinking.path, 10);
    const rest = async () => {
      for await (const piece of pieces) expect(piece.byteLength).toBeGreaterThan(0);
    };
    expect(String(await rejection(rest()))).toContain("shorter");
  });

  test("that is given up closes its file", async () => {
    const pieces = zipFiles([entry("left.mp4", new Uint8Array(1_000_000))]);
    await pieces.next();
    await pieces.next();
    await pieces.return();
    expect(await pieces.next()).toEqual({ done: true, value: undefined });
    const open = Bun.spawnSync(["ls", "-l", `/proc/${process.pid}/fd`]).stdout.toString();
    expect(open).not.toContain("left.mp4");
  });

  test.skipIf(!hasUnzip)("is a zip for others too, times included", async () => {
    const path = join(folder, "others.zip");
    await write(path, [entry("a.png", "hello"), entry("b.png", "")]);
    expect(unzip(["-tq", path]).exitCode).toBe(0);
    expect(unzip(["-l", path]).text).toContain("2026-08-09 10:11");
  });

  test.skipIf(!hasUnzip)("with 64-bit numbers is one as well", async () => {
    const entries = [entry("a.png", "x".repeat(100)), entry("b.png", "short"), entry("c.png", "y".repeat(90))];
    for (const limits of [
      { wideFrom: 60, manyFrom: 0xffff },
      { wideFrom: 0xffff_ffff, manyFrom: 2 },
      { wideFrom: 0, manyFrom: 0 },
    ]) {
      const path = join(folder, `wide-${limits.wideFrom}-${limits.manyFrom}.zip`);
      await write(path, entries, limits);
      const tested = unzip(["-t", path]);
      expect([tested.exitCode, tested.text]).toEqual([0, expect.stringContaining("No errors")]);
    }
  });

  test("of 200 files and 400 MB needs no more memory than a piece", async () => {
    const path = join(folder, "large.zip");
    const content = new Uint8Array(2_000_000).map((_, index) => (index * 31) % 251);
    const entries = Array.from({ length: 200 }, (_, index) => entry(`file-${index}.mp4`, content));
    Bun.gc(true);
    const before = process.memoryUsage.rss();
    let peak = before;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5);
    const largest = await write(path, entries);
    clearInterval(watch);
    expect(largest).toBeLessThanOrEqual(256 * 1024);
    expect((peak - before) / 1024 / 1024).toBeLessThan(100);
    if (hasUnzip) expect(unzip(["-tq", path]).text).toContain("No errors");
    expect(Bun.file(path).size).toBeGreaterThan(400_000_000);
  }, 60_000);
});

describe("the preview of a clip", () => {
  const clip = "users-1-generated-2-generated_video.mp4";
  test.each([
    [clip, ["users-1-generated-2-preview_image.jpg"], ["users-1-generated-2-preview_image.jpg"]],
    [clip, ["users-1-generated-2-image.jpg", "users-1-generated-22-preview_image.jpg"], []],
    [
      "users-1-generated-2-generated_video_hd.mp4",
      ["users-1-generated-2-thumbnail.png"],
      ["users-1-generated-2-thumbnail.png"],
    ],
    [
      "users-1-generated-2-generated-video.mp4",
      ["x.png", "users-1-generated-2-generated-video.jpg"],
      ["users-1-generated-2-generated-video.jpg"],
    ],
    ["clip.mp4", ["clip.jpg", "clip-preview_image.jpg", "clips.jpg"], ["clip.jpg"]],
  ])("%s among %j is %j", (name, pictures, expected) => {
    expect(indexPreviews(pictures)(name)).toEqual(expected);
  });
});
