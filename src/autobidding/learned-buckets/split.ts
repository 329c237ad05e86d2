// The best way to part groups of auctions in two, each part with a multiplier of its own.

import type { WorthTable } from './worth-table.ts';

export interface Split {
  /** What two multipliers are worth more than the best single one, ≥ 0. */
  readonly gain: number;
  /** Rows of the table that go to the higher multiplier. */
  readonly upper: number[];
}

/**
 * The split of `rows` of greatest worth, exact over all pairs of multipliers of the grid: once a pair is fixed, each row goes to whichever of the
 * two is worth more to it, to the lower when they are equal.
 *
 * O(rows · G²).
 */
export function bestSplit({ size, worth }: WorthTable, rows: readonly number[]): Split {
  const single = new Float64Array(size);
  for (const row of rows) for (let at = 0; at < size; at++) single[at] += worth[row * size + at];
  const alone = single.reduce((most, sum) => Math.max(most, sum), -Infinity);
  // more[b] for a fixed a < b: what the rows gain that prefer b.
  const more = new Float64Array(size);
  let best = { worth: alone, low: -1, high: -1 };
  for (let a = 0; a < size; a++) {
    more.fill(0, a + 1);
    for (const row of rows) {
      const base = row * size;
      const own = worth[base + a];
      for (let b = a + 1; b < size; b++) {
        const extra = worth[base + b] - own;
        if (extra > 0) more[b] += extra;
      }
    }
    for (let b = a + 1; b < size; b++) {
      if (single[a] + more[b] > best.worth) best = { worth: single[a] + more[b], low: a, high: b };
    }
  }
  const { low, high } = best;
  if (low < 0) return { gain: 0, upper: [] };
  const upper = rows.filter((row) => worth[row * size + high] > worth[row * size + low]);
  // All on one side is no split: the other multiplier alone would do.
  if (upper.length === 0 || upper.length === rows.length) return { gain: 0, upper: [] };
  return { gain: best.worth - alone, upper };
}
