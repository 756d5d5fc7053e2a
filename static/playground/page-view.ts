// What a page of the playground is to the frame around it. Knows no page and no frame.
// Invariant: a page gives itself and its parts; where they stand is the frame's matter.
import type { ComponentChild } from "preact";

/** What the file of a page gives: itself, and what it puts into the frame. */
export interface PageView {
  readonly Page: () => ComponentChild;
  /** In the side bar and the drawer, below the names of the pages. */
  readonly Side?: () => ComponentChild;
  /** In the bar at the top of narrow windows, beside the menu. */
  readonly Top?: () => ComponentChild;
  /** The page fills the window and scrolls inside itself. */
  readonly fills?: boolean;
}
