// The main entry: cluster, ask a few losses, score, draw, and certify.

import { audit, type Certified } from '../core/certificate.ts';
import { requireLength } from '../core/check.ts';
import type { Matrix32, RowSource } from '../core/matrix.ts';
import { createRng } from '../core/rng.ts';
import { CompensatedSum } from '../core/sums.ts';
import { clusterElbow } from './elbow.ts';
import { type LearnedScores, learnScores } from './learn-scores.ts';
import { type CountedOracle, countedOracle } from './loss-oracle.ts';
import { clusterRows, completePartition, type Partition } from './partition.ts';
import { outsideId, outsideIds, type Pool, preparePool } from './pool.ts';
import { predictError } from './prediction.ts';
import { epsilonForSampleSize } from './sample-size.ts';
import { drawWith } from './sampling/draw-sample.ts';
import { inclusionProbabilities } from './sampling/inclusion.ts';
import {
  defaultClusterCount,
  type ResolvedOptions,
  resolveOptions,
  type Selection,
  type SelectOptions,
} from './select-options.ts';
import { errorRange, selectionCertificate } from './selection-certificate.ts';
import type { WeightedSample } from './types.ts';
import { selectionWarnings } from './warnings.ts';

/**
 * Selects a small weighted sub-set of rows whose weighted loss sum approximates the loss sum of all rows.
 *
 * Clusters the embeddings, asks the losses of one row per cluster (and of a few probes), gives every row the score
 * σ(e) = ℓ̂(cluster) + Λ·distance^z, and draws rows with probability (1−α)·σ/T + α/n. In memory or out of core: beside the
 * blocks of the source it keeps at most 24 bytes per row until the sample is drawn, and the same seed gives the same
 * rows whatever the size of the blocks.
 *
 * @param points - embeddings, shape (n, d)
 * @returns row ids with weights and a report; the certificate bounds |Σ weight·ℓ − Σℓ| in the unit of the loss
 * @throws {InvalidArgumentError} an option leaves its range; a loss is negative; rows with unknown losses could never be drawn
 * @throws {DataError} an embedding or a loss is not finite (unless `onInvalid: "drop"`), or the oracle fails or miscounts
 *
 * Time O(n·k·d·iterations) for the clustering, O(n·d + n log s) for the rest; k + probes loss queries.
 * Reference: arXiv 2402.17327 (Data-Sel); `robust` and `balanced` modes, floor and probes: docs/selection.md.
 *
 * @example
 * const { value, certificate } = await selectData(embeddings, { loss: (ids) => model.losses(ids), size: 500 });
 */
export async function selectData(
  points: Matrix32 | RowSource,
  options: SelectOptions,
): Promise<Certified<Selection>> {
  const resolved = resolveOptions('selectData', options);
  const pool = await preparePool(points, resolved);
  resolved.signal?.throwIfAborted();
  const partition = await partitionPool(pool, resolved, points);
  const oracle = countedOracle(resolved.loss, resolved);
  const rng = createRng(resolved.seed).fork('selection');
  const learned = await learnScores(pool, partition, oracle, resolved, rng);
  const sample = drawWith(learned.model.probabilities, {
    size: resolved.size,
    scheme: resolved.scheme,
    rowWeights: learned.rowWeights,
    keys: pool.ids,
    rng: rng.fork('draw'),
  });
  const elbow = resolved.elbow
    ? await clusterElbow(pool.source, {
        ask: (rows) => oracle.ask(outsideIds(pool, rows), 'losses for the elbow'),
        k: learned.model.proxies.length,
        lambda: learned.model,
        power: resolved.power,
        seed: resolved.seed,
        rowWeights: learned.rowWeights,
        signal: resolved.signal,
      })
    : undefined;
  return reportSelection({ pool, learned, sample, oracle, options: resolved, elbow });
}

/** The partition the options ask for, of the rows of the pool. */
export async function partitionPool(
  pool: Pool,
  options: ResolvedOptions,
  points: Matrix32 | RowSource,
): Promise<Partition> {
  const { clustering, k = 'auto', size, seed, signal, onProgress } = options;
  const { source, ids, rowWeights } = pool;
  if (!clustering) {
    return clusterRows(source, {
      k: k === 'auto' ? defaultClusterCount(size, source.rows) : Math.min(k, source.rows),
      seed,
      rowWeights,
      signal,
      onProgress,
    });
  }
  if (!ids) return completePartition(source, clustering);
  // Rows were left out: the caller's partition is of all rows, so it loses the same ones.
  requireLength('selectData: clustering.labels', clustering.labels, points.rows);
  const labels = ids.map((id) => clustering.labels[id]);
  if ('centers' in clustering) return completePartition(source, { labels, centers: clustering.centers });
  const position = new Map<number, number>();
  ids.forEach((id, row) => {
    position.set(id, row);
  });
  return completePartition(source, {
    labels,
    // A representative that was left out becomes an index past the end, which is refused by name.
    representatives: clustering.representatives.map((id) => position.get(id) ?? 0xffffffff),
    distances: clustering.distances && Float64Array.from(ids, (id) => clustering.distances![id]),
  });
}

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
  const { model, partition, rowWeights, centerLosses, observations, observedRows, allKnown, dominance } =
    learned;
  const { labels, representatives } = partition;
  const { size, scheme, failureProbability, seed, k = 'auto' } = options;
  const { probabilities } = model;
  const tau = scheme === 'hansen-hurwitz' ? 1 : inclusionProbabilities(probabilities, size).tau;
  const predicted = predictError({
    model,
    labels,
    representatives,
    centerLosses,
    observations,
    observedRows,
    rowWeights,
    scheme,
    draws: size,
    tau,
  });
  const { effectiveSize, maxWeight } = describeWeights(sample);
  const dropped = Uint32Array.from([
    ...pool.dropped,
    ...learned.dropped.map((row) => outsideId(pool, row)),
  ]).sort();
  const everything =
    scheme !== 'hansen-hurwitz' &&
    sample.inclusion.every((pi) => pi === 1) &&
    coversAll(sample, rowWeights, labels.length);
  const steps = ratios(learned, observedRows);
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
export function describeWeights({ weights, counts }: Pick<WeightedSample, 'weights' | 'counts'>): {
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
function ratios(
  { model: { probabilities }, partition, centerLosses, observations, rowWeights }: LearnedScores,
  observedRows: Uint32Array,
): { largestRatio: number; largestStep: number } {
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
