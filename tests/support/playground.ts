// Reading the playground's runs in tests: events over HTTP, frames over a WebSocket, and the calls that the upstream still has
// open. Knows no test.
import type { Program } from "./program.ts";
import { within } from "./trial.ts";

export const PLAYGROUND_KEY = "a playground key";

export const PLAYGROUND_ENV = {
  GROK2API_APP_PUBLIC_ENABLED: "true",
  GROK2API_APP_PUBLIC_KEY: PLAYGROUND_KEY,
};

export type Frame = Readonly<Record<string, unknown>>;

/** A call as a visitor who knows the key. */
export const visit = (
  program: Program,
  path: string,
  init: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Response> =>
  fetch(`${program.url}${path}`, {
    method: init.method ?? (init.body === undefined ? "GET" : "POST"),
    headers: {
      authorization: `Bearer ${PLAYGROUND_KEY}`,
      ...(init.body === undefined ? {} : { "content-type": "application/json" }),
      ...init.headers,
    },
    ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
  });

export const beginTask = async (program: Program, kind: "imagine" | "video", body: object): Promise<string> => {
  const response = await visit(program, `/v1/public/${kind}/start`, { body });
  if (response.status !== 200) throw new Error(`the task was refused: ${await response.text()}`);
  return ((await response.json()) as { task_id: string }).task_id;
};

export interface EventReader {
  readonly status: number;
  readonly frames: Frame[];
  /** Reads on until a frame fits; throws when the stream ends before. */
  until(fits: (frame: Frame, frames: readonly Frame[]) => boolean): Promise<Frame>;
  /** Reads to the end. */
  rest(): Promise<readonly Frame[]>;
  /** As a browser does when its tab closes. */
  leave(): void;
}

export const readEvents = async (program: Program, path: string): Promise<EventReader> => {
  const tab = new AbortController();
  const response = await fetch(`${program.url}${path}`, { signal: tab.signal });
  const reader = (response.body ?? new Blob().stream()).getReader();
  const decoder = new TextDecoder();
  const frames: Frame[] = [];
  let text = "";
  /** The frames of the next chunk; null at the end. */
  const more = async (): Promise<readonly Frame[] | null> => {
    const { value, done } = await reader.read();
    if (done) return null;
    text += decoder.decode(value, { stream: true });
    const parts = text.split("\n\n");
    text = parts.pop() ?? "";
    const read = parts
      .filter((part) => part.startsWith("data: ") && part !== "data: [DONE]")
      .map((part) => JSON.parse(part.slice("data: ".length)) as Frame);
    frames.push(...read);
    return read;
  };
  let seen = 0;
  return {
    status: response.status,
    frames,
    async until(fits) {
      for (;;) {
        while (seen < frames.length) {
          const frame = frames[seen++];
          if (frame && fits(frame, frames.slice(0, seen))) return frame;
        }
        if ((await more()) === null) throw new Error(`the stream ended: ${JSON.stringify(frames).slice(0, 500)}`);
      }
    },
    async rest() {
      while ((await more()) !== null);
      return frames;
    },
    leave: () => tab.abort(),
  };
};

export interface SocketReader {
  readonly frames: Frame[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly protocol: () => string;
  send(frame: unknown): void;
  until(fits: (frame: Frame) => boolean): Promise<Frame>;
  leave(): void;
}

export const openSocket = async (
  program: Program,
  path: string,
  options: { protocols?: string[]; headers?: Record<string, string> } = {},
): Promise<SocketReader> => {
  // The browser's type knows no headers; the runtime's does.
  const Socket = WebSocket as unknown as new (url: string, options: object) => WebSocket;
  const socket = new Socket(`${program.url.replace(/^http/, "ws")}${path}`, options);
  const frames: Frame[] = [];
  socket.addEventListener("message", ({ data }) => frames.push(JSON.parse(String(data)) as Frame));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
  });
  await within(5000, "the socket to open", () => socket.readyState !== WebSocket.CONNECTING);
  let seen = 0;
  return {
    frames,
    closed,
    protocol: () => socket.protocol,
    send: (frame) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
    async until(fits) {
      let found: Frame | undefined;
      await within(5000, "a frame", () => {
        while (found === undefined && seen < frames.length) {
          const frame = frames[seen++];
          if (frame && fits(frame)) found = frame;
        }
        return found !== undefined;
      });
      if (!found) throw new Error("unreachable");
      return found;
    },
    leave: () => socket.close(),
  };
};

export const isPicture = ({ type }: Frame): boolean => type === "image";
export const isStatus =
  (status: string) =>
  (frame: Frame): boolean =>
    frame["type"] === "status" && frame["status"] === status;

/** Milliseconds until the upstream has nothing open and every account is back. */
export const untilQuiet = async (program: Program): Promise<number> => {
  const from = performance.now();
  const { pool } = program.composed;
  await within(5000, "the upstream to be left alone", () => {
    const idle = pool.all().every(({ id }) => pool.inFlight(id) === 0);
    return idle && program.simulator.stats().open.total === 0;
  });
  return performance.now() - from;
};
