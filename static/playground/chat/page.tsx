// The page /chat of the playground.
// Knows the frame by its view only.
import { speak } from "../../shared/language.ts";
import type { PageView } from "../page-list.ts";

const say = speak({ title: ["Chat", "对话"] });

const ChatPage = () => (
  <div class="page">
    <h1>{say("title")}</h1>
  </div>
);

export const view: PageView = { Page: ChatPage };
