// Runs a composed program from its first line to its orderly end. Knows no command.
// Invariant: the first signal ends in order, the second at once; a failed start leaves nothing open.
import type { Environment } from "../config/environment.ts";
import type { App, Io } from "./port.ts";
import { readVersion } from "./version.ts";

export interface Plan {
  readonly env: Environment;
  /** Before listening: when that fails, a first password is stored already and would never be seen. */
  readonly onReady: (app: App) => void;
  readonly onListening: (app: App, url: string) => void;
}

export const runGateway = async (io: Io, { env, onReady, onListening }: Plan): Promise<void> => {
  const stop = waitForStop(io);
  const app = await io.compose({ env, version: readVersion(), purpose: "serve" });
  try {
    onReady(app);
    const { url } = await app.listen();
    onListening(app, url);
    await stop.asked;
  } finally {
    await app.stop();
    stop.forget();
  }
};

interface StopWish {
  /** Resolves with the first signal. */
  readonly asked: Promise<void>;
  forget(): void;
}

/** Listens from the very beginning, so that a signal during a slow start is not lost. */
export const waitForStop = (io: Io): StopWish => {
  let forget = () => {};
  const asked = new Promise<void>((resolve) => {
    let signals = 0;
    forget = io.onSignal(() => {
      signals++;
      if (signals === 1) resolve();
      else io.exit(1);
    });
  });
  return { asked, forget: () => forget() };
};
