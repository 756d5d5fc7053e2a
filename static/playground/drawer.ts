// Whether the drawer of narrow windows is open. Draws nothing.
// Invariant: a page may close it when something of its part was chosen; only the frame opens it.
import { signal } from "@preact/signals";

export const isDrawerOpen = signal(false);

export const closeDrawer = (): void => void (isDrawerOpen.value = false);
