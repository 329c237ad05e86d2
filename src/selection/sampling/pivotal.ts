// Exactly s distinct rows with given inclusion probabilities: the pivotal method (Deville and Tillé 1998), in row order.

import type { Rng } from '../../core/rng.ts';

/**
 * Draws rows with inclusion probabilities π whose sum is an integer s: exactly s of them.
 *
 * Rows fight in order: of two rows with π_a + π_b < 1 one takes the sum and the other leaves; with π_a + π_b ≥ 1 one becomes
 * certain and the other keeps π_a + π_b − 1. Each fight keeps both means, so P(row drawn) = π. A run of fights below 1 ends
 * with survivor i with probability π_i over the run's sum, hence one uniform number serves the whole run.
 *
 * For weights a ≥ 0 each fight can only lower E exp(λ Σ aπ), in the direction of the pair it is concave:
 * Chernoff and Bernstein bounds of independent rows with the same π hold for this sample too (docs/selection.md).
 *
 * @param size - s = Σπ
 * @param keyOf - number that identifies a row, for its random numbers
 * Time O(n), about 2s random numbers, memory O(s).
 */
export function drawPivotal(
  inclusion: Float64Array,
  size: number,
  rng: Rng,
  keyOf: (row: number) => number,
  order?: Uint32Array,
): number[] {
  const n = inclusion.length;
  const chosen: number[] = [];
  let held = -1; // survivor of the runs so far
  let heldMass = 0;
  let start = 0; // the current run is `held` and the rows at positions start … i−1
  let mass = 0;

  const settleRun = (end: number, u: number): number => {
    let target = u * mass - heldMass;
    let survivor = held;
    if (held >= 0 && target < 0) return held;
    for (let i = start; i < end; i++) {
      const e = order ? order[i] : i;
      if (!(inclusion[e] > 0) || inclusion[e] >= 1) continue;
      survivor = e;
      target -= inclusion[e];
      if (target < 0) break;
    }
    return survivor;
  };

  for (let i = 0; i < n; i++) {
    const e = order ? order[i] : i;
    const pi = inclusion[e];
    if (!(pi > 0)) continue;
    if (pi >= 1) {
      chosen.push(e);
      continue;
    }
    if (mass + pi < 1) {
      mass += pi;
      continue;
    }
    const key = 2 * keyOf(e);
    const survivor = settleRun(i, rng.at(key));
    const excess = mass + pi - 1;
    // The survivor (chance `mass`) becomes certain with probability (1 − π_e)/(2 − mass − π_e), else e does.
    const survivorWins = survivor >= 0 && rng.at(key + 1) * (1 - excess) < 1 - pi;
    chosen.push(survivorWins ? survivor : e);
    held = survivorWins ? e : survivor;
    heldMass = excess;
    mass = excess;
    start = i + 1;
  }
  // Rounding leaves the last survivor's chance a hair from 0 or from 1; the count says which.
  if (chosen.length < size) {
    const survivor = settleRun(n, rng.fork('last').next());
    if (survivor >= 0) chosen.push(survivor);
  }
  return chosen;
}
