// The whole route table, in the order of the documentation. Knows no handler's inside.
import type { Route } from "./context.ts";
import { openaiChatRoutes } from "./routes/openai-chat.ts";
import { systemRoutes } from "./routes/system.ts";

export const ROUTES: readonly Route[] = [...openaiChatRoutes, ...systemRoutes];
