// `simulate`: the simulated upstream alone, for trials with a gateway of one's own.
import { createSimulator, type Simulator } from "../simulator/server.ts";
import type { Io } from "./port.ts";
import { waitForStop } from "./run-app.ts";

export const simulateCommand = async (io: Io, port: number): Promise<number> => {
  const stop = waitForStop(io);
  const simulator = open(port);
  io.out(
    [
      `The simulated upstream listens on ${simulator.url}`,
      "Point a gateway at it: set grok.base_url, grok.assets_url and grok.accounts_url to this address.",
      "Accounts: any session named sim-ok-…, sim-super-ok-…, sim-limited-… works; GET /__sim/scenarios lists all kinds.",
    ].join("\n"),
  );
  await stop.asked;
  stop.forget();
  await simulator.stop();
  return 0;
};

const open = (port: number): Simulator => {
  try {
    return createSimulator({ port });
  } catch (thrown) {
    throw new Error(`cannot listen on 127.0.0.1:${port}: the port is taken or not allowed`, { cause: thrown });
  }
};
