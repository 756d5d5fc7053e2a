// A minimal client of the simulated xAI API for its own tests: plain fetch, nothing of the program's client.
import type { Simulator } from "../../src/simulator/server.ts";
import { simulator } from "./simulator-client.ts";
import type { Json } from "./simulator-client.ts";

export const KEY = "xai-sim-ok-alpha-1";

export const keyed = (key: string): Record<string, string> => ({
  authorization: `Bearer ${key}`,
  "content-type": "application/json",
});

export interface Xai {
  sim: Simulator;
  /** The address that a client is given. */
  base: string;
  post(path: string, body: unknown, key?: string): Promise<Response>;
  get(path: string, key?: string): Promise<Response>;
  respond(input: unknown, more?: object, key?: string): Promise<Response>;
}

export function xai(): Xai {
  const sim = simulator();
  const base = `${sim.url}/xai/v1`;
  const post: Xai["post"] = (path, body, key = KEY) =>
    fetch(base + path, { method: "POST", headers: keyed(key), body: JSON.stringify(body) });
  return {
    sim,
    base,
    post,
    get: (path, key = KEY) => fetch(base + path, { headers: keyed(key) }),
    respond: (input, more = {}, key = KEY) => post("/responses", { model: "grok-4.3", input, ...more }, key),
  };
}

export const json = async (response: Response): Promise<Json> => (await response.json()) as Json;

export interface StreamEvent {
  event: string | undefined;
  data: string;
}

/** Every event of a stream, in order; `cut` when it ended without a proper end. */
export async function eventsOf(response: Response): Promise<{ events: StreamEvent[]; cut: boolean }> {
  const decoder = new TextDecoder();
  let raw = "";
  let cut = false;
  try {
    for await (const bytes of response.body ?? []) raw += decoder.decode(bytes, { stream: true });
  } catch {
    cut = true;
  }
  const events = raw
    .split("\n\n")
    .filter((block) => block.includes("data: "))
    .map((block) => ({
      event: /^event: (.*)$/m.exec(block)?.[1],
      data: /^data: (.*)$/m.exec(block)?.[1] ?? "",
    }));
  return { events, cut };
}

export const WEATHER = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer", minimum: 1 } },
  required: ["city"],
};
