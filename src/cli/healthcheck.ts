// `healthcheck`: asks the gateway of this machine whether it lives, for containers that have no other program inside.
// Speaks the few lines of HTTP itself, because requests of the program leave through the upstream's door only.
import type { Io } from "./port.ts";
import { readConfig } from "./config-commands.ts";

const PATIENCE_MS = 3_000;

export const healthcheckCommand = async (io: Io, path: string): Promise<number> => {
  const { config } = await readConfig(io.env);
  const host = loopbackOf(config.server.host);
  const { port } = config.server;
  const status = await askStatus({ host, port, path });
  if (status === 200) {
    io.out("healthy");
    return 0;
  }
  const about = status === null ? "no answer" : `status ${status}`;
  io.err(`not healthy: ${about} from ${host}:${port}${path}`);
  return 1;
};

/** "All addresses" is none that can be called. */
const loopbackOf = (host: string): string => {
  if (host === "0.0.0.0" || host === "") return "127.0.0.1";
  return host === "::" || host === "[::]" ? "::1" : host;
};

const askStatus = (ask: { host: string; port: number; path: string }): Promise<number | null> =>
  new Promise((resolve) => {
    let head = "";
    const done = (status: number | null) => {
      clearTimeout(patience);
      resolve(status);
    };
    const patience = setTimeout(() => done(null), PATIENCE_MS);
    const finish = () => done(Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0) || null);
    const request = `GET ${ask.path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    Bun.connect({
      hostname: ask.host,
      port: ask.port,
      socket: {
        open(socket) {
          socket.write(request);
        },
        data(socket, bytes) {
          head += bytes.toString("latin1");
          if (!head.includes("\r\n")) return;
          finish();
          socket.end();
        },
        close: finish,
        error: () => done(null),
      },
    }).catch(() => done(null));
  });
