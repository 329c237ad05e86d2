// Independent draws with repeats.

import type { Rng } from '../../core/rng.ts';
import { CompensatedSum } from '../../core/sums.ts';
import { BLOCK, type Masses } from './masses.ts';

/** Rows drawn and how often. */
export interface Draws {
  rows: number[];
  counts: number[];
}

/**
 * Draws `size` rows independently, row e with probability p(e)/Σp.
 *
 * All targets are sorted and met in one walk along the running sum: no table of n prefixes is kept, and the walk is in row
 * order whatever blocks the scores came in. A row with p = 0 does not move the sum and cannot be met; a target that rounding
 * puts past the end of its block goes to the block's last row with p > 0.
 *
 * Time O(n + s log s), memory O(n/256 + s).
 */
export function drawIndependent(
  p: Float64Array,
  { blocks, total }: Masses,
  size: number,
  rng: Rng,
  order?: Uint32Array,
): Draws {
  const targets = new Float64Array(size);
  for (let j = 0; j < size; j++) targets[j] = rng.at(j) * total;
  targets.sort();

  const rows: number[] = [];
  const counts: number[] = [];
  const take = (row: number, count: number): void => {
    if (rows.at(-1) === row) counts[counts.length - 1] += count;
    else {
      rows.push(row);
      counts.push(count);
    }
  };
  const before = new CompensatedSum(); // of the blocks passed
  let lastBlock = blocks.length - 1;
  while (lastBlock > 0 && blocks[lastBlock] === 0) lastBlock--;
  let next = 0;
  for (let b = 0; b <= lastBlock && next < size; b++) {
    let running = before.value;
    before.add(blocks[b]);
    const blockEnd = b === lastBlock ? Infinity : before.value;
    if (blocks[b] === 0 || targets[next] >= blockEnd) continue;
    const end = Math.min(p.length, (b + 1) * BLOCK);
    let last = -1;
    for (let i = b * BLOCK; i < end && next < size; i++) {
      const e = order ? order[i] : i;
      if (!(p[e] > 0)) continue;
      last = e;
      running += p[e];
      const first = next;
      while (next < size && targets[next] < running && targets[next] < blockEnd) next++;
      if (next > first) take(e, next - first);
    }
    const first = next;
    while (next < size && targets[next] < blockEnd) next++;
    if (next > first) take(last, next - first);
  }
  return { rows, counts };
}
