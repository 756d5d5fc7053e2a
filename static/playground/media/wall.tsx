// The waterfall: cards side by side in columns of one width, each as high as it is; the newest first. Knows no card's inside.
// Invariant: the order in the document is the order in which pictures came, whatever the columns look like.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** Rows of the grid are this high; a card lies over as many as it needs. */
const ROW_PX = 2;
const GAP_PX = 14;

const fit = (inner: Element): void => {
  const item = inner.parentElement;
  if (!item) return;
  const rows = Math.ceil((inner.getBoundingClientRect().height + GAP_PX) / ROW_PX);
  item.style.gridRowEnd = `span ${rows}`;
};

/** One for all cards of the page. */
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) fit(target);
});

export const WallItem = ({ children }: { children: ComponentChildren }) => {
  const inner = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { current } = inner;
    if (!current) return;
    fit(current);
    sizes.observe(current);
    return () => sizes.unobserve(current);
  }, []);
  return (
    <li class="wall-item">
      <div ref={inner} class="wall-inner">
        {children}
      </div>
    </li>
  );
};

export const Wall = (about: { label: string; wide?: boolean; children: ComponentChildren }) => (
  <ul class={`wall ${about.wide === true ? "wide" : ""}`} aria-label={about.label}>
    {about.children}
  </ul>
);
