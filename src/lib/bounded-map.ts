// A map with a bound and a time to live: what was touched longest ago goes first. Knows nothing of what it keeps.
// Invariant: never holds more than `capacity` entries, nor gives one that is older than `lifeMs`.

export interface BoundedMap<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
  readonly size: number;
}

export const createBoundedMap = <T>(options: {
  readonly capacity: number;
  readonly lifeMs: () => number;
  readonly nowMs: () => number;
}): BoundedMap<T> => {
  const entries = new Map<string, { readonly value: T; readonly at: number }>();
  const set = (key: string, value: T) => {
    // A Map keeps the order of insertion, so the first key is the one touched longest ago.
    entries.delete(key);
    entries.set(key, { value, at: options.nowMs() });
    if (entries.size <= options.capacity) return;
    const [oldest] = entries.keys();
    if (oldest !== undefined) entries.delete(oldest);
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      if (options.nowMs() - entry.at < options.lifeMs()) return entry.value;
      entries.delete(key);
      return undefined;
    },
    set,
    delete: (key) => void entries.delete(key),
    get size() {
      return entries.size;
    },
  };
};
