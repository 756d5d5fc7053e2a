// Pictures and clips over the whole window, with keys, one after the other as they stand in the page; pictures can be brought
// nearer. Knows no page.
// Invariant: focus stays inside and returns; what is shown can always be saved and opened by itself.
import { signal, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./icons.tsx";
import { speak } from "./language.ts";

const say = speak({
  title: ["Picture", "图片"],
  close: ["Close", "关闭"],
  previous: ["Previous", "上一个"],
  next: ["Next", "下一个"],
  save: ["Save", "下载"],
  nearer: ["Zoom in", "放大"],
  farther: ["Zoom out", "缩小"],
  at: ["{at} of {of}", "第 {at} 个，共 {of} 个"],
});

export interface Shown {
  readonly kind: "image" | "video";
  readonly source: string;
  readonly caption?: string;
  /** Name of the saved file; else the last part of the address. */
  readonly fileName?: string;
}

const opened = signal<{ readonly items: readonly Shown[]; readonly index: number } | null>(null);

/** With a list, or from an element inside a `data-gallery`, whose `data-shown` elements are the list. */
export const openLightbox = (from: Element | readonly Shown[], index = 0): void => {
  if (!(from instanceof Element)) {
    opened.value = { items: from, index };
    return;
  }
  const own = from.closest<HTMLElement>("[data-shown]");
  const place = from.closest("[data-gallery]") ?? own?.parentElement ?? document.body;
  const all = [...place.querySelectorAll<HTMLElement>("[data-shown]")];
  for (const video of place.querySelectorAll("video")) video.pause();
  opened.value = { items: all.map(shownBy), index: Math.max(0, own ? all.indexOf(own) : 0) };
};

const shownBy = (element: HTMLElement): Shown => ({
  kind: element.dataset["shown"] === "video" ? "video" : "image",
  source: element.dataset["source"] ?? "",
  // The gateway names pictures by their kind when nobody described them.
  caption: element.querySelector("img")?.alt.replace(/^(image|picture|video)$/i, "") ?? "",
});

const ENDINGS: Readonly<Record<string, string>> = { jpeg: "jpg", quicktime: "mov" };

const nameOf = ({ source, kind, fileName }: Shown): string => {
  if (fileName !== undefined) return fileName;
  const mime = /^data:\w+\/([\w.+-]+)/.exec(source)?.[1];
  if (mime !== undefined) return `${kind}.${ENDINGS[mime] ?? mime}`;
  return source.startsWith("blob:") ? kind : (source.split(/[?#]/)[0]?.split("/").pop() ?? kind);
};

const ZOOMS = [1, 1.5, 2, 3, 4, 6];

/** As it fits the window, times the zoom; null leaves it to the window. */
const sizeOf = (picture: HTMLImageElement, zoom: number): { width: string; height: string } | null => {
  const { naturalWidth: width, naturalHeight: height } = picture;
  const stage = picture.parentElement;
  if (zoom === 1 || !stage || width === 0) return null;
  const { paddingLeft, paddingRight, paddingTop, paddingBottom } = getComputedStyle(stage);
  const across = stage.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  const down = stage.clientHeight - parseFloat(paddingTop) - parseFloat(paddingBottom);
  const fits = Math.min(1, across / width, down / height);
  return { width: `${width * fits * zoom}px`, height: `${height * fits * zoom}px` };
};

const LargePicture = ({ item, zoom }: { item: Shown; zoom: number }) => {
  const picture = useRef<HTMLImageElement>(null);
  const from = useRef<{ x: number; y: number } | null>(null);
  useLayoutEffect(() => {
    const { current } = picture;
    if (!current) return;
    const size = sizeOf(current, zoom);
    current.style.width = size?.width ?? "";
    current.style.height = size?.height ?? "";
    const stage = current.parentElement;
    stage?.scrollTo((stage.scrollWidth - stage.clientWidth) / 2, (stage.scrollHeight - stage.clientHeight) / 2);
  }, [zoom]);
  return (
    <img
      ref={picture}
      src={item.source}
      alt={item.caption ?? ""}
      draggable={zoom === 1}
      onPointerDown={({ clientX: x, clientY: y }) => (from.current = { x, y })}
      onPointerMove={({ buttons, clientX: x, clientY: y, pointerType }) => {
        if (zoom === 1 || buttons !== 1 || pointerType === "touch" || !from.current) return;
        picture.current?.parentElement?.scrollBy(from.current.x - x, from.current.y - y);
        from.current = { x, y };
      }}
    />
  );
};

const step = (by: number): void => {
  const { value } = opened;
  if (value && value.items.length > 1) {
    opened.value = { ...value, index: (value.index + by + value.items.length) % value.items.length };
  }
};

export const LightboxPlace = () => (opened.value === null ? null : <Lightbox {...opened.value} />);

const Lightbox = ({ items, index }: { items: readonly Shown[]; index: number }) => {
  const box = useRef<HTMLDialogElement>(null);
  const from = useRef<{ x: number; y: number } | null>(null);
  const save = useRef<HTMLAnchorElement>(null);
  const zoom = useSignal(1);
  useLayoutEffect(() => {
    box.current?.showModal();
  }, []);
  useLayoutEffect(() => {
    zoom.value = 1;
  }, [index]);
  const item = items[index];
  if (!item) return null;
  const zoomBy = (by: number) => {
    if (item.kind === "image") zoom.value = ZOOMS[ZOOMS.indexOf(zoom.value) + by] ?? zoom.value;
  };
  const close = () => {
    box.current?.close();
    opened.value = null;
  };
  return (
    <dialog
      ref={box}
      class="lightbox"
      aria-label={item.caption === undefined || item.caption === "" ? say("title") : item.caption}
      onClose={() => (opened.value = null)}
      onKeyDown={(event) => {
        if (event.key === "ArrowLeft") step(-1);
        else if (event.key === "ArrowRight") step(1);
        else if (event.key === "+" || event.key === "=") zoomBy(1);
        else if (event.key === "-") zoomBy(-1);
        else if (event.key === "0") zoom.value = 1;
        else if (event.key === "d" && !event.ctrlKey && !event.metaKey) save.current?.click();
      }}
      onPointerDown={({ clientX, clientY }) => (from.current = { x: clientX, y: clientY })}
      onPointerUp={({ clientX, clientY, pointerType }) => {
        const moved = from.current === null ? 0 : clientX - from.current.x;
        const fell = from.current === null ? 0 : Math.abs(clientY - from.current.y);
        if (pointerType === "touch" && zoom.value === 1 && Math.abs(moved) > 50 && fell < Math.abs(moved))
          step(moved > 0 ? -1 : 1);
      }}
      onClick={(event) => {
        if (event.target instanceof Element && event.target.matches(".lightbox, .lightbox-stage")) close();
      }}
    >
      <div class="lightbox-bar">
        <span class="grow ellipsis">{item.caption}</span>
        {items.length > 1 ? <span aria-live="polite">{say("at", { at: index + 1, of: items.length })}</span> : null}
        {item.kind === "image" ? (
          <>
            <ZoomButton by={-1} zoom={zoom.value} onZoom={zoomBy} />
            <ZoomButton by={1} zoom={zoom.value} onZoom={zoomBy} />
          </>
        ) : null}
        <a
          ref={save}
          class="icon-button"
          href={item.source}
          download={nameOf(item)}
          aria-label={say("save")}
          title={`${say("save")} (D)`}
        >
          <Icon name="download" />
        </a>
        <button type="button" class="icon-button" aria-label={say("close")} title={say("close")} onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <div class={`lightbox-stage ${zoom.value > 1 ? "near" : ""}`}>
        {item.kind === "image" ? (
          <LargePicture key={item.source} item={item} zoom={zoom.value} />
        ) : (
          // oxlint-disable-next-line jsx-a11y/media-has-caption -- a generated clip has none
          <video key={item.source} src={item.source} controls autoplay loop playsInline />
        )}
      </div>
      {items.length > 1 ? (
        <>
          <button type="button" class="lightbox-step back" aria-label={say("previous")} onClick={() => step(-1)}>
            <span class="flip">
              <Icon name="right" size={26} />
            </span>
          </button>
          <button type="button" class="lightbox-step on" aria-label={say("next")} onClick={() => step(1)}>
            <Icon name="right" size={26} />
          </button>
        </>
      ) : null}
    </dialog>
  );
};

const ZoomButton = ({ by, zoom, onZoom }: { by: 1 | -1; zoom: number; onZoom: (by: number) => void }) => {
  const name = say(by > 0 ? "nearer" : "farther");
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={name}
      title={`${name} (${by > 0 ? "+" : "-"})`}
      aria-disabled={zoom === (by > 0 ? ZOOMS.at(-1) : 1)}
      onClick={() => onZoom(by)}
    >
      <Icon name={by > 0 ? "nearer" : "farther"} />
    </button>
  );
};
