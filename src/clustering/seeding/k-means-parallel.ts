// k-means||: oversampling in a few rounds, then a small weighted problem; the seeding for data that is read in passes.

import type { Rng } from '../../core/rng.ts';
import { LloydAssigner } from '../assigner.ts';
import { MeanUpdate } from '../center-update.ts';
import { iterate } from '../iterate.ts';
import { measureMoments } from '../moments.ts';
import { Rows } from '../rows.ts';
import { greedyPlusPlus } from './greedy.ts';
import { plusPlus, type Seeds } from './plus-plus.ts';
import { drawByWeight, type SeedingContext, SeedPotential } from './potential.ts';

/** Rounds of oversampling, and rows kept per round on average, in units of k. */
const ROUNDS = 5;
const OVERSAMPLING = 2;
/** Lloyd iterations on the candidates. */
const RECLUSTER_ITERATIONS = 20;

/**
 * Rounds keep each row with probability min(1, 2k · weight · D^z / φ), independently; the rows kept, weighted by the rows
 * nearest to them, are then clustered by greedy k-means++ and Lloyd (Bahmani et al., VLDB 2012).
 *
 * Row i is kept by number i of the round's own stream, so the outcome does not depend on the order in which rows are read. Two
 * passes per round. O(n k d) with a constant of 10.
 *
 * @returns centers, shape (k', d), k' < k only when the data has fewer distinct rows
 */
export async function kMeansParallel(context: SeedingContext, k: number, rng: Rng): Promise<Float32Array> {
  const { rows, weights, kernels, power } = context;
  const { cols } = rows;
  const seeds: Seeds = { ids: [], rows: [] };
  const potential = new SeedPotential(context);
  const keep = async (ids: number[]): Promise<void> => {
    const { data } = await rows.take(ids);
    seeds.ids.push(...ids);
    ids.forEach((_, i) => {
      seeds.rows.push(data.subarray(i * cols, (i + 1) * cols));
    });
    await potential.add(data);
  };
  await keep([drawByWeight(context, rng.fork('first'))]);
  for (let round = 0; round < ROUNDS; round++) {
    const total = potential.total;
    if (!(total > 0)) break;
    const stream = rng.fork(`round ${round}`);
    const scale = (OVERSAMPLING * k) / total;
    const ids: number[] = [];
    for (let i = 0; i < rows.rows; i++) if (stream.at(i) < scale * potential.mass(i)) ids.push(i);
    if (ids.length > 0) await keep(ids);
  }
  if (seeds.ids.length < k) await plusPlus(context, potential, seeds, k, rng.fork('draws'));

  const data = new Float32Array(seeds.rows.length * cols);
  seeds.rows.forEach((row, i) => {
    data.set(row, i * cols);
  });
  const candidateWeights = new Float64Array(seeds.rows.length);
  potential.nearest.forEach((candidate, i) => {
    candidateWeights[candidate] += weights ? weights[i] : 1;
  });
  const candidates = new Rows('k-means||: candidates', { data, rows: seeds.rows.length, cols });
  const moments = await measureMoments(candidates, kernels, candidateWeights);
  const inner: SeedingContext = {
    rows: candidates,
    kernels,
    weights: candidateWeights,
    power,
    origin: moments.origin,
  };
  const chosen: Seeds = { ids: [], rows: [] };
  const innerPotential = new SeedPotential(inner);
  const first = drawByWeight(inner, rng.fork('first candidate'));
  chosen.ids.push(first);
  chosen.rows.push(data.slice(first * cols, (first + 1) * cols));
  await innerPotential.add(chosen.rows[0]);
  await greedyPlusPlus(inner, innerPotential, chosen, k, rng.fork('candidates'));
  const start = new Float32Array(chosen.rows.length * cols);
  chosen.rows.forEach((row, j) => {
    start.set(row, j * cols);
  });
  const labels = new Uint32Array(candidates.rows);
  const shared = { kernels, cols, centerCount: chosen.rows.length, origin: moments.origin };
  const { centers } = await iterate(candidates, start, {
    assigner: new LloydAssigner({ ...shared, tileRows: candidates.tileRows, labels }),
    update: new MeanUpdate({
      ...shared,
      weights: candidateWeights,
      scatter: moments.scatter,
      spherical: false,
    }),
    labels,
    weights: candidateWeights,
    power: 2,
    maxIterations: RECLUSTER_ITERATIONS,
    maxShift: 0,
  });
  return centers;
}
