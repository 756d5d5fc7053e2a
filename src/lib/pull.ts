// Async streams from a pull function. An async generator costs several promises a step and a layer, and parks its clean-up
// behind whatever it awaits; this costs one, and closing acts at once. Knows nothing of what flows.

const DONE = { done: true, value: undefined } as const;
const NOTHING = Promise.resolve(null);

class PullStream<T> implements AsyncGenerator<T, void, void> {
  #pull: (() => Promise<T | null>) | null;
  #close: (() => void) | null;

  constructor(pull: () => Promise<T | null>, close: () => void) {
    this.#pull = pull;
    this.#close = close;
  }

  #end(): void {
    const close = this.#close;
    this.#pull = null;
    this.#close = null;
    close?.();
  }

  /** One item without the ceremony of an iterator; see `readFrom`. */
  read(): Promise<T | null> {
    return this.#pull?.() ?? NOTHING;
  }

  async next(): Promise<IteratorResult<T, void>> {
    if (!this.#pull) return DONE;
    try {
      const value = await this.#pull();
      if (value !== null) return { done: false, value };
    } catch (thrown) {
      this.#end();
      throw thrown;
    }
    this.#end();
    return DONE;
  }

  async return(): Promise<IteratorResult<T, void>> {
    this.#end();
    return DONE;
  }

  async throw(error: unknown): Promise<IteratorResult<T, void>> {
    this.#end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
  }
}

/**
 * A stream whose items come from `pull` until it gives null. `close` runs exactly once: at the end, on an error, or when the
 * reader returns early, then without waiting for a pull under way.
 */
export const pullStream = <T>(pull: () => Promise<T | null>, close: () => void): AsyncGenerator<T, void, void> =>
  new PullStream(pull, close);

/**
 * The next item, or null at the end: for a stream that is read by another stream. Costs one promise less a layer than
 * `next`; in return the reader has to close what it reads, at the end and on an error too.
 */
export const readFrom = <T>(stream: AsyncGenerator<T, void, void>): Promise<T | null> =>
  stream instanceof PullStream ? stream.read() : stream.next().then(({ done, value }) => (done ? null : value));
