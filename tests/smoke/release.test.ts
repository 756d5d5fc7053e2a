// A release as strangers and operators meet it: the files and their checksums, each executable on the processor that it is
// for (emulated where this machine is another one), the systemd unit.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json";
import { readElf } from "../../scripts/release-elf.ts";
import { releaseTargets } from "../../scripts/release-targets.ts";
import { emptyFolder, eventually, type Folder, freePort, runBinary } from "../support/binary.ts";
import { emulatorLacks, withAvx2, withoutAvx2, writeAvx2Program } from "../support/emulated.ts";

const checkout = join(import.meta.dir, "../..");
const onX64 = process.platform === "linux" && process.arch === "x64";
const nameOf = (target: string): string => `grok2api-${manifest.version}-${target}`;

let place: Folder;
let folder: string;

async function release(out: string, only: readonly string[] = []): Promise<string> {
  const child = Bun.spawn(
    [process.execPath, "scripts/release.ts", "--out", out, ...only.flatMap((name) => ["--only", name])],
    { cwd: checkout, stdio: ["ignore", "pipe", "pipe"] },
  );
  const [said, complaints] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(`${await child.exited} ${complaints}`).toBe("0 ");
  return said;
}

beforeAll(async () => {
  place = emptyFolder();
  folder = join(place.path, "release");
  const said = await release(folder);
  expect(said).toContain(`${releaseTargets.length} of ${releaseTargets.length} executables`);
}, 300_000);
afterAll(() => place[Symbol.dispose]());

describe("the files of a release", () => {
  test("are the executables, a bill of materials for each, the notices and the checksums of all", () => {
    const executables = releaseTargets.map(({ name }) => nameOf(name));
    const all = [...executables, ...executables.map((name) => `${name}.cdx.json`), "THIRD_PARTY_NOTICES", "SHA256SUMS"];
    expect(readdirSync(folder).toSorted()).toEqual(all.toSorted());
    const sums = readFileSync(join(folder, "SHA256SUMS"), "utf8").trimEnd().split("\n");
    expect(sums.map((line) => line.slice(66)).toSorted()).toEqual(
      all.filter((name) => name !== "SHA256SUMS").toSorted(),
    );
    const check = Bun.spawnSync(["sha256sum", "-c", "--quiet", "SHA256SUMS"], { cwd: folder, stderr: "pipe" });
    expect(`${check.exitCode} ${check.stderr.toString()}`).toBe("0 ");
  });

  test.each(releaseTargets.map((target) => [target.name, target] as const))("%s is for its machine", (name, target) => {
    const path = join(folder, nameOf(name));
    expect(readElf(path)).toEqual({ machine: target.machine, interpreter: target.interpreter });
    expect(statSync(path).mode & 0o111).toBe(0o111);
  });

  test("a file that is no executable is refused by the check, not guessed at", () => {
    expect(() => readElf(join(folder, "SHA256SUMS"))).toThrow("not a 64-bit");
  });

  test("the bills of materials name what is inside, with the version that is inside", () => {
    for (const { name } of releaseTargets) {
      const bill = JSON.parse(readFileSync(join(folder, `${nameOf(name)}.cdx.json`), "utf8"));
      expect(bill).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6" });
      expect(bill.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
      const hash = new Bun.CryptoHasher("sha256").update(readFileSync(join(folder, nameOf(name)))).digest("hex");
      expect(bill.metadata.component.hashes).toEqual([{ alg: "SHA-256", content: hash }]);
      const urls: string[] = bill.components.map((component: { purl: string }) => component.purl);
      expect(new Set(urls).size).toBe(urls.length);
      for (const [dependency, version] of Object.entries(manifest.dependencies)) {
        if (dependency !== "wreq-js") expect(urls).toContain(`pkg:npm/${dependency.replace("@", "%40")}@${version}`);
      }
      expect(urls).toContain(`pkg:npm/bun@${Bun.version}`);
      expect(urls.some((url) => url.startsWith("pkg:cargo/wreq@"))).toBe(true);
      // One client, of one version, whichever package its addon came in.
      const clients = urls.filter((url) => /^pkg:npm\/(wreq-js|%40wreq-js\/)/.test(url));
      expect(new Set(clients.map((url) => url.slice(url.lastIndexOf("@")))).size).toBe(1);
    }
  });

  test("the notices carry the licence text of every package", () => {
    const notices = readFileSync(join(folder, "THIRD_PARTY_NOTICES"), "utf8");
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      expect(notices).toContain(`${name} ${version} (`);
      const licence = readFileSync(join(checkout, "node_modules", name, "LICENSE"), "utf8").trim();
      expect(notices).toContain(licence);
    }
    for (const part of [
      `Bun ${Bun.version}`,
      "JavaScriptCore",
      "libstdc++",
      "Apache License",
      "Lesser General Public",
    ]) {
      expect(notices).toContain(part);
    }
  });

  test("are the same bytes when they are made again", async () => {
    const again = join(place.path, "again");
    await release(again, ["linux-x64"]);
    for (const name of [nameOf("linux-x64"), `${nameOf("linux-x64")}.cdx.json`]) {
      expect(Bun.hash(readFileSync(join(again, name)))).toBe(Bun.hash(readFileSync(join(folder, name))));
    }
  });

  test("an executable that is not known is refused before anything is made", async () => {
    const child = Bun.spawn([process.execPath, "scripts/release.ts", "--only", "linux-sparc"], {
      cwd: checkout,
      stdio: ["ignore", "pipe", "pipe"],
    });
    expect(await new Response(child.stdout).text()).toContain('no executable "linux-sparc"');
    expect(await child.exited).toBe(1);
  });
});

describe("each executable that can run here", () => {
  const arm64Libraries = process.env.GROK2API_ARM64_LIBRARIES ?? "/usr/aarch64-linux-gnu";
  const emulateArm64 = ["qemu-aarch64-static", "-L", arm64Libraries];
  const runners: readonly { name: string; target: string; command: string[]; missing: boolean; needs: string }[] = [
    { name: "on this machine", target: "linux-x64", command: [], missing: !onX64, needs: "linux on x64" },
    {
      name: "on a processor without AVX2",
      target: "linux-x64",
      command: [...withoutAvx2],
      missing: emulatorLacks !== "",
      needs: "linux on x64, qemu-user-static",
    },
    {
      name: "on arm64",
      target: "linux-arm64",
      command: emulateArm64,
      missing:
        Bun.which("qemu-aarch64-static") === null || !existsSync(join(arm64Libraries, "lib/ld-linux-aarch64.so.1")),
      needs: "qemu-user-static, libc6-arm64-cross, libgcc-s1-arm64-cross",
    },
  ];

  // Without this the trial below would also pass where the emulator quietly executes what the processor could not.
  test.skipIf(emulatorLacks !== "")(`the emulated older processor refuses AVX2${emulatorLacks}`, () => {
    using own = emptyFolder();
    const program = writeAvx2Program(own.path);
    const run = (command: readonly string[]) => {
      const { exitCode, signalCode } = Bun.spawnSync([...command, program], {
        cwd: own.path,
        stdout: "ignore",
        stderr: "ignore",
      });
      return signalCode ?? exitCode;
    };
    expect(run(withAvx2)).toBe(0);
    expect(run(withoutAvx2)).toBe("SIGILL");
  });

  for (const runner of runners)
    test.skipIf(runner.missing)(
      `answers through its native client ${runner.name} (needs ${runner.needs})`,
      async () => {
        using own = emptyFolder();
        const port = freePort();
        const child = Bun.spawn([...runner.command, join(folder, nameOf(runner.target)), "demo"], {
          cwd: own.path,
          env: {
            PATH: process.env.PATH ?? "",
            TMPDIR: own.path,
            SERVER_PORT: String(port),
            GROK2API_APP_API_KEY: "sk-emulated",
          },
          stdio: ["ignore", "pipe", "pipe"],
        });
        try {
          const url = `http://127.0.0.1:${port}`;
          await eventually(`${url}/health answers`, async () => {
            if (child.exitCode !== null) throw new Error(await new Response(child.stderr).text());
            return (await fetch(`${url}/health`).catch(() => undefined))?.ok ? true : undefined;
          });
          const answer = await fetch(`${url}/v1/chat/completions`, {
            method: "POST",
            headers: { authorization: "Bearer sk-emulated", "content-type": "application/json" },
            body: JSON.stringify({
              model: "grok-chat-fast",
              stream: true,
              messages: [{ role: "user", content: "Hello!" }],
            }),
          });
          expect(await answer.text()).toMatch(/"finish_reason":"stop"[\s\S]*data: \[DONE\]\s*$/);
          const page = await fetch(`${url}/admin`);
          expect(page.status).toBe(200);
          expect(await page.text()).toContain("<script");
          child.kill("SIGTERM");
          expect(await child.exited).toBe(0);
        } finally {
          child.kill("SIGKILL");
        }
      },
      90_000,
    );
});

describe("install-service", () => {
  test("shows the unit of packaging/ as it is", async () => {
    using own = emptyFolder();
    const run = await runBinary(["install-service", "--print"], { folder: own });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toBe(readFileSync(join(checkout, "packaging/grok2api.service"), "utf8"));
  });

  test("installs, and a second time keeps the former executable", async () => {
    using own = emptyFolder();
    const root = join(own.path, "root");
    mkdirSync(root);
    const first = await runBinary(["install-service", "--root", root], { folder: own });
    expect(first).toMatchObject({ exitCode: 0, stderr: "" });
    expect(first.stdout).toContain(manifest.version);
    const installed = join(root, "usr/local/bin/grok2api");
    expect(statSync(installed).mode & 0o777).toBe(0o755);
    expect(existsSync(join(root, "etc/systemd/system/grok2api.service"))).toBe(true);
    expect(existsSync(`${installed}.previous`)).toBe(false);
    const { ino } = statSync(installed);
    const second = await runBinary(["install-service", "--root", root], { folder: own });
    expect(second.stdout).toContain("grok2api.previous");
    expect(statSync(`${installed}.previous`).ino).toBe(ino);
    expect(statSync(installed).ino).not.toBe(ino);
  });

  const analyze = Bun.which("systemd-analyze");
  const verifiable = analyze !== null && process.getuid?.() === 0;
  test.skipIf(!verifiable)(
    "systemd understands the unit and finds little exposed (needs systemd-analyze, root)",
    () => {
      using own = emptyFolder();
      // systemd looks for the executable, which is not installed here.
      const unit = readFileSync(join(checkout, "packaging/grok2api.service"), "utf8")
        .replace("/usr/local/bin/grok2api", process.execPath)
        .replaceAll(/^(User|Group)=grok2api$/gm, "$1=daemon");
      own.write("grok2api.service", unit);
      const path = join(own.path, "grok2api.service");
      const verify = Bun.spawnSync([analyze ?? "", "verify", path], { stdout: "pipe", stderr: "pipe" });
      expect(`${verify.exitCode} ${verify.stdout.toString()}${verify.stderr.toString()}`).toBe("0 ");
      const exposure = Bun.spawnSync([analyze ?? "", "security", "--offline=true", "--threshold=20", path]);
      expect(exposure.exitCode).toBe(0);
    },
  );
});
