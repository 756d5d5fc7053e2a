// One voice session from the button to its end: microphone, token, room, what was said. Lives as long as the document.
// Invariant: whatever ends it, the microphone is off and the room is left.
import { signal } from "@preact/signals";
import { keep, kept } from "../../shared/keeping.ts";
import { type Problem, problemOf } from "../media/problem.ts";
import { beginWork } from "../running.ts";
import { callJson } from "../visitor.ts";
import { measure, MicrophoneError, type MicrophoneTrouble, openMicrophone } from "./microphone.ts";
import type { Joined, Line } from "./room.ts";

export const VOICES = ["ara", "eve", "leo", "rex", "sal", "gork"] as const;
export const PERSONALITIES = [
  ...["assistant", "therapist", "storyteller", "kids_story_time", "kids_trivia_game", "meditation", "doc"],
  ...["motivation", "conspiracy", "argumentative", "romantic", "sexy", "unhinged", "custom"],
] as const;
export const SLOWEST = 0.5;
export const FASTEST = 2;

export interface Settings {
  readonly voice: string;
  readonly personality: string;
  readonly instruction: string;
  readonly speed: number;
}

const NAME = "grok2api.voice.settings";

const read = (): Settings => {
  let value: Record<string, unknown> = {};
  try {
    value = Object(JSON.parse(kept(NAME) ?? "{}")) as Record<string, unknown>;
  } catch {
    // What cannot be read counts as nothing.
  }
  const speed = Number(value["speed"]);
  return {
    voice: VOICES.find((one) => one === value["voice"]) ?? "ara",
    personality: PERSONALITIES.find((one) => one === value["personality"]) ?? "assistant",
    instruction: typeof value["instruction"] === "string" ? value["instruction"] : "",
    speed: speed >= SLOWEST && speed <= FASTEST ? speed : 1,
  };
};

export const settings = signal<Settings>(read());

export const change = (next: Partial<Settings>): void => {
  settings.value = { ...settings.value, ...next };
  keep(NAME, JSON.stringify(settings.value));
};

export type Trouble =
  | { readonly kind: "microphone"; readonly trouble: MicrophoneTrouble }
  /** The gateway gave no session. */
  | { readonly kind: "token"; readonly problem: Problem }
  /** The voice server let nobody in, or no sound came through. */
  | { readonly kind: "room"; readonly wasJoined: boolean; readonly host: string; readonly why: string }
  | { readonly kind: "gone"; readonly why: string };

export type Stage = "idle" | "microphone" | "token" | "joining" | "sound" | "talking";

export const stage = signal<Stage>("idle");
export const trouble = signal<Trouble | null>(null);
export const isMuted = signal(false);
export const isReconnecting = signal(false);
export const isSilenced = signal(false);
export const speaking = signal<Line["who"] | null>(null);
export const level = signal(0);
export const lines = signal<readonly Line[]>([]);
export const begunMs = signal<number | null>(null);

let current: { readonly controller: AbortController; joined: Joined | null } | null = null;

interface Session {
  readonly token: string;
  readonly url: string;
}

const takeLine = (line: Line): void => {
  const at = lines.value.findIndex(({ id }) => id === line.id);
  lines.value = at < 0 ? [...lines.value, line] : lines.value.with(at, line);
};

const askSession = (signal: AbortSignal): Promise<Session> => {
  const { voice, personality, instruction, speed } = settings.value;
  const own = personality === "custom" ? { instruction } : {};
  return callJson<Session>("/v1/public/voice/token", { voice, personality, speed, ...own }, signal);
};

const join = async (microphone: MediaStreamTrack, controller: AbortController): Promise<void> => {
  const { signal } = controller;
  stage.value = "token";
  let session: Session;
  try {
    session = await askSession(signal);
  } catch (thrown) {
    if (!signal.aborted) trouble.value = { kind: "token", problem: problemOf(thrown) };
    throw thrown;
  }
  stage.value = "joining";
  const { joinRoom } = await import("./room.ts");
  let wasJoined = false;
  try {
    const joined = await joinRoom(
      {
        ...session,
        microphone,
        onJoined() {
          wasJoined = true;
          stage.value = "sound";
        },
        onLine: takeLine,
        onSpeaking: (who) => (speaking.value = who),
        onSilenced: (is) => (isSilenced.value = is),
        onReconnecting: (is) => (isReconnecting.value = is),
        onGone(why) {
          if (stage.value !== "talking") return;
          trouble.value = { kind: "gone", why };
          controller.abort();
        },
      },
      signal,
    );
    if (current?.controller === controller) current.joined = joined;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    if (!signal.aborted) trouble.value = { kind: "room", wasJoined, host: new URL(session.url).host, why };
    throw thrown;
  }
};

export const start = async (): Promise<void> => {
  if (current !== null) return;
  const controller = new AbortController();
  const { signal } = controller;
  current = { controller, joined: null };
  const over = beginWork();
  const endings: (() => void)[] = [];
  trouble.value = null;
  isMuted.value = false;
  lines.value = [];
  stage.value = "microphone";
  try {
    const microphone = await openMicrophone();
    endings.push(
      () => microphone.stop(),
      measure(microphone, (loud) => (level.value = loud)),
    );
    signal.throwIfAborted();
    await join(microphone, controller);
    signal.throwIfAborted();
    stage.value = "talking";
    begunMs.value = Date.now();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  } catch (thrown) {
    if (thrown instanceof MicrophoneError) trouble.value = { kind: "microphone", trouble: thrown.trouble };
    else if (trouble.value === null && !signal.aborted) {
      trouble.value = { kind: "token", problem: problemOf(thrown) };
    }
  } finally {
    controller.abort();
    for (const end of endings) end();
    current = null;
    stage.value = "idle";
    begunMs.value = null;
    speaking.value = null;
    isReconnecting.value = false;
    isSilenced.value = false;
    over();
  }
};

export const end = (): void => current?.controller.abort();

export const mute = async (): Promise<void> => {
  isMuted.value = !isMuted.value;
  await current?.joined?.mute(isMuted.value);
};

export const unsilence = (): void => void current?.joined?.unsilence();
