// Reads a chat call's body or a socket's session into what a script needs, and charges the account for it.
// Knows no frames. Invariant: a call that is refused here has not been charged.
import { randomUuid } from "./chance.ts";
import { spend } from "./accounts.ts";
import type { Account, Mode } from "./accounts.ts";
import { newGeneratedPicture } from "./pictures.ts";
import { readPrompt } from "./prompt.ts";
import { readWords } from "./scenarios.ts";
import type { ScriptContext } from "./script.ts";
import { tooManyRequests } from "./refusals.ts";
import type { Refusal } from "./refusals.ts";
import { keepAsset } from "./world.ts";
import type { World } from "./world.ts";

export interface ChatAsk {
  message: string;
  mode: Mode;
  attachments: string[];
  turn: number;
  pictureCount: number;
  drawing: boolean;
  legacyPictures: boolean;
}

const MODEL_MODES: [RegExp, Mode][] = [
  [/HEAVY/, "heavy"],
  [/FAST|MINI/, "fast"],
  [/EXPERT|THINKING|420/, "expert"],
];

/** Era A names a variant of a model; its counters are folded into the four modes of today. */
export function modeOfModelMode(modelMode: string, account: Account): Mode {
  const mode = MODEL_MODES.find(([pattern]) => pattern.test(modelMode))?.[1] ?? "auto";
  return account.modes[mode] === undefined && mode === "expert" ? "auto" : mode;
}

export function modeOfModeId(modeId: string): Mode | undefined {
  if (modeId === "grok-420-computer-use-sa") return "expert";
  return (["auto", "fast", "expert", "heavy"] as const).find((mode) => mode === modeId);
}

export function chargeChat(account: Account, mode: Mode): Refusal | undefined {
  return spend(account.modes[mode]) ? undefined : tooManyRequests();
}

export function scriptContext(world: World, account: Account, ask: ChatAsk): ScriptContext {
  const prompt = readPrompt(ask.message);
  const words = readWords(prompt.lastUser, account.scenario);
  const drawn = /^(?:Drawing: |Image Generation:)\s*([^]*)/.exec(ask.message)?.[1];
  const wantsPicture =
    ask.drawing ||
    drawn !== undefined ||
    ["image", "image-legacy", "image-moderated", "image-missing"].some((name) => words.has(name));
  const picturePrompt = (drawn ?? prompt.lastUser).slice(0, 300);
  return {
    words,
    prompt,
    attachments: ask.attachments.length,
    turn: ask.turn,
    mode: ask.mode,
    pictures: wantsPicture ? Math.min(Math.max(1, ask.drawing || drawn !== undefined ? ask.pictureCount : 1), 10) : 0,
    picturePrompt,
    legacyPictures: ask.legacyPictures || words.has("image-legacy"),
    origin: world.origin,
    savePicture(index) {
      const id = randomUuid();
      const asset = keepAsset(
        account,
        newGeneratedPicture({ id, owner: account.uuid, seed: `${picturePrompt}/${index}` }),
      );
      return { id, path: asset.key };
    },
  };
}
