// `demo`: gateway and simulated upstream together, in a folder that is thrown away. No account and no network is needed.
// Invariant: nothing of the operator's own data folder is read or written.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../config/environment.ts";
import { readablePassword } from "../lib/ids.ts";
import { createSimulator } from "../simulator/server.ts";
import { demoXaiKeys } from "../simulator/xai/keys.ts";
import type { App, Io } from "./port.ts";
import { runGateway } from "./run-app.ts";

/** Sessions of the site and keys of the official API; the simulator knows any whose name has this form. */
const ACCOUNTS = {
  ssoBasic: ["sim-ok-demo-1", "sim-ok-demo-2"],
  ssoSuper: ["sim-super-ok-demo"],
  xai: demoXaiKeys(),
};

export const demoCommand = async (io: Io): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), "grok2api-demo-"));
  const simulator = createSimulator();
  try {
    writeFileSync(join(folder, "token.json"), JSON.stringify(ACCOUNTS));
    await runGateway(io, {
      env: demoEnvironment(io.env, { folder, upstream: simulator.url }),
      onReady: () => {},
      onListening: (app, url) => io.out(describe(app, { url, upstream: simulator.url })),
    });
  } finally {
    await simulator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
};

const demoEnvironment = (given: Environment, place: { folder: string; upstream: string }): Environment => ({
  LOG_LEVEL: "warn",
  SERVER_HOST: "127.0.0.1",
  SERVER_PORT: "0",
  GROK2API_APP_API_KEY: `sk-demo-${readablePassword()}`,
  GROK2API_APP_PUBLIC_ENABLED: "true",
  GROK2API_APP_PUBLIC_BYPASS_API_KEY: "false",
  ...given,
  CONFIG_LOCAL_PATH: undefined,
  DATA_DIR: place.folder,
  GROK2API_GROK_BASE_URL: place.upstream,
  GROK2API_GROK_ASSETS_URL: place.upstream,
  GROK2API_GROK_ACCOUNTS_URL: place.upstream,
  GROK2API_XAI_BASE_URL: `${place.upstream}/xai/v1`,
  GROK2API_VOICE_LIVEKIT_URL: place.upstream.replace(/^http/, "ws"),
});

const describe = (app: App, at: { url: string; upstream: string }): string => {
  const { app_key: ownPassword, api_key: keys } = app.config.app;
  const key = keys[0];
  const password = app.firstPassword ?? ownPassword;
  const auth = key === undefined ? "" : ` -H 'Authorization: Bearer ${key}'`;
  const curl = (model: string) => {
    const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello!" }], stream: true });
    return `  curl -N ${at.url}/v1/chat/completions -H 'Content-Type: application/json'${auth} -d '${body}'`;
  };
  return [
    "Grok2API demo: a gateway and a simulated upstream on this machine. Nothing leaves it.",
    "",
    `  API address:     ${at.url}/v1`,
    `  API key:         ${key ?? "(none is needed)"}`,
    `  Playground:      ${at.url}/chat`,
    `  Admin page:      ${at.url}/admin`,
    `  Admin password:  ${password}`,
    `  Simulator:       ${at.upstream}`,
    "",
    "Try a web account, then a key of the official API:",
    curl("grok-chat-fast"),
    curl("grok-4.3"),
    "",
    "Ctrl-C ends it and removes its data.",
  ].join("\n");
};
