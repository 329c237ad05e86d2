// Independent draws with repeats.

import { CompensatedSum } from '../../core/sums.ts';
import type { Rng } from '../../core/rng.ts';

/** Rows drawn and how often. */
export interface Draws {
  ids: number[];
  counts: number[];
}

/**
 * Draws `size` rows independently, row e with probability p(e)/Σp.
 *
 * All targets are sorted and met in one walk along the running sum: no table of n prefixes is kept, and the walk is in row
 * order whatever blocks the scores came in. A row with p = 0 does not move the sum and cannot be met; a target that rounding
 * puts at or past the end goes to the last row with p > 0.
 *
 * Time O(n + s log s), memory O(s).
 */
export function drawIndependent(p: ArrayLike<number>, size: number, rng: Rng, order?: Uint32Array): Draws {
  const n = p.length;
  const at = (i: number): number => (order ? order[i] : i);
  const sum = new CompensatedSum();
  for (let i = 0; i < n; i++) sum.add(p[at(i)]);
  const total = sum.value;
  const targets = new Float64Array(size);
  for (let j = 0; j < size; j++) targets[j] = rng.at(j) * total;
  targets.sort();

  const ids: number[] = [];
  const counts: number[] = [];
  const running = new CompensatedSum();
  let next = 0;
  let last = -1; // last row with p > 0
  for (let i = 0; i < n && next < size; i++) {
    const e = at(i);
    if (!(p[e] > 0)) continue;
    last = e;
    running.add(p[e]);
    const end = running.value;
    let count = 0;
    while (next < size && targets[next] < end) {
      next++;
      count++;
    }
    if (count > 0) {
      ids.push(e);
      counts.push(count);
    }
  }
  if (next < size) {
    if (ids.at(-1) === last) counts[counts.length - 1] += size - next;
    else {
      ids.push(last);
      counts.push(size - next);
    }
  }
  return { ids, counts };
}
