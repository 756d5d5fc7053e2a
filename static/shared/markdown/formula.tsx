// One formula, set by temml as MathML, which browsers draw with their own fonts. The setter is fetched with the first formula.
// Invariant: until then, and where the formula cannot be read, its source is shown.
import { useEffect, useRef } from "preact/hooks";

type Setter = (tex: string, into: HTMLElement, options: { displayMode: boolean }) => void;

let setter: Promise<Setter> | null = null;

const loadSetter = async (): Promise<Setter> => {
  const { default: temml } = await import("temml");
  return (tex, into, { displayMode }) => temml.render(tex, into, { displayMode, throwOnError: true, trust: false });
};

export const Formula = ({ tex, display }: { tex: string; display: boolean }) => {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let isStale = false;
    const draw = async () => {
      setter ??= loadSetter();
      const set = await setter;
      if (isStale || !place.current) return;
      const drawn = document.createElement("span");
      try {
        set(tex, drawn, { displayMode: display });
      } catch {
        drawn.className = "formula-source";
        drawn.textContent = tex;
      }
      place.current.replaceChildren(...(drawn.className === "" ? drawn.childNodes : [drawn]));
    };
    // A setter that could not be fetched is fetched again with the next formula.
    draw().catch(() => (setter = null));
    return () => void (isStale = true);
  }, [tex, display]);
  return (
    <span class={display ? "formula display" : "formula"} tabIndex={display ? 0 : undefined}>
      <span ref={place} class="formula-place" data-tex={tex} />
    </span>
  );
};
