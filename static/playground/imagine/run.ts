// One picture run: begun as a task, read to its end, told to the cards. Knows no page.
// Invariant: whoever stops it, or whatever breaks it, the gateway is told to end it.
import { ApiError } from "../../shared/api.ts";
import { problemOf, toldProblem } from "../media/problem.ts";
import { call, callJson } from "../visitor.ts";
import { arrived, drawing, failed, short } from "./cards.ts";
import { type Frame, follow } from "./line.ts";
import { offer, settings } from "./settings.ts";
import type { Easel } from "./easel.ts";

const textOf = (frame: Frame, name: string): string => {
  const value = frame[name];
  return typeof value === "string" ? value : "";
};

const numberOf = (frame: Frame, name: string): number => {
  const value = frame[name];
  return typeof value === "number" ? value : 0;
};

const SIGNS = [
  ["/9j/", "image/jpeg"],
  ["iVBOR", "image/png"],
  ["UklGR", "image/webp"],
  ["R0lGO", "image/gif"],
] as const;

/** Frames carry bytes without their kind; every kind begins in its own way. */
export const blobOf = (base64: string): Blob => {
  const mime = SIGNS.find(([sign]) => base64.startsWith(sign))?.[1] ?? "image/jpeg";
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return new Blob([bytes], { type: mime });
};

/** Runs tell some failures by names that are older than the gateway's own. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  rate_limit_exceeded: "no_available_account",
  empty_image: "upstream_empty",
  internal_error: "upstream_error",
};

/** Codes of refusals that the gateway does not try again by itself. */
const isRefused = (frame: Frame): boolean =>
  ["content_policy_violation", "model_not_supported", "permission_denied"].includes(textOf(frame, "code"));

export const drawByRun = async (easel: Easel, { count }: { count: number }): Promise<void> => {
  const { about, signal } = easel;
  const { quality, adult, transport } = settings.value;
  const wish = {
    ...{ prompt: about.prompt, aspect_ratio: about.ratio, quality, batches: true },
    ...(count > 0 ? { count } : {}),
    // What the server does not allow is not asked for.
    ...(offer.value?.nsfw === true ? { nsfw: adult } : {}),
  };
  const { task_id: taskId } = await callJson<{ task_id: string }>("/v1/public/imagine/start", wish, signal);
  const onStop = () => void tellStop(taskId);
  signal.addEventListener("abort", onStop);
  try {
    await follow({ taskId, transport, signal, onOpen: easel.openedOver, take: (frame) => taken(easel, frame) });
  } finally {
    signal.removeEventListener("abort", onStop);
  }
};

/** The line that is let go ends the run already; this reaches the gateway also where a proxy holds the line open. */
const tellStop = async (taskId: string): Promise<void> => {
  const init = { method: "POST", headers: { "content-type": "application/json" }, keepalive: true };
  await call("/v1/public/imagine/stop", { ...init, body: JSON.stringify({ task_ids: [taskId] }) }).catch((thrown) => {
    if (!(thrown instanceof ApiError)) throw thrown;
  });
};

/** Whether it was the last one. */
const taken = (easel: Easel, frame: Frame): boolean => {
  const { about, update } = easel;
  switch (frame["type"]) {
    case "batch": {
      const { run } = about;
      if (frame["status"] === "drawing") {
        update((all) => drawing(all, { ...about, count: numberOf(frame, "count"), nowMs: Date.now() }));
      } else {
        update((all) =>
          short(all, { run, withheld: numberOf(frame, "withheld"), missing: numberOf(frame, "missing") }),
        );
      }
      return false;
    }
    case "image": {
      const drawn = easel.arrive(blobOf(textOf(frame, "b64_json")), numberOf(frame, "elapsed_ms"));
      update((all) => arrived(all, { ...about, drawn }));
      return false;
    }
    case "error": {
      const code = OWN_NAMES[textOf(frame, "code")] ?? textOf(frame, "code");
      const problem = problemOf(toldProblem({ ...frame, code }));
      update((all) => failed(all, { ...about, problem, goesOn: !isRefused(frame) }));
      return false;
    }
    case "status": {
      if (frame["status"] === "running") return false;
      if (textOf(frame, "reason") !== "") easel.tellEnd(textOf(frame, "reason"));
      return true;
    }
    default:
      return false;
  }
};
