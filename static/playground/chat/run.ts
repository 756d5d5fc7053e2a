// One answer while it arrives: its words so far, at a pace that the page can draw; its end. Knows no conversation.
// Invariant: it ends exactly once, with all that arrived, whether it was whole, stopped or broken off.
import { type Signal, signal } from "@preact/signals";
import { ApiError } from "../../shared/api.ts";
import { beginWork } from "../running.ts";
import { answerTo, type Piece, type SentTurn } from "./answer.ts";
import type { Problem, Settings, Turn } from "./conversation.ts";
import { MOST_BYTES, MOST_FILES, sentFiles } from "./files.ts";

export interface Flow {
  readonly text: string;
  readonly reasoning: string;
  readonly reasoningMs: number | null;
}

export interface Run {
  readonly turnId: string;
  readonly startedMs: number;
  readonly flow: Signal<Flow>;
  readonly ended: Promise<Partial<Turn>>;
  stop(): void;
}

export interface RunStart {
  readonly turn: Turn;
  /** What was said before it, first to last. */
  readonly line: readonly Turn[];
  readonly settings: Settings;
}

/** Words are drawn this often at most, and kept this often. */
const DRAW_MS = 40;
const KEEP_MS = 3000;

export const runAnswer = ({ turn, line, settings }: RunStart, keepSoFar: (change: Partial<Turn>) => void): Run => {
  const controller = new AbortController();
  const over = beginWork();
  const startedMs = Date.now();
  const flow = signal<Flow>({ text: "", reasoning: "", reasoningMs: null });
  const gathered = gather(startedMs);
  let timer: ReturnType<typeof setTimeout> | null = null;
  let keptMs = startedMs;
  const draw = () => {
    timer = null;
    flow.value = gathered.flow();
    if (Date.now() - keptMs < KEEP_MS) return;
    keptMs = Date.now();
    keepSoFar(gathered.turn());
  };
  const drawSoon = () => (timer ??= setTimeout(draw, DRAW_MS));
  const work = async (): Promise<Partial<Turn>> => {
    try {
      const turns = await sentTurns(line);
      for await (const piece of answerTo({ settings, turns, signal: controller.signal })) {
        gathered.take(piece);
        drawSoon();
      }
      return { ...gathered.turn(), end: gathered.isCutShort() ? "length" : "done" };
    } catch (thrown) {
      if (controller.signal.aborted) return { ...gathered.turn(), end: "stopped" };
      return { ...gathered.turn(), end: "failed", problem: problemOf(thrown) };
    } finally {
      over();
      if (timer !== null) clearTimeout(timer);
    }
  };
  return { turnId: turn.id, startedMs, flow, ended: work(), stop: () => controller.abort() };
};

const problemOf = (thrown: unknown): Problem => {
  if (thrown instanceof ApiError) {
    const { code, message, status, retryAfterMs } = thrown;
    return { code, message, status, retryAfterMs };
  }
  // A connection that breaks inside an answer is no refusal but a failed read.
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "upstream_cut", message, status: 0, retryAfterMs: null };
};

const gather = (startedMs: number) => {
  let [text, reasoning] = ["", ""];
  let [firstMs, reasoningMs, tokens]: (number | null)[] = [null, null, null];
  let cutShort = false;
  const flow = (): Flow => {
    const parts = apart(text);
    return { text: parts.text, reasoning: reasoning + parts.reasoning, reasoningMs: reasoningMs ?? null };
  };
  return {
    flow,
    isCutShort: () => cutShort,
    take(piece: Piece): void {
      if (piece.kind === "tokens") tokens = piece.count;
      else if (piece.kind === "length") cutShort = true;
      else {
        const sinceMs = Date.now() - startedMs;
        firstMs ??= sinceMs;
        if (piece.kind === "reasoning") reasoning += piece.text;
        else text += piece.text;
        if (reasoningMs === null && (reasoning !== "" || apart(text).reasoning !== "") && apart(text).text !== "") {
          reasoningMs = sinceMs;
        }
      }
    },
    turn: (): Partial<Turn> => {
      const { text: words, reasoning: thought } = flow();
      const tookMs = Date.now() - startedMs;
      const thoughtMs = thought === "" ? null : (reasoningMs ?? tookMs);
      const times = { firstMs: firstMs ?? null, reasoningMs: thoughtMs, tookMs, tokens: tokens ?? null };
      return { text: words, reasoning: thought, ...times };
    },
  };
};

/** Some settings of the gateway put the reasoning into the text itself. */
const apart = (whole: string): { text: string; reasoning: string } => {
  if (!/^\s*<think>/.test(whole)) return { text: whole, reasoning: "" };
  const start = whole.indexOf("<think>") + "<think>".length;
  const end = whole.indexOf("</think>", start);
  if (end < 0) return { text: "", reasoning: whole.slice(start).trimStart() };
  return { text: whole.slice(end + "</think>".length).trimStart(), reasoning: whole.slice(start, end).trim() };
};

/** What was said before; of the files the newest, as many as may come along. */
const sentTurns = async (line: readonly Turn[]): Promise<SentTurn[]> => {
  let room = { files: MOST_FILES, bytes: MOST_BYTES };
  const sent: SentTurn[] = [];
  for (const { role, text, attachments } of line.toReversed()) {
    const total = attachments.reduce((sum, { bytes }) => sum + bytes, 0);
    const fits = attachments.length <= room.files && total <= room.bytes;
    const files = fits ? await sentFiles(attachments) : [];
    room = fits ? { files: room.files - attachments.length, bytes: room.bytes - total } : { files: 0, bytes: 0 };
    if (text !== "" || files.length > 0) sent.push({ role, text, files });
  }
  return sent.toReversed();
};
