// The site's voice sessions: one call gives a token with which a browser joins the site's LiveKit server (2026-02). Knows no
// audio and no page. Invariant: the token is returned and never logged.
import type { Config } from "../../config/schema.ts";
import { GatewayError } from "../../core/errors.ts";
import type { VoiceSession } from "../../core/playground.ts";
import { stringAt } from "../../lib/json.ts";
import type { VoiceProvider } from "../port.ts";
import type { GrokClient } from "./client.ts";

export const createVoice = ({ client, config }: { client: GrokClient; config: () => Config }): VoiceProvider => ({
  async voiceSession(wish, call): Promise<VoiceSession> {
    const { timeout, livekit_url: url } = config().voice;
    const limit = { ms: timeout * 1000, setting: "voice.timeout" };
    const { voice, personality, instruction, speed } = wish;
    const session = {
      voice,
      personality,
      playback_speed: speed,
      enable_vision: false,
      turn_detection: { type: "server_vad" },
      ...(instruction === null ? {} : { instructions: instruction, is_raw_instructions: true }),
    };
    const answer = await client.json(call, {
      path: "/rest/livekit/tokens",
      body: {
        // A text, not an object (2026-02).
        sessionPayload: JSON.stringify(session),
        requestAgentDispatch: false,
        livekitUrl: url,
        params: { enable_markdown_transcript: "true" },
      },
      firstByte: limit,
      idle: limit,
    });
    const token = stringAt(answer, "token");
    if (!token) throw new GatewayError("upstream_malformed", "The upstream's answer holds no token.");
    const said = (...names: string[]) => names.map((name) => stringAt(answer, name)).find(Boolean) ?? "";
    return {
      token,
      url,
      participantName: said("participantName", "participant_name"),
      roomName: said("roomName", "room_name"),
    };
  },
});
