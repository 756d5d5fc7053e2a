import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../src/lib/log.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { fileNames } from "../../src/media/file-name.ts";
import { createMediaStore, type MediaLimits, type MediaStore } from "../../src/media/store.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";

const PNG = "\x89PNG\r\n\x1a\n";
const MP4 = "\0\0\0\x10ftypisom\0\0\0\0";
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
const sha256 = (text: string): string => new Bun.CryptoHasher("sha256").update(bytes(text)).digest("hex");
const USER = "users/0a1b2c3d-1111-4222-8333-444455556666";
const ORIGIN = `${USER}/generated/9f8e7d6c-aaaa-4bbb-8ccc-ddddeeeeffff/image.png`;
const FLAT = ORIGIN.replaceAll("/", "-");

let directory = "";
let documents = createMemoryDocuments();
let now = Date.now();
let limits: MediaLimits;
let store: MediaStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "media-"));
  documents = createMemoryDocuments();
  now = Date.now();
  limits = { maxFileBytes: { image: 1000, video: 1000 }, maxTotalBytes: 100, minFreeBytes: 0, autoClean: true };
  store = createMediaStore({
    directory,
    documents,
    clock: { ...systemClock, now: () => now },
    log: silentLog,
    limits: () => limits,
  });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const put = (text: string, origin = ORIGIN, kind: "image" | "video" = "image") =>
  store.put({ kind, bytes: bytes(text), origin, account: "acc_1" });
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "nothing",
    (thrown: unknown) => (thrown instanceof Error && "code" in thrown ? thrown.code : thrown),
  );

describe("put and find", () => {
  test("a file is stored whole under the flattened path and found again", async () => {
    const stored = await put(`${PNG}one`, `https://assets.example/${ORIGIN}?cache=1`);
    expect(stored).toMatchObject({
      kind: "image",
      name: FLAT,
      path: join(directory, "image", FLAT),
      mime: "image/png",
      bytes: 11,
      etag: sha256(`${PNG}one`),
    });
    expect(await store.find("image", FLAT)).toEqual(stored);
    expect((await readFile(stored.path)).equals(bytes(`${PNG}one`))).toBe(true);
    expect(await readdir(join(directory, "image"))).toEqual([FLAT]);
    expect((await documents.get("media", `image/${FLAT}`))?.body).toMatchObject({
      account: "acc_1",
      mime: "image/png",
    });
  });

  test("the same content under the same name is stored once; another content gets a name of its own", async () => {
    const first = await put(`${PNG}one`);
    expect(await put(`${PNG}one`)).toEqual(first);
    const second = await put(`${PNG}two`);
    expect(second.name).toBe(FLAT.replace(".png", `-${sha256(`${PNG}two`).slice(0, 32)}.png`));
    expect(await put(`${PNG}two`)).toEqual(second);
    expect((await store.find("image", FLAT))?.etag).toBe(first.etag);
    expect(await store.use("image")).toEqual({ files: 2, bytes: 22 });
  });

  test("many writers of one name at once lose nothing", async () => {
    const texts = Array.from({ length: 12 }, (_, index) => `${PNG}${index % 4}`);
    const stored = await Promise.all(texts.map((text) => put(text)));
    expect(new Set(stored.map((file) => file.name)).size).toBe(4);
    for (const [index, file] of stored.entries()) {
      expect(file.etag).toBe(sha256(texts[index] ?? ""));
      expect((await store.find("image", file.name))?.etag).toBe(file.etag);
    }
    expect((await readdir(join(directory, "image"))).length).toBe(4);
  });

  test("survives a restart, and a lost document is made again from the file", async () => {
    const stored = await put(`${PNG}one`);
    const again = (docs: typeof documents) =>
      createMediaStore({ directory, documents: docs, clock: systemClock, log: silentLog, limits: () => limits });
    expect(await again(documents).find("image", stored.name)).toEqual(stored);
    expect(await again(createMemoryDocuments()).find("image", stored.name)).toEqual(stored);
  });

  test("a file of an older installation is served, with a true digest after it was replaced", async () => {
    await mkdir(join(directory, "video"));
    const path = join(directory, "video", "old.mp4");
    await writeFile(path, bytes(`${MP4}a`));
    expect(await store.find("video", "old.mp4")).toMatchObject({ mime: "video/mp4", etag: sha256(`${MP4}a`) });
    await writeFile(path, bytes(`${MP4}bb`));
    expect((await store.find("video", "old.mp4"))?.etag).toBe(sha256(`${MP4}bb`));
  });

  test("the type comes from the bytes: the name's extension is corrected", async () => {
    const stored = await put(MP4, `${USER}/generated/9f8e7d6c-aaaa-4bbb-8ccc-ddddeeeeffff/clip.jpg`, "video");
    expect(stored).toMatchObject({ mime: "video/mp4", name: expect.stringMatching(/-clip\.mp4$/) as string });
  });

  test("remove", async () => {
    const stored = await put(`${PNG}one`);
    const other = await put(`${PNG}other`, "b", "image");
    const both = [stored, { kind: "video", name: "none.mp4" } as const];
    const note = { collection: "notes", id: "n", body: 1 };
    const removed = await store.remove(both, (gone) => [{ ...note, body: gone.length }]);
    expect(removed).toEqual([{ kind: "image", name: stored.name, bytes: 11, modifiedMs: stored.modifiedMs }]);
    expect(await store.remove(both)).toEqual([]);
    expect(await store.find("image", stored.name)).toBeNull();
    expect((await documents.list("media")).map(({ id }) => id)).toEqual([`image/${other.name}`]);
    expect((await documents.get("notes", "n"))?.body).toBe(1);
  });
});

describe("refusals", () => {
  test("content that is too large, unknown or of the other kind", async () => {
    expect(await codeOf(put(PNG + "x".repeat(1000)))).toBe("upstream_error");
    expect(await codeOf(put("<html>"))).toBe("upstream_malformed");
    expect(await codeOf(put(""))).toBe("upstream_malformed");
    expect(await codeOf(put(MP4))).toBe("upstream_malformed");
    expect(await codeOf(put(PNG, ORIGIN, "video"))).toBe("upstream_malformed");
    expect(await readdir(directory)).toEqual([]);
  });

  test.each([
    "",
    ".",
    "..",
    "../secret.png",
    "a/../../secret.png",
    "/etc/passwd",
    "a\0.png",
    ".part-1",
    "%2e%2e",
    "a\\b",
  ])("the name %j is refused", async (name) => {
    await writeFile(join(directory, "secret.png"), bytes(PNG));
    expect(await codeOf(store.find("image", name))).toBe("invalid_file_name");
    expect(await codeOf(store.remove([{ kind: "image", name }]))).toBe("invalid_file_name");
  });

  test("links, folders and files of other types are not served", async () => {
    await mkdir(join(directory, "image", "folder.png"), { recursive: true });
    await writeFile(join(directory, "secret.png"), bytes(PNG));
    await symlink(join(directory, "secret.png"), join(directory, "image", "link.png"));
    await symlink("/etc", join(directory, "image", "etc"));
    await writeFile(join(directory, "image", "page.png"), "<script>alert(1)</script>");
    await writeFile(join(directory, "image", "clip.png"), bytes(MP4));
    await writeFile(join(directory, "image", "empty.png"), "");
    for (const name of ["folder.png", "link.png", "etc", "page.png", "clip.png", "empty.png", "none.png"]) {
      expect(await store.find("image", name)).toBeNull();
    }
  });

  test.each(["../../../etc/cron.d/x", "a/../../b", "..", "/", "%2e%2e%2f%2e%2e%2fetc", "\0\0", ".part-x"])(
    "an upstream path %j stays inside",
    async (origin) => {
      const stored = await put(`${PNG}one`, origin);
      expect(stored.path).toBe(join(directory, "image", stored.name));
      expect(stored.name).toMatch(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/);
      expect(await store.find("image", stored.name)).toEqual(stored);
    },
  );
});

describe("a body that comes in pieces", () => {
  const CLIP = `${USER}/generated/9f8e7d6c-aaaa-4bbb-8ccc-ddddeeeeffff/video.mp4`;
  const clip = `${MP4}${"frames".repeat(20)}`;
  const bodyOf = (text: string, { length = null, fails }: { length?: number | null; fails?: Error } = {}) => {
    const left = text.match(/.{1,7}/gs) ?? [];
    let taken = 0;
    return {
      length,
      taken: () => taken,
      async read(): Promise<Uint8Array | null> {
        const piece = left.shift();
        if (piece === undefined && fails) throw fails;
        taken++;
        return piece === undefined ? null : bytes(piece);
      },
    };
  };
  const keep = (body: ReturnType<typeof bodyOf>) =>
    store.putBody({ kind: "video", body, origin: CLIP, account: "acc_1" });
  const parts = async () => (await readdir(join(directory, "video"))).filter((name) => name.startsWith("."));

  test.each([null, clip.length])("is stored whole, its declared length being %p", async (length) => {
    const stored = await keep(bodyOf(clip, { length }));
    expect(stored).toMatchObject({ bytes: clip.length, etag: sha256(clip), mime: "video/mp4" });
    expect(await readFile(stored.path)).toEqual(Buffer.from(bytes(clip)));
    expect(await parts()).toEqual([]);
  });

  test("twice is one file", async () => {
    const first = await keep(bodyOf(clip));
    expect(await keep(bodyOf(clip))).toEqual(first);
    expect((await store.use("video")).files).toBe(1);
  });

  test("without a length ends at the cap, and leaves nothing", async () => {
    const endless = bodyOf(MP4 + "x".repeat(100_000));
    expect(await codeOf(keep(endless))).toBe("upstream_error");
    expect(endless.taken()).toBeLessThan(200);
    expect(await parts()).toEqual([]);
  });

  test("with a length above the cap is not read at all", async () => {
    const large = bodyOf(clip, { length: 1_001 });
    expect(await codeOf(keep(large))).toBe("upstream_error");
    expect(large.taken()).toBe(0);
  });

  test.each<[string, string, Error | undefined]>([
    ["breaks off", clip, new Error("cut")],
    ["is no clip", "<html>", undefined],
    ["is empty", "", undefined],
  ])("that %s leaves nothing", async (_, text, fails) => {
    expect(await codeOf(keep(bodyOf(text, fails ? { fails } : {})))).not.toBe("nothing");
    expect(await parts()).toEqual([]);
    expect((await store.use("video")).files).toBe(0);
  });
});

describe("a file that lies here already", () => {
  const received = async (text: string): Promise<string> => {
    const path = join(directory, "incoming-1");
    await writeFile(path, bytes(text));
    return path;
  };
  const move = async (path: string, size: number) =>
    store.putFile({ kind: "image", path, size, origin: ORIGIN, account: null });

  test("is moved, and not copied", async () => {
    const path = await received(`${PNG}one`);
    const stored = await move(path, 11);
    expect(stored).toMatchObject({ name: FLAT, etag: sha256(`${PNG}one`), bytes: 11 });
    expect(await readdir(directory)).toEqual(["image"]);
    expect(await store.find("image", FLAT)).toEqual(stored);
  });

  test("of another type stays where it is", async () => {
    expect(await codeOf(move(await received("<svg>"), 5))).toBe("upstream_malformed");
    expect(await readdir(directory)).toEqual(["incoming-1"]);
  });
});

describe("trim", () => {
  const age = async (name: string, minutes: number) => {
    const at = new Date(now - minutes * 60_000);
    await utimes(join(directory, "image", name), at, at);
  };
  const fill = async (count: number) => {
    const names: string[] = [];
    const given = limits;
    // No run in the background meanwhile.
    limits = { ...limits, autoClean: false };
    for (let index = 0; index < count; index++) {
      const { name } = await put(`${PNG}${String(index).padStart(12, "0")}`);
      await age(name, 100 - index);
      names.push(name);
    }
    limits = given;
    return names;
  };

  test("nothing happens below the cap", async () => {
    await fill(5);
    expect(await store.trim()).toEqual({ files: 0, bytes: 0 });
    expect(await store.use("image")).toEqual({ files: 5, bytes: 100 });
  });

  test("above it the oldest go, down to 80 %", async () => {
    const names = await fill(7);
    expect(await store.trim()).toEqual({ files: 3, bytes: 60 });
    expect((await readdir(join(directory, "image"))).toSorted()).toEqual(names.slice(3).toSorted());
    expect((await documents.list("media")).length).toBe(4);
  });

  test("both kinds share one cap, and the oldest goes whatever it is", async () => {
    const [oldest = ""] = await fill(3);
    const clip = await put(`${MP4}1234`, "clip", "video");
    const at = new Date(now - 99.5 * 60_000);
    await utimes(clip.path, at, at);
    // Only now: a write beyond the cap begins a run by itself.
    limits = { ...limits, maxTotalBytes: 60 };
    expect(await store.trim()).toEqual({ files: 2, bytes: 40 });
    expect(await store.find("image", oldest)).toBeNull();
    expect(await store.find("video", clip.name)).toBeNull();
    expect((await store.use("image")).files).toBe(2);
  });

  test("nothing goes while the operator has switched the cleaning off", async () => {
    await fill(7);
    limits = { ...limits, autoClean: false };
    expect(await store.trim()).toEqual({ files: 0, bytes: 0 });
  });

  test("a write that passes the cap begins a run by itself", async () => {
    const [oldest = ""] = await fill(5);
    await store.trim();
    await put(`${PNG}last one here`);
    for (let round = 0; round < 100 && (await store.find("image", oldest)) !== null; round++) await Bun.sleep(5);
    expect(await store.find("image", oldest)).toBeNull();
    expect((await store.use("image")).bytes).toBeLessThanOrEqual(80);
  });

  describe("on a disk that is nearly full", () => {
    let free = 0;
    const openStore = () =>
      createMediaStore({
        directory,
        documents,
        clock: { ...systemClock, now: () => now },
        log: silentLog,
        limits: () => limits,
        // Whatever is removed is free again.
        folder: { freeBytes: async () => free - (await store.use("image")).bytes },
      });

    test("old files go first, then a new one is refused and nothing is half written", async () => {
      limits = { ...limits, maxTotalBytes: 1_000, minFreeBytes: 50 };
      await fill(5);
      free = 100 + 40;
      const tight = openStore();
      expect(
        (await tight.put({ kind: "image", bytes: bytes(`${PNG}${"n".repeat(12)}`), origin: "n", account: null })).bytes,
      ).toBe(20);
      expect((await store.use("image")).bytes).toBeLessThanOrEqual(90);
      free = -1000;
      const before = await store.use("image");
      expect(await codeOf(tight.put({ kind: "image", bytes: bytes(`${PNG}m`), origin: "m", account: null }))).toBe(
        "storage_full",
      );
      expect((await readdir(join(directory, "image"))).filter((name) => name.startsWith("."))).toEqual([]);
      // What fills the disk is not ours: nothing goes for nothing.
      expect(await store.use("image")).toEqual(before);
    });
  });

  test("a file whose link was just handed out stays", async () => {
    limits = { ...limits, maxTotalBytes: 1 };
    const [old = "", fresh = ""] = await fill(2);
    await age(fresh, 0);
    await store.trim();
    expect(await store.find("image", old)).toBeNull();
    expect(await store.find("image", fresh)).not.toBeNull();
  });

  test("old leftovers of broken writes are cleared, those of running ones are not", async () => {
    await mkdir(join(directory, "image"));
    for (const name of [".part-old", ".part-new"]) await writeFile(join(directory, "image", name), "x");
    await age(".part-old", 61);
    await store.trim();
    expect(await readdir(join(directory, "image"))).toEqual([".part-new"]);
  });
});

describe("a file of another installation", () => {
  const old = (name: string, text: string) => {
    const path = join(directory, name);
    return writeFile(path, bytes(text)).then(() => path);
  };
  const adopt = async (name: string, text: string, move = false) =>
    store.adopt({ kind: "image", name, path: await old(name, text), move });

  test("is copied whole under its name, with its age, and the original stays", async () => {
    const path = await old("users-1-image.png", `${PNG}old`);
    const then = new Date(now - 3_600_000);
    await utimes(path, then, then);
    const taking = { kind: "image", name: "users-1-image.png", path, move: false } as const;
    expect(await store.adopt(taking)).toEqual({ state: "taken", bytes: 11 });
    expect(await store.adopt(taking)).toEqual({ state: "known" });
    const found = await store.find("image", "users-1-image.png");
    expect(found).toMatchObject({ bytes: 11, mime: "image/png", etag: sha256(`${PNG}old`) });
    expect(Math.abs((found?.modifiedMs ?? 0) - then.getTime())).toBeLessThan(1000);
    expect((await readFile(path)).length).toBe(11);
    expect(await readdir(join(directory, "image"))).toEqual(["users-1-image.png"]);
  });

  test("is moved when that is wanted, and a second copy of it goes too", async () => {
    expect(await adopt("a.png", `${PNG}a`, true)).toEqual({ state: "taken", bytes: 9 });
    expect(await adopt("a.png", `${PNG}a`, true)).toEqual({ state: "known" });
    expect(await readdir(directory)).toEqual(["image"]);
  });

  test("never replaces another file, and is left when it is none of ours", async () => {
    await adopt("a.png", `${PNG}a`);
    expect(await adopt("a.png", `${PNG}b`, true)).toMatchObject({ state: "left", reason: "another file has its name" });
    expect(await readFile(join(directory, "a.png"), "latin1")).toBe(`${PNG}b`);
    expect(await readFile(join(directory, "image", "a.png"), "latin1")).toBe(`${PNG}a`);
    expect(await adopt("page.png", "<html>")).toMatchObject({ state: "left" });
    expect(await adopt("clip.png", MP4)).toMatchObject({ state: "left" });
    expect(await adopt(".hidden.png", PNG)).toMatchObject({ state: "left" });
    await symlink(join(directory, "a.png"), join(directory, "link.png"));
    const link = { kind: "image", name: "link.png", path: join(directory, "link.png"), move: true } as const;
    expect(await store.adopt(link)).toMatchObject({ state: "left" });
  });
});

describe("names", () => {
  const digest = "d".repeat(64);
  const mark = "d".repeat(32);
  test.each([
    [ORIGIN, FLAT],
    [`/${ORIGIN}`, FLAT],
    [`${USER}/image.png`, `${USER.replace("/", "-")}-image-${mark}.png`],
    ["inline", `inline-${mark}.png`],
    ["", `file-${mark}.png`],
    ["a b/ü.PNG", `a-b--${mark}.png`],
    ["upload-0123456789abcdef0123456789abcdef.png", "upload-0123456789abcdef0123456789abcdef.png"],
    [`${"x".repeat(300)}.png`, `${"x".repeat(163)}-${mark}.png`],
    ["v1.2/picture", `v1.2-picture-${mark}.png`],
  ])("%s → %s", (origin, expected) => {
    const [plain, unique] = fileNames({ origin, mime: "image/png", digest });
    expect(plain).toBe(expected);
    expect(unique).toContain(mark);
    expect(unique.length).toBeLessThanOrEqual(200);
  });
});
