// From a partition and a loss oracle to scores: ask the representatives, ask the probes, score all rows.

import { InvalidArgumentError } from '../core/errors.ts';
import type { Rng } from '../core/rng.ts';
import { checkDominance, type DominanceCheck } from './dominance.ts';
import type { CountedOracle } from './loss-oracle.ts';
import { distancesToRepresentatives, type Partition } from './partition.ts';
import { outsideId, outsideIds, type Pool } from './pool.ts';
import { chooseProbes, probesPerCluster } from './probes.ts';
import { type ScoreModel, scoreRows } from './score-rows.ts';
import type { EarlierLosses } from './seen-rows.ts';
import type { ResolvedOptions } from './select-options.ts';
import { distancePower } from './sensitivity.ts';
import type { Observations } from './types.ts';

export interface LearnedScores {
  /** The partition, with representatives replaced where their losses were not finite. */
  partition: Partition;
  /** u of the rows, 0 for rows whose loss was not finite. */
  rowWeights: Float64Array | undefined;
  /** Rows of the pool that were left out for their losses. */
  dropped: number[];
  centerLosses: Float64Array;
  observations: Observations;
  /** Pool row of each observation. */
  observedRows: Uint32Array;
  model: ScoreModel;
  /** Every row is its own representative. */
  allKnown: boolean;
  /** Held-back check; undefined when nothing was probed. */
  dominance: DominanceCheck | undefined;
}

/**
 * Asks k representatives and the probes, and scores all rows.
 *
 * Rows with losses that are not finite (only with `onInvalid: "drop"`) get weight 0; a representative among them is replaced by
 * the nearest row of its cluster.
 *
 * @param earlier - rows of earlier rounds and their losses, discounted by their `trust`
 * @throws {InvalidArgumentError} a loss lies above `maxLoss`, or a row with an unknown loss could never be drawn
 */
export async function learnScores(
  pool: Pool,
  start: Partition,
  oracle: CountedOracle,
  options: ResolvedOptions,
  rng: Rng,
  earlier?: EarlierLosses,
): Promise<LearnedScores> {
  const dropped: number[] = [];
  let rowWeights = pool.rowWeights;
  const drop = (row: number): void => {
    dropped.push(row);
    rowWeights ??= new Float64Array(pool.source.rows).fill(1);
    rowWeights[row] = 0;
  };
  const { partition, centerLosses } = await askRepresentatives(pool, start, oracle, drop, () => rowWeights);
  const { labels, representatives, distances } = partition;
  const allKnown = representatives.length === labels.length;

  const perCluster = allKnown ? 0 : probeCount(options, representatives.length);
  const chosen = chooseProbes(labels, representatives, perCluster, rng.fork('probes'), {
    rowWeights,
    keyOf: (row) => outsideId(pool, row),
  });
  const probeLosses = await oracle.ask(outsideIds(pool, chosen), 'losses of probes');
  chosen.forEach((row, j) => {
    if (Number.isNaN(probeLosses[j])) drop(row);
  });
  const good = chosen.filter((_, j) => !Number.isNaN(probeLosses[j]));
  const observedRows = Uint32Array.from([...good, ...(earlier?.rows ?? [])]);
  const observations: Observations = {
    ids: outsideIds(pool, observedRows),
    clusters: observedRows.map((row) => labels[row]),
    losses: Float64Array.from([
      ...probeLosses.filter((loss) => !Number.isNaN(loss)),
      ...(earlier?.losses ?? []),
    ]),
    distancePowers: Float64Array.from(observedRows, (row) => distancePower(distances[row], options.power)),
    trust: earlier && Float64Array.from([...new Float64Array(good.length).fill(1), ...earlier.trust]),
  };

  const model = scoreRows({
    ...partition,
    centerLosses,
    observations,
    mode: options.mode,
    lambda: options.lambda,
    lambdaScope: options.lambdaScope,
    // All losses known: σ = ℓ needs no floor, and without it the estimate is exact.
    alpha: allKnown ? 0 : options.alpha,
    power: options.power,
    rowWeights,
  });
  requireAtMost(options.maxLoss, oracle);
  if (!allKnown) requireReachable(model, rowWeights, oracle, pool);
  return {
    partition,
    rowWeights,
    dropped,
    centerLosses,
    observations,
    observedRows,
    model,
    allKnown,
    dominance:
      good.length > 0
        ? checkDominance(observations, centerLosses, model, {
            given: options.lambda !== undefined,
            probes: good.length,
            scope: options.lambdaScope,
          })
        : undefined,
  };
}

function probeCount({ probes = 'auto', mode, lambda }: ResolvedOptions, k: number): number {
  if (probes !== 'auto') {
    if (probes === 0 && (mode === 'robust' || (mode === 'paper' && lambda === undefined))) {
      throw new InvalidArgumentError(
        `selectData: probes is 0 in mode "${mode}"; expected ≥ 1. Use mode "balanced", or "paper" with lambda, which need none.`,
      );
    }
    return probes;
  }
  if (mode === 'robust') return Math.min(13, Math.max(4, probesPerCluster(k)));
  return mode === 'paper' && lambda === undefined ? probesPerCluster(k) : 0;
}

async function askRepresentatives(
  pool: Pool,
  start: Partition,
  oracle: CountedOracle,
  drop: (row: number) => void,
  weights: () => Float64Array | undefined,
): Promise<{ partition: Partition; centerLosses: Float64Array }> {
  const { labels, distances } = start;
  const representatives = start.representatives.slice();
  const empty = new Set<number>(); // clusters all of whose rows were dropped
  for (let replaced = false; ; replaced = true) {
    const losses = await oracle.ask(outsideIds(pool, representatives), 'losses of representatives');
    for (const i of empty) losses[i] = 0;
    const bad = new Set<number>();
    losses.forEach((loss, i) => {
      if (!Number.isNaN(loss)) return;
      drop(representatives[i]);
      bad.add(i);
    });
    if (bad.size === 0) {
      if (!replaced) return { partition: start, centerLosses: losses };
      const measured = await distancesToRepresentatives(pool.source, labels, representatives);
      return { partition: { ...start, representatives, distances: measured }, centerLosses: losses };
    }
    const nearest = nearestRows(bad, { labels, distances }, weights()!);
    for (const i of bad) {
      const row = nearest.get(i);
      if (row === undefined) empty.add(i);
      else representatives[i] = row;
    }
  }
}

/** Of each given cluster, the row with weight that is nearest to the representative it had; none when all were dropped. */
function nearestRows(
  clusters: Set<number>,
  { labels, distances }: Pick<Partition, 'labels' | 'distances'>,
  rowWeights: Float64Array,
): Map<number, number> {
  const best = new Map<number, number>();
  for (let e = 0; e < labels.length; e++) {
    if (!clusters.has(labels[e]) || rowWeights[e] === 0) continue;
    const current = best.get(labels[e]);
    if (current === undefined || distances[e] < distances[current]) best.set(labels[e], e);
  }
  return best;
}

/** @throws {InvalidArgumentError} a loss seen contradicts the bound the caller states, on which the certificate would rest */
function requireAtMost(maxLoss: number | undefined, { known }: CountedOracle): void {
  if (maxLoss === undefined) return;
  for (const [id, loss] of known) {
    if (loss > maxLoss) {
      throw new InvalidArgumentError(
        `selectData: maxLoss is ${maxLoss}, but the loss of row ${id} is ${loss}; expected an upper bound of every loss. Raise maxLoss or leave it out.`,
      );
    }
  }
}

/** @throws {InvalidArgumentError} a row can never be drawn though its loss may be positive */
function requireReachable(
  { probabilities, total }: ScoreModel,
  rowWeights: Float64Array | undefined,
  oracle: CountedOracle,
  pool: Pool,
): void {
  if (total === 0) return;
  let unreachable = 0;
  let first = -1;
  for (let e = 0; e < probabilities.length; e++) {
    if (probabilities[e] > 0 || (rowWeights && rowWeights[e] === 0)) continue;
    if (oracle.known.get(outsideId(pool, e)) === 0) continue;
    if (unreachable++ === 0) first = outsideId(pool, e);
  }
  if (unreachable > 0) {
    throw new InvalidArgumentError(
      `selectData: ${unreachable} rows (the first is ${first}) have score 0 and could never be drawn, though their losses are unknown; ` +
        'expected p > 0, or the estimate is biased. Pass alpha > 0 (a uniform floor) or a larger lambda.',
    );
  }
}
