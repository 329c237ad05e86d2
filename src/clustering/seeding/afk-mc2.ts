// AFK-MC²: k-means++ by Markov chains, without a pass over the data per center.

import { prefixSum, searchPrefix } from '../../core/prefix-sum.ts';
import type { Rng } from '../../core/rng.ts';
import type { Seeds } from './plus-plus.ts';
import { distanceToPower, type SeedingContext, type SeedPotential } from './potential.ts';

/** Steps of each chain. */
const CHAIN_LENGTH = 200;
/** Floats of candidate rows gathered at once: 64 MiB. One pass each when the rows are not in memory. */
const GATHER_FLOATS = 1 << 24;

/**
 * Adds centers to the first one, each the end of a Metropolis chain whose stationary law is D^z (Bachem, Lucic, Hassani, Krause, NIPS 2016).
 *
 * Proposals q(x) = ½ w D₁^z / Σ + ½ w / W, with D₁ the distance to the first center, do not change, so all are drawn
 * beforehand. A chain at x moves to a proposed y with probability min(1, D(y)^z q(x) / (D(x)^z q(y))), weights included in both.
 * A chain that ends on a row at distance 0 adds nothing.
 *
 * O(n d + m k² d) with chains of m = 200. @param potential - holds the first center, and only it
 */
export async function afkMc2(
  { rows, kernels, weights, power, origin }: SeedingContext,
  potential: SeedPotential,
  seeds: Seeds,
  k: number,
  rng: Rng,
): Promise<void> {
  const n = rows.rows;
  const { cols } = rows;
  const total = potential.total;
  if (!(total > 0)) return;
  const weightPrefix = weights && prefixSum(weights);
  const totalWeight = weightPrefix ? weightPrefix[n - 1] : n;
  const propose = (): number => {
    if (rng.next() < 0.5) return potential.draw(rng.next());
    const u = rng.next();
    return weightPrefix ? searchPrefix(weightPrefix, u * totalWeight) : Math.min(n - 1, Math.floor(u * n));
  };
  // q per unit of weight: the weight is in the target too, and cancels.
  const density = (row: number): number =>
    distanceToPower(potential.distances[row], power) / (2 * total) + 1 / (2 * totalWeight);

  const chainsAtOnce = Math.max(1, Math.floor(GATHER_FLOATS / (CHAIN_LENGTH * cols)));
  const centers = new Float32Array(k * cols);
  centers.set(seeds.rows[0]);
  const squares = new Float64Array(CHAIN_LENGTH);
  const labels = new Uint32Array(CHAIN_LENGTH);
  for (let chain = 1; chain < k; chain += chainsAtOnce) {
    const chains = Math.min(chainsAtOnce, k - chain);
    const ids = Array.from({ length: chains * CHAIN_LENGTH }, propose);
    const { data } = await rows.take(ids);
    for (let i = 0; i < chains; i++) {
      const first = i * CHAIN_LENGTH;
      await kernels.nearest({
        points: data.subarray(first * cols, (first + CHAIN_LENGTH) * cols),
        rows: CHAIN_LENGTH,
        dim: cols,
        centers,
        centerCount: seeds.ids.length,
        origin,
        labels,
        distances: squares,
      });
      let at = 0;
      let ratio = distanceToPower(squares[0], power) / density(ids[first]); // D^z / q of the chain's state
      for (let step = 1; step < CHAIN_LENGTH; step++) {
        const proposed = distanceToPower(squares[step], power) / density(ids[first + step]);
        if (rng.next() * ratio < proposed || ratio === 0) {
          at = step;
          ratio = proposed;
        }
      }
      if (ratio === 0) continue;
      const row = data.slice((first + at) * cols, (first + at + 1) * cols);
      centers.set(row, seeds.ids.length * cols);
      seeds.ids.push(ids[first + at]);
      seeds.rows.push(row);
    }
  }
}
