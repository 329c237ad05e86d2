// The attention matrix in the order of its hash buckets, made small enough to look at, with what HyperAttention computed of it.

import { requireInteger } from '../core/check.ts';
import { UnsupportedError } from '../core/errors.ts';
import { oracleProbabilities } from './oracle.ts';
import type { AttentionInput, HyperTrace } from './types.ts';

export interface AttentionMap {
  /** Bins along each axis. */
  bins: number;
  /** Mean of n_k · p over the pairs of a bin (1: as if uniform), shape (bins, bins), row-major. */
  values: Float64Array;
  /** What each block covers, in positions of the sorted order. */
  blocks: { rows: [from: number, to: number]; keys: [from: number, to: number] }[];
  /** Positions of the sampled keys in the sorted order, ascending, each once. */
  samples: Uint32Array;
}

export interface AttentionMapOptions {
  /** Query head, batch entries counted. Default 0. */
  head?: number;
  /** Default 96. */
  bins?: number;
  /** Queries per bin whose exact row is computed, spread evenly. Default 2. */
  rowsPerBin?: number;
}

/**
 * P with queries and keys as `hyperAttention` sorted them: mass near the blocks is what hashing found, mass elsewhere is left to the samples.
 *
 * @param trace - of `hyperAttention` on `input`
 * @throws {UnsupportedError} the trace has not one plan (exact or causal attention), or its keys are not all in order (masked keys, sinks)
 *
 * Time O(bins · rowsPerBin · n_k · d), in float64.
 */
export function attentionMap(
  input: AttentionInput,
  trace: HyperTrace,
  { head = 0, bins = 96, rowsPerBin = 2 }: AttentionMapOptions = {},
): AttentionMap {
  const { queries, keys } = input;
  requireInteger('attentionMap: head', head, 0, queries.batch * queries.heads - 1);
  requireInteger('attentionMap: bins', bins, 1, Math.min(queries.rows, keys.rows));
  requireInteger('attentionMap: rowsPerBin', rowsPerBin, 1);
  const { queryOrder, keyOrder, blocks, samples } = layoutOf(input, trace, head);
  const keyBins = Uint32Array.from(keyOrder, (_, at) => Math.floor((at * bins) / keyOrder.length));
  const keyCounts = new Float64Array(bins);
  for (const bin of keyBins) keyCounts[bin]++;
  const values = new Float64Array(bins * bins);
  const batchEntry = Math.floor(head / queries.heads);
  for (let bin = 0; bin < bins; bin++) {
    const [from, to] = [bin, bin + 1].map((edge) => Math.floor((edge * queryOrder.length) / bins));
    const count = Math.min(rowsPerBin, to - from);
    for (let r = 0; r < count; r++) {
      const query = queryOrder[from + Math.floor(((r + 0.5) * (to - from)) / count)];
      const row = oracleProbabilities(input, batchEntry, head % queries.heads, query).values;
      for (let at = 0; at < keyOrder.length; at++)
        values[bin * bins + keyBins[at]] += row[keyOrder[at]] / count;
    }
  }
  for (let i = 0; i < values.length; i++) values[i] *= keyOrder.length / keyCounts[i % bins];
  return { bins, values, blocks, samples };
}

/** The order of queries and keys that the plan's tiles of one head lie in. */
function layoutOf({ queries, keys }: AttentionInput, { plans }: HyperTrace, head: number) {
  const [plan] = plans;
  if (plans.length !== 1) {
    throw new UnsupportedError(
      `attentionMap: the trace has ${plans.length} plans; expected one, of attention that is neither exact nor causal.`,
    );
  }
  const blocks: AttentionMap['blocks'] = [];
  const queryOrder: number[] = [];
  const sampled = new Set<number>();
  for (let tile = 0; tile < plan.heads.length; tile++) {
    if (plan.heads[tile] !== head) continue;
    const first = queryOrder.length;
    queryOrder.push(...plan.rows.subarray(plan.rowStart[tile], plan.rowStart[tile + 1]));
    for (let s = plan.segmentStart[tile]; s < plan.segmentStart[tile + 1]; s++) {
      const [from, to] = [plan.keyStart[s], plan.keyEnd[s]];
      if (plan.logWeights[s] === 0) {
        blocks.push({ rows: [first, queryOrder.length], keys: [from, to] });
      } else {
        for (let at = from; at < to; at++) sampled.add(plan.keys[at]);
      }
    }
  }
  // Each key head's list: all its keys in order of bucket, then the samples of its query heads.
  const keyHeads = keys.batch * keys.heads;
  const keyHead = Math.floor((head * keyHeads) / (queries.batch * queries.heads));
  const start = (keyHead * plan.keys.length) / keyHeads;
  const keyOrder = plan.keys.subarray(start, start + keys.rows);
  if (new Set(keyOrder).size !== keys.rows) {
    throw new UnsupportedError(
      'attentionMap: the plan does not hold all keys in order; expected no masked keys and no sinks.',
    );
  }
  const place = new Uint32Array(keys.rows);
  for (const [at, key] of keyOrder.entries()) place[key] = at;
  return {
    queryOrder,
    keyOrder,
    blocks: blocks.map(({ rows, keys: [from, to] }) => ({
      rows,
      keys: [from - start, to - start] as [number, number],
    })),
    samples: Uint32Array.from(sampled, (key) => place[key]).sort(),
  };
}
