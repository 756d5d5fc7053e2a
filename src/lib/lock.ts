// Bounded concurrency: a counting gate with a first-come queue. Waiting ends early when the caller's signal aborts.

export interface Gate {
  /** Resolves with a release function once a place is free; release may be called more than once. */
  enter(signal?: AbortSignal): Promise<() => void>;
  readonly inside: number;
}

export const createGate = (limit: () => number): Gate => {
  let inside = 0;
  const queue: (() => void)[] = [];

  const leave = () => {
    inside--;
    queue.shift()?.();
  };
  const once = () => {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      leave();
    };
  };

  return {
    get inside() {
      return inside;
    },
    async enter(signal) {
      signal?.throwIfAborted();
      if (inside < limit()) {
        inside++;
        return once();
      }
      await new Promise<void>((resolve, reject) => {
        const go = () => {
          signal?.removeEventListener("abort", stop);
          inside++;
          resolve();
        };
        const stop = () => {
          const index = queue.indexOf(go);
          if (index >= 0) queue.splice(index, 1);
          reject(signal?.reason);
        };
        queue.push(go);
        signal?.addEventListener("abort", stop, { once: true });
      });
      return once();
    },
  };
};

/** Runs `work` over `items` with at most `limit` at once, in order of start; results keep the items' order. */
export const mapLimited = async <T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> => {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
};
