// The container image without a container: its root folder is put together by the script that the Dockerfile uses, and the
// musl executable runs in it by chroot, as the user and with the environment that the Dockerfile names.
// Needs Debian's package musl and a folder with musl builds of libstdc++ and libgcc_s, named in GROK2API_MUSL_LIBRARIES.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";
import { emptyFolder, eventually, type Folder, freePort } from "../support/binary.ts";
import { emulatorLacks, withoutAvx2 } from "../support/emulated.ts";
import { buildImageRoot, type ImageFacts, imageLacks, readDockerfile } from "../support/image.ts";

function filesBelow(folder: string, path = ""): string[] {
  return readdirSync(join(folder, path), { withFileTypes: true }).flatMap((entry) => {
    const own = join(path, entry.name);
    return entry.isDirectory() ? [`${own}/`, ...filesBelow(folder, own)] : [own];
  });
}

describe.skipIf(imageLacks !== "")(`the image's root folder${imageLacks}`, () => {
  const key = "smoke-image-key";
  const port = String(freePort());
  let place: Folder;
  let root: string;
  let image: ImageFacts;
  let simulator: Simulator;

  const run = (args: string[], env: Record<string, string> = {}) =>
    Bun.spawn(["/usr/sbin/chroot", `--userspec=${image.user}`, root, ...args], {
      env: { ...image.env, SERVER_HOST: "127.0.0.1", SERVER_PORT: port, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });

  beforeAll(async () => {
    place = emptyFolder();
    image = await readDockerfile();
    simulator = createSimulator({ port: 0, tokenDelayMs: 40 });
    root = buildImageRoot(place.path);
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

  // tests/smoke/release.test.ts shows that this processor refuses AVX2.
  test.skipIf(emulatorLacks !== "")(`starts on a processor without AVX2${emulatorLacks}`, async () => {
    // The emulator finds the loader below -L, and the loader its libraries by the variable.
    const child = Bun.spawn([...withoutAvx2, "-L", root, join(root, "usr/local/bin/grok2api"), "version"], {
      env: { TMPDIR: place.path, LD_LIBRARY_PATH: join(root, "usr/lib") },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [text, complaint] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    expect(`${await child.exited} ${complaint}`).toBe("0 ");
    expect(text).toContain("linux x64 musl");
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
