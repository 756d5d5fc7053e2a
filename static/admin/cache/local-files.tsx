// Pictures or clips that the gateway keeps: newest first, page by page, viewed, downloaded, removed.
// Invariant: a file is loaded into the page as a small preview only, and whole when somebody views it.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask, get, messageOf, post, saveAs } from "../../shared/api.ts";
import { bytes, count, dateTime } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { useLoaded, Waiting } from "../../shared/loaded.tsx";
import { confirm, Modal } from "../../shared/modal.tsx";
import { Pager } from "../../shared/pager.tsx";
import { at } from "../../shared/place.ts";
import { toast } from "../../shared/toast.tsx";
import { type FileItem, type FileList, type Kind, loadSummary } from "./store.ts";
import { say } from "./words.ts";

const SIZES = [24, 48, 96, 192] as const;

export const LocalFiles = ({ kind }: { kind: Kind }) => {
  const page = useSignal(1);
  const size = useSignal(48);
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const viewed = useSignal<FileItem | null>(null);
  const busy = useSignal(false);
  const loaded = useLoaded(() => get<FileList>("/cache/list", { type: kind, page: page.value, page_size: size.value }));
  useEffect(() => void loaded.reload(), [page.value, size.value]);
  const found = loaded.value.value;
  const attempt = async (work: () => Promise<string | null>) => {
    busy.value = true;
    try {
      const told = await work();
      if (told !== null) toast(told);
    } catch (thrown) {
      toast(messageOf(thrown), "error");
    } finally {
      busy.value = false;
    }
  };
  const changed = async () => {
    chosen.value = new Set();
    await Promise.all([loaded.reload(), loadSummary()]);
  };
  const remove = async (names: readonly string[]) => {
    const text = say("deleteText", { n: count(names.length) });
    if (!(await confirm({ title: say("deleteTitle"), text, action: say("delete"), danger: true }))) return;
    await attempt(async () => {
      const { result } = await post<{ result: { deleted: number } }>("/cache/items/delete", { type: kind, names });
      return say("removed", { n: count(result.deleted) });
    });
    await changed();
  };
  const clear = async () => {
    const text = say("clearText", { n: count(found?.total ?? 0) });
    if (!(await confirm({ title: say("clearTitle"), text, action: say("clearKind"), danger: true }))) return;
    await attempt(async () => {
      const { result } = await post<{ result: { deleted: number } }>("/cache/clear", { type: kind });
      return say("removed", { n: count(result.deleted) });
    });
    await changed();
  };
  const download = (names: readonly string[]) =>
    attempt(async () => {
      await saveAs(await ask("POST", "/cache/download", { body: { type: kind, names } }), names[0] ?? kind);
      return null;
    });
  const toggle = (name: string, on: boolean) => {
    const next = new Set(chosen.value);
    if (on) next.add(name);
    else next.delete(name);
    chosen.value = next;
  };
  if (found === null) return <Waiting loaded={loaded} />;
  if (found.total === 0) return <p class="panel empty">{say("none")}</p>;
  const names = found.items.map(({ name }) => name);
  return (
    <section class="panel" aria-label={say(kind)}>
      <div class="row wrap list-head">
        <label class="check grow">
          <input
            type="checkbox"
            checked={names.every((name) => chosen.value.has(name))}
            onChange={(event) => (chosen.value = new Set(event.currentTarget.checked ? names : []))}
          />
          {chosen.value.size > 0 ? say("selected", { n: count(chosen.value.size) }) : say("selectPage")}
        </label>
        <button
          type="button"
          class="button small"
          disabled={busy.value || chosen.value.size === 0}
          onClick={() => void download([...chosen.value])}
        >
          <Icon name="download" size={16} />
          {busy.value ? say("packing") : say("download")}
        </button>
        <button
          type="button"
          class="button small"
          disabled={busy.value || chosen.value.size === 0}
          onClick={() => void remove([...chosen.value])}
        >
          <Icon name="trash" size={16} />
          {say("delete")}
        </button>
        <button type="button" class="button small quiet danger" disabled={busy.value} onClick={() => void clear()}>
          {say("clearKind")}
        </button>
      </div>
      <ul class="files">
        {found.items.map((item) => (
          <Tile
            key={item.name}
            item={item}
            kind={kind}
            chosen={chosen.value.has(item.name)}
            onChoose={(on) => toggle(item.name, on)}
            onView={() => (viewed.value = item)}
          />
        ))}
      </ul>
      <Pager
        page={page.value}
        pages={Math.max(1, Math.ceil(found.total / size.value))}
        total={found.total}
        size={size.value}
        sizes={SIZES}
        onPage={(next) => (page.value = next)}
        onSize={(next) => {
          page.value = 1;
          size.value = next;
        }}
      />
      {viewed.value ? (
        <Viewer
          item={viewed.value}
          kind={kind}
          onClose={() => (viewed.value = null)}
          onDownload={(name) => void download([name])}
        />
      ) : null}
    </section>
  );
};

interface TileProps {
  readonly item: FileItem;
  readonly kind: Kind;
  readonly chosen: boolean;
  readonly onChoose: (on: boolean) => void;
  readonly onView: () => void;
}

const Tile = ({ item, kind, chosen, onChoose, onView }: TileProps) => {
  const preview = item.preview_url ?? (kind === "image" ? item.view_url : null);
  return (
    <li class={chosen ? "chosen" : ""}>
      <button type="button" class="thumb" aria-label={say("view", { name: item.name })} onClick={onView}>
        {preview === null ? (
          <Icon name="play" size={34} />
        ) : (
          <img src={at(preview)} alt="" loading="lazy" decoding="async" />
        )}
      </button>
      <span class="row">
        <input
          type="checkbox"
          aria-label={say("select", { name: item.name })}
          checked={chosen}
          onChange={(event) => onChoose(event.currentTarget.checked)}
        />
        <span class="grow">
          <span class="ellipsis small-text mono block" title={item.name}>
            {item.name}
          </span>
          <span class="muted small-text block">{bytes(item.size_bytes)}</span>
          <span class="muted small-text block">{dateTime(item.mtime_ms)}</span>
        </span>
      </span>
    </li>
  );
};

interface ViewerProps {
  readonly item: FileItem;
  readonly kind: Kind;
  readonly onClose: () => void;
  readonly onDownload: (name: string) => void;
}

const Viewer = ({ item, kind, onClose, onDownload }: ViewerProps) => (
  <Modal
    title={item.name}
    size="wide"
    onClose={onClose}
    foot={
      <>
        <span class="muted grow">
          {bytes(item.size_bytes)} · {dateTime(item.mtime_ms)}
        </span>
        <button type="button" class="button" onClick={() => onDownload(item.name)}>
          <Icon name="download" />
          {say("download")}
        </button>
      </>
    }
  >
    {kind === "image" ? (
      <img class="viewed" src={at(item.view_url)} alt={item.name} />
    ) : (
      // oxlint-disable-next-line jsx-a11y/media-has-caption -- a generated clip has none
      <video class="viewed" src={at(item.view_url)} controls autoplay />
    )}
  </Modal>
);
