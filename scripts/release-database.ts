// Owns making a data folder as a released version leaves it behind, for the tests of upgrades: the version's own program is
// started from its commit, used through its API, and stopped. Run it for each version whose database has a new shape:
//   bun scripts/release-database.ts <commit> <name>      writes tests/fixtures/databases/<name>.tar.gz and <name>.json
// Must not know what a database looks like inside. Invariant: everything in it is invented; the upstream is the simulated one.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const ADMIN = "upgrade-test-admin-password";
const KEY = "sk-upgrade-test-configured";
const START_LIMIT_MS = 20_000;

const config = (upstream: string): string => `[app]
app_key = "${ADMIN}"
api_key = ["${KEY}"]
[grok]
base_url = "${upstream}"
assets_url = "${upstream}"
accounts_url = "${upstream}"
`;

interface Call {
  readonly url: string;
  readonly key?: string;
}

async function call({ url, key = ADMIN }: Call, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text;
}

/** A field of an answer by its path, as text. */
function textAt(value: unknown, ...path: readonly (string | number)[]): string {
  let current = value;
  for (const step of path) {
    if (typeof current !== "object" || current === null) break;
    current = Object.entries(current).find(([name]) => name === String(step))?.[1];
  }
  if (typeof current !== "string") throw new Error(`no text at ${path.join(".")}`);
  return current;
}

async function useIt(url: string): Promise<object> {
  const admin = { url };
  await call(admin, "/api/v1/admin/tokens/add", {
    pool: "ssoBasic",
    tokens: ["sim-ok-upgrade-1", "sim-ok-upgrade-2", "sim-ok-upgrade-3"],
  });
  await call(admin, "/api/v1/admin/tokens/add", {
    pool: "ssoSuper",
    tokens: ["sim-super-ok-upgrade-4", "sim-heavy-ok-upgrade-5"],
  });
  const [one, two] = ["sim-ok-upgrade-1", "sim-super-ok-upgrade-4"];
  await call(admin, "/api/v1/admin/tokens/note", { token: one, note: "bought in spring, 续费" });
  await call(admin, "/api/v1/admin/tokens/tags", { token: two, tags: ["nsfw", "team-a"] });
  await call(admin, "/api/v1/admin/tokens/disabled", { token: "sim-ok-upgrade-3", disabled: true });
  const settings = {
    chat: { reasoning_format: "think_tags" },
    token: { fail_threshold: 7 },
    app: { custom_instruction: "Answer in one line." },
  };
  await call(admin, "/api/v1/admin/config", settings);
  const made = await call(admin, "/api/v1/admin/keys", {
    name: "laptop",
    note: "Zoë's",
    models: ["grok-4-fast", "grok-imagine-image", "grok-imagine-video"],
    rpm: 30,
  });
  await call(admin, "/api/v1/admin/keys", { name: "switched off", enabled: false });
  const clientKey = textAt(made, "data", "key");
  const client = { url, key: clientKey };
  const messages = [{ role: "user", content: "Hello!" }];
  await call(client, "/v1/chat/completions", { model: "grok-4-fast", messages });
  await call(client, "/v1/chat/completions", { model: "grok-4-fast", stream: true, messages });
  const response = await call({ url, key: KEY }, "/v1/responses", {
    model: "grok-4-fast",
    input: "Remember the word fox.",
  });
  await call(client, "/v1/chat/completions", {
    model: "grok-4-fast",
    messages: [{ role: "user", content: "sim:empty" }],
  }).catch(() => undefined);
  const picture = await call(client, "/v1/images/generations", { model: "grok-imagine-image", prompt: "a fox" });
  const clip = await call(client, "/v1/videos", { model: "grok-imagine-video", prompt: "a fox runs" });
  const job = textAt(clip, "id");
  while (textAt(await call(client, `/v1/videos/${job}`), "status") !== "completed") await Bun.sleep(100);
  // Rows and counters are written behind.
  await Bun.sleep(3_000);
  return {
    admin_password: ADMIN,
    configured_key: KEY,
    client_key: clientKey,
    response: textAt(response, "id"),
    picture: new URL(textAt(picture, "data", 0, "url")).pathname,
    video_job: await call(client, `/v1/videos/${job}`),
    accounts: await call(admin, "/api/v1/admin/tokens"),
    snapshots: await call(admin, "/api/v1/admin/tokens/snapshots"),
    settings,
    keys: await call(admin, "/api/v1/admin/keys"),
    files: await call(admin, "/api/v1/admin/cache/list"),
    audit: await call(admin, "/api/v1/admin/audit"),
    // A version without a journal has no such route.
    requests: await call(admin, "/api/v1/admin/requests").catch(() => null),
    totals: await call(admin, "/api/v1/admin/reports/top?range=30d&dimension=model&by=requests").catch(() => null),
  };
}

interface Started {
  readonly url: string;
  stop(): Promise<void>;
}

async function start(folder: string, args: string[], env: Record<string, string>): Promise<Started> {
  const child = Bun.spawn([process.execPath, "src/main.ts", ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const deadline = setTimeout(() => child.kill("SIGKILL"), START_LIMIT_MS);
  let said = "";
  let url: string | undefined;
  const decoder = new TextDecoder();
  const reader = child.stdout.getReader();
  while (url === undefined) {
    const part = await reader.read();
    if (part.done) throw new Error(`${args.join(" ")} ended: ${said}`);
    said += decoder.decode(part.value, { stream: true });
    [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? [];
  }
  clearTimeout(deadline);
  return {
    url,
    async stop() {
      child.kill("SIGTERM");
      if ((await child.exited) !== 0) throw new Error(`${args.join(" ")} ended with ${child.exitCode}`);
    },
  };
}

function run(command: string[], cwd: string): void {
  const done = Bun.spawnSync(command, { cwd, stdout: "ignore", stderr: "inherit" });
  if (done.exitCode !== 0) throw new Error(`${command.join(" ")} failed`);
}

async function main(commit: string, name: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "grok2api-release-"));
  try {
    const [program, data] = [join(folder, "program"), join(folder, "data")];
    for (const path of [program, data]) mkdirSync(path);
    run(["sh", "-c", 'git archive "$1" | tar -x -C "$2"', "sh", commit, program], root);
    symlinkSync(join(root, "node_modules"), join(program, "node_modules"));
    const upstream = await start(program, ["simulate", "--port", "0"], {});
    writeFileSync(join(data, "config.toml"), config(upstream.url));
    const gateway = await start(program, ["serve"], { DATA_DIR: data, SERVER_HOST: "127.0.0.1", SERVER_PORT: "0" });
    const expected = await useIt(gateway.url);
    await gateway.stop();
    await upstream.stop();
    const target = join(root, "tests/fixtures/databases");
    mkdirSync(target, { recursive: true });
    // The test writes the addresses of its own upstream.
    rmSync(join(data, "config.toml"));
    run(["tar", "-czf", join(target, `${name}.tar.gz`), "-C", data, ...readdirSync(data)], root);
    writeFileSync(join(target, `${name}.json`), `${JSON.stringify(expected, null, 2)}\n`);
    console.log(`${name}: ${Bun.file(join(target, `${name}.tar.gz`)).size} bytes`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [commit, name] = Bun.argv.slice(2);
if (commit === undefined || name === undefined) {
  console.error("usage: bun scripts/release-database.ts <commit> <name>");
  process.exitCode = 2;
} else await main(commit, name);
