// Stores measured samples and reads quantiles and medians from them. Knows no units.
// Invariant: quantiles are read from sorted samples only, and of nothing they are NaN, which no goal is judged by.

export interface Samples {
  add(value: number): void;
  sorted(): Float64Array;
}

/** Growing sample store; sorted once at the end. */
export function createSamples(): Samples {
  let values = new Float64Array(4096);
  let count = 0;
  return {
    add(value: number) {
      if (count === values.length) {
        const larger = new Float64Array(values.length * 2);
        larger.set(values);
        values = larger;
      }
      values[count++] = value;
    },
    sorted: () => values.slice(0, count).sort(),
  };
}

export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (!sorted.length) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
