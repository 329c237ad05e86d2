// The optimal cuts of sorted values into bags of allowed sizes: two programmes that meet, each of which knows one half.

import type { RunOptions } from '../../core/progress.ts';
import type { Kernels, SliceProgramme } from '../../kernels/index.ts';

/** What bags may be and what they cost. */
export interface CutRules {
  minSize: number;
  maxSize: number;
  /** Added for each bag, ≥ 0. */
  penalty: number;
  /** > 0, shape (n,), in sorted order. */
  weights: Float64Array | undefined;
  /** A bag's share is its mean, shape (n,), in sorted order. */
  noise: Float64Array | undefined;
  /** Try every size in every row although the best starts are monotone: the plain programme. Default: only where there is noise. */
  plain?: boolean;
}

/** Least sizes up to which trying every size is faster than searching by halves: it saves a few tries a row and costs as much. */
const FEW_SIZES = 8;

/** Rows of one call, so that a run can be cancelled: about 50 ms of the native kernels, half a second of TypeScript. */
const ROWS_PER_CALL = 1 << 21;

/** What the programmes write to: nothing of it is read before. */
export interface CutMemory {
  costs: Float64Array;
  sizes: Uint32Array;
}

/** Memory for cuts of `count` values into bags of at most `maxSize`; its arrays have more than `count` entries. */
export function cutMemory(count: number, maxSize: number): CutMemory {
  const entries = count + Math.min(maxSize, count) + 1;
  return { costs: new Float64Array(entries), sizes: new Uint32Array(entries) };
}

/**
 * Cuts of least cost.
 *
 * A programme from the front and one from the back go until together they know every cut within a window of maxSize places: each partition
 * into bags of at most that many cuts somewhere in it.
 *
 * @param sorted - ascending, shape (n,); a partition into bags of allowed sizes exists
 * @returns where bags start, and n; shape (bags + 1,)
 *
 * O(n log minSize) where maxSize = O(minSize) and there is no noise, else O(n · (maxSize − minSize + 1)); memory 12 bytes a value.
 */
export async function optimalCuts(
  sorted: Float64Array,
  rules: CutRules,
  kernels: Kernels,
  { signal, onProgress }: RunOptions = {},
  memory: CutMemory = cutMemory(sorted.length, rules.maxSize),
): Promise<Uint32Array> {
  const count = sorted.length;
  const { noise, plain = false } = rules;
  const minSize = rules.minSize;
  const maxSize = Math.min(rules.maxSize, count);
  // Two programmes do maxSize − 1 rows more than one.
  const both = count >= 4 * maxSize;
  const rows = both ? Math.ceil((count + maxSize - 1) / 2) : count;
  const front = programme(memory, 0, rows, false);
  const back = both ? programme(memory, rows + 1, count + maxSize - 1 - rows, true) : undefined;
  const monotone = !noise && !plain && minSize > FEW_SIZES;
  const perRow = monotone ? 16 : Math.max(16, maxSize - minSize + 1);
  const perCall = Math.max(1, Math.floor((16 * ROWS_PER_CALL) / (perRow * minSize))) * minSize;
  for (let first = 0; first < rows; first += perCall) {
    signal?.throwIfAborted();
    onProgress?.({ phase: 'slicing', done: first, total: rows });
    await kernels.sliceRows({
      values: sorted,
      count,
      weights: rules.weights,
      noise,
      penalty: rules.penalty,
      minSize,
      maxSize,
      monotone,
      first,
      end: Math.min(rows, first + perCall),
      programmes: back ? [front, back] : [front],
    });
  }
  signal?.throwIfAborted();
  const meeting = back ? bestMeeting(front, back, count) : count;
  const before = bagSizes(front, meeting);
  const after = back ? bagSizes(back, count - meeting) : [];
  return offsetsOf(before, after);
}

function programme(memory: CutMemory, start: number, rows: number, reversed: boolean): SliceProgramme {
  const costs = memory.costs.subarray(start, start + rows + 1);
  const sizes = memory.sizes.subarray(start, start + rows + 1);
  costs[0] = 0;
  sizes[0] = 0;
  return { reversed, rows, costs, sizes };
}

/** The cut that both programmes know and that makes the least cost together. */
function bestMeeting(front: SliceProgramme, back: SliceProgramme, count: number): number {
  let best = count - back.rows;
  let least = Infinity;
  for (let cut = count - back.rows; cut <= front.rows; cut++) {
    const cost = front.costs[cut] + back.costs[count - cut];
    if (cost < least) {
      least = cost;
      best = cut;
    }
  }
  return best;
}

/** Sizes of the bags of a programme's row, from the last to the first. */
function bagSizes({ sizes }: SliceProgramme, row: number): number[] {
  const found: number[] = [];
  for (let i = row; i > 0; i -= sizes[i]) found.push(sizes[i]);
  return found;
}

function offsetsOf(before: readonly number[], after: readonly number[]): Uint32Array {
  const offsets = new Uint32Array(before.length + after.length + 1);
  let at = 0;
  for (let a = before.length - 1; a >= 0; a--) {
    offsets[at + 1] = offsets[at] + before[a];
    at++;
  }
  for (const size of after) {
    offsets[at + 1] = offsets[at] + size;
    at++;
  }
  return offsets;
}
