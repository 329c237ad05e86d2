// Hash codes of all queries and keys of a problem: one W per key head, shared by its queries and keys, as equal vectors must meet.

import type { Rng } from '../core/rng.ts';
import type { Kernels } from '../kernels/index.ts';
import { drawDirections, hashCodes, MOST_HASH_BITS } from './angular-hash.ts';
import type { HyperSettings } from './options.ts';
import { headRows, type Problem } from './problem.ts';

export interface HeadHashes {
  /** Codes of each query head's rows, (n_q,) each. */
  queries: Uint16Array[];
  /** Codes of each key head's rows, (n_k,) each. */
  keys: Uint16Array[];
}

/** With fewer bits wanted, the low bits of a code are a code. @param pause - awaited after each head. Time O(n r d) */
export async function hashHeads(
  { logits }: Problem,
  { hashBits, blockSize }: HyperSettings,
  rng: Rng,
  kernels: Kernels,
  pause: () => Promise<void>,
): Promise<HeadHashes> {
  const { heads, keyHeads, queryRows, keyRows, dim, storage } = logits;
  const bits = hashBits === 'auto' ? bitsFor(keyRows, blockSize) : hashBits;
  const hashes: HeadHashes = { queries: [], keys: [] };
  for (let keyHead = 0; keyHead < keyHeads; keyHead++) {
    const directions = drawDirections(dim, bits, rng.fork(keyHead));
    const stored = { data: logits.keys, ...(storage && { storage }) };
    hashes.keys.push(
      await hashCodes(headRows(stored, keyHead, keyRows, dim), keyRows, dim, directions, kernels),
    );
    for (let head = (keyHead * heads) / keyHeads; head < ((keyHead + 1) * heads) / keyHeads; head++) {
      const rows = headRows({ data: logits.queries }, head, queryRows, dim);
      hashes.queries.push(await hashCodes(rows, queryRows, dim, directions, kernels));
      await pause();
    }
  }
  return hashes;
}

/** 2^r ≈ 2 n/b: from n/b to 4n/b buckets do equally well (measured on planted data). */
export function bitsFor(keys: number, blockSize: number): number {
  return Math.min(MOST_HASH_BITS, Math.max(1, Math.round(Math.log2((2 * keys) / blockSize))));
}
