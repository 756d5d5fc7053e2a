// The playground's own doors to what the API has already: its key opens these whatever the API asks for. Same handlers, another
// guard. Knows no handler's inside.
import { checkAdultWishes } from "../../protocols/openai/playground-chat.ts";
import type { Call, Route } from "../context.ts";
import { chatCompletions } from "./openai-chat.ts";
import { editPictures } from "./openai-images.ts";
import { listAll } from "./openai-models.ts";
import { publicPaths } from "./public-paths.ts";

const common = { auth: "visitor" } as const;

export const publicApiRoutes: readonly Route[] = [
  {
    ...common,
    ...publicPaths("/verify"),
    method: "GET",
    quiet: true,
    summary: "Whether the playground's key is good.",
    handle: (_call: Call) => Response.json({ status: "success" }),
  },
  {
    ...common,
    ...publicPaths("/chat/completions"),
    method: "POST",
    toggle: "enable_chat_completions",
    generates: true,
    summary: "Chat completion for the playground; as /v1/chat/completions.",
    handle: (call) =>
      chatCompletions(call, (request) => checkAdultWishes(request, { adultAllowed: call.config.image.nsfw })),
  },
  {
    ...common,
    ...publicPaths("/models"),
    method: "GET",
    toggle: "enable_models",
    summary: "The models for the playground; as /v1/models.",
    handle: listAll,
  },
  {
    ...common,
    ...publicPaths("/images/edits"),
    method: "POST",
    toggle: "enable_images",
    generates: true,
    summary: "Pictures changed by text for the playground; as /v1/images/edits.",
    handle: editPictures,
  },
];
