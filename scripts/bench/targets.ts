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
import { XAI_BASE, XAI_MODEL, XAI_TEXT_COPIES } from "./wire-xai.ts";

const HERE = import.meta.dir;
export const ROOT = join(HERE, "../..");
export const API_KEY = "bench-key";
const ACCOUNTS = 100;
const API_KEYS = 20;
const CATALOGUE_PATIENCE_MS = 5000;
const HEALTH_PATH = "/health";
const WEB_MODEL = "grok-4";

export type Client = "wreq" | "fetch" | "none";
/** How the target's answers look: the web upstream's lines, Chat Completions, or the Responses API's events. */
export type Wire = "ndjson" | "sse" | "responses";
export interface Mock extends Child {
  protocol: "h1" | "h2";
  baseUrl: string;
}
export interface Target {
  name: string;
  role: "direct" | "floor" | "naive" | "gateway";
  client: Client;
  /** what a request names */
  model: string;
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
  return { name: "direct", role: "direct", client: "none", model: WEB_MODEL, wire: "ndjson", child: mock, mock };
}

export type FloorVariant = "static" | "writes" | "pass-fetch" | "pass-wreq" | "pass-xai" | "naive-fetch" | "naive-wreq";

export async function startFloor(rig: Rig, variant: FloorVariant, mock: Mock): Promise<Target> {
  const name = variant.includes("-") ? variant : `floor-${variant}`;
  const child = await launchRigProcess({
    name,
    argv: [process.execPath, join(HERE, "floors.ts"), variant, mock.baseUrl],
    core: CORES?.gateway,
    cwd: ROOT,
    logPath: join(rig.folder, `${name}-${mock.protocol}.log`),
  });
  const client = variant.endsWith("wreq") ? "wreq" : /fetch$|xai$/.test(variant) ? "fetch" : "none";
  return {
    name,
    role: variant.startsWith("naive") ? "naive" : "floor",
    client,
    model: variant === "pass-xai" ? XAI_MODEL : WEB_MODEL,
    wire: variant === "pass-xai" ? "responses" : variant.startsWith("pass") ? "ndjson" : "sse",
    child,
    mock,
  };
}

export interface GatewayOptions {
  /** The client for the web upstream; "xai" asks the official API instead, which fetch always does. */
  client: "wreq" | "fetch" | "xai";
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
  const isXai = options.client === "xai";
  if (isXai) await waitForModel(port, XAI_MODEL);
  return {
    name,
    role: "gateway",
    client: options.client === "xai" ? "fetch" : options.client,
    model: isXai ? XAI_MODEL : WEB_MODEL,
    wire: "sse",
    child,
    mock: options.mock,
    readyMs: child.readyMs,
  };
}

/** The same gateway asked through the Responses API. */
export function responsesTarget(gateway: Target): Target {
  return { ...gateway, name: `${gateway.name}-responses`, wire: "responses" };
}

/** What an API key may use is asked for only once the gateway runs. */
async function waitForModel(port: number, model: string): Promise<void> {
  const end = performance.now() + CATALOGUE_PATIENCE_MS;
  while (performance.now() < end) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/models/${model}`, {
      headers: { authorization: `Bearer ${API_KEY}` },
    });
    await answer.text();
    if (answer.status === 200) return;
    await Bun.sleep(50);
  }
  throw new Error(`the gateway did not learn of ${model} within ${CATALOGUE_PATIENCE_MS} ms`);
}

function writeDataFolder(dataDir: string, { client, mock }: GatewayOptions): void {
  mkdirSync(dataDir, { recursive: true });
  if (client === "xai") return writeXaiFolder(dataDir, mock);
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

function writeXaiFolder(dataDir: string, mock: Mock): void {
  const keys = Array.from({ length: API_KEYS }, (_, index) => `"xai-bench-${index + 1}"`);
  const config = `[app]
api_key = "${API_KEY}"
app_key = "bench-admin"

[server]
max_streams = 5000

[xai]
api_keys = [${keys.join(", ")}]
base_url = "${mock.baseUrl}${XAI_BASE}"
max_inflight = 1000
`;
  writeFileSync(join(dataDir, "config.toml"), config);
}

export interface ShotOptions {
  plan: Partial<Plan>;
  stream: boolean;
  /** count and time the tokens; costs the loader, so saturating lanes leave it out */
  stamps: boolean;
}

const PATHS: Readonly<Record<Wire, string>> = {
  ndjson: "/v1/chat/completions",
  sse: "/v1/chat/completions",
  responses: "/v1/responses",
};
const TAILS: Readonly<Record<Wire, string>> = { ndjson: "}}\n", sse: "data: [DONE]\n\n", responses: "}\n\n" };

function stampsOf(wire: Wire, count: number): number {
  if (wire === "ndjson") return stampsUpstream(count);
  return wire === "responses" ? count * XAI_TEXT_COPIES : count;
}

/** The request that asks this target for an answer by the plan. Plans travel in the prompt, so all targets read the same bytes. */
export function shotFor(target: Target, { plan, stream, stamps }: ShotOptions): Shot {
  const path = target.role === "direct" ? "/rest/app-chat/conversations/new" : PATHS[target.wire];
  const input = [{ role: "user", content: promptFor(plan) }];
  const body = JSON.stringify(
    target.wire === "responses"
      ? { model: target.model, stream, store: false, input }
      : { model: target.model, stream, messages: input },
  );
  const port = target.child.port;
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${API_KEY}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const n = plan.n ?? 8;
  // What hands an upstream through streams whatever is asked.
  const json = target.role === "gateway" && !stream;
  return {
    port,
    bytes: Buffer.from(head + body),
    stamps: stamps ? stampsOf(target.wire, n) : null,
    tokens: n,
    tail: json ? "}" : TAILS[target.wire],
  };
}
