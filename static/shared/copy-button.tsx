// Copies a text and says so for two seconds. Invariant: where the clipboard is closed, as on plain http, an old way is tried.
import { useSignal } from "@preact/signals";
import { Icon } from "./icons.tsx";
import { speak } from "./language.ts";

const say = speak({ copy: ["Copy", "复制"], copied: ["Copied", "已复制"] });

export const copyText = async (text: string): Promise<boolean> => {
  if (isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // A browser may refuse it although the place is safe.
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "offscreen";
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  // oxlint-disable-next-line typescript/no-deprecated -- the only way without a secure context
  const done = document.execCommand("copy");
  area.remove();
  return done;
};

export const CopyButton = ({ text, label }: { text: string | (() => string | Promise<string>); label?: string }) => {
  const done = useSignal(false);
  const run = async () => {
    done.value = await copyText(typeof text === "string" ? text : await text());
    setTimeout(() => (done.value = false), 2000);
  };
  const name = done.value ? say("copied") : (label ?? say("copy"));
  return (
    <button type="button" class="icon-button small" aria-label={name} title={name} onClick={() => void run()}>
      <Icon name={done.value ? "check" : "copy"} size={15} />
    </button>
  );
};
