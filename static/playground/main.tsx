// Starts the playground in the document. Knows of the pages only which one has a document of its own.
import { render } from "preact";
import { takeLinks } from "../shared/router.ts";
import { App } from "./app.tsx";
// Looks at the address before anything changes it.
import "./own-document.ts";
import { running } from "./running.ts";
import { isPage, LOGIN } from "./page-list.ts";

/** The page of the voice asks itself where something still runs that a new document would end. */
const hasOwnDocument = (path: string): boolean => path === "/voice" && running.value === 0;

takeLinks((path) => (isPage(path) && !hasOwnDocument(path)) || path === LOGIN);

const place = document.querySelector("#app");
if (place) render(<App />, place);
