// The ends of the program's log files: which file, how many lines, which lines; followed on demand.
// Invariant: the view stays where the reader is, unless that is the end.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { get, messageOf } from "../../shared/api.ts";
import { bytes } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Skeleton } from "../../shared/loaded.tsx";
import { useEvery } from "../../shared/ticker.ts";
import { say } from "./words.ts";

interface LogFile {
  readonly name: string;
  readonly size_bytes: number;
}

const LINES = [50, 200, 500, 1000, 5000] as const;
const FOLLOW_MS = 3000;
const NEAR_END = 10;

export const LogFiles = () => {
  const files = useSignal<readonly LogFile[] | null>(null);
  const file = useSignal("");
  const number = useSignal<number>(500);
  const words = useSignal("");
  const follows = useSignal(true);
  const lines = useSignal<readonly string[]>([]);
  const problem = useSignal<string | null>(null);
  const box = useRef<HTMLPreElement>(null);
  const load = async () => {
    try {
      const [listed, tail] = await Promise.all([
        get<{ files: LogFile[] }>("/logs/files"),
        get<{ file: string | null; lines: string[] }>("/logs/tail", { file: file.value, lines: number.value }),
      ]);
      files.value = listed.files;
      lines.value = tail.lines;
      problem.value = null;
    } catch (thrown) {
      problem.value = messageOf(thrown);
    }
  };
  useEffect(() => void load(), [file.value, number.value]);
  useEvery(FOLLOW_MS, () => {
    if (follows.value) void load();
  });
  const wanted = words.value.trim().toLowerCase();
  const shown = wanted === "" ? lines.value : lines.value.filter((line) => line.toLowerCase().includes(wanted));
  useEffect(() => {
    const pane = box.current;
    if (pane && pane.scrollHeight - pane.scrollTop - pane.clientHeight < NEAR_END + pane.clientHeight) {
      pane.scrollTop = pane.scrollHeight;
    }
  }, [lines.value]);
  if (files.value === null && problem.value === null) return <Skeleton lines={12} panel />;
  if (files.value?.length === 0) return <p class="panel empty">{say("noFiles")}</p>;
  return (
    <section class="panel" aria-label={say("logs")}>
      <div class="filters">
        <div class="row wrap">
          <select
            class="select"
            aria-label={say("file")}
            value={file.value}
            onChange={(event) => (file.value = event.currentTarget.value)}
          >
            {(files.value ?? []).map(({ name, size_bytes: size }, index) => (
              <option key={name} value={index === 0 ? "" : name}>
                {name} ({bytes(size)})
              </option>
            ))}
          </select>
          <select
            class="select"
            aria-label={say("lines")}
            value={number.value}
            onChange={(event) => (number.value = Number(event.currentTarget.value))}
          >
            {LINES.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
          <div class="search grow">
            <Icon name="search" />
            <input
              class="input"
              type="search"
              aria-label={say("filter")}
              placeholder={say("filter")}
              value={words.value}
              onInput={(event) => (words.value = event.currentTarget.value)}
            />
          </div>
          <label class="check">
            <input
              type="checkbox"
              checked={follows.value}
              onChange={(event) => (follows.value = event.currentTarget.checked)}
            />
            {say("follow")}
          </label>
          <button type="button" class="button small" onClick={() => void load()}>
            <Icon name="refresh" size={16} />
            {say("refresh")}
          </button>
        </div>
      </div>
      {problem.value === null ? null : <p class="empty danger-text">{problem.value}</p>}
      <pre ref={box} class="log-pane" tabIndex={0} aria-label={say("logs")}>
        {shown.length === 0 ? say("empty") : shown.join("\n")}
      </pre>
    </section>
  );
};
