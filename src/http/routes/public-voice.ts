// /v1/public/voice/token: what a browser needs to join a voice session. Knows no provider.
import { parseVoice, voiceBody } from "../../protocols/openai/playground-voice.ts";
import { readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { callContext } from "../media-call.ts";
import { publicPaths } from "./public-paths.ts";

const answer = async (call: Call, fields: Readonly<Record<string, unknown>>): Promise<Response> => {
  const session = await call.deps.voice.session(parseVoice(fields), callContext(call, "voice_"));
  return Response.json(voiceBody(session), { headers: { "cache-control": "no-store" } });
};

const common = {
  ...publicPaths("/voice/token"),
  auth: "visitor",
  toggle: "enable_audio",
  generates: true,
} as const;

export const publicVoiceRoutes: readonly Route[] = [
  {
    ...common,
    method: "GET",
    summary: "A token for a voice session: voice, personality, speed, instruction.",
    handle: async (call) =>
      // Asking for the headers must not take a session.
      call.request.method === "HEAD" ? new Response(null) : answer(call, Object.fromEntries(call.url.searchParams)),
  },
  {
    ...common,
    method: "POST",
    summary: "The same with a JSON body.",
    handle: async (call) => answer(call, await readObject(call)),
  },
];
