// From a drawn sample to what the user gets: ids, weights, report, certificate, audit.

import { audit, type Certified } from '../core/certificate.ts';
import { requireLength } from '../core/check.ts';
import { CompensatedSum } from '../core/sums.ts';
import type { LearnedScores } from './learn-scores.ts';
import type { CountedOracle } from './loss-oracle.ts';
import { outsideId, outsideIds, type Pool } from './pool.ts';
import { predictError } from './prediction.ts';
import { epsilonForSampleSize } from './sample-size.ts';
import { inclusionProbabilities } from './sampling/inclusion.ts';
import type { ResolvedOptions, Selection } from './select-options.ts';
import { errorRange, selectionCertificate } from './selection-certificate.ts';
import type { WeightedSample } from './types.ts';
import { selectionWarnings } from './warnings.ts';

/** Everything a report is made of. */
export interface ReportInput {
  pool: Pool;
  learned: LearnedScores;
  /** By pool row. */
  sample: WeightedSample;
  oracle: CountedOracle;
  options: ResolvedOptions;
  elbow: Selection['elbow'];
}

/** Turns a sample of pool rows into a certified selection with outside ids. */
export function reportSelection({
  pool,
  learned,
  sample,
  oracle,
  options,
  elbow,
}: ReportInput): Certified<Selection> {
  const { model, partition, rowWeights, centerLosses, observations, allKnown, dominance } = learned;
  const { labels, representatives } = partition;
  const { size, scheme, failureProbability, seed, k = 'auto' } = options;
  const { probabilities } = model;
  const tau = scheme === 'hansen-hurwitz' ? 1 : inclusionProbabilities(probabilities, size).tau;
  const predicted = predictError({ learned, scheme, draws: size, tau });
  const { effectiveSize, maxWeight } = describeWeights(sample);
  const dropped = Uint32Array.from([
    ...pool.dropped,
    ...learned.dropped.map((row) => outsideId(pool, row)),
  ]).sort();
  const everything =
    scheme !== 'hansen-hurwitz' &&
    sample.inclusion.every((pi) => pi === 1) &&
    coversAll(sample, rowWeights, labels.length);
  const steps = ratios(learned);
  const requestedK = options.clustering || k === 'auto' ? representatives.length : Math.min(k, labels.length);
  const warnings = selectionWarnings({
    learned,
    scheme,
    size,
    requestedK,
    effectiveSize,
    draws: sample.draws,
    dropped: dropped.length,
  });
  const ids = outsideIds(pool, sample.ids);
  const { ids: rows, ...drawn } = sample;
  return {
    value: {
      ...drawn,
      ids,
      probabilities: Float64Array.from(rows, (e) => probabilities[e]),
      scores: Float64Array.from(rows, (e) => model.scores[e]),
      proxies: Float64Array.from(rows, (e) => model.proxies[labels[e]]),
      proxyTotal: model.proxies.reduce((sum, proxy, i) => sum + proxy * model.clusterSizes[i], 0),
      clusters: Uint32Array.from(rows, (e) => labels[e]),
      k: representatives.length,
      total: model.total,
      phi: model.phi,
      phiLambda: model.phiLambda,
      epsilon: epsilonForSampleSize(size, failureProbability),
      range: errorRange({ model, ...steps, maxLoss: options.maxLoss, allKnown }),
      queries: oracle.queries,
      cacheHits: oracle.cacheHits,
      modelId: options.modelId ?? 'model',
      effectiveSize,
      maxWeight,
      predicted,
      probes: { ids: observations.ids, losses: observations.losses },
      representatives: { ids: outsideIds(pool, representatives), losses: centerLosses },
      dropped,
      model,
      labels,
      poolIds: pool.ids,
      elbow,
    },
    certificate: selectionCertificate({
      model,
      scheme,
      size,
      failureProbability,
      dominance,
      ...steps,
      population: sample.population,
      maxLoss: options.maxLoss,
      allKnown,
      everything,
      partition: options.clustering ? 'given' : 'k-means',
      total: predicted.total,
      seed,
      backend: partition.backend ?? 'none',
      warnings,
    }),
  };
}

/**
 * Adds the error measured against the exact losses of all rows to a selection's certificate.
 *
 * For one round of `adaptiveSelect`, give the losses of that round and weight 0 to the rows that earlier rounds took.
 *
 * @param losses - ℓ of every row of the input by id, shape (n,)
 * @param rowWeights - u of every row by id. Default: ones
 * @throws {ShapeError} fewer losses than ids
 */
export function auditSelection(
  result: Certified<Selection>,
  losses: ArrayLike<number>,
  rowWeights?: ArrayLike<number>,
): Certified<Selection> {
  const { ids, weights, dropped } = result.value;
  if (rowWeights) requireLength('auditSelection: rowWeights', rowWeights, losses.length);
  const left = new Set(dropped);
  const exact = new CompensatedSum();
  for (let e = 0; e < losses.length; e++) {
    if (!left.has(e)) exact.add((rowWeights ? rowWeights[e] : 1) * losses[e]);
  }
  const estimate = new CompensatedSum();
  for (let j = 0; j < ids.length; j++) estimate.add(weights[j] * losses[ids[j]]);
  return audit(result, Math.abs(estimate.value - exact.value), `all ${losses.length - left.size} rows`);
}

/** Effective size (Σw)²/Σw² over draws, and the largest weight of one draw. */
function describeWeights({ weights, counts }: Pick<WeightedSample, 'weights' | 'counts'>): {
  effectiveSize: number;
  maxWeight: number;
} {
  let sum = 0;
  let squares = 0;
  let maxWeight = 0;
  for (let j = 0; j < weights.length; j++) {
    const single = weights[j] / counts[j];
    sum += weights[j];
    squares += counts[j] * single ** 2;
    maxWeight = Math.max(maxWeight, single);
  }
  return { effectiveSize: squares > 0 ? sum ** 2 / squares : 0, maxWeight };
}

function coversAll(sample: WeightedSample, rowWeights: Float64Array | undefined, rows: number): boolean {
  if (!rowWeights) return sample.ids.length === rows;
  return sample.ids.length === rowWeights.reduce((count, u) => count + (u > 0 ? 1 : 0), 0);
}

/** The largest u·ℓ/p among rows whose loss was looked at, and the largest u/p of all rows. */
function ratios({
  model: { probabilities },
  partition,
  centerLosses,
  observations,
  observedRows,
  rowWeights,
}: LearnedScores): { largestRatio: number; largestStep: number } {
  const step = (e: number): number => {
    const u = rowWeights ? rowWeights[e] : 1;
    return u > 0 ? u / probabilities[e] : 0;
  };
  let largestRatio = 0;
  const see = (e: number, loss: number): void => {
    if (loss > 0) largestRatio = Math.max(largestRatio, step(e) * loss);
  };
  partition.representatives.forEach((e, i) => {
    see(e, centerLosses[i]);
  });
  observedRows.forEach((e, j) => {
    see(e, observations.losses[j]);
  });
  let largestStep = 0;
  for (let e = 0; e < probabilities.length; e++) largestStep = Math.max(largestStep, step(e));
  return { largestRatio, largestStep };
}
