// A first append beyond the budget, of which a policy keeps what the last queries ask for.

import type { Kernels } from '../kernels/index.ts';
import { decodeSlab } from './decode-slab.ts';
import { isPause, pause } from './pause.ts';
import { addScores } from './scores.ts';
import { Slab } from './slab.ts';
import { type Token, tokenOf } from './token.ts';
import type { AppendOptions, CacheShape } from './types.ts';

/** What a policy chooses a prefill by. */
export interface PrefillChoice {
  /** Last tokens whose queries it looks at, ≥ 1. */
  readonly observe: number;
  /** @param scores - attention that each of `count` tokens got from them, summed @returns tokens to keep, ascending, as many as the budget has rows */
  keep(scores: Float64Array, count: number): Uint32Array;
}

/** Tokens that are there at once. */
export interface PrefillInput extends AppendOptions {
  keys: Float32Array;
  values: Float32Array;
  /** Of the last tokens, at least those observed. */
  queries: Float32Array;
  count: number;
}

/**
 * A slab of the tokens chosen, in the order of the stream; whole or, when aborted, none.
 *
 * Time: a decode over all tokens for each one observed. Memory: all tokens, until it ends.
 */
export async function prefillSlab(
  shape: Required<CacheShape>,
  { observe, keep }: PrefillChoice,
  { keys, values, queries, count, ...run }: PrefillInput,
  kernels: Kernels,
): Promise<Slab> {
  const { heads, keyHeads, dim } = shape;
  const tokenAt = (i: number, head: number): Token => tokenOf(shape, keys, values, { i, head, position: i });
  const all = new Slab({ ...shape, weighted: false, inOrder: true }, count);
  const scores = new Float64Array(keyHeads * count);
  for (let t = 0; t < count; t++) {
    if (isPause(t)) await pause(run, t, count);
    for (let head = 0; head < keyHeads; head++) {
      const { key, value } = tokenAt(t, head);
      all.put(head, t, key, value, t);
    }
    if (t < count - observe) continue;
    const end = queries.length - (count - 1 - t) * heads * dim;
    const probabilities = new Float32Array(heads * count);
    await decodeSlab(all, shape, queries.subarray(end - heads * dim, end), kernels, { probabilities });
    addScores(scores, probabilities, keyHeads, heads);
  }
  const kept = Array.from({ length: keyHeads }, (_, head) =>
    keep(scores.subarray(head * count, (head + 1) * count), count),
  );
  const slab = new Slab({ ...shape, weighted: false }, kept[0].length);
  for (const [head, positions] of kept.entries())
    for (const [row, i] of positions.entries()) {
      const { key, value } = tokenAt(i, head);
      slab.put(head, row, key, value, i);
    }
  return slab;
}
