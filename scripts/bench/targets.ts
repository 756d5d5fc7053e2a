// The things under load and how each is asked: mocks directly, floors, and the compiled gateway with its real configuration.
// Owns the temporary data folders of the gateways. Invariant: a gateway is only ever reached through its public port.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeCertificate } from "./certificate.ts";
import type { Shot } from "./load.ts";
import { CORES, freePort, launchRigProcess, launchServer } from "./processes.ts";
import type { Child } from "./processes.ts";
import { promptFor, stampsUpstream } from "./wire.mjs";
import type { Plan } from "./wire.mjs";

const HERE = import.meta.dir;
export const ROOT = join(HERE, "../..");
export const API_KEY = "bench-key";
const ACCOUNTS = 100;
const HEALTH_PATH = "/health";

export type Client = "wreq" | "fetch" | "none";
export type Wire = "ndjson" | "sse";
export interface Mock extends Child {
  protocol: "h1" | "h2";
  baseUrl: string;
}
export interface Target {
  name: string;
  role: "direct" | "floor" | "naive" | "gateway";
  client: Client;
  wire: Wire;
  child: Child;
  mock: Mock;
}
export interface Rig {
  folder: string;
  /** how the gateway under test is started */
  command: readonly string[];
  h1: Mock;
  /** null when node is missing */
  h2: Mock | null;
}

export async function startMocks(folder: string, command: readonly string[], wantH2: boolean): Promise<Rig> {
  const rigCore = CORES?.rig;
  const h1Child = await launchRigProcess({
    name: "mock-h1",
    argv: [process.execPath, join(HERE, "mock-h1.ts")],
    core: rigCore,
    logPath: join(folder, "mock-h1.log"),
  });
  const h1: Mock = { ...h1Child, protocol: "h1", baseUrl: `http://127.0.0.1:${h1Child.port}` };
  const node = Bun.which("node");
  if (!wantH2) return { folder, command, h1, h2: null };
  if (!node) {
    console.log("no node on this machine: the TLS + HTTP/2 lanes are left out");
    return { folder, command, h1, h2: null };
  }
  const { keyPath, certPath } = writeCertificate(folder);
  const h2Child = await launchRigProcess({
    name: "mock-h2",
    argv: [node, join(HERE, "mock-h2.mjs"), keyPath, certPath],
    core: rigCore,
    logPath: join(folder, "mock-h2.log"),
  });
  return { folder, command, h1, h2: { ...h2Child, protocol: "h2", baseUrl: `https://127.0.0.1:${h2Child.port}` } };
}

export function directTarget(mock: Mock): Target {
  return { name: "direct", role: "direct", client: "none", wire: "ndjson", child: mock, mock };
}

export type FloorVariant = "static" | "writes" | "pass-fetch" | "pass-wreq" | "naive-fetch" | "naive-wreq";

export async function startFloor(rig: Rig, variant: FloorVariant, mock: Mock): Promise<Target> {
  const name = variant.includes("-") ? variant : `floor-${variant}`;
  const child = await launchRigProcess({
    name,
    argv: [process.execPath, join(HERE, "floors.ts"), variant, mock.baseUrl],
    core: CORES?.gateway,
    cwd: ROOT,
    logPath: join(rig.folder, `${name}-${mock.protocol}.log`),
  });
  const client = variant.endsWith("wreq") ? "wreq" : variant.endsWith("fetch") ? "fetch" : "none";
  return {
    name,
    role: variant.startsWith("naive") ? "naive" : "floor",
    client,
    wire: variant.startsWith("pass") ? "ndjson" : "sse",
    child,
    mock,
  };
}

export interface GatewayOptions {
  client: "wreq" | "fetch";
  mock: Mock;
  /** distinguishes the data folders of gateways that run side by side */
  label?: string;
  env?: Record<string, string>;
}

export async function startGateway(rig: Rig, options: GatewayOptions): Promise<Target & { readyMs: number }> {
  const name = `gateway-${options.client}`;
  const label = `${name}-${options.mock.protocol}${options.label ? `-${options.label}` : ""}`;
  const dataDir = join(rig.folder, label);
  if (!existsSync(dataDir)) writeDataFolder(dataDir, options);
  const port = freePort();
  const child = await launchServer({
    name: label,
    argv: [...rig.command],
    core: CORES?.gateway,
    cwd: dataDir,
    env: { SERVER_HOST: "127.0.0.1", SERVER_PORT: String(port), DATA_DIR: dataDir, ...options.env },
    logPath: join(rig.folder, `${label}.log`),
    port,
    path: HEALTH_PATH,
    patienceMs: 15_000,
  });
  return {
    name,
    role: "gateway",
    client: options.client,
    wire: "sse",
    child,
    mock: options.mock,
    readyMs: child.readyMs,
  };
}

function writeDataFolder(dataDir: string, { client, mock }: GatewayOptions): void {
  mkdirSync(dataDir, { recursive: true });
  // Real settings; only the caps are lifted that would turn a load test into a test of the caps, and the certificate is let pass.
  const config = `[app]
api_key = "${API_KEY}"
app_key = "bench-admin"

[server]
max_streams = 5000

[grok]
base_url = "${mock.baseUrl}"
http_client = "${client}"
insecure = ${mock.protocol === "h2"}

[chat]
transport = "rest"

[token]
max_inflight = 1000
`;
  writeFileSync(join(dataDir, "config.toml"), config);
  const tokens = Array.from({ length: ACCOUNTS }, (_, index) => `bench-token-${index + 1}`);
  writeFileSync(join(dataDir, "token.json"), JSON.stringify({ ssoBasic: tokens }));
}

export interface ShotOptions {
  plan: Partial<Plan>;
  stream: boolean;
  /** count and time the tokens; costs the loader, so saturating lanes leave it out */
  stamps: boolean;
}

/** The request that asks this target for an answer by the plan. Plans travel in the prompt, so all targets read the same bytes. */
export function shotFor(target: Target, { plan, stream, stamps }: ShotOptions): Shot {
  const path = target.role === "direct" ? "/rest/app-chat/conversations/new" : "/v1/chat/completions";
  const body = JSON.stringify({ model: "grok-4", stream, messages: [{ role: "user", content: promptFor(plan) }] });
  const port = target.child.port;
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${API_KEY}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const n = plan.n ?? 8;
  const json = target.wire === "sse" && !stream;
  return {
    port,
    bytes: Buffer.from(head + body),
    stamps: stamps ? (target.wire === "ndjson" ? stampsUpstream(n) : n) : null,
    tokens: n,
    tail: target.wire === "ndjson" ? "}}\n" : json ? "}" : "data: [DONE]\n\n",
  };
}
