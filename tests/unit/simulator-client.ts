// A minimal client of the simulator for its own tests: plain fetch and WebSocket, nothing of the program's client.
import { createSimulator } from "../../src/simulator/server.ts";
import type { Simulator, SimulatorOptions } from "../../src/simulator/server.ts";

export type Json = Record<string, unknown>;

const running: Simulator[] = [];

/** Each test file hands this to its own afterEach: a hook registered here would hold for one file only. */
export async function stopSimulators(): Promise<void> {
  for (const simulator of running.splice(0)) await simulator.stop(true);
}

export function simulator(options: SimulatorOptions = {}): Simulator {
  const started = createSimulator({ tokenDelayMs: 0, mediaDelayMs: 0, ...options });
  running.push(started);
  return started;
}

export function cookies(token: string): Record<string, string> {
  return { cookie: `sso=${token}; sso-rw=${token}` };
}

export interface Ask {
  token?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export function post(sim: Simulator, path: string, body: unknown, ask: Ask = {}): Promise<Response> {
  const headers = { "content-type": "application/json", ...cookies(ask.token ?? "sim-super-1"), ...ask.headers };
  const signal = ask.signal === undefined ? {} : { signal: ask.signal };
  return fetch(sim.url + path, { method: "POST", headers, body: JSON.stringify(body), ...signal });
}

export function get(sim: Simulator, path: string, ask: Ask = {}): Promise<Response> {
  return fetch(sim.url + path, { headers: { ...cookies(ask.token ?? "sim-super-1"), ...ask.headers } });
}

export const NEW = "/rest/app-chat/conversations/new";

export function chat(sim: Simulator, message: string, ask: Ask = {}): Promise<Response> {
  return post(sim, NEW, { modeId: "fast", message, temporary: true }, ask);
}

export interface Read {
  objects: Json[];
  frames: Json[];
  text: string;
  thinking: string;
  final: Json | undefined;
  /** The connection ended without a proper end of the body. */
  cut: boolean;
}

/** Reads default framing: one object a line. */
export async function read(response: Response): Promise<Read> {
  const decoder = new TextDecoder();
  let raw = "";
  let cut = false;
  try {
    for await (const bytes of response.body ?? []) raw += decoder.decode(bytes, { stream: true });
  } catch {
    cut = true;
  }
  return {
    ...digest(
      raw
        .split("\n")
        .filter((line) => line.trim() !== "")
        .map((line) => JSON.parse(line) as Json),
    ),
    cut,
  };
}

export function digest(objects: Json[]): Omit<Read, "cut"> {
  const results = objects.flatMap((object) => (object["result"] === undefined ? [] : [object["result"] as Json]));
  const frames = results.map((result) => (result["response"] ?? result) as Json);
  const tokens = frames.filter((frame) => typeof frame["token"] === "string" && frame["sideBySideIndex"] !== 1);
  const said = (thinking: boolean): string =>
    tokens
      .filter((frame) => frame["isThinking"] === thinking)
      .map((frame) => frame["token"])
      .join("");
  const final = frames.find((frame) => frame["modelResponse"] !== undefined)?.["modelResponse"] as Json | undefined;
  return { objects, frames, text: said(false), thinking: said(true), final };
}

export interface Talk {
  socket: WebSocket;
  frames: Json[];
  /** Waits for the next frame that the test accepts; undefined when the socket closes first. */
  until(accept: (frame: Json) => boolean): Promise<Json | undefined>;
  send(frame: unknown): void;
  closed: Promise<number>;
}

export async function connect(sim: Simulator, path: string, token = "sim-super-1"): Promise<Talk> {
  // Bun's client takes headers, the DOM's type does not know them.
  const options = { headers: cookies(token) } as unknown as string[];
  const socket = new WebSocket(sim.url.replace("http", "ws") + path, options);
  const frames: Json[] = [];
  const waiting: (() => void)[] = [];
  let over = false;
  const wake = (): void => {
    for (const resume of waiting.splice(0)) resume();
  };
  const closed = new Promise<number>((resolve) => {
    socket.addEventListener("close", (event) => {
      over = true;
      wake();
      resolve(event.code);
    });
  });
  socket.addEventListener("message", (event) => {
    if (typeof event.data === "string") frames.push(JSON.parse(event.data) as Json);
    wake();
  });
  let seen = 0;
  async function until(accept: (frame: Json) => boolean): Promise<Json | undefined> {
    for (;;) {
      while (seen < frames.length) {
        const frame = frames[seen++];
        if (frame !== undefined && accept(frame)) return frame;
      }
      if (over) return undefined;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  }
  await new Promise<void>((resolve) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("close", () => resolve());
  });
  return { socket, frames, until, send: (frame) => socket.send(JSON.stringify(frame)), closed };
}

export async function uuidOf(sim: Simulator, token: string): Promise<string> {
  const session = (await (await get(sim, "/api/auth/session", { token })).json()) as { session: { userId: string } };
  return session.session.userId;
}

export function typeIs(type: string): (frame: Json) => boolean {
  return (frame) => (frame["event"] as Json | undefined)?.["type"] === type;
}

/** Waits for something that another process or a closing socket must first notice. */
export async function eventually(holds: () => boolean, withinMs = 1000): Promise<boolean> {
  for (let waited = 0; waited < withinMs; waited += 5) {
    if (holds()) return true;
    await Bun.sleep(5);
  }
  return holds();
}

/** A member that is an object; an empty one when it is missing. */
export function inside(value: Json | undefined, key: string): Json {
  return (value?.[key] ?? {}) as Json;
}

export function tokenOf(frame: Json): string {
  return typeof frame["token"] === "string" ? frame["token"] : "";
}

export async function upload(sim: Simulator, file: File, fields: Record<string, string> = {}): Promise<Json> {
  const form = new FormData();
  form.append("file", file);
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const request = { method: "POST", headers: cookies("sim-super-1"), body: form };
  return (await (await fetch(`${sim.url}/http/upload-file-v2/direct`, request)).json()) as Json;
}

export const PNG = new File([new Uint8Array([137, 80, 78, 71, 1, 2, 3, 4])], "né w.png", { type: "image/png" });
