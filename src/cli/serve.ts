// `serve`: the gateway itself.
import type { Io } from "./port.ts";
import { runGateway } from "./run-app.ts";
import { readVersion } from "./version.ts";

export const serveCommand = async (io: Io): Promise<number> => {
  await runGateway(io, {
    env: io.env,
    onReady({ firstPassword }) {
      if (firstPassword === null) return;
      io.out(`Admin password: ${firstPassword}`);
      io.out("It was made for this first start and is shown only now. To choose your own, set app.app_key.");
    },
    onListening: (_app, url) =>
      io.out(`Grok2API ${readVersion().version} listens on ${url} (API: ${url}/v1, admin: ${url}/admin)`),
  });
  return 0;
};
