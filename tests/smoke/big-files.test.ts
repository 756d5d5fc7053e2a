// Large files through the executable: a clip of 200 MB is kept and handed out, an upload of 50 MB is passed on, a disk without
// room is told by name. The memory of the process is printed; its bounds are generous, so that only holding a whole clip breaks them.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, statfsSync } from "node:fs";
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

  test("an upload of 50 MB is passed on", async () => {
    const before = peakOf(gateway);
    const picture = new Uint8Array(16.6 * MEGABYTE);
    picture.set(pngBytes());
    const form = new FormData();
    form.append("prompt", "join them");
    for (const name of ["a.png", "b.png", "c.png"]) form.append("image[]", new File([picture], name));
    const answer = await ask(gateway, "/v1/images/edits", form);
    expect({ status: answer.status, text: answer.ok ? "" : await answer.text() }).toEqual({ status: 200, text: "" });
    told("passing 50 MB on", peakOf(gateway) - before);
    // Form, files and the upstream's form exist at the same time.
    expect(peakOf(gateway) - before).toBeLessThan(500);
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
      expect((await ask(gateway, "/v1/images/generations", { prompt: "a cat" })).status).toBe(200);
    } finally {
      Bun.spawnSync(["umount", data]);
    }
  },
  60_000,
);
