// The executable alone in an empty folder, as somebody who has just downloaded it would run it, with the simulated upstream
// beside it. Clients are told nothing but its address and the key. Knows no protocol.
// Invariant: `stop` leaves no process, no port and no folder behind.
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";
import { emptyFolder, eventually, startGateway } from "../support/binary.ts";

export const KEY = "sk-sdk-test-000000001";

export interface Executable {
  /** Without a slash at the end. */
  readonly url: string;
  readonly simulator: Simulator;
  /** Conversations that the upstream was asked for since its last reset, by either transport. */
  asked(): number;
  /** What the upstream was told in them, in order. */
  heard(): string[];
  stop(): Promise<void>;
}

interface Started {
  readonly accounts?: readonly string[];
  /** Keys of the official API; when the executable is up, their models are known. */
  readonly keys?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const isTurn = ({ method, path }: { readonly method: string; readonly path: string }): boolean =>
  path.startsWith("/ws/mgw") || (method === "POST" && path.startsWith("/rest/app-chat/conversations"));

export const startExecutable = async (start: Started = {}): Promise<Executable> => {
  const { accounts = ["sim-super-1"], keys = [], env = {} } = start;
  const simulator = createSimulator({ tokenDelayMs: 0 });
  const folder = emptyFolder();
  folder.write("data/token.json", JSON.stringify({ ssoSuper: accounts, xai: keys }));
  const gateway = await startGateway({
    folder,
    env: {
      GROK2API_APP_API_KEY: KEY,
      GROK2API_GROK_BASE_URL: simulator.url,
      GROK2API_GROK_ASSETS_URL: simulator.url,
      GROK2API_GROK_ACCOUNTS_URL: simulator.url,
      GROK2API_XAI_BASE_URL: `${simulator.url}/xai/v1`,
      ...env,
    },
  });
  if (keys.length > 0) {
    const headers = { authorization: `Bearer ${KEY}` };
    await eventually("the models of the keys are known", async () => {
      const listed = await fetch(`${gateway.url}/v1/models`, { headers });
      return (await listed.text()).includes('"upstreams":["xai"') ? true : undefined;
    });
  }
  return {
    url: gateway.url,
    simulator,
    asked: () => simulator.requests().filter(isTurn).length,
    heard: () =>
      simulator
        .requests()
        .filter(isTurn)
        .map(({ body, frames }) => JSON.stringify(frames.length > 0 ? frames : body)),
    async stop() {
      await gateway.stop();
      await simulator.stop(true);
      folder[Symbol.dispose]();
    },
  };
};
