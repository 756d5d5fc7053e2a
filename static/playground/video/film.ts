// One clip: begun as a task, or found again by its id, and read to its end. Knows no page.
// Invariant: a task's id is known to the caller before the filming begins, so that it can be kept and stopped.
import { ApiError } from "../../shared/api.ts";
import { eventsOf } from "../../shared/sse.ts";
import { cutShort, toldProblem } from "../media/problem.ts";
import { call, callJson } from "../visitor.ts";
import { linksIn, percentIn } from "./clips.ts";
import type { Form } from "./settings.ts";

export interface Wish {
  readonly prompt: string;
  readonly form: Form;
  /** Data address of the picture to film. */
  readonly picture: string | null;
}

export const beginTask = async ({ prompt, form, picture }: Wish, signal: AbortSignal): Promise<string> => {
  const body = {
    prompt,
    aspect_ratio: form.ratio,
    video_length: form.seconds,
    resolution_name: form.resolution,
    preset: form.preset,
    ...(picture === null ? {} : { image_url: picture }),
  };
  return (await callJson<{ task_id: string }>("/v1/public/video/start", body, signal)).task_id;
};

interface Chunk {
  readonly error?: unknown;
  readonly choices?: readonly { readonly delta?: { readonly content?: string; readonly reasoning_content?: string } }[];
}

export interface Filmed {
  readonly link: string;
  readonly poster: string | null;
}

export const readTask = async (
  taskId: string,
  how: { signal: AbortSignal; onProgress: (percent: number) => void },
): Promise<Filmed> => {
  const { signal } = how;
  const response = await call(`/v1/public/video/sse?task_id=${encodeURIComponent(taskId)}`, { signal });
  let text = "";
  for await (const data of eventsOf(response)) {
    if (data === "[DONE]") break;
    const chunk = JSON.parse(data) as Chunk;
    if (chunk.error !== undefined) throw toldProblem({ error: chunk.error });
    const { content, reasoning_content: told } = chunk.choices?.[0]?.delta ?? {};
    // Some settings of the gateway tell progress inside the text.
    const percent = percentIn(told ?? content ?? "");
    if (percent !== null && linksIn(text + (content ?? "")).link === null) how.onProgress(percent);
    text += content ?? "";
  }
  const { link, poster } = linksIn(text);
  if (link === null) throw cutShort();
  return { link, poster };
};

/** The connection that is let go ends the filming already; this reaches the gateway also where a proxy holds it open. */
export const tellStop = async (taskId: string): Promise<void> => {
  const init = { method: "POST", headers: { "content-type": "application/json" }, keepalive: true };
  await call("/v1/public/video/stop", { ...init, body: JSON.stringify({ task_ids: [taskId] }) }).catch((thrown) => {
    if (!(thrown instanceof ApiError)) throw thrown;
  });
};
