// Several pictures or clips at once: which are selected, and what can be done with them. Knows no page.
// Invariant: what is not shown is not selected, whatever was selected before.
import { type Signal, signal, useSignal } from "@preact/signals";
import { Icon } from "../../shared/icons.tsx";
import { speak } from "../../shared/language.ts";
import { confirm } from "../../shared/modal.tsx";
import { toast } from "../../shared/toast.tsx";
import type { NamedFile } from "./archive.ts";
import { download, stampOf, zipped } from "./saving.ts";

const say = speak({
  chosen: ["{n} selected", "已选 {n} 个"],
  all: ["Select all", "全选"],
  none: ["Select none", "取消全选"],
  zip: ["Download as ZIP", "打包下载"],
  packing: ["Packing…", "打包中…"],
  notPacked: ["The archive could not be made: {why}", "无法打包：{why}"],
  remove: ["Delete", "删除"],
  removeTitle: ["Delete what is selected?", "删除所选内容？"],
  done: ["Done", "完成"],
});

export interface Selection {
  readonly isOn: Signal<boolean>;
  readonly ids: Signal<ReadonlySet<string>>;
  toggle(id: string): void;
  /** Begins or ends the selecting. */
  turn(on: boolean): void;
}

export const createSelection = (): Selection => {
  const isOn = signal(false);
  const ids = signal<ReadonlySet<string>>(new Set());
  return {
    isOn,
    ids,
    toggle(id) {
      const next = new Set(ids.value);
      if (!next.delete(id)) next.add(id);
      ids.value = next;
    },
    turn(on) {
      isOn.value = on;
      ids.value = new Set();
    },
  };
};

export interface BatchProps {
  readonly selection: Selection;
  /** All that could be selected now. */
  readonly shown: readonly string[];
  /** First word of the archive's name. */
  readonly name: string;
  readonly filesOf: (ids: readonly string[]) => Promise<readonly NamedFile[]>;
  readonly onRemove: (ids: ReadonlySet<string>) => void;
  readonly removeText: (count: number) => string;
}

const archiveName = (name: string): string => `${name}-${stampOf(Date.now())}.zip`;

export const BatchBar = ({ selection, shown, name, filesOf, onRemove, removeText }: BatchProps) => {
  const isPacking = useSignal(false);
  const chosen = shown.filter((id) => selection.ids.value.has(id));
  const isAll = shown.length > 0 && chosen.length === shown.length;
  const pack = async () => {
    isPacking.value = true;
    try {
      download({ name: archiveName(name), blob: await zipped(await filesOf(chosen)) });
    } catch (thrown) {
      toast(say("notPacked", { why: thrown instanceof Error ? thrown.message : String(thrown) }), "error");
    } finally {
      isPacking.value = false;
    }
  };
  const remove = async () => {
    const question = { title: say("removeTitle"), text: removeText(chosen.length), action: say("remove") };
    if (await confirm({ ...question, danger: true })) onRemove(new Set(chosen));
  };
  return (
    <div class="row wrap">
      <span class="muted" role="status">
        {say("chosen", { n: chosen.length })}
      </span>
      <button type="button" class="button small" onClick={() => (selection.ids.value = new Set(isAll ? [] : shown))}>
        {say(isAll ? "none" : "all")}
      </button>
      <button
        type="button"
        class="button small"
        disabled={chosen.length === 0 || isPacking.value}
        onClick={() => void pack()}
      >
        <Icon name="download" size={15} />
        {say(isPacking.value ? "packing" : "zip")}
      </button>
      <button type="button" class="button small" disabled={chosen.length === 0} onClick={() => void remove()}>
        <Icon name="trash" size={15} />
        {say("remove")}
      </button>
      <button type="button" class="button small primary" onClick={() => selection.turn(false)}>
        {say("done")}
      </button>
    </div>
  );
};
