// Chooses ρ by cross-validation over bags.

import { requireInteger, requireNumber, requireSeed } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import { createRng, shuffle } from '../../core/rng.ts';
import { bagWeights, type WeightingOptions } from '../losses/weights.ts';
import type { AggregateData } from '../types.ts';
import { curatedRatio } from './curated.ts';
import { type LinearSolution, linearSystem, solveAt } from './linear-system.ts';
import { plugInRho } from './plug-in-rho.ts';
import { requireBagData, type Unassigned } from './require-data.ts';
import { collectStatistics, combineStatistics, type LinearStatistics } from './statistics.ts';

export interface RhoGridOptions {
  /** Values of ρ ≥ 0 to compare. Default: 0, 13 from 10⁻³ to 1, evenly spaced in log ρ, and for linear models `theoryRho`. Values above 1 only when given here. */
  grid?: readonly number[] | undefined;
  /** Number of folds, ≥ 2. Default 5, or the number of validating bags when there are fewer. */
  folds?: number | undefined;
  /** Bags that may be held out, by number. Default: all. Name the random ones when others were put together by a model. */
  validationBags?: ArrayLike<number> | undefined;
}

export interface CrossValidationOptions
  extends RhoGridOptions,
    Omit<WeightingOptions, 'noiseVariance'>,
    RunOptions {
  /** λ ≥ 0 in + λ‖θ‖², never on the intercept. Default 0. */
  ridge?: number | undefined;
  /** Default true. */
  intercept?: boolean | undefined;
  /** What to do about samples in no bag. Default `error`. */
  unassigned?: Unassigned | undefined;
  /** Seed of the folds. Default 0. */
  seed?: number | undefined;
}

/** ρ chosen from data, and the scores it was chosen by. */
export interface RhoSelection {
  /** The ρ of the grid with the least score. */
  rho: number;
  /** The greatest ρ whose score is at most one standard error above the least: less variance for nearly the same score. */
  oneStandardError: number;
  grid: Float64Array;
  /** The ρ that theory recommends for random bags and estimates of signal and noise, which the default grid then holds; undefined when there are too few bags to estimate them. */
  theoryRho: number | undefined;
  /** Mean squared error of held-out bag means, in squared units of the response, shape (grid,). Privacy noise is in it. */
  scores: Float64Array;
  /** Standard error of each score, from the spread over folds. */
  standardErrors: Float64Array;
  /** Mean variance of the privacy noise in the held-out means: scores less this estimate the error about the true means. */
  noiseVariance: number;
  folds: number;
  /** What a user should know of the choice; empty when nothing. */
  warnings: string[];
}

/**
 * K-fold cross-validation over bags: whole bags are held out, and scored by the squared error of their mean, weighted like the fit.
 *
 * Statistics of each fold are collected in one pass and taken out of the totals, so that a fit costs O(d³) whatever n. On random bags and
 * centred features the score is Risk/k + σ²/k + o(1), so that it ranks ρ as the error of the coefficients does (arXiv 2401.11081 for the
 * family, derived for the score). Instance-level scores would favour shrunken models, and bags sorted by a model measure the error only along
 * the direction they were sorted by: a warning says so when bag means spread more than those of random bags.
 *
 * @throws {InvalidArgumentError} fewer than two bags may validate; an option leaves its range
 *
 * Time O(n d² + folds · |grid| · d³), memory O(folds · d²).
 */
export async function crossValidateRho(
  data: AggregateData,
  options: CrossValidationOptions = {},
): Promise<RhoSelection> {
  const { ridge = 0, intercept = true, unassigned = 'error', seed = 0 } = options;
  const name = 'crossValidateRho';
  requireBagData(name, data, unassigned);
  requireNumber(`${name}: ridge`, ridge, 0);
  requireSeed(`${name}: seed`, seed);
  const weights = bagWeights(name, data.bags, { ...options, noiseVariance: data.noiseVariance });
  const { selection } = await selectRho(name, data, weights, { ...options, ridge, intercept, seed });
  return selection;
}

/** As `crossValidateRho`, of checked data; also gives the statistics of all bags. */
export async function selectRho(
  name: string,
  data: AggregateData,
  weights: Float64Array,
  options: RhoGridOptions & RunOptions & { ridge: number; intercept: boolean; seed: number },
): Promise<{ selection: RhoSelection; statistics: LinearStatistics }> {
  const { ridge, intercept, seed, signal, onProgress } = options;
  const given = rhoGrid(name, options.grid);
  const { foldOf, folds, held } = drawFolds(name, weights.length, options, seed);
  const parts = await collectStatistics(data, weights, {
    name,
    groupOf: foldOf,
    groups: folds + 1,
    centered: intercept,
    signal,
    onProgress,
  });
  const total = parts.reduce((sum, part) => combineStatistics(sum, part, 1));
  const theoryRho = plugInRho(linearSystem(total, intercept), ridge);
  const grid =
    options.grid || theoryRho === undefined || given.includes(theoryRho)
      ? given
      : Float64Array.of(...given, theoryRho).sort();
  const squares = new Float64Array(folds * grid.length);
  for (let f = 0; f < folds; f++) {
    const system = linearSystem(combineStatistics(total, parts[f], -1), intercept);
    grid.forEach((rho, g) => {
      squares[f * grid.length + g] = heldOutSquares(parts[f], solveAt(system, rho, ridge));
    });
    signal?.throwIfAborted();
    onProgress?.({ phase: 'folds', done: f + 1, total: folds });
  }
  const foldWeights = Float64Array.from({ length: folds }, (_, f) => parts[f].between.weight);
  const selection = rankRhos(grid, squares, foldWeights);
  const validating = parts.slice(0, folds).reduce((sum, part) => combineStatistics(sum, part, 1));
  selection.noiseVariance = validating.noiseWeight / validating.between.weight;
  selection.theoryRho = theoryRho;
  const ratio = intercept ? curatedRatio(validating) : 0;
  if (ratio > 1) {
    selection.warnings.push(
      `The ${held} validating bags look curated: along one direction their means spread ${ratio.toPrecision(3)} times as far as the most ` +
        'that random bags would show. The chosen rho may be wrong; pass the random bags as validationBags.',
    );
  }
  return { selection, statistics: total };
}

/** The grid, checked. */
export function rhoGrid(name: string, grid?: readonly number[]): Float64Array {
  if (!grid) {
    return Float64Array.from({ length: 14 }, (_, i) => (i === 0 ? 0 : 10 ** (-3 + (i - 1) / 4)));
  }
  if (grid.length === 0)
    throw new InvalidArgumentError(`${name}: grid is empty; expected values of rho ≥ 0.`);
  grid.forEach((rho, i) => {
    requireNumber(`${name}: grid[${i}]`, rho, 0);
  });
  return Float64Array.from(grid).sort();
}

/** Fold of each bag; bags that never validate get fold number `folds`. */
export function drawFolds(
  name: string,
  bags: number,
  { folds, validationBags }: RhoGridOptions,
  seed: number,
): { foldOf: Int32Array; folds: number; held: number } {
  const validating = validationBags
    ? Uint32Array.from(new Set(Array.from(validationBags)))
    : Uint32Array.from({ length: bags }, (_, a) => a);
  if (validationBags) {
    for (let i = 0; i < validationBags.length; i++) {
      requireInteger(`${name}: validationBags[${i}]`, validationBags[i], 0, bags - 1);
    }
  }
  const count = folds ?? Math.min(5, validating.length);
  requireInteger(`${name}: folds`, count, 2);
  if (validating.length < count) {
    throw new InvalidArgumentError(
      `${name}: ${validating.length} bags may validate; expected at least ${count}, one a fold. Pass rho as a number.`,
    );
  }
  shuffle(validating, createRng(seed).fork('folds'));
  const foldOf = new Int32Array(bags).fill(count);
  validating.forEach((bag, i) => {
    foldOf[bag] = i % count;
  });
  return { foldOf, folds: count, held: validating.length };
}

/** Scores and choices from the weighted squared errors of each fold, shape (folds, grid). */
export function rankRhos(grid: Float64Array, squares: Float64Array, foldWeights: Float64Array): RhoSelection {
  const folds = foldWeights.length;
  const weight = foldWeights.reduce((sum, w) => sum + w, 0);
  const scores = new Float64Array(grid.length);
  const standardErrors = new Float64Array(grid.length);
  for (let g = 0; g < grid.length; g++) {
    for (let f = 0; f < folds; f++) scores[g] += squares[f * grid.length + g] / weight;
    let spread = 0;
    for (let f = 0; f < folds; f++) {
      spread += (squares[f * grid.length + g] / foldWeights[f] - scores[g]) ** 2;
    }
    standardErrors[g] = Math.sqrt(spread / (folds - 1) / folds);
  }
  const best = scores.indexOf(Math.min(...scores));
  const limit = scores[best] + standardErrors[best];
  return {
    rho: grid[best],
    oneStandardError: grid[scores.findLastIndex((score) => score <= limit)],
    grid,
    scores,
    standardErrors,
    theoryRho: undefined,
    noiseVariance: 0,
    folds,
    warnings: [],
  };
}

/** Σ w·(ȳ − prediction)² over the bags of a part, from its statistics. O(d²). */
function heldOutSquares(
  { between, cross, response, responseSquares, level }: LinearStatistics,
  solution: LinearSolution,
): number {
  const { coefficients } = solution;
  const d = coefficients.length;
  const shift = solution.level - level;
  let squares = responseSquares - 2 * shift * response + shift * shift * between.weight;
  for (let i = 0; i < d; i++) {
    let image = 0;
    for (let j = 0; j < d; j++) image += between.outer[i * d + j] * coefficients[j];
    squares += coefficients[i] * (image - 2 * (cross[i] - shift * between.sum[i]));
  }
  return Math.max(0, squares);
}
