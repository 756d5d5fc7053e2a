// The container image's root folder for tests: put together by the script of the Dockerfile from a musl executable that is
// built here, with the musl libraries of GROK2API_MUSL_LIBRARIES. Knows no endpoint.
// Invariant: user, environment and commands are read from the Dockerfile, never repeated here.
import { expect } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

const checkout = join(import.meta.dir, "../..");
const libraries = process.env.GROK2API_MUSL_LIBRARIES ?? "";
const loader = [join(libraries, "ld-musl-x86_64.so.1"), "/lib/ld-musl-x86_64.so.1"].find((path) => existsSync(path));
const certificates = "/etc/ssl/certs/ca-certificates.crt";

const lacking = [
  ...(process.platform === "linux" && process.arch === "x64" ? [] : ["linux on x64"]),
  ...(process.getuid?.() === 0 ? [] : ["root"]),
  ...(existsSync("/usr/sbin/chroot") ? [] : ["chroot"]),
  ...(libraries !== "" && existsSync(join(libraries, "libstdc++.so.6")) ? [] : ["GROK2API_MUSL_LIBRARIES"]),
  ...(loader === undefined ? ["the package musl"] : []),
  ...(existsSync(certificates) ? [] : ["the package ca-certificates"]),
];

const titleOf = (missing: readonly string[]): string => (missing.length === 0 ? "" : ` (needs ${missing.join(", ")})`);

/** Why the root folder cannot be started here, as the end of a test's title; empty where it can. */
export const imageLacks = titleOf(lacking);

/** Root inside of a container may still not be allowed to mount. */
const mayMount = Bun.which("unshare") !== null && Bun.spawnSync(["unshare", "--mount", "true"]).exitCode === 0;

/** The same for what mounts. */
export const mountLacks = titleOf(mayMount ? [] : ["the right to mount (CAP_SYS_ADMIN), unshare"]);
export const readOnlyImageLacks = titleOf([...lacking, ...(mayMount ? [] : ["the right to mount (CAP_SYS_ADMIN)"])]);

export interface ImageFacts {
  readonly env: Record<string, string>;
  readonly user: string;
  readonly entrypoint: string[];
  readonly command: string[];
  readonly health: string[];
}

/** What the last stage of the Dockerfile says about how it is started. */
export async function readDockerfile(): Promise<ImageFacts> {
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

/** Builds the musl executable and puts the root folder together below `place`; answers with its path. */
export function buildImageRoot(place: string): string {
  const at = (name: string): string => join(place, name);
  succeed([process.execPath, "scripts/release.ts", "--only", "linux-x64-musl", "--out", at("release")]);
  const binary = readdirSync(at("release")).find((name) => name.endsWith("-musl")) ?? "";
  mkdirSync(at("libraries"));
  for (const name of ["libstdc++.so.6", "libgcc_s.so.1"]) {
    copyFileSync(join(libraries, name), join(at("libraries"), name));
  }
  copyFileSync(loader ?? "", at("libraries/ld-musl-x86_64.so.1"));
  succeed([
    ...["sh", "scripts/image-root.sh", "--out", at("root"), "--binary", join(at("release"), binary)],
    ...["--libraries", at("libraries"), "--certificates", certificates],
    ...["--notices", at("release/THIRD_PARTY_NOTICES"), "--licence", join(checkout, "LICENSE")],
  ]);
  return at("root");
}

function succeed(command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command, { cwd: checkout, stdout: "pipe", stderr: "pipe" });
  expect(`${exitCode} ${stderr.toString()}`).toBe("0 ");
}

const mounts = `
mount --make-rprivate /
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"
mount -t tmpfs -o nosuid,nodev,exec,mode=1777,size=128m tmpfs "$1/tmp"
mount --bind "$2" "$1/app/data"
user=$3 root=$1
shift 3
exec setpriv --no-new-privs chroot --userspec="$user" "$root" "$@"`;

/**
 * The words before a command that is to run as a container would: the root cannot be written, /tmp is a tmpfs, the volume lies
 * at /app/data. The mounts are those of one process and go with it.
 */
export const readOnlyLauncher = (root: string, { volume, user }: { volume: string; user: string }): string[] => [
  ...["unshare", "--mount", "sh", "-ec", mounts, "sh", root, volume, user],
];
