// Pictures that go along with a prompt: picked, pasted or dropped, shown small, removed. Knows no page.
// Invariant: what the gateway would refuse for its kind, size or number is refused here already, with the reason.
import { type Signal, signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { bytes } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { speak } from "../../shared/language.ts";
import { shrunk } from "../../shared/shrink.ts";
import { toast } from "../../shared/toast.tsx";

const say = speak({
  add: ["Add pictures", "添加图片"],
  addOne: ["Add a picture", "添加图片"],
  hint: ["or paste or drop them here", "也可粘贴或拖放到此处"],
  remove: ["Remove {name}", "移除 {name}"],
  noPicture: [
    "“{name}” is no picture that can be used (JPEG, PNG, WebP or GIF).",
    "“{name}”不是可用的图片（JPEG、PNG、WebP 或 GIF）。",
  ],
  tooLarge: ["“{name}” is too large: a picture may have {most}.", "“{name}”过大：单张图片不能超过 {most}。"],
  tooMany: ["At most {most} pictures.", "最多 {most} 张图片。"],
  pasted: ["Pasted picture", "粘贴的图片"],
  drop: ["Drop pictures here", "将图片拖放到此处"],
});

const MOST_BYTES = 20 * 1024 * 1024;

export interface Reference {
  readonly id: number;
  readonly name: string;
  readonly blob: Blob;
  /** Of its preview. */
  readonly address: string;
}

export interface References {
  readonly list: Signal<readonly Reference[]>;
  readonly most: number;
  take(files: readonly File[]): Promise<void>;
  remove(id: number): void;
}

let last = 0;

export const createReferences = (most: number): References => {
  const list = signal<readonly Reference[]>([]);
  const takeOne = async (file: File) => {
    const name = file.name === "" ? say("pasted") : file.name;
    if (!/^image\/(png|jpeg|webp|gif)$/.test(file.type)) return toast(say("noPicture", { name }), "error");
    const blob = await shrunk(file);
    if (blob.size > MOST_BYTES) return toast(say("tooLarge", { name, most: bytes(MOST_BYTES) }), "error");
    // Where there is room for one, a new one takes its place.
    if (most === 1) for (const { id } of list.value) remove(id);
    if (list.value.length >= most) return toast(say("tooMany", { most }), "error");
    last += 1;
    list.value = [...list.value, { id: last, name, blob, address: URL.createObjectURL(blob) }];
  };
  const remove = (id: number) => {
    const gone = list.value.find((one) => one.id === id);
    list.value = list.value.filter((one) => one !== gone);
    if (gone) URL.revokeObjectURL(gone.address);
  };
  return {
    list,
    most,
    remove,
    async take(files) {
      for (const file of files) await takeOne(file);
    },
  };
};

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;

/** Files that are pasted or dropped anywhere on the page; gives whether something hovers over it. */
export const usePictureDrops = (take: (files: readonly File[]) => void): Signal<boolean> => {
  const isOver = useSignal(false);
  useEffect(() => {
    const own = new AbortController();
    const { signal: ended } = own;
    const arrived = (event: Event, transfer: DataTransfer | null) => {
      const files = [...(transfer?.files ?? [])];
      isOver.value = false;
      if (files.length === 0) return;
      event.preventDefault();
      take(files);
    };
    document.addEventListener("paste", (event) => arrived(event, event.clipboardData), { signal: ended });
    document.addEventListener("drop", (event) => arrived(event, event.dataTransfer), { signal: ended });
    document.addEventListener(
      "dragover",
      (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        isOver.value = true;
      },
      { signal: ended },
    );
    document.addEventListener("dragleave", (event) => (isOver.value = event.relatedTarget !== null), { signal: ended });
    return () => own.abort();
  }, []);
  return isOver;
};

export const DropHere = () => (
  <div class="drop-here fixed">
    <Icon name="attach" size={30} />
    {say("drop")}
  </div>
);

export const ReferenceField = ({ book, label }: { book: References; label: string }) => {
  const picker = useRef<HTMLInputElement>(null);
  const { list, most } = book;
  return (
    <div class="references" role="group" aria-label={label}>
      {list.value.map(({ id, name, address }) => (
        <figure key={id} class="reference" title={name}>
          <img src={address} alt={name} />
          <button
            type="button"
            class="icon-button small"
            aria-label={say("remove", { name })}
            onClick={() => book.remove(id)}
          >
            <Icon name="close" size={14} />
          </button>
        </figure>
      ))}
      {list.value.length >= most ? null : (
        <button type="button" class="reference-add" onClick={() => picker.current?.click()}>
          <Icon name="plus" />
          <span>{say(most === 1 ? "addOne" : "add")}</span>
          {list.value.length === 0 ? <small class="muted">{say("hint")}</small> : null}
        </button>
      )}
      <input
        ref={picker}
        type="file"
        hidden
        accept="image/png,image/jpeg,image/webp,image/gif"
        multiple={most > 1}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = "";
          void book.take(files);
        }}
      />
    </div>
  );
};
