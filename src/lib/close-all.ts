// Ends things that hold something, one after the other. Invariant: one that fails keeps none of the others from its turn, and
// whoever waits is told of every failure.

type Step = () => void | Promise<void>;

export const closeAll = async (steps: readonly Step[]): Promise<void> => {
  const failures: Error[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (thrown) {
      failures.push(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }
  const [first, ...others] = failures;
  if (!first) return;
  throw others.length === 0 ? first : new AggregateError(failures, failures.map(({ message }) => message).join("; "));
};
