// The container image without a container: its root folder is put together by the script that the Dockerfile uses, and the
// musl executable runs in it by chroot, as the user and with the environment that the Dockerfile names.
// Needs Debian's package musl and a folder with musl builds of libstdc++ and libgcc_s, named in GROK2API_MUSL_LIBRARIES.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";
import { emptyFolder, eventually, type Folder, freePort } from "../support/binary.ts";

const checkout = join(import.meta.dir, "../..");
const libraries = process.env.GROK2API_MUSL_LIBRARIES ?? "";
const loader = [join(libraries, "ld-musl-x86_64.so.1"), "/lib/ld-musl-x86_64.so.1"].find((path) => existsSync(path));
const chroot = Bun.which("chroot", { PATH: `${process.env.PATH}:/usr/sbin:/sbin` });
const certificates = "/etc/ssl/certs/ca-certificates.crt";

const lacking = [
  ...(process.platform === "linux" && process.arch === "x64" ? [] : ["linux on x64"]),
  ...(process.getuid?.() === 0 ? [] : ["root"]),
  ...(libraries !== "" && existsSync(join(libraries, "libstdc++.so.6")) ? [] : ["GROK2API_MUSL_LIBRARIES"]),
  ...(loader === undefined ? ["the package musl"] : []),
  ...(existsSync(certificates) ? [] : ["the package ca-certificates"]),
];
const needs = lacking.length === 0 ? "" : ` (needs ${lacking.join(", ")})`;

interface ImageFacts {
  readonly env: Record<string, string>;
  readonly user: string;
  readonly entrypoint: string[];
  readonly command: string[];
  readonly health: string[];
}

/** What the last stage of the Dockerfile says about how it is started. */
async function readDockerfile(): Promise<ImageFacts> {
  const text = (await Bun.file(join(checkout, "Dockerfile")).text()).replace(/^#.*\n/gm, "").replace(/\\\n/g, " ");
  const stage = text.slice(text.lastIndexOf("FROM scratch"));
  const lines = stage.split("\n").map((line) => line.trim());
  const after = (word: string): string => {
    const found = lines.filter((line) => line.startsWith(`${word} `));
    expect(found).toHaveLength(1);
    return found[0]?.slice(word.length).trim() ?? "";
  };
  const list = (word: string): string[] => JSON.parse(after(word));
  return {
    env: Object.fromEntries(
      [...after("ENV").matchAll(/(\w+)=(\S+)/g)].map(([, name = "", value = ""]) => [name, value]),
    ),
    user: after("USER"),
    entrypoint: list("ENTRYPOINT"),
    command: list("CMD"),
    health: JSON.parse(after("HEALTHCHECK").replace(/^.*\bCMD /, "")),
  };
}

function filesBelow(folder: string, path = ""): string[] {
  return readdirSync(join(folder, path), { withFileTypes: true }).flatMap((entry) => {
    const own = join(path, entry.name);
    return entry.isDirectory() ? [`${own}/`, ...filesBelow(folder, own)] : [own];
  });
}

describe.skipIf(lacking.length > 0)(`the image's root folder${needs}`, () => {
  const key = "smoke-image-key";
  const port = String(freePort());
  let place: Folder;
  let root: string;
  let image: ImageFacts;
  let simulator: Simulator;

  const run = (args: string[], env: Record<string, string> = {}) =>
    Bun.spawn([chroot ?? "chroot", `--userspec=${image.user}`, root, ...args], {
      env: { ...image.env, SERVER_HOST: "127.0.0.1", SERVER_PORT: port, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });

  beforeAll(async () => {
    place = emptyFolder();
    root = join(place.path, "root");
    image = await readDockerfile();
    simulator = createSimulator({ port: 0, tokenDelayMs: 40 });
    const release = Bun.spawnSync(
      [process.execPath, "scripts/release.ts", "--only", "linux-x64-musl", "--out", join(place.path, "release")],
      { cwd: checkout, stdout: "pipe", stderr: "pipe" },
    );
    expect(`${release.exitCode} ${release.stderr.toString()}`).toBe("0 ");
    const binary = readdirSync(join(place.path, "release")).find((name) => name.endsWith("-musl")) ?? "";
    mkdirSync(join(place.path, "libraries"));
    for (const name of ["libstdc++.so.6", "libgcc_s.so.1"]) {
      copyFileSync(join(libraries, name), join(place.path, "libraries", name));
    }
    copyFileSync(loader ?? "", join(place.path, "libraries/ld-musl-x86_64.so.1"));
    const made = Bun.spawnSync(
      [
        "sh",
        join(checkout, "scripts/image-root.sh"),
        "--out",
        root,
        "--binary",
        join(place.path, "release", binary),
      ].concat(
        ["--libraries", join(place.path, "libraries"), "--certificates", certificates],
        ["--notices", join(place.path, "release/THIRD_PARTY_NOTICES"), "--licence", join(checkout, "LICENSE")],
      ),
      { stdout: "pipe", stderr: "pipe" },
    );
    expect(`${made.exitCode} ${made.stderr.toString()}`).toBe("0 ");
  }, 120_000);
  afterAll(async () => {
    await simulator.stop(true);
    place[Symbol.dispose]();
  });

  test("holds the executable, what it needs, and no shell", () => {
    expect(filesBelow(root).toSorted()).toEqual(
      [
        ...["app/", "app/data/", "etc/", "etc/group", "etc/hosts", "etc/nsswitch.conf", "etc/passwd", "etc/ssl/"],
        ...["etc/ssl/certs/", "etc/ssl/certs/ca-certificates.crt", "lib/", "lib/ld-musl-x86_64.so.1", "tmp/", "usr/"],
        ...["usr/lib/", "usr/lib/libgcc_s.so.1", "usr/lib/libstdc++.so.6", "usr/local/", "usr/local/bin/"],
        ...["usr/local/bin/grok2api", "usr/share/", "usr/share/doc/", "usr/share/doc/grok2api/"],
        ...["usr/share/doc/grok2api/LICENSE", "usr/share/doc/grok2api/THIRD_PARTY_NOTICES"],
      ].toSorted(),
    );
    const owners = Object.fromEntries(
      ["app/data", "tmp", "usr/local/bin/grok2api"].map((path) => [path, statSync(join(root, path))]),
    );
    expect(owners["app/data"]?.uid).toBe(10001);
    expect(owners["usr/local/bin/grok2api"]?.uid).toBe(0);
    expect((owners["tmp"]?.mode ?? 0) & 0o7777).toBe(0o1777);
  });

  test("starts its executable, which names what is inside", async () => {
    const child = run([...image.entrypoint, "version"]);
    const text = await new Response(child.stdout).text();
    expect(await child.exited).toBe(0);
    expect(text).toContain("linux x64 musl");
    expect(text).toContain("wreq-js 3.");
  });

  test("refuses a data folder of another owner with the line that cures it", async () => {
    mkdirSync(join(root, "app/foreign"));
    const child = run([...image.entrypoint, ...image.command], { DATA_DIR: "/app/foreign" });
    const complaint = await new Response(child.stderr).text();
    expect(await child.exited).toBe(1);
    expect(complaint).toContain("chown -R 10001:10001 /app/foreign");
  });

  test("serves, is healthy for its own check, streams through the native client and drains on SIGTERM", async () => {
    writeFileSync(join(root, "app/data/token.json"), JSON.stringify({ ssoBasic: ["sim-ok-image"] }));
    const before = filesBelow(root);
    const child = run([...image.entrypoint, ...image.command], {
      GROK2API_APP_API_KEY: key,
      GROK2API_GROK_BASE_URL: simulator.url,
      GROK2API_GROK_ASSETS_URL: simulator.url,
      GROK2API_GROK_ACCOUNTS_URL: simulator.url,
    });
    try {
      const url = `http://127.0.0.1:${port}`;
      await eventually(`${url}/health answers`, async () => {
        if (child.exitCode !== null) throw new Error(await new Response(child.stderr).text());
        return (await fetch(`${url}/health`).catch(() => undefined))?.ok ? true : undefined;
      });
      const check = run(image.health);
      expect(await check.exited).toBe(0);

      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({
          model: "grok-chat-fast",
          stream: true,
          messages: [{ role: "user", content: "Say hello." }],
        }),
      });
      expect(answer.status).toBe(200);
      const reader = (answer.body ?? new Blob().stream()).getReader();
      const decoder = new TextDecoder();
      let text = decoder.decode((await reader.read()).value, { stream: true });
      child.kill("SIGTERM");
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        text += decoder.decode(part.value, { stream: true });
      }
      expect(text).toMatch(/data: \[DONE\]\s*$/);
      expect(await child.exited).toBe(0);
      const added = filesBelow(root).filter((path) => !before.includes(path));
      expect(added.filter((path) => !/^(app\/data|tmp)\//.test(path))).toEqual([]);
      expect(added.some((path) => /^tmp\/.*\.node$/.test(path))).toBe(true);
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("is not healthy when nothing runs", async () => {
    expect(await run(image.health).exited).toBe(1);
  });
});
