// Adding accounts by hand: one session, or keys of the official API one a line, with note, tags and pool.
// Invariant: what was typed goes to one place only, and every line that was not taken is told.
import { useSignal } from "@preact/signals";
import type { ImportOutcome } from "../../../src/admin/account-changes.ts";
import { messageOf, post } from "../../shared/api.ts";
import { Icon } from "../../shared/icons.tsx";
import { speak } from "../../shared/language.ts";
import { Modal } from "../../shared/modal.tsx";
import { PoolField, TIER_POOLS, useKnownTags } from "./fields.tsx";
import { Outcome } from "./outcome.tsx";
import { load } from "./store.ts";
import { TagsField } from "./tags-field.tsx";

const say = speak({
  title: ["Add accounts", "添加账号"],
  kind: ["What to add", "添加内容"],
  web: ["Web session", "网页会话"],
  xai: ["API keys", "API 密钥"],
  token: ["Token", "Token"],
  tokenHint: [
    "The value of the cookie “sso” of a signed-in browser; a whole cookie line does too.",
    "已登录浏览器中名为 sso 的 Cookie 值，也可粘贴整行 Cookie。",
  ],
  keys: ["Keys of the official API", "官方 API 密钥"],
  keysHint: [
    "xai-…, one a line, from xAI's console. Their calls cost money; limits and credits are shared within a team.",
    "每行一个 xai-… 密钥，可在 xAI 控制台创建。调用会产生费用；同一团队共享限额与余额。",
  ],
  notKey: ["This is a key of the official API: choose “API keys”.", "这是官方 API 密钥，请选择“API 密钥”。"],
  notSession: ["Not a key of the official API: line {where}.", "不是官方 API 密钥：第 {where} 行。"],
  note: ["Note", "备注"],
  auto: ["Decide by the first look at the quota", "根据首次额度查询自动判断"],
  cancel: ["Cancel", "取消"],
  add: ["Add", "添加"],
  adding: ["Adding…", "添加中…"],
});

const KINDS = ["web", "xai"] as const;
type Kind = (typeof KINDS)[number];

const LONGEST_NOTE = 500;

const wordsOf = (text: string): string[] => text.split(/[\s,;]+/).filter((word) => word !== "");
const isKeyText = (text: string): boolean => /^["']?xai-/.test(text.trim());

/** Null when it may be sent. */
const complaint = (kind: Kind, text: string): string | null => {
  if (kind === "web") return isKeyText(text) ? say("notKey") : null;
  const wrong = text.split("\n").flatMap((line, index) => (wordsOf(line).every(isKeyText) ? [] : [index + 1]));
  return wrong.length === 0 ? null : say("notSession", { where: wrong.slice(0, 8).join(", ") });
};

export const AddDialog = ({ onClose }: { onClose: () => void }) => {
  const known = useKnownTags();
  const kind = useSignal<Kind>("web");
  const text = useSignal("");
  const note = useSignal("");
  const pool = useSignal("");
  const tags = useSignal<readonly string[]>([]);
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const outcome = useSignal<ImportOutcome | null>(null);
  const wrong = complaint(kind.value, text.value);
  const run = async () => {
    if (busy.value || wrong !== null || text.value.trim() === "") return;
    busy.value = true;
    problem.value = null;
    try {
      outcome.value = await post<ImportOutcome>("/tokens/add", {
        tokens: kind.value === "web" ? [text.value.trim()] : wordsOf(text.value),
        pool: kind.value === "web" && pool.value !== "" ? pool.value : "auto",
        tags: tags.value,
        ...(note.value.trim() === "" ? {} : { note: note.value }),
      });
      void load();
    } catch (thrown) {
      problem.value = messageOf(thrown);
    } finally {
      busy.value = false;
    }
  };
  if (outcome.value) {
    const more = () => {
      outcome.value = null;
      text.value = "";
    };
    return <Outcome title={say("title")} outcome={outcome.value} onClose={onClose} onMore={more} />;
  }
  return (
    <Modal
      title={say("title")}
      onClose={onClose}
      onSubmit={() => void run()}
      foot={
        <>
          <button type="button" class="button" onClick={onClose}>
            {say("cancel")}
          </button>
          <button
            type="submit"
            class="button primary"
            disabled={busy.value || text.value.trim() === "" || wrong !== null}
          >
            {busy.value ? say("adding") : say("add")}
          </button>
        </>
      }
    >
      <div class="tabs" role="group" aria-label={say("kind")}>
        {KINDS.map((one) => (
          <button key={one} type="button" aria-pressed={kind.value === one} onClick={() => (kind.value = one)}>
            {say(one)}
          </button>
        ))}
      </div>
      {kind.value === "web" ? (
        <div class="field">
          <label for="add-token">{say("token")}</label>
          <input
            id="add-token"
            class="input mono"
            autocomplete="off"
            spellcheck={false}
            value={text.value}
            onInput={(event) => (text.value = event.currentTarget.value)}
          />
          <span class="hint">{say("tokenHint")}</span>
        </div>
      ) : (
        <div class="field">
          <label for="add-keys">{say("keys")}</label>
          <textarea
            id="add-keys"
            class="textarea mono"
            rows={5}
            autocomplete="off"
            spellcheck={false}
            placeholder="xai-…"
            value={text.value}
            onInput={(event) => (text.value = event.currentTarget.value)}
          />
          <span class="hint">{say("keysHint")}</span>
        </div>
      )}
      {wrong === null ? null : (
        <p class="notice warn" role="status">
          <Icon name="warning" />
          {wrong}
        </p>
      )}
      {kind.value === "web" ? (
        <PoolField
          id="add-pool"
          pool={pool.value}
          pools={TIER_POOLS}
          nothing={say("auto")}
          onPool={(next) => (pool.value = next)}
        />
      ) : null}
      <TagsField tags={tags.value} known={known.value} onTags={(next) => (tags.value = next)} />
      <div class="field">
        <label for="add-note">{say("note")}</label>
        <input
          id="add-note"
          class="input"
          maxLength={LONGEST_NOTE}
          value={note.value}
          onInput={(event) => (note.value = event.currentTarget.value)}
        />
      </div>
      {problem.value === null ? null : (
        <p class="field-error" role="alert">
          {problem.value}
        </p>
      )}
    </Modal>
  );
};
