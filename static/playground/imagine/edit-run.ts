// Pictures changed by a prompt: one request a picture, one after the other, each told with its preview. Knows no page.
// Invariant: a refusal that would be repeated ends the run instead of being asked for again.
import { eventsOf } from "../../shared/sse.ts";
import { cutShort, isFinal, type Problem, problemOf, toldProblem } from "../media/problem.ts";
import type { NamedFile } from "../media/archive.ts";
import { call } from "../visitor.ts";
import { arrived, drawing, failed, preview } from "./cards.ts";
import { blobOf } from "./run.ts";
import type { Easel } from "./easel.ts";

interface Edit {
  readonly references: readonly NamedFile[];
  readonly count: number;
}

export const editByRun = async (easel: Easel, { references, count }: Edit): Promise<void> => {
  const { about, signal, update } = easel;
  easel.openedOver("http");
  for (let at = 0; at < count && !signal.aborted; at++) {
    const nowMs = Date.now();
    update((all) => drawing(all, { ...about, count: 1, nowMs }));
    const problem = await editOne(easel, { references, nowMs });
    if (problem === null || signal.aborted) continue;
    update((all) => failed(all, { ...about, problem, goesOn: false }));
    if (isFinal(problem)) return;
  }
};

const bodyOf = ({ about }: Easel, references: readonly NamedFile[]): FormData => {
  const form = new FormData();
  form.set("prompt", about.prompt);
  form.set("n", "1");
  form.set("stream", "true");
  form.set("partial_images", "1");
  if (about.ratio !== "auto") form.set("aspect_ratio", about.ratio);
  for (const { blob, name } of references) form.append("image[]", blob, name);
  return form;
};

/** How it failed, or null. */
const editOne = async (
  easel: Easel,
  { references, nowMs }: { references: readonly NamedFile[]; nowMs: number },
): Promise<Problem | null> => {
  const { about, signal, update } = easel;
  try {
    const init = { method: "POST", body: bodyOf(easel, references), signal };
    const response = await call("/v1/public/images/edits", init);
    for await (const text of eventsOf(response)) {
      if (text === "[DONE]") break;
      const event = JSON.parse(text) as { type?: string; b64_json?: string };
      if (event.type === "image_edit.partial_image" && event.b64_json) {
        const address = `data:image/jpeg;base64,${event.b64_json}`;
        update((all) => preview(all, { run: about.run, address }));
      } else if (event.type === "image_edit.completed" && event.b64_json) {
        const drawn = easel.arrive(blobOf(event.b64_json), Date.now() - nowMs);
        update((all) => arrived(all, { ...about, drawn }));
        return null;
      } else if ("error" in event) throw toldProblem(event);
    }
    throw cutShort();
  } catch (thrown) {
    return problemOf(thrown);
  }
};
