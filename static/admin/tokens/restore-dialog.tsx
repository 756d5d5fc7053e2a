// The copies of the pool that were made before bulk changes, and the way back to one.
// Invariant: a copy only brings accounts back; it removes none.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { AccountAdmin } from "../../../src/admin/accounts.ts";
import { get, messageOf, post } from "../../shared/api.ts";
import { count, dateTime } from "../../shared/format.ts";
import { speak } from "../../shared/language.ts";
import { Modal } from "../../shared/modal.tsx";
import { attempt } from "./verbs.ts";

const say = speak({
  title: ["Restore a copy of the pool", "恢复号池备份"],
  intro: [
    "Made before every bulk change. Restoring brings accounts back and removes none.",
    "每次批量更改前自动创建。恢复只会找回账号，不会移除。",
  ],
  none: ["There is no copy yet.", "暂无备份。"],
  accounts: ["{n} accounts", "{n} 个账号"],
  restore: ["Restore", "恢复"],
  close: ["Close", "关闭"],
});

type SnapshotInfo = Awaited<ReturnType<AccountAdmin["snapshots"]>>[number];

export const RestoreDialog = ({ onClose }: { onClose: () => void }) => {
  const copies = useSignal<readonly SnapshotInfo[] | null>(null);
  const problem = useSignal<string | null>(null);
  useEffect(() => {
    void get<{ snapshots: SnapshotInfo[] }>("/tokens/snapshots").then(
      ({ snapshots }) => (copies.value = snapshots),
      (thrown: unknown) => (problem.value = messageOf(thrown)),
    );
  }, []);
  const restore = async (id: string) => {
    const done = await attempt(
      async () => (await post<{ message: string }>("/tokens/restore", { snapshot: id })).message,
    );
    if (done) onClose();
  };
  return (
    <Modal
      title={say("title")}
      onClose={onClose}
      foot={
        <button type="button" class="button" onClick={onClose}>
          {say("close")}
        </button>
      }
    >
      <p class="muted">{say("intro")}</p>
      {problem.value === null ? null : <p class="field-error">{problem.value}</p>}
      {copies.value?.length === 0 ? <p class="empty">{say("none")}</p> : null}
      <ul class="copies">
        {(copies.value ?? []).map((copy) => (
          <li key={copy.id} class="row">
            <span class="grow">
              {dateTime(copy.created_at)} <span class="muted">{say("accounts", { n: count(copy.accounts) })}</span>
            </span>
            <button type="button" class="button small" onClick={() => void restore(copy.id)}>
              {say("restore")}
            </button>
          </li>
        ))}
      </ul>
    </Modal>
  );
};
