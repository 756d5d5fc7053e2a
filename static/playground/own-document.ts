// Where this document was loaded. The voice server may be reached from documents of its own page only (their policy says so).
// Knows no page. Invariant: read once, with the document itself, whatever page is shown later.
import { pathHere } from "../shared/place.ts";

const loadedAt = pathHere().replace(/(?<=.)\/$/, "");

export const wasLoadedAt = (path: string): boolean => loadedAt === path;
