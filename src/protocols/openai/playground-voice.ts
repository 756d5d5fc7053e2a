// How a voice session is asked for (query or JSON), and the answer a browser joins it with. Knows no route.
import { CUSTOM_PERSONALITY, PERSONALITIES, type VoiceSession, VOICES, type VoiceWish } from "../../core/playground.ts";
import type { JsonObject } from "../../lib/json.ts";
import { given, oneOf, refuse } from "./field.ts";

const SLOWEST = 0.5;
const FASTEST = 2;
const MAX_INSTRUCTION = 8_000;

export const parseVoice = (fields: JsonObject): VoiceWish => {
  const instruction = instructionOf(fields);
  const place = { code: "invalid_value", param: "personality", allowed: PERSONALITIES } as const;
  const personality = oneOf(text(fields, "personality") ?? "assistant", place);
  if (personality === CUSTOM_PERSONALITY && instruction === null) {
    const missing = { code: "missing_required_parameter", param: "instruction" } as const;
    return refuse(missing, "The personality custom needs an 'instruction'.");
  }
  return {
    voice: oneOf(text(fields, "voice") ?? "ara", { code: "invalid_value", param: "voice", allowed: VOICES }),
    personality: instruction === null ? personality : null,
    instruction,
    speed: speedOf(given(fields, "speed")),
  };
};

const text = (fields: JsonObject, name: string): unknown => {
  const value = given(fields, name);
  return value === "" ? undefined : value;
};

const instructionOf = (fields: JsonObject): string | null => {
  const value = text(fields, "instruction") ?? text(fields, "instructions");
  const param = "instruction";
  if (value === undefined) return null;
  if (typeof value !== "string" || value.trim() === "") {
    return refuse({ code: "invalid_value", param }, "'instruction' must be a non-empty text.");
  }
  if (value.length <= MAX_INSTRUCTION) return value;
  return refuse({ code: "invalid_value", param }, `'instruction' may have ${MAX_INSTRUCTION} characters.`);
};

const speedOf = (value: unknown): number => {
  if (value === undefined || value === "") return 1;
  const speed = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof speed === "number" && speed >= SLOWEST && speed <= FASTEST) return speed;
  return refuse({ code: "invalid_value", param: "speed" }, `'speed' must be a number from ${SLOWEST} to ${FASTEST}.`);
};

export const voiceBody = ({ token, url, participantName, roomName }: VoiceSession): object => ({
  token,
  url,
  participant_name: participantName,
  room_name: roomName,
});
