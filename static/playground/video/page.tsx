// The page /video of the playground.
// Knows the frame by its view only.
import { speak } from "../../shared/language.ts";
import type { PageView } from "../page-view.ts";

const say = speak({ title: ["Video", "视频"] });

const VideoPage = () => (
  <div class="page">
    <h1>{say("title")}</h1>
  </div>
);

export const view: PageView = { Page: VideoPage };
