// Pictures and clips in a page: shown when they are files of this gateway or come with the answer, opened large by a click.
// Invariant: nothing is fetched from another host; a picture that failed can be asked for again by a click.
import { useSignal } from "@preact/signals";
import { Icon } from "./icons.tsx";
import { speak } from "./language.ts";
import { openLightbox } from "./lightbox.tsx";
import { ownFile } from "./place.ts";

const say = speak({
  elsewhere: ["Picture on another host", "其他主机上的图片"],
  broken: ["The picture could not be loaded.", "图片加载失败。"],
  again: ["Click to try again", "点击重试"],
  enlarge: ["Show large", "查看大图"],
  brokenClip: ["The clip could not be loaded.", "视频加载失败。"],
});

/** A file of this gateway, or data that came with the answer; null for anything elsewhere. */
export const ownSource = (source: string): string | null =>
  /^(data:(image|video)\/[\w.+-]+;base64,|blob:)/.test(source) ? source : ownFile(source);

const again = (source: string, tries: number): string => {
  if (tries === 0 || !source.startsWith("/")) return source;
  return `${source}${source.includes("?") ? "&" : "?"}again=${tries}`;
};

const Elsewhere = ({ source, alt }: { source: string; alt: string }) =>
  /^https?:/i.test(source) ? (
    <a class="elsewhere" href={source} target="_blank" rel="noopener noreferrer">
      <Icon name="image" size={16} />
      {alt === "" ? say("elsewhere") : alt}
    </a>
  ) : (
    <span>{alt}</span>
  );

export const Picture = ({ source, alt }: { source: string; alt: string }) => {
  const tries = useSignal(0);
  const state = useSignal<"loading" | "there" | "broken">("loading");
  const own = ownSource(source);
  if (own === null) return <Elsewhere source={source} alt={alt} />;
  const retry = () => {
    state.value = "loading";
    tries.value += 1;
  };
  if (state.value === "broken") {
    return (
      <button type="button" class="picture-broken" onClick={retry}>
        <Icon name="refresh" size={22} />
        <span>{say("broken")}</span>
        <strong>{say("again")}</strong>
      </button>
    );
  }
  return (
    <button
      type="button"
      class={`picture-button ${state.value}`}
      aria-label={alt === "" ? say("enlarge") : `${say("enlarge")}: ${alt}`}
      onClick={(event) => openLightbox(event.currentTarget)}
      data-shown="image"
      data-source={own}
    >
      <img
        key={tries.value}
        class="picture"
        src={again(own, tries.value)}
        alt={alt}
        loading="lazy"
        decoding="async"
        onLoad={() => (state.value = "there")}
        onError={() => (state.value = "broken")}
      />
    </button>
  );
};

export const Clip = ({ source, poster }: { source: string; poster?: string }) => {
  const tries = useSignal(0);
  const isBroken = useSignal(false);
  const own = ownSource(source);
  if (own === null) return <Elsewhere source={source} alt="" />;
  const ownPoster = poster === undefined ? null : ownSource(poster);
  if (isBroken.value) {
    return (
      <button
        type="button"
        class="picture-broken"
        onClick={() => {
          isBroken.value = false;
          tries.value += 1;
        }}
      >
        <Icon name="refresh" size={22} />
        <span>{say("brokenClip")}</span>
        <strong>{say("again")}</strong>
      </button>
    );
  }
  return (
    <span class="clip" data-shown="video" data-source={own}>
      {/* oxlint-disable-next-line jsx-a11y/media-has-caption -- a generated clip has none */}
      <video
        key={tries.value}
        src={again(own, tries.value)}
        poster={ownPoster ?? undefined}
        controls
        playsInline
        loop
        preload="metadata"
        onError={() => (isBroken.value = true)}
      />
      <button
        type="button"
        class="icon-button clip-enlarge"
        aria-label={say("enlarge")}
        title={say("enlarge")}
        onClick={(event) => openLightbox(event.currentTarget)}
      >
        <Icon name="expand" size={16} />
      </button>
    </span>
  );
};
