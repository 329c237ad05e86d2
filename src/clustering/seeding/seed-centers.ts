// Seeding: one door to all methods, and what they share: distinct centers, as many as the data has.

import { requireInteger, requireOneOf, requirePositive } from '../../core/check.ts';
import type { Matrix32, RowSource } from '../../core/matrix.ts';
import type { RunOptions } from '../../core/progress.ts';
import { createRng, type Rng, sampleIndices } from '../../core/rng.ts';
import { loadKernels } from '../../kernels/index.ts';
import { requireWeights } from '../check-weights.ts';
import { measureMoments } from '../moments.ts';
import { Rows } from '../rows.ts';
import type { SeedingMethod } from '../types.ts';
import { afkMc2 } from './afk-mc2.ts';
import { greedyPlusPlus } from './greedy.ts';
import { kMeansParallel } from './k-means-parallel.ts';
import { plusPlus, type Seeds } from './plus-plus.ts';
import { drawByWeight, type SeedingContext, SeedPotential } from './potential.ts';

export const SEEDING_METHODS: readonly SeedingMethod[] = [
  'greedy',
  'k-means++',
  'afk-mc2',
  'k-means||',
  'random',
];

export interface SeedCentersOptions extends RunOptions {
  /** Centers wanted, ≥ 1. */
  k: number;
  /** Default 'greedy'. */
  method?: SeedingMethod;
  /** Exponent z > 0 of the objective Σ weight · distance^z: centers are drawn by D^z. Default 2. */
  power?: number;
  /** Weight of each row, ≥ 0, shape (n,). Default: ones. */
  weights?: Float64Array | undefined;
  /** Default 0. */
  seed?: number;
}

export interface SeededCenters {
  /** Shape (k', d), all distinct; k' < k when there are no more distinct rows of positive weight. */
  centers: Matrix32;
  /** Row id of each center, shape (k',); undefined for 'k-means||', whose centers are means. */
  indices: Uint32Array | undefined;
}

/**
 * Chooses starting centers for k-means.
 *
 * @param points - shape (n, d), n ≥ 1
 * @throws {InvalidArgumentError} an option leaves its range, or a row is NaN or infinite
 *
 * Time: greedy O(n k d log k), k-means++ O(n k d), afk-mc2 O(n d + 200 k² d), k-means|| O(n k d) in six rounds, random O(k d).
 */
export async function seedCenters(
  points: Matrix32 | RowSource,
  { k, method = 'greedy', power = 2, weights, seed = 0, signal }: SeedCentersOptions,
): Promise<SeededCenters> {
  requireInteger('seedCenters: k', k, 1);
  requireOneOf('seedCenters: method', method, SEEDING_METHODS);
  requirePositive('seedCenters: power', power);
  requireInteger('seedCenters: points.rows', points.rows, 1);
  requireWeights('seedCenters: weights', weights, points.rows);
  const rows = new Rows('seedCenters: points', points, { signal });
  const kernels = await loadKernels();
  const { origin } = await measureMoments(rows, kernels, weights);
  return chooseSeeds({ rows, kernels, weights, power, origin }, k, method, createRng(seed));
}

/** As `seedCenters`, of data already checked. */
export async function chooseSeeds(
  context: SeedingContext,
  k: number,
  method: SeedingMethod,
  rng: Rng,
): Promise<SeededCenters> {
  const { rows, weights } = context;
  const { cols } = rows;
  const eligible = weights ? weights.reduce((count, w) => count + Number(w > 0), 0) : rows.rows;
  if (method === 'k-means||' && k < eligible) {
    const centers = await kMeansParallel(context, k, rng);
    return { centers: { data: centers, rows: centers.length / cols, cols }, indices: undefined };
  }
  const seeds: Seeds = { ids: [], rows: [] };
  const potential = new SeedPotential(context);
  if (method === 'random' || k >= eligible) {
    const ids = k >= eligible ? positiveRows(context) : randomRows(context, k, rng);
    await addDistinct(context, seeds, ids);
    await potential.add(concatenate(seeds.rows, cols));
  } else {
    const first = drawByWeight(context, rng.fork('first'));
    await addDistinct(context, seeds, [first]);
    await potential.add(seeds.rows[0]);
    if (method === 'greedy') await greedyPlusPlus(context, potential, seeds, k, rng.fork('greedy'));
    if (method === 'afk-mc2') {
      await afkMc2(context, potential, seeds, k, rng.fork('chains'));
      const others = concatenate(seeds.rows.slice(1), cols);
      if (others.length > 0 && seeds.ids.length < k) await potential.add(others);
    }
  }
  // k-means++ itself, and the rest of what another method left: a draw by D^z never repeats a row, and ends when none is left.
  if (seeds.ids.length < k) await plusPlus(context, potential, seeds, k, rng.fork('draws'));
  return {
    centers: { data: concatenate(seeds.rows, cols), rows: seeds.ids.length, cols },
    indices: Uint32Array.from(seeds.ids),
  };
}

function positiveRows({ rows, weights }: SeedingContext): number[] {
  const all = Array.from({ length: rows.rows }, (_, i) => i);
  return weights ? all.filter((i) => weights[i] > 0) : all;
}

/** k distinct row ids: uniform, or without replacement in proportion to weight. */
function randomRows({ rows, weights }: SeedingContext, k: number, rng: Rng): ArrayLike<number> {
  if (!weights) return sampleIndices(rows.rows, k, rng.fork('random'));
  // Efraimidis and Spirakis: the k largest u^(1/w), here as the k smallest −ln(u)/w.
  const stream = rng.fork('random');
  const keys = Float64Array.from(weights, (w, i) => (w > 0 ? -Math.log(1 - stream.at(i)) / w : Infinity));
  const ids = Uint32Array.from({ length: rows.rows }, (_, i) => i);
  return ids.sort((a, b) => keys[a] - keys[b] || a - b).subarray(0, k);
}

/** Adds the rows that are not equal to an earlier one. */
async function addDistinct(context: SeedingContext, seeds: Seeds, ids: ArrayLike<number>): Promise<void> {
  const { rows } = context;
  const { data } = await rows.take(ids);
  const seen = new Set<string>();
  for (let i = 0; i < ids.length; i++) {
    // + 0 makes −0 equal to 0; the text of the numbers is an exact key.
    const row = data.slice(i * rows.cols, (i + 1) * rows.cols).map((x) => x + 0);
    const key = row.join();
    if (seen.has(key)) continue;
    seen.add(key);
    seeds.ids.push(ids[i]);
    seeds.rows.push(row);
  }
}

function concatenate(parts: Float32Array[], cols: number): Float32Array {
  const all = new Float32Array(parts.length * cols);
  parts.forEach((part, i) => {
    all.set(part, i * cols);
  });
  return all;
}
