// Gathers lines and writes them together: a write for each request would cost more than the rest of its logging.
// Invariant: lines keep their order, wait at most for `delayMs`, and `flush` writes what is left at once.

export interface LineSink {
  write(line: string): void;
  flush(): void;
}

export interface LineSinkOptions {
  /** Must write all of the text before it returns. */
  readonly out: (text: string) => void;
  readonly delayMs: number;
  /** Characters that are written without waiting. */
  readonly maxPending: number;
}

export const createLineSink = ({ out, delayMs, maxPending }: LineSinkOptions): LineSink => {
  let pending = "";
  let timer: ReturnType<typeof setTimeout> | null = null;
  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (pending === "") return;
    const text = pending;
    pending = "";
    out(text);
  };
  return {
    flush,
    write(line) {
      pending += `${line}\n`;
      if (pending.length >= maxPending) return flush();
      // Keeps the process alive until it has fired, so that the last words are never lost.
      timer ??= setTimeout(flush, delayMs);
    },
  };
};
