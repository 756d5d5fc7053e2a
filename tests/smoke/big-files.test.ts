// Large files through the executable: a clip of 200 MB is kept and handed out, uploads are kept and passed on, a disk without room
// is told by name. The memory of the process is printed; the bounds leave room for a slow collector, not for files that are held.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";
import { emptyFolder, eventually, type Folder, type Gateway, startGateway } from "../support/binary.ts";
import { pngBytes } from "../support/pictures.ts";

const MEGABYTE = 1024 * 1024;
const key = "big-files-key";
let simulator: Simulator;
beforeAll(() => {
  simulator = createSimulator({ port: 0, tokenDelayMs: 0, mediaDelayMs: 0 });
});
afterAll(() => simulator.stop(true));

const start = async (folder: Folder, more: readonly string[] = []): Promise<Gateway> => {
  const addresses = ["base_url", "assets_url", "accounts_url"].map((name) => `${name} = "${simulator.url}"`);
  const limits = ["[server]", "max_body_mb = 80", "[asset]", "max_download_mb = 256"];
  const lines = [`[app]\napi_key = "${key}"`, "[grok]", ...addresses, ...limits, ...more, ""];
  folder.write("data/config.toml", lines.join("\n"));
  folder.write("data/token.json", JSON.stringify({ ssoSuper: ["sim-super-1"] }));
  return startGateway({ folder });
};
const ask = (gateway: Gateway, path: string, body?: object | FormData) =>
  fetch(`${gateway.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined || body instanceof FormData ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
  });
interface Job {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly message: string } | null;
}
const filmed = async (gateway: Gateway, prompt: string): Promise<Job> => {
  const begun = await ask(gateway, "/v1/videos", { model: "grok-imagine-video", prompt });
  const { id } = (await begun.json()) as Job;
  return eventually("the job ends", async () => {
    const job = (await (await ask(gateway, `/v1/videos/${id}`)).json()) as Job;
    return job.status === "completed" || job.status === "failed" ? job : undefined;
  });
};
/** What the process has at most held so far, in MB. */
const peakOf = ({ pid }: Gateway): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
const told = (what: string, grown: number) => console.log(`${what}: the peak of memory grew by ${grown.toFixed(0)} MB`);
const onLinux = process.platform === "linux";

describe.skipIf(!onLinux)("large files (memory is read from /proc, Linux only)", () => {
  let folder: Folder;
  let gateway: Gateway;
  beforeAll(async () => {
    folder = emptyFolder();
    gateway = await start(folder);
    expect((await filmed(gateway, "warm up")).status).toBe("completed");
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  test("a clip of 200 MB is kept and handed out without being held", async () => {
    const before = peakOf(gateway);
    const job = await filmed(gateway, "sim:file-size-200");
    expect(job).toMatchObject({ status: "completed" });
    const kept = peakOf(gateway);
    told("keeping 200 MB", kept - before);
    const answer = await ask(gateway, `/v1/videos/${job.id}/content`);
    let bytes = 0;
    for await (const chunk of answer.body ?? new Blob().stream()) bytes += chunk.byteLength;
    expect(bytes).toBe(200 * MEGABYTE);
    told("handing 200 MB out", peakOf(gateway) - kept);
    expect(peakOf(gateway) - before).toBeLessThan(150);
  }, 60_000);

  /** A picture of so many bytes, as far as first bytes tell. */
  const pictureOf = (bytes: number): Uint8Array<ArrayBuffer> => {
    const picture = new Uint8Array(bytes);
    picture.set(pngBytes());
    return picture;
  };
  const edit = async (sizes: readonly number[]): Promise<void> => {
    const form = new FormData();
    form.append("prompt", "join them");
    for (const size of sizes) form.append("image[]", new File([pictureOf(size * MEGABYTE)], `${size}.png`));
    const answer = await ask(gateway, "/v1/images/edits", form);
    expect({ status: answer.status, text: answer.ok ? "" : await answer.text() }).toEqual({ status: 200, text: "" });
  };
  const incoming = (): string[] => {
    const path = join(folder.path, "data/tmp/incoming");
    return existsSync(path) ? readdirSync(path) : [];
  };

  test("an upload that is kept is moved, not held", async () => {
    const before = peakOf(gateway);
    for (let round = 0; round < 4; round++) {
      const form = new FormData();
      form.append("file", new File([pictureOf(24 * MEGABYTE)], "a.png"));
      const answer = await ask(gateway, "/v1/uploads/image", form);
      expect(await answer.json()).toMatchObject({ size_bytes: 24 * MEGABYTE });
    }
    told("keeping 4 uploads of 24 MB", peakOf(gateway) - before);
    expect(peakOf(gateway) - before).toBeLessThan(90);
  }, 60_000);

  test("an upload of 50 MB is passed on, one file at a time", async () => {
    await edit([0.5]);
    const before = peakOf(gateway);
    await edit(Array.from({ length: 8 }, () => 6.25));
    told("passing 8 x 6 MB on", peakOf(gateway) - before);
    expect(peakOf(gateway) - before).toBeLessThan(100);
    const several = peakOf(gateway);
    await edit([49]);
    told("passing 1 x 49 MB on", peakOf(gateway) - several);
    // The browser-like client needs the whole body of a request at once, and copies it.
    expect(peakOf(gateway) - several).toBeLessThan(160);
    await eventually("the files are gone", () => (incoming().length === 0 ? true : undefined));
  }, 60_000);

  test("a caller that breaks off leaves no file", async () => {
    const { hostname, port } = new URL(gateway.url);
    const socket = await Bun.connect({ hostname, port: Number(port), socket: { data() {} } });
    const head = ["POST /v1/images/edits HTTP/1.1", "host: gateway", `authorization: Bearer ${key}`];
    const type = "content-type: multipart/form-data; boundary=edge";
    socket.write([...head, type, `content-length: ${20 * MEGABYTE}`, "", ""].join("\r\n"));
    socket.write('--edge\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n');
    socket.write(pictureOf(64 * 1024));
    await eventually("the file is being written", () => (incoming().length === 1 ? true : undefined));
    socket.terminate();
    await eventually("the file is gone", () => (incoming().length === 0 ? true : undefined));
  }, 60_000);
});

const freeMegabytes = (path: string): number => {
  const { bavail, bsize } = statfsSync(path);
  return (bavail * bsize) / MEGABYTE;
};
/** The most that the setting can ask for. */
const MOST_MIN_FREE = 1_000_000;
const isHuge = freeMegabytes(tmpdir()) > MOST_MIN_FREE;

const chatGoesOn = async (gateway: Gateway): Promise<void> => {
  const messages = [{ role: "user", content: "sim:echo still here" }];
  const chat = await ask(gateway, "/v1/chat/completions", { model: "grok-4", messages, stream: false });
  expect(await chat.json()).toMatchObject({
    choices: [{ message: { content: expect.stringContaining("still here") } }],
  });
};

test.skipIf(isHuge)(
  "without room pictures are refused by name, chat goes on (needs less than 1 TB free)",
  async () => {
    using folder = emptyFolder();
    await using gateway = await start(folder, [
      "[cache]",
      `min_free_mb = ${MOST_MIN_FREE}`,
      "enable_auto_clean = false",
    ]);
    const drawn = await ask(gateway, "/v1/images/generations", { prompt: "a cat" });
    expect(drawn.status).toBe(507);
    expect(await drawn.json()).toMatchObject({ error: { code: "storage_full" } });
    const job = await filmed(gateway, "a cat");
    expect(job).toMatchObject({ status: "failed" });
    expect(job.error?.message).toContain("too full");
    await chatGoesOn(gateway);
  },
  60_000,
);

/** A disk of its own, so small that a clip fills it. */
const mountSmall = (path: string, megabytes: number): boolean => {
  mkdirSync(path, { recursive: true });
  const made = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path], { stderr: "pipe" });
  return made.exitCode === 0;
};
const canMount = ((): boolean => {
  if (Bun.which("mount") === null || process.getuid?.() !== 0) return false;
  using folder = emptyFolder();
  const path = join(folder.path, "data");
  if (!mountSmall(path, 1)) return false;
  return Bun.spawnSync(["umount", path]).exitCode === 0;
})();

test.skipIf(!canMount)(
  "a disk that a clip fills: the job says so, nothing is left (needs to mount a tmpfs)",
  async () => {
    using folder = emptyFolder();
    const data = join(folder.path, "data");
    expect(mountSmall(data, 48)).toBe(true);
    try {
      await using gateway = await start(folder, ["[cache]", "min_free_mb = 0", "enable_auto_clean = false"]);
      const job = await filmed(gateway, "sim:file-size-100");
      expect(job).toMatchObject({ status: "failed" });
      expect(job.error?.message).toContain("too full");
      expect(freeMegabytes(data)).toBeGreaterThan(30);
      await chatGoesOn(gateway);
      const form = new FormData();
      form.append("prompt", "join them");
      for (const name of ["a.png", "b.png"]) form.append("image[]", new File([new Uint8Array(30 * MEGABYTE)], name));
      const refused = await ask(gateway, "/v1/images/edits", form);
      expect([refused.status, await refused.json()]).toMatchObject([507, { error: { code: "storage_full" } }]);
      await eventually("the files are gone", () => (freeMegabytes(data) > 30 ? true : undefined));
      expect((await ask(gateway, "/v1/images/generations", { prompt: "a cat" })).status).toBe(200);
    } finally {
      Bun.spawnSync(["umount", data]);
    }
  },
  60_000,
);
