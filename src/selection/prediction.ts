// The error to expect, before the sample's losses are known: the variance identity with probes in place of all losses.

import type { LearnedScores } from './learn-scores.ts';
import type { SamplingScheme } from './types.ts';

export interface ErrorPrediction {
  /** Estimated Σuℓ from representatives and observed losses. */
  total: number;
  /** Predicted variance of the estimate of Σuℓ, unit of the loss squared. */
  variance: number;
  /** √variance / total, dimensionless; 0 when the total is 0. */
  relativeError: number;
  /** The same for a uniform sample of as many draws. */
  uniformRelativeError: number;
  /** What stood in for the losses that were not looked at. */
  basis: 'all losses' | 'probes' | 'proxies only';
}

export interface PredictionInput {
  learned: LearnedScores;
  scheme: SamplingScheme;
  draws: number;
  /** τ of the inclusion probabilities min(1, τp), for the schemes without repeats. */
  tau: number;
}

/**
 * Plug-in prediction of the variance: cluster by cluster, Σ over its rows ≈ the representative's term + (rows − 1) × mean over its probes.
 *
 * Where a cluster has no probes, its proxy stands for all its losses; rare large losses that no probe met are missed, so
 * the true error can be larger. For `fixed-size` the usual high-entropy approximation with one regression on π is used.
 *
 * Time O(n + observations), memory O(k).
 */
export function predictError({ learned, scheme, draws, tau }: PredictionInput): ErrorPrediction {
  const { model, partition, centerLosses, observations, observedRows, rowWeights } = learned;
  const { labels, representatives } = partition;
  const k = centerLosses.length;
  const p = model.probabilities;
  const weight = (e: number): number => (rowWeights ? rowWeights[e] : 1);
  // Moments of row e with loss l, as Σ over its input weight: value, square/p, square, and the two of the uncertain rows.
  const moments = (e: number, loss: number): number[] => {
    const y = weight(e) * loss;
    const pi = Math.min(1, tau * p[e]);
    return y === 0
      ? [0, 0, 0, 0, 0]
      : [y, y ** 2 / p[e], weight(e) * loss ** 2, (y ** 2 * (1 - pi)) / pi, y * (1 - pi)];
  };

  const sums = new Float64Array(5);
  const addTo = (target: Float64Array, from: ArrayLike<number>, factor: number): void => {
    for (let m = 0; m < 5; m++) target[m] += factor * from[m];
  };
  const observedSums = Array.from({ length: k }, () => new Float64Array(5));
  const observedMass = new Float64Array(k);
  observedRows.forEach((e, j) => {
    const trust = observations.trust ? observations.trust[j] : 1;
    const u = weight(e);
    if (!(u > 0)) return;
    // Probes are drawn by weight: the mean over them of f/u times Σu estimates Σf.
    addTo(observedSums[observations.clusters[j]], moments(e, observations.losses[j]), trust / u);
    observedMass[observations.clusters[j]] += trust;
  });

  let uncertain = 0; // Σ π(1−π)
  let population = 0;
  let unseen = 0;
  for (let e = 0; e < labels.length; e++) {
    const pi = Math.min(1, tau * p[e]);
    if (pi > 0) uncertain += pi * (1 - pi);
    population += weight(e);
    const i = labels[e];
    if (e === representatives[i]) addTo(sums, moments(e, centerLosses[i]), 1);
    else if (observedMass[i] === 0 && weight(e) > 0) {
      addTo(sums, moments(e, model.proxies[i]), 1);
      unseen++;
    }
  }
  for (let i = 0; i < k; i++) {
    if (observedMass[i] === 0) continue;
    const rest = model.clusterSizes[i] - weight(representatives[i]);
    addTo(sums, observedSums[i], rest / observedMass[i]);
  }

  const [total, squareOverP, square, uncertainSquare, uncertainValue] = sums;
  const variance = Math.max(
    0,
    scheme === 'hansen-hurwitz'
      ? (squareOverP - total ** 2) / draws
      : scheme === 'fixed-size' && uncertain > 0
        ? uncertainSquare - uncertainValue ** 2 / uncertain
        : uncertainSquare,
  );
  const uniformVariance = Math.max(0, (population * square - total ** 2) / draws);
  return {
    total,
    variance,
    relativeError: total > 0 ? Math.sqrt(variance) / total : 0,
    uniformRelativeError: total > 0 ? Math.sqrt(uniformVariance) / total : 0,
    basis:
      labels.length === k
        ? 'all losses'
        : observedMass.some((mass) => mass > 0) && unseen < labels.length / 2
          ? 'probes'
          : 'proxies only',
  };
}
