// Takes the picture of the dashboard that the README shows: a gateway with a day's worth of made-up traffic before the simulated
// upstream, looked at by Chromium. Nothing of a real installation is in it. Usage: bun scripts/picture.ts [docs/dashboard.png]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { createSimulator } from "../src/simulator/server.ts";
import type { JournalRow } from "../src/storage/port.ts";
import { openSqlite } from "../src/storage/sqlite.ts";
import { buildPages } from "./pages.ts";

const ROOT = join(import.meta.dir, "..");
const PASSWORD = "only for the picture";
const HOUR_MS = 3_600_000;
const SIZE = { width: 1280, height: 764 };

/** The same day at every run. */
const createChance = (seed: number) => {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
};

const MODELS = [
  "grok-4-fast",
  "grok-4-fast",
  "grok-chat-fast",
  "grok-4",
  "grok-4-heavy",
  "grok-imagine-image",
] as const;

const rowAt = (endMs: number, { chance, key }: { chance: () => number; key: string }): JournalRow => {
  const model = MODELS[Math.floor(chance() * MODELS.length)] ?? "grok-4-fast";
  const failed = chance() < 0.03;
  const firstByteMs = Math.round(420 + chance() * 900);
  return {
    ...{ id: `req_${Math.floor(chance() * 2 ** 48).toString(16)}`, endMs, key, model, served: model, mode: "fast" },
    ...{ route: "/v1/chat/completions", account: null, stream: true, attempts: [] },
    ...{ status: failed ? 429 : 200, outcome: failed ? "failed" : "finished", code: failed ? "account_quota" : null },
    ...{ firstByteMs: failed ? null : firstByteMs, totalMs: firstByteMs + Math.round(chance() * 9000) },
    ...{ tokensIn: Math.round(chance() * 2400), tokensOut: failed ? 0 : Math.round(80 + chance() * 1400) },
    ...{ tokensReasoning: 0, tokensEstimated: false, images: model.includes("image") ? 1 : 0, videos: 0, costTicks: 0 },
  };
};

/** Quiet at night, busy in the afternoon. */
const writeTraffic = async (folder: string): Promise<void> => {
  const chance = createChance(7);
  const store = openSqlite({ path: join(folder, "grok2api.db") });
  const now = Date.now();
  const rows: JournalRow[] = [];
  for (let hour = 23; hour >= 0; hour--) {
    const busy = 90 + 80 * Math.sin(((23 - hour) / 23) * Math.PI * 1.4 - 0.9) + chance() * 35;
    for (let number = 0; number < busy; number++) {
      rows.push(rowAt(now - hour * HOUR_MS - Math.floor(chance() * HOUR_MS * 0.5), { chance, key: "laptop" }));
    }
  }
  await store.journal.append(rows, { dayOffsetMs: 0 });
  await store.close();
};

interface Running {
  readonly url: string;
  ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

const startGateway = async (folder: string, upstream: string): Promise<Running> => {
  const child = Bun.spawn([process.execPath, join(ROOT, "src/main.ts"), "serve"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...{ PATH: Bun.env["PATH"] ?? "", HOME: folder, DATA_DIR: folder, SERVER_HOST: "127.0.0.1", SERVER_PORT: "8000" },
      ...{ LOG_LEVEL: "error", GROK2API_APP_APP_KEY: PASSWORD, GROK2API_GROK_BASE_URL: upstream },
      ...{ GROK2API_GROK_ASSETS_URL: upstream, GROK2API_GROK_ACCOUNTS_URL: upstream },
    },
  });
  const url = "http://127.0.0.1:8000";
  const deadline = Date.now() + 20_000;
  while (!(await fetch(`${url}/health`).catch(() => null))?.ok) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error("the gateway does not start");
    await Bun.sleep(100);
  }
  return {
    url,
    async ask(method, path, body) {
      const response = await fetch(`${url}/api/v1/admin${path}`, {
        method,
        headers: { authorization: `Bearer ${PASSWORD}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as Record<string, unknown>;
    },
    async stop() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
};

const NOTES = ["paid until May", "", "team account", "", "", "travel card, renews on the 3rd", ""] as const;
const TAGS = [["eu"], [], ["eu", "vip"], [], ["us"], []] as const;

const fill = async ({ ask, url }: Running): Promise<void> => {
  const names = [
    "ok",
    "ok",
    "super-ok",
    "ok",
    "super-ok",
    "ok",
    "ok",
    "super-ok",
    "limited",
    "ok",
    "expired",
    "super-ok",
  ];
  const tokens = names.map(
    (kind, index) => `sim-${kind}-${(0x5f3a91c2d4e * (index + 3)).toString(36)}-${7301 + index * 17}`,
  );
  await ask("POST", "/tokens/import", { text: tokens.join("\n") });
  const { items } = (await ask("GET", "/tokens/list?page_size=50")) as { items: { id: string }[] };
  for (const [index, { id }] of items.entries()) {
    const [note = "", tags = []] = [NOTES[index % NOTES.length], TAGS[index % TAGS.length]];
    if (note !== "") await ask("POST", "/tokens/note", { token: id, note });
    if (tags.length > 0) await ask("POST", "/tokens/tags", { tokens: [id], tags });
  }
  await ask("POST", "/tokens/refresh", { tokens: items.map(({ id }) => id) });
  const [, off] = items;
  if (off) await ask("POST", "/tokens/disabled/batch", { tokens: [off.id], disabled: true });
  await use(url, await ask("POST", "/keys", { name: "laptop", chat_limit: 300, image_limit: 100 }));
};

/** A few real calls, so that accounts have been used and pictures are kept. */
const use = async (url: string, made: Record<string, unknown>): Promise<void> => {
  const { secret } = made["data"] as { secret: string };
  const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
  const call = (at: string, body: object) =>
    fetch(`${url}/v1/${at}`, { method: "POST", headers, body: JSON.stringify(body) }).then((answer) => answer.text());
  const chats = Array.from({ length: 40 }, (_, number) =>
    call("chat/completions", { model: "grok-4-fast", messages: [{ role: "user", content: `Hello ${number}` }] }),
  );
  const pictures = Array.from({ length: 6 }, (_, number) =>
    call("images/generations", { model: "grok-imagine-image", prompt: `a harbour ${number}`, response_format: "url" }),
  );
  await Promise.all([...chats, ...pictures]);
};

const take = async ({ url, ask }: Running, { path, file }: { path: string; file: string }): Promise<void> => {
  const executablePath = Bun.env["GROK2API_CHROMIUM"] ?? Bun.which("chromium") ?? undefined;
  const { token } = await ask("POST", "/login", { password: PASSWORD });
  const browser = await chromium.launch({
    args: ["--no-sandbox", "--disable-gpu"],
    ...(executablePath === undefined ? {} : { executablePath }),
  });
  const context = await browser.newContext({ viewport: SIZE, reducedMotion: "reduce", locale: "en-GB" });
  await context.addInitScript((session) => {
    localStorage.setItem("grok2api.session", session);
    localStorage.setItem("grok2api.theme", "light");
  }, String(token));
  const page = await context.newPage();
  await page.goto(url + path);
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: file });
  await browser.close();
};

const [file = join(ROOT, "docs/dashboard.png"), path = "/admin"] = process.argv.slice(2);
await buildPages({ root: ROOT });
const folder = mkdtempSync(join(tmpdir(), "grok2api-picture-"));
const simulator = createSimulator();
try {
  await writeTraffic(folder);
  const gateway = await startGateway(folder, simulator.url);
  try {
    await fill(gateway);
    await take(gateway, { path, file });
  } finally {
    await gateway.stop();
  }
} finally {
  await simulator.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${file}: ${(Bun.file(file).size / 1000).toFixed(0)} kB`);
