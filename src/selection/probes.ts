// Probes: a few rows of every cluster whose losses are asked to learn how losses spread around the representative.

import { requireInteger, requireProbability } from '../core/check.ts';
import type { Rng } from '../core/rng.ts';

/**
 * Probes per cluster that find a ratio of the upper 1−q part in every one of k clusters with probability ≥ 0.99:
 * m = ⌈ln(100 k) / −ln(1−q)⌉.
 *
 * @param clusters - k ≥ 1
 * @param quantile - q in (0, 1): share of rows in each cluster that would do. Default 0.9
 *
 * Why: one cluster is missed with probability (1−q)^m ≤ 1/(100k); union over k. Reference: arXiv 2402.17327, estimator of Λ.
 */
export function probesPerCluster(clusters: number, quantile: number = 0.9): number {
  requireInteger('probesPerCluster: clusters', clusters, 1);
  requireProbability('probesPerCluster: quantile', quantile);
  // k = 1000, q = 0.9 is exactly 5 and must not become 6 by a rounding.
  return Math.ceil(Math.log(100 * clusters) / -Math.log1p(-quantile) - 1e-9);
}

/**
 * Chooses up to `perCluster` rows of each cluster, not its representative, without repeats and by row weight.
 *
 * Row e has the time −ln(1−U_e)/u_e with U_e drawn from its own id; the smallest times win. So the choice depends on seed and
 * ids only, not on the order or the blocks in which rows come.
 *
 * @param representatives - row of each cluster that is not to be chosen, shape (k,)
 * @param keyOf - id of a row for its random number
 * @returns positions, grouped by cluster in ascending order of cluster, then of row
 *
 * Time O(n + found · perCluster), memory O(k · perCluster).
 */
export function chooseProbes(
  labels: Uint32Array,
  representatives: Uint32Array,
  perCluster: number,
  rng: Rng,
  {
    rowWeights,
    keyOf = (row) => row,
  }: { rowWeights?: Float64Array | undefined; keyOf?: (row: number) => number } = {},
): Uint32Array {
  const k = representatives.length;
  const times = new Float64Array(k * perCluster).fill(Infinity); // ascending within a cluster
  const rows = new Uint32Array(k * perCluster);
  for (let e = 0; e < labels.length && perCluster > 0; e++) {
    const u = rowWeights ? rowWeights[e] : 1;
    const first = labels[e] * perCluster;
    let j = first + perCluster - 1;
    const uniform = rng.at(keyOf(e));
    if (!(u > 0) || uniform >= times[j] * u || representatives[labels[e]] === e) continue;
    const time = -Math.log1p(-uniform) / u;
    if (time >= times[j]) continue;
    for (; j > first && times[j - 1] > time; j--) {
      times[j] = times[j - 1];
      rows[j] = rows[j - 1];
    }
    times[j] = time;
    rows[j] = e;
  }
  const chosen: number[] = [];
  for (let i = 0; i < k; i++) {
    const inCluster: number[] = [];
    for (let j = i * perCluster; j < (i + 1) * perCluster; j++) {
      if (times[j] < Infinity) inCluster.push(rows[j]);
    }
    chosen.push(...inCluster.sort((a, b) => a - b));
  }
  return Uint32Array.from(chosen);
}
