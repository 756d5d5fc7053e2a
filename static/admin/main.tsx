// Starts the admin dashboard in the document. Knows no page.
import { render } from "preact";
import { takeLinks } from "../shared/router.ts";
import { App } from "./app.tsx";

takeLinks((path) => path === "/admin" || path.startsWith("/admin/"));

const place = document.querySelector("#app");
if (place) render(<App />, place);
