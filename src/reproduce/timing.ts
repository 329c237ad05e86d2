// Wall-clock times of competitors on one input: rounds interleaved, so that a busy moment of the machine hits all of them.

/** Seconds of each, in the order of the competitors: the median of the rounds. */
export async function raceSeconds(
  competitors: readonly (() => Promise<unknown>)[],
  rounds: number,
): Promise<number[]> {
  const seconds: number[][] = competitors.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, run] of competitors.entries()) {
      const start = performance.now();
      await run();
      seconds[i].push((performance.now() - start) / 1000);
    }
  }
  return seconds.map((times) => median(times));
}

/** The middle value; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}
