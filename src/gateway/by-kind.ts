// Sends a conversation to the use case of its model: chat, or drawing and filming. Knows neither's inside.
import { findModel } from "../core/models.ts";
import type { ChatGateway } from "./port.ts";

export const createByKind = ({ chat, media }: { chat: ChatGateway; media: ChatGateway }): ChatGateway => ({
  chat(request, context) {
    const model = findModel(request.model);
    // An unknown model is the chat's to refuse.
    return (model === undefined || model.kind === "chat" ? chat : media).chat(request, context);
  },
});
