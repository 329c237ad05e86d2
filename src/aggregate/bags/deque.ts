// Optimal cuts without a largest size: which start is best changes hands once between any two starts, so a queue of the starts that will
// be best, with the row from which each is, answers every row at once.

import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import type { CutRules } from './cuts.ts';
import { PrefixPairs, productRest } from './double-double.ts';

/** Rows between two looks at the event loop: about 30 ms. */
const ROWS_PER_SLICE = 1 << 16;

/**
 * Cuts of least cost with bags of `minSize` or more, whatever their size.
 *
 * The cost of a bag obeys the quadrangle inequality, so of two starts the later one, once better, stays better. A new start is compared
 * with the last of the queue at the row where that one takes over, and the row of its own take-over is found by doubling and halving.
 *
 * @param sorted - ascending, shape (n,), n ≥ minSize
 * @param rules - without noise: a mean over the bag breaks the inequality
 * @returns where bags start, and n; shape (bags + 1,)
 *
 * O(n log n) time at most; memory 52 bytes a value and 16 more with weights. Costs are taken from sums of 106 bits.
 * Source: arXiv 2402.04987 for the problem; the queue is that of concave least-weight subsequences (Hirschberg and Larmore 1987; Galil and
 * Giancarlo 1989), with a least size.
 */
export async function dequeCuts(
  sorted: Float64Array,
  rules: Pick<CutRules, 'minSize' | 'penalty' | 'weights'>,
  { signal, onProgress }: RunOptions = {},
): Promise<Uint32Array> {
  const count = sorted.length;
  const { minSize, penalty, weights } = rules;
  const bagCost = bagCosts(sorted, weights);
  const costs = new Float64Array(count + 1).fill(Infinity);
  const sizes = new Uint32Array(count + 1);
  costs[0] = 0;
  const starts = new Uint32Array(count + 1);
  const rowsFrom = new Uint32Array(count + 1);
  let [head, tail] = [0, 0]; // the queue is [head, tail)
  let rebased = 0;
  const costWith = (start: number, row: number) => costs[start] + bagCost(start, row);

  for (let row = minSize; row <= count; row++) {
    if ((row - minSize) % ROWS_PER_SLICE === 0) {
      signal?.throwIfAborted();
      onProgress?.({ phase: 'slicing', done: row, total: count });
      await yieldToEventLoop();
    }
    const start = row - minSize;
    if (costs[start] < Infinity) {
      while (
        tail > head &&
        rowsFrom[tail - 1] >= row &&
        costWith(start, rowsFrom[tail - 1]) < costWith(starts[tail - 1], rowsFrom[tail - 1])
      )
        tail--;
      const from =
        tail === head
          ? row
          : takeOver(costWith, starts[tail - 1], start, Math.max(row, rowsFrom[tail - 1]), count);
      if (from <= count) {
        starts[tail] = start;
        rowsFrom[tail++] = from;
      }
    }
    while (tail - head > 1 && rowsFrom[head + 1] <= row) head++;
    if (tail === head) continue;
    costs[row] = costWith(starts[head], row) + penalty;
    sizes[row] = row - starts[head];
    // Costs grow to the whole sum, and their last digits with them; kept small, a comparison errs by the rounding of a few bags.
    if (row - rebased >= row - starts[head]) {
      const base = costs[starts[head]];
      for (let j = starts[head]; j <= row; j++) costs[j] -= base;
      rebased = row;
    }
  }
  return offsetsBack(sizes, count);
}

/** The first row from `low` on where the later start is better, up to `count`; count + 1 where there is none. */
function takeOver(
  costWith: (start: number, row: number) => number,
  earlier: number,
  later: number,
  low: number,
  count: number,
): number {
  const isBetter = (row: number) => costWith(later, row) < costWith(earlier, row);
  let step = 1;
  let from = low; // every row before is the earlier one's
  let to = low;
  while (to <= count && !isBetter(to)) {
    from = to + 1;
    if (to === count) return count + 1;
    to = Math.min(count, to + step);
    step *= 2;
  }
  while (from < to) {
    const middle = from + Math.floor((to - from) / 2);
    if (isBetter(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** Σ w (v − v̄)² of values from … to − 1, in constant time. */
function bagCosts(
  sorted: Float64Array,
  weights: Float64Array | undefined,
): (from: number, to: number) => number {
  const count = sorted.length;
  const anchor = sorted[count >>> 1];
  const sums = new PrefixPairs(count);
  const squares = new PrefixPairs(count);
  const totals = weights ? new PrefixPairs(count) : undefined;
  for (let i = 0; i < count; i++) {
    const d = sorted[i] - anchor;
    const wd = weights ? weights[i] * d : d;
    const wdRest = weights ? productRest(weights[i], d, wd) : 0;
    sums.add(i, wd, wdRest);
    squares.add(i, wd * d, productRest(wd, d, wd * d) + wdRest * d);
    totals?.add(i, weights![i], 0);
  }
  return (from, to) => {
    const sum = sums.between(from, to);
    const sumRest = sums.restOf(from, to, sum);
    const square = sum * sum;
    const squareRest = productRest(sum, sum, square) + 2 * sum * sumRest;
    const size = totals ? totals.between(from, to) : to - from;
    const sizeRest = totals ? totals.restOf(from, to, size) : 0;
    // square / size by one step of long division.
    const quotient = square / size;
    const product = quotient * size;
    const quotientRest =
      (square - product - productRest(quotient, size, product) + squareRest - quotient * sizeRest) / size;
    const total = squares.between(from, to);
    const totalRest = squares.restOf(from, to, total);
    return Math.max(0, total - quotient + (totalRest - quotientRest));
  };
}

function offsetsBack(sizes: Uint32Array, count: number): Uint32Array {
  let bags = 0;
  for (let row = count; row > 0; row -= sizes[row]) bags++;
  const offsets = new Uint32Array(bags + 1);
  for (let row = count, a = bags; row > 0; row -= sizes[row]) offsets[a--] = row;
  return offsets;
}
