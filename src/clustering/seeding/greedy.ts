// Greedy k-means++: of several draws by D^z the one that leaves the least potential.

import type { Rng } from '../../core/rng.ts';
import { addSeeds, CandidateBatch, type Seeds } from './plus-plus.ts';
import { distanceToPower, type SeedingContext, type SeedPotential } from './potential.ts';

/** Float32 products kept at once, candidates × rows: 128 MiB. */
const BLOCK_FLOATS = 1 << 25;
/** Centers chosen per batch at most, as a share of those there are: more would thin the candidates too much. */
const BATCH_SHARE = 0.25;
/** Candidates per center of a batch at most, in units of those needed: spare ones for those that thinning rejects. */
const MOST_SPARE = 1.4;
/** ‖origin‖² over the mean squared distance to it above which float32 products of uncentred rows lose too many digits. */
const CENTERING_RATIO = 64;

/**
 * Chooses centers until there are `k`, each the best of 2 + ⌊ln k⌋ draws by D^z, or until no row is off a center.
 *
 * Draws for several centers come from one batch, thinned as in `plusPlus`, so their distribution is exact. The distances of
 * all rows to all candidates of the batch are one matrix product, kept while the batch lasts; in float32, which may swap two candidates of all but
 * equal merit, while D itself is kept in float64. (Greedy choice: Arthur and Vassilvitskii 2007, section 5.)
 *
 * O(n k d log k) in matrix products and O(n k log k) besides; memory 4 n (2 + ⌊ln k⌋) to 128 MiB.
 */
export async function greedyPlusPlus(
  context: SeedingContext,
  potential: SeedPotential,
  seeds: Seeds,
  k: number,
  rng: Rng,
): Promise<void> {
  const { rows, power } = context;
  const trials = 2 + Math.floor(Math.log(k));
  const norms = await centredNorms(context);
  while (seeds.ids.length < k && potential.total > 0) {
    const steps = Math.max(
      1,
      Math.min(
        k - seeds.ids.length,
        Math.ceil(BATCH_SHARE * seeds.ids.length),
        Math.floor(BLOCK_FLOATS / (MOST_SPARE * trials * rows.rows)),
      ),
    );
    // The potential falls about as 1/m with m centers, so a share steps/(m + steps) is rejected by the end; twice that, to be safe.
    const spare = steps === 1 ? 1 : 1 + (2 * steps) / (seeds.ids.length + steps);
    const size = Math.ceil(Math.min(spare, MOST_SPARE) * steps * trials);
    const batch = new CandidateBatch(
      Array.from({ length: size }, () => potential.draw(rng.next())),
      potential,
    );
    await batch.load(rows);
    const products = await candidateProducts(context, batch, norms);
    const work = potential.distances.map((square, x) => square - norms.values[x]);
    const chosen: number[] = [];
    for (;;) {
      const drawn: number[] = [];
      while (drawn.length < trials) {
        const c = batch.accept(rng, power);
        if (c < 0) break;
        drawn.push(c);
      }
      // A choice among fewer would be less greedy: those few are dropped, and fresh draws made from the new D.
      if (drawn.length < trials) break;
      const best = leastPotential(context, products, norms.values, work, drawn);
      chosen.push(best);
      batch.choose(best);
      if (chosen.length === steps) break;
      lower(products, work, best);
    }
    await potential.add(addSeeds(seeds, batch, chosen));
  }
}

/** What gives ‖x − c‖² − ‖x − o‖² = offsets[c] − 2 · values[c · n + x] of candidate c and row x. */
interface Products {
  values: Float32Array;
  offsets: Float64Array;
}

interface RowNorms {
  /** ‖x − o‖², shape (n,). */
  values: Float64Array;
  /** Rows must be centred before they are multiplied. */
  centering: boolean;
}

async function centredNorms({ rows, kernels, origin }: SeedingContext): Promise<RowNorms> {
  const values = new Float64Array(rows.rows);
  let sum = 0;
  for await (const { start, rows: count, data } of rows.tiles()) {
    const norms = values.subarray(start, start + count);
    await kernels.rowNorms({ points: data, rows: count, dim: rows.cols, origin, norms });
    for (let i = 0; i < count; i++) sum += norms[i];
  }
  const offset = origin.reduce((square, o) => square + o * o, 0);
  return { values, centering: offset > (CENTERING_RATIO * sum) / rows.rows };
}

async function candidateProducts(
  { rows, kernels, origin }: SeedingContext,
  batch: CandidateBatch,
  { centering }: RowNorms,
): Promise<Products> {
  const { cols } = rows;
  const count = batch.ids.length;
  const values = new Float32Array(count * rows.rows);
  // (x − o)·(c − o) = x·(c − o) − o·(c − o): with a small offset, centring the candidates alone is enough.
  const candidates = centre(batch.points, origin);
  const offsets = new Float64Array(count);
  for (let p = 0; p < candidates.length; p++) {
    const correction = centering ? 0 : 2 * origin[p % cols];
    offsets[Math.floor(p / cols)] += candidates[p] * (candidates[p] + correction);
  }
  for await (const tile of rows.tiles()) {
    await kernels.gemm({
      m: count,
      n: tile.rows,
      k: cols,
      a: candidates,
      b: centering ? centre(tile.data, origin) : tile.data,
      transposeB: true,
      c: values.subarray(tile.start),
      strideC: rows.rows,
    });
  }
  return { values, offsets };
}

function centre(points: Float32Array, origin: Float32Array): Float32Array {
  const out = new Float32Array(points.length);
  const cols = origin.length;
  for (let at = 0; at < points.length; at += cols) {
    for (let p = 0; p < cols; p++) out[at + p] = points[at + p] - origin[p];
  }
  return out;
}

/** Rows whose D² stays in the first-level cache while all candidates of a step pass over it. */
const CACHED_ROWS = 2048;

/**
 * Of the drawn candidates the one whose choice lowers Σ weight · D^z most; ties to the first drawn.
 *
 * @param norms - ‖x − o‖² @param work - D² − ‖x − o‖², shape (n,)
 */
function leastPotential(
  { weights, power }: SeedingContext,
  { values, offsets }: Products,
  norms: Float64Array,
  work: Float64Array,
  drawn: number[],
): number {
  const n = work.length;
  const gains = new Float64Array(drawn.length);
  for (let start = 0; start < n; start += CACHED_ROWS) {
    const end = Math.min(n, start + CACHED_ROWS);
    drawn.forEach((c, i) => {
      const [products, offset] = [values.subarray(c * n, c * n + n), offsets[c]];
      if (power !== 2) gains[i] += fallOfPower(products, offset, norms, work, weights, power, start, end);
      else if (weights) gains[i] += weightedFall(products, offset, work, weights, start, end);
      else gains[i] += fall(products, offset, work, start, end);
    });
  }
  return drawn[gains.indexOf(gains.reduce((most, gain) => Math.max(most, gain)))];
}

/** Σ max(0, D² − ‖x − c‖²), the innermost loop of the seeding: 2 max(0, f) = f + |f| needs no branch, which would be mispredicted. */
function fall(
  products: Float32Array,
  offset: number,
  work: Float64Array,
  start: number,
  end: number,
): number {
  let even = 0;
  let odd = 0;
  let x = start;
  for (; x + 1 < end; x += 2) {
    const a = work[x] - offset + 2 * products[x];
    const b = work[x + 1] - offset + 2 * products[x + 1];
    even += a + Math.abs(a);
    odd += b + Math.abs(b);
  }
  if (x < end) even += Math.max(0, 2 * (work[x] - offset + 2 * products[x]));
  return (even + odd) / 2;
}

function weightedFall(
  products: Float32Array,
  offset: number,
  work: Float64Array,
  weights: Float64Array,
  start: number,
  end: number,
): number {
  let sum = 0;
  for (let x = start; x < end; x++) {
    const difference = work[x] - offset + 2 * products[x];
    sum += weights[x] * (difference + Math.abs(difference));
  }
  return sum / 2;
}

function fallOfPower(
  products: Float32Array,
  offset: number,
  norms: Float64Array,
  work: Float64Array,
  weights: Float64Array | undefined,
  power: number,
  start: number,
  end: number,
): number {
  let sum = 0;
  for (let x = start; x < end; x++) {
    const reduced = offset - 2 * products[x];
    if (reduced >= work[x]) continue;
    const before = distanceToPower(Math.max(0, work[x] + norms[x]), power);
    const after = distanceToPower(Math.max(0, reduced + norms[x]), power);
    sum += (weights ? weights[x] : 1) * (before - after);
  }
  return sum;
}

/** Takes the chosen candidate into D² − ‖x − o‖². */
function lower({ values, offsets }: Products, work: Float64Array, c: number): void {
  const n = work.length;
  for (let x = 0, at = c * n; x < n; x++, at++) work[x] = Math.min(work[x], offsets[c] - 2 * values[at]);
}
