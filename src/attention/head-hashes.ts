// Hash codes of all queries and keys of a problem: one W per key head, shared by its queries and keys, as equal vectors must meet.

import type { Rng } from '../core/rng.ts';
import type { Kernels } from '../kernels/index.ts';
import { drawDirections, hashCodes, MOST_HASH_BITS } from './angular-hash.ts';
import type { HyperSettings } from './options.ts';
import { countLive, headRows, liveKeys, type Problem } from './problem.ts';

export interface HeadHashes {
  /** Codes of each query head's rows, (n_q,) each. */
  queries: Uint16Array[];
  /** Codes of each key head's rows, (n_k,) each. */
  keys: Uint16Array[];
}

/** With fewer bits wanted, the low bits of a code are a code. @param pause - awaited after each head. Time O(n r d) */
export async function hashHeads(
  problem: Problem,
  settings: HyperSettings,
  rng: Rng,
  kernels: Kernels,
  pause: () => Promise<void>,
): Promise<HeadHashes> {
  const { logits } = problem;
  const { heads, keyHeads, queryRows, keyRows, dim, storage } = logits;
  const hashes: HeadHashes = { queries: [], keys: [] };
  for (let keyHead = 0; keyHead < keyHeads; keyHead++) {
    const live = liveKeys(problem, keyHead);
    const bits = bitsFor(live ? countLive(live) : keyRows, settings);
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

/**
 * 'auto': 2^r ≈ 8 n/b, for hash-aligned blocks, which take a query to the middle of its own bucket's keys, so that more buckets only place it better: on planted data the
 * error falls up to there, and stays. Cutting sorted queries and keys into blocks does best with 2^r ≈ 4 n/b (both measured, n = 4096 to 16 384).
 */
export function bitsFor(keys: number, { hashBits, blockSize, blocks }: HyperSettings): number {
  if (hashBits !== 'auto') return hashBits;
  const buckets = ((blocks === 'hash-aligned' ? 8 : 4) * keys) / blockSize;
  return Math.min(MOST_HASH_BITS, Math.max(1, Math.round(Math.log2(Math.max(1, buckets)))));
}
