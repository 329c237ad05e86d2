// Losses seen in earlier rounds, as observations that count less with age.

import type { Pool } from './pool.ts';

/** A row of an earlier round and what its training saw. */
export interface SeenRow {
  id: number;
  loss: number;
  /** Its weight in the sample of its round. */
  weight: number;
  /** Its cluster in that round. */
  cluster: number;
  /** Round, from 1. */
  round: number;
}

/** Rows of earlier rounds that this round still has a place for; all arrays have one entry per row. */
export interface EarlierLosses {
  /** Row of this round's pool. */
  rows: Uint32Array;
  losses: Float64Array;
  /** How much each counts in a cluster mean; a probe counts 1. */
  trust: Float64Array;
}

/**
 * Turns rows seen before into observations of the current round.
 *
 * Rows were drawn by score, not uniformly: within its round and cluster a row counts in proportion to its weight, so that the
 * cluster's mean is that of all its rows; the n rows of a cluster count n·γ^age together.
 *
 * @param round - current round
 * @param discount - γ
 */
export function earlierObservations(
  seen: readonly SeenRow[],
  round: number,
  discount: number,
  pool: Pool,
): EarlierLosses | undefined {
  if (seen.length === 0 || discount === 0) return undefined;
  const groups = new Map<string, { weight: number; count: number }>();
  const keyOf = (row: SeenRow): string => `${row.round}:${row.cluster}`;
  for (const row of seen) {
    const group = groups.get(keyOf(row)) ?? { weight: 0, count: 0 };
    group.weight += row.weight;
    group.count++;
    groups.set(keyOf(row), group);
  }
  const rowOf = pool.ids && new Map(Array.from(pool.ids, (id, row) => [id, row]));
  // A row that this round's embeddings lost has no place any more.
  const kept = seen.filter(({ id }) => !rowOf || rowOf.has(id));
  return {
    rows: Uint32Array.from(kept, ({ id }) => rowOf?.get(id) ?? id),
    losses: Float64Array.from(kept, ({ loss }) => loss),
    trust: Float64Array.from(kept, (row) => {
      const group = groups.get(keyOf(row))!;
      return (discount ** (round - row.round) * group.count * row.weight) / group.weight;
    }),
  };
}
