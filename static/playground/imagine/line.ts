// How the frames of a picture run arrive: over a WebSocket, or as server-sent events where that cannot be opened. Knows no card.
// Invariants: only the task's id stands in an address; letting go of a line closes it, which ends the run at the gateway.
import { ApiError } from "../../shared/api.ts";
import { at } from "../../shared/place.ts";
import { eventsOf } from "../../shared/sse.ts";
import { cutShort, toldProblem } from "../media/problem.ts";
import { call } from "../visitor.ts";
import type { Transport } from "./settings.ts";

export type Frame = Readonly<Record<string, unknown>>;

export interface LineStart {
  readonly taskId: string;
  readonly transport: Transport;
  readonly signal: AbortSignal;
  readonly onOpen: (over: "ws" | "sse") => void;
  /** True for the last frame. */
  readonly take: (frame: Frame) => boolean;
}

/** Proxies that know no sockets often say nothing at all. */
const PATIENCE_MS = 1500;
const REFUSED = 1008;

/** Reads a run to its end; rejects with what ended it before. */
export const follow = async (line: LineStart): Promise<void> => {
  if (line.transport !== "sse") {
    const opened = await overSocket(line);
    if (opened || line.signal.aborted) return;
    if (line.transport === "ws") {
      throw new ApiError("The WebSocket could not be opened.", { status: 0, code: "socket_closed", param: null });
    }
  }
  await overEvents(line);
};

/** Whether it opened at all. */
const overSocket = ({ taskId, signal, onOpen, take }: LineStart): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const origin = location.origin.replace(/^http/, "ws");
    const socket = new WebSocket(`${origin}${at("/v1/public/imagine/ws")}?task_id=${encodeURIComponent(taskId)}`);
    let isOpen = false;
    let told: ApiError | null = null;
    const end = (act: () => void) => {
      clearTimeout(patience);
      signal.removeEventListener("abort", leave);
      socket.close();
      act();
    };
    const leave = () => end(() => resolve(true));
    const patience = setTimeout(() => end(() => resolve(false)), PATIENCE_MS);
    signal.addEventListener("abort", leave);
    socket.addEventListener("open", () => {
      clearTimeout(patience);
      isOpen = true;
      onOpen("ws");
      socket.send(JSON.stringify({ type: "start" }));
    });
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as Frame;
      // What belongs to no run refuses the whole of it.
      if (frame["type"] === "error" && frame["run_id"] === undefined) told = toldProblem(frame);
      else if (take(frame)) return end(() => resolve(true));
      if (told !== null) end(() => reject(told ?? cutShort()));
    });
    socket.addEventListener("close", ({ code }) => {
      if (signal.aborted) return;
      if (isOpen || code === REFUSED) end(() => reject(told ?? cutShort()));
      else end(() => resolve(false));
    });
  });

const overEvents = async ({ taskId, signal, onOpen, take }: LineStart): Promise<void> => {
  const response = await call(`/v1/public/imagine/sse?task_id=${encodeURIComponent(taskId)}`, { signal });
  onOpen("sse");
  for await (const text of eventsOf(response)) if (take(JSON.parse(text) as Frame)) return;
  throw cutShort();
};
