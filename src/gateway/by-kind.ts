// Sends a conversation to the use case of its model: chat, or drawing and filming. Knows neither's inside.
import type { Catalogue } from "../core/models.ts";
import type { ChatGateway } from "./port.ts";

export interface ByKind {
  readonly catalogue: Catalogue;
  readonly chat: ChatGateway;
  readonly media: ChatGateway;
}

export const createByKind = ({ catalogue, chat, media }: ByKind): ChatGateway => ({
  chat(request, context) {
    const model = catalogue.find(request.model);
    // An unknown model is the chat's to refuse.
    return (model === undefined || model.kind === "chat" ? chat : media).chat(request, context);
  },
});
