// k-means++: each center is a row drawn with probability proportional to D^z, in a few passes instead of k.

import type { Rng } from '../../core/rng.ts';
import { directDistance } from '../../kernels/index.ts';

import { distanceToPower, type SeedingContext, type SeedPotential } from './potential.ts';

/** Candidates per batch at least, and at most: pairs of them cost d multiplications each. */
const LEAST_BATCH = 8;
const LARGEST_BATCH = 2048;

/** Centers chosen so far. */
export interface Seeds {
  /** Row id of each center. */
  ids: number[];
  /** Their rows, shape (ids.length, d), concatenated when needed. */
  rows: Float32Array[];
}

/**
 * Draws further centers by D^z until there are `k`, or no row is off a center.
 *
 * The textbook makes a pass over the data after every center. Here a batch of candidates is drawn from the D of the last
 * pass, and each is accepted with probability (D now / D then)^z, where D now takes in the centers accepted since. D only falls, so this is
 * rejection sampling, and the accepted ones are distributed exactly as k-means++ draws them (Arthur and Vassilvitskii, SODA 2007);
 * one pass of matrix products then takes in all of them. With batches as large as the number of centers, about log₂ k passes do.
 *
 * O(n k d) in matrix products, O(k² d) besides.
 */
export async function plusPlus(
  { rows, power }: SeedingContext,
  potential: SeedPotential,
  seeds: Seeds,
  k: number,
  rng: Rng,
): Promise<void> {
  while (seeds.ids.length < k && potential.total > 0) {
    const needed = k - seeds.ids.length;
    const size = Math.min(LARGEST_BATCH, Math.max(LEAST_BATCH, seeds.ids.length), 2 * needed + LEAST_BATCH);
    const batch = new CandidateBatch(
      Array.from({ length: size }, () => potential.draw(rng.next())),
      potential,
    );
    await batch.load(rows);
    const accepted: number[] = [];
    for (let c = batch.accept(rng, power); c >= 0; c = batch.accept(rng, power)) {
      accepted.push(c);
      batch.choose(c);
      if (accepted.length === needed) break;
    }
    await potential.add(addSeeds(seeds, batch, accepted));
  }
}

/** Adds chosen candidates to the seeds. @returns their rows, shape (chosen.length, d) */
export function addSeeds(seeds: Seeds, batch: CandidateBatch, chosen: number[]): Float32Array {
  const added = new Float32Array(chosen.length * batch.cols);
  chosen.forEach((c, i) => {
    const row = batch.points.slice(c * batch.cols, (c + 1) * batch.cols);
    seeds.ids.push(batch.ids[c]);
    seeds.rows.push(row);
    added.set(row, i * batch.cols);
  });
  return added;
}

/** Candidates drawn from one state of the potential, to be thinned to draws from later states. */
export class CandidateBatch {
  readonly ids: number[];
  points: Float32Array = new Float32Array();
  cols = 0;
  private readonly before: Float64Array; // D² when drawn
  private readonly now: Float64Array; // D² with the centers chosen since
  private next = 0;

  constructor(ids: number[], potential: SeedPotential) {
    this.ids = ids;
    this.before = Float64Array.from(ids, (id) => potential.distances[id]);
    this.now = this.before.slice();
  }

  async load(rows: SeedingContext['rows']): Promise<void> {
    this.points = (await rows.take(this.ids)).data;
    this.cols = rows.cols;
  }

  /** The next candidate that is a draw from the present D^z, or −1 when none is left. */
  accept(rng: Rng, power: number): number {
    while (this.next < this.ids.length) {
      const c = this.next++;
      // One number is drawn per candidate, accepted or not. The ratio is 1 at most, and 0 for a row that is a center by now.
      if (rng.next() < distanceToPower(this.now[c] / this.before[c], power)) return c;
    }
    return -1;
  }

  /** Takes a candidate as a center: those still to come are thinned accordingly. */
  choose(chosen: number): void {
    const { points, cols, now } = this;
    for (let c = this.next; c < this.ids.length; c++) {
      const square = directDistance(points, chosen * cols, points, c * cols, cols);
      if (square < now[c]) now[c] = square;
    }
  }
}
