// Changing what a person may change about accounts: note, tags, pool, and the session itself when it was renewed.
// Invariant: only what was changed is sent; what is known of an account moves along with a new session.
import { useSignal } from "@preact/signals";
import { messageOf, post, send } from "../../shared/api.ts";
import { speak } from "../../shared/language.ts";
import { Modal } from "../../shared/modal.tsx";
import { KEY_POOL, PoolField, TIER_POOLS, useKnownTags } from "./fields.tsx";
import { FromSettings } from "./key-cells.tsx";
import { isKey, type Row } from "./store.ts";
import { TagsField } from "./tags-field.tsx";
import { attempt } from "./verbs.ts";

const say = speak({
  title: ["Edit {token}", "编辑 {token}"],
  many: ["Edit {n} accounts", "编辑 {n} 个账号"],
  note: ["Note", "备注"],
  poolHint: ["API keys stay in their own pool.", "API 密钥始终保留在自己的号池。"],
  keepPool: ["Leave as it is", "保持不变"],
  token: ["New session", "新的会话 Token"],
  key: ["New key", "新的密钥"],
  tokenHint: [
    "Only when it was renewed: counts, tags and note move along.",
    "仅在会话更新时填写；计数、标签和备注会保留。",
  ],
  changeTags: ["Replace the tags of all of them", "替换全部账号的标签"],
  cancel: ["Cancel", "取消"],
  save: ["Save", "保存"],
  saved: ["Saved.", "已保存。"],
});

const LONGEST_NOTE = 500;

const Foot = ({ busy, onClose }: { busy: boolean; onClose: () => void }) => (
  <>
    <button type="button" class="button" onClick={onClose}>
      {say("cancel")}
    </button>
    <button type="submit" class="button primary" disabled={busy}>
      {say("save")}
    </button>
  </>
);

const sameTags = (one: readonly string[], other: readonly string[]): boolean => one.join("\n") === other.join("\n");

export const EditDialog = ({ row, onClose }: { row: Row; onClose: () => void }) => {
  const known = useKnownTags();
  const note = useSignal(row.note);
  const pool = useSignal(row.pool);
  const tags = useSignal<readonly string[]>(row.tags);
  const token = useSignal("");
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const save = async () => {
    busy.value = true;
    problem.value = null;
    try {
      await send("PUT", "/tokens/edit", {
        body: {
          old_token: row.id,
          ...(note.value === row.note ? {} : { note: note.value }),
          ...(pool.value === row.pool ? {} : { pool: pool.value }),
          ...(sameTags(tags.value, row.tags) ? {} : { tags: tags.value }),
          ...(token.value.trim() === "" ? {} : { token: token.value.trim() }),
        },
      });
      await attempt(async () => say("saved"));
      onClose();
    } catch (thrown) {
      problem.value = messageOf(thrown);
    } finally {
      busy.value = false;
    }
  };
  return (
    <Modal
      title={say("title", { token: row.token_masked })}
      onClose={onClose}
      onSubmit={() => void save()}
      foot={<Foot busy={busy.value} onClose={onClose} />}
    >
      <div class="field">
        <label for="edit-note">{say("note")}</label>
        <textarea
          id="edit-note"
          class="textarea"
          rows={2}
          maxLength={LONGEST_NOTE}
          value={note.value}
          onInput={(event) => (note.value = event.currentTarget.value)}
        />
      </div>
      <TagsField tags={tags.value} known={known.value} onTags={(next) => (tags.value = next)} />
      <PoolField
        id="edit-pool"
        pool={pool.value}
        pools={[...new Set([row.pool, ...(isKey(row) ? [KEY_POOL] : TIER_POOLS)])]}
        onPool={(next) => (pool.value = next)}
      />
      {row.from_config ? (
        <FromSettings />
      ) : (
        <div class="field">
          <label for="edit-token">{say(isKey(row) ? "key" : "token")}</label>
          <input
            id="edit-token"
            class="input mono"
            autocomplete="off"
            spellcheck={false}
            placeholder={row.token_masked}
            value={token.value}
            onInput={(event) => (token.value = event.currentTarget.value)}
          />
          <span class="hint">{say("tokenHint")}</span>
        </div>
      )}
      {problem.value === null ? null : (
        <p class="field-error" role="alert">
          {problem.value}
        </p>
      )}
    </Modal>
  );
};

export const EditManyDialog = ({ ids, onClose }: { ids: readonly string[]; onClose: () => void }) => {
  const known = useKnownTags();
  const pool = useSignal("");
  const tags = useSignal<readonly string[]>([]);
  const withTags = useSignal(false);
  const busy = useSignal(false);
  const save = async () => {
    busy.value = true;
    const saved = await attempt(async () => {
      if (pool.value !== "") await send("PUT", "/tokens/pool", { body: { tokens: ids, pool: pool.value } });
      if (withTags.value) await post("/tokens/tags", { tokens: ids, tags: tags.value });
      return say("saved");
    });
    busy.value = false;
    if (saved) onClose();
  };
  return (
    <Modal
      title={say("many", { n: ids.length })}
      onClose={onClose}
      onSubmit={() => void save()}
      foot={<Foot busy={busy.value || (pool.value === "" && !withTags.value)} onClose={onClose} />}
    >
      <PoolField
        id="edit-pool"
        pool={pool.value}
        pools={TIER_POOLS}
        nothing={say("keepPool")}
        hint={say("poolHint")}
        onPool={(next) => (pool.value = next)}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={withTags.value}
          onChange={(event) => (withTags.value = event.currentTarget.checked)}
        />
        {say("changeTags")}
      </label>
      {withTags.value ? (
        <TagsField tags={tags.value} known={known.value} onTags={(next) => (tags.value = next)} />
      ) : null}
    </Modal>
  );
};
