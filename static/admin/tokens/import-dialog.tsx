// Bringing accounts in: pasted, chosen or dropped, with a look at what was read before anything is sent.
// Invariant: the text is sent once, as it is; every line that was not taken is told with its number.
import { useSignal } from "@preact/signals";
import { useId, useRef } from "preact/hooks";
import type { ImportOutcome } from "../../../src/admin/account-changes.ts";
import { messageOf, send } from "../../shared/api.ts";
import { bytes, count } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { speak } from "../../shared/language.ts";
import { Modal } from "../../shared/modal.tsx";
import { toast } from "../../shared/toast.tsx";
import { PoolField, TIER_POOLS } from "./fields.tsx";
import { type Look, lookAt } from "./import-preview.ts";
import { Outcome } from "./outcome.tsx";
import { load } from "./store.ts";

const say = speak({
  title: ["Import accounts", "导入账号"],
  text: ["Tokens", "Token"],
  placeholder: [
    "One session (sso) or API key (xai-…) a line, cookie lines, or JSON of any known shape",
    "每行一个 sso 会话或 API 密钥（xai-…），也可以是 Cookie 行或任意已知格式的 JSON",
  ],
  drop: ["Choose a file, or drop one here", "选择文件，或将文件拖到这里"],
  auto: ["Decide by the first look at the quota", "根据首次额度查询自动判断"],
  poolHint: [
    "For sessions that name none; API keys have a pool of their own.",
    "用于未指明号池的会话；API 密钥有独立号池。",
  ],
  kinds: ["Web sessions: {web}, API keys: {xai}.", "网页会话 {web} 个，API 密钥 {xai} 个。"],
  lines: ["Lines that look like tokens: {n}.", "识别到 {n} 行 Token。"],
  repeated: ["Repeated: {n}.", "其中 {n} 行重复。"],
  odd: ["Too short: line {where}.", "过短的行：{where}。"],
  json: ["JSON, accounts in it: {n}.", "JSON，包含 {n} 个账号。"],
  broken: ["This begins like JSON but cannot be read as JSON.", "内容以 JSON 开头，但无法解析。"],
  cancel: ["Cancel", "取消"],
  import: ["Import", "导入"],
  importing: ["Importing…", "导入中…"],
  tooLarge: ["The file has {size}; at most {most} can be read here.", "文件大小为 {size}，最多支持 {most}。"],
});

const MOST_BYTES = 20 * 1024 * 1024;

export const ImportDialog = ({ onClose }: { onClose: () => void }) => {
  const text = useSignal("");
  const pool = useSignal("");
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const outcome = useSignal<ImportOutcome | null>(null);
  const run = async () => {
    busy.value = true;
    problem.value = null;
    try {
      outcome.value = await send<ImportOutcome>("POST", "/tokens/import", {
        text: text.value,
        query: { pool: pool.value },
      });
      void load();
    } catch (thrown) {
      problem.value = messageOf(thrown);
    } finally {
      busy.value = false;
    }
  };
  const read = async (file: File | null | undefined) => {
    if (!file) return;
    if (file.size > MOST_BYTES)
      return toast(say("tooLarge", { size: bytes(file.size), most: bytes(MOST_BYTES) }), "error");
    text.value = await file.text();
  };
  if (outcome.value)
    return (
      <Outcome
        title={say("title")}
        outcome={outcome.value}
        onClose={onClose}
        onMore={() => {
          outcome.value = null;
          text.value = "";
        }}
      />
    );
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
          <button type="submit" class="button primary" disabled={busy.value || text.value.trim() === ""}>
            {busy.value ? say("importing") : say("import")}
          </button>
        </>
      }
    >
      <Source text={text.value} onText={(value) => (text.value = value)} onFile={(file) => void read(file)} />
      <Preview text={text.value} />
      <PoolField
        id="import-pool"
        pool={pool.value}
        pools={TIER_POOLS}
        nothing={say("auto")}
        hint={say("poolHint")}
        onPool={(next) => (pool.value = next)}
      />
      {problem.value === null ? null : (
        <p class="field-error" role="alert">
          {problem.value}
        </p>
      )}
    </Modal>
  );
};

interface SourceProps {
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly onFile: (file: File | null | undefined) => void;
}

const Source = ({ text, onText, onFile }: SourceProps) => {
  const id = useId();
  const chooser = useRef<HTMLInputElement>(null);
  const over = useSignal(false);
  return (
    <div
      class={`field drop ${over.value ? "over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={() => (over.value = false)}
      onDrop={(event) => {
        event.preventDefault();
        over.value = false;
        onFile(event.dataTransfer?.files[0]);
      }}
    >
      <label for={id}>{say("text")}</label>
      <textarea
        id={id}
        class="textarea mono"
        rows={8}
        spellcheck={false}
        autocomplete="off"
        placeholder={say("placeholder")}
        value={text}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      <input
        ref={chooser}
        type="file"
        class="sr-only"
        tabIndex={-1}
        aria-label={say("drop")}
        accept=".txt,.json,.csv,text/plain,application/json"
        onChange={(event) => onFile(event.currentTarget.files?.[0])}
      />
      <button type="button" class="button" onClick={() => chooser.current?.click()}>
        <Icon name="upload" />
        {say("drop")}
      </button>
    </div>
  );
};

const total = (seen: Look & { kind: "json" | "lines" }): number => (seen.kind === "json" ? seen.accounts : seen.good);

const Preview = ({ text }: { text: string }) => {
  const seen = lookAt(text);
  if (seen.kind === "nothing") return null;
  const isOdd = seen.kind === "broken" || (seen.kind === "lines" && seen.odd.length > 0);
  return (
    <div class={`notice ${isOdd ? "warn" : ""}`} aria-live="polite">
      <Icon name={isOdd ? "warning" : "info"} />
      <div>
        {seen.kind === "broken" ? say("broken") : null}
        {seen.kind === "json" ? say("json", { n: count(seen.accounts) }) : null}
        {seen.kind === "lines" ? (
          <>
            {say("lines", { n: count(seen.good) })}{" "}
            {seen.repeated > 0 ? say("repeated", { n: count(seen.repeated) }) : null}
            {seen.odd.length > 0 ? <div>{say("odd", { where: seen.odd.slice(0, 8).join(", ") })}</div> : null}
          </>
        ) : null}
        {seen.kind !== "broken" && seen.keys > 0 ? (
          <div>{say("kinds", { web: count(total(seen) - seen.keys), xai: count(seen.keys) })}</div>
        ) : null}
        {seen.kind === "broken" || seen.samples.length === 0 ? null : (
          <ul class="samples mono">
            {seen.samples.map((sample, index) => (
              <li key={index}>{sample}</li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
};
