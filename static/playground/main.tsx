// Starts the playground in the document. Knows no page.
import { render } from "preact";
import { takeLinks } from "../shared/router.ts";
import { App } from "./app.tsx";
// Looks at the address before anything changes it.
import "./own-document.ts";
import { isPage, LOGIN } from "./page-list.ts";

takeLinks((path) => isPage(path) || path === LOGIN);

const place = document.querySelector("#app");
if (place) render(<App />, place);
