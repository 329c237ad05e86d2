// Does σ bound the losses? A held-back check on the probes: each is compared with a score made without it.

import { clusterMeans, globalRatio, heldBackLambda } from './lambda.ts';
import type { ScoreModel } from './score-rows.ts';
import type { Observations } from './types.ts';

export interface DominanceCheck {
  /** Probes that could be checked. */
  checked: number;
  /** Those with ℓ > σ, σ made without them. */
  above: number;
  /** Clusters with at least one above, by how far it lies above, worst first. */
  clusters: number[];
}

/**
 * Compares the loss of every probe with the score its row would have had, had its own loss not been looked at.
 *
 * @param given - whether Λ was given rather than estimated from these observations
 * @param probes - how many of the observations, the first, are probes of this selection; those behind them stem from earlier rounds:
 *   other losses, of rows that were drawn by score and have left the pool. Default: all
 * Time O(observations + k).
 */
export function checkDominance(
  observations: Observations,
  centerLosses: Float64Array,
  model: ScoreModel,
  {
    given,
    scope = 'cluster',
    probes = observations.losses.length,
  }: { given: boolean; scope?: 'cluster' | 'global' | undefined; probes?: number },
): DominanceCheck {
  const { clusters, losses, distancePowers, trust } = observations;
  const robust = model.mode === 'robust' ? clusterMeans(observations, centerLosses) : undefined;
  const heldBack =
    model.mode === 'paper' && !given
      ? heldBackLambda({ observations, centerLosses, scope, factor: Math.log(model.scores.length) })
      : undefined;
  const worst = new Map<number, number>();
  let checked = 0;
  let above = 0;
  for (let j = 0; j < probes; j++) {
    const i = clusters[j];
    const t = trust ? trust[j] : 1;
    let proxy = model.proxies[i];
    let lambda = model.lambda[i];
    if (robust) {
      proxy = (centerLosses[i] + robust.lossSums[i] - t * losses[j]) / (1 + robust.trust[i] - t);
      if (!given) {
        const deviation = t * Math.abs(losses[j] - centerLosses[i]);
        lambda = withoutOne(robust, i, t, deviation, t * distancePowers[j], model.clusterSizes);
      }
    }
    if (heldBack) lambda = heldBack[j];
    if (Number.isNaN(lambda)) continue;
    checked++;
    const score = proxy + lambda * distancePowers[j];
    // Sums that rounding put a hair above are not a violation.
    if (losses[j] > score * (1 + 1e-9)) {
      above++;
      worst.set(i, Math.max(worst.get(i) ?? 0, losses[j] - score));
    }
  }
  return { checked, above, clusters: [...worst].sort((a, b) => b[1] - a[1]).map(([i]) => i) };
}

/** The global ratio with one observation of cluster i taken out. */
function withoutOne(
  means: ReturnType<typeof clusterMeans>,
  i: number,
  trust: number,
  deviation: number,
  distance: number,
  sizes: Float64Array,
): number {
  const kept = [means.trust[i], means.deviationSums[i], means.distanceSums[i]];
  means.trust[i] = Math.max(0, kept[0] - trust);
  means.deviationSums[i] = Math.max(0, kept[1] - deviation);
  means.distanceSums[i] = Math.max(0, kept[2] - distance);
  if (means.trust[i] < 1e-9) means.trust[i] = 0;
  const lambda = globalRatio(means, sizes);
  [means.trust[i], means.deviationSums[i], means.distanceSums[i]] = kept;
  return lambda;
}
