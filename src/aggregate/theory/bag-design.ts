// Sufficient statistics of a regression on bags, drawn without drawing the samples.

import type { Rng } from '../../core/rng.ts';
import { normalQuantile } from '../../core/statistics/index.ts';

/** Which bags: any, or cut from the order of a prior's predictions. */
export interface DesignShape {
  /** Bags m, each of `bagSize` samples. */
  bags: number;
  bagSize: number;
  features: number;
  /** Samples are sorted along the first coordinate before they are cut into bags: norms of √k x̄₁ and of the deviations from it. Default: bags are random. */
  sortedNorms?: ColumnNorms | undefined;
}

/** Euclidean norms of one column: of √k times the bag means, and of what deviates from them. */
export interface ColumnNorms {
  between: number;
  within: number;
}

/** G = Σ_a k x̄_a x̄_aᵀ and W = Σ_a Σ_i (x_i − x̄_a)(x_i − x̄_a)ᵀ, shape (d, d) each, and Σ_a k x̄_a ε̄_a for unit noise. */
export interface BagDesign {
  between: Float64Array;
  within: Float64Array;
  /** Σ_a k x̄_a ε̄_a with ε_i of variance 1, shape (d,). */
  noise: Float64Array;
}

/**
 * One draw for features N(0, I).
 *
 * √k x̄_a are m independent N(0, I) rows and W is an independent Wishart matrix of n − m degrees of freedom (bags do not look
 * at the samples). A Gaussian (ν, d) matrix is QR with R of independent entries: χ of ν − i degrees on the diagonal, normal
 * right of it; so G = RᵀR, and RᵀQᵀε needs only min(ν, d) normals. Sorted bags look at the first coordinate alone: they
 * change the norms of its two columns, R₁₁, and nothing else.
 *
 * O(d³), whatever n.
 */
export function drawDesign({ bags, bagSize, features: d, sortedNorms }: DesignShape, rng: Rng): BagDesign {
  const betweenRng = rng.fork('between');
  const factor = triangle(bags, d, betweenRng, sortedNorms?.between);
  const rank = Math.min(bags, d);
  const noise = new Float64Array(d);
  for (let i = 0; i < rank; i++) {
    const e = betweenRng.normal();
    for (let j = i; j < d; j++) noise[j] += factor[i * d + j] * e;
  }
  const spread = bags * (bagSize - 1);
  const within = triangle(spread, d, rng.fork('within'), sortedNorms?.within);
  return { between: gram(factor, rank, d), within: gram(within, Math.min(spread, d), d), noise };
}

/** R of the QR decomposition of a (ν, d) matrix of standard normals, shape (min(ν, d), d). */
function triangle(degrees: number, d: number, rng: Rng, firstNorm?: number): Float64Array {
  const rank = Math.min(degrees, d);
  const factor = new Float64Array(rank * d);
  for (let i = 0; i < rank; i++) {
    factor[i * d + i] = i === 0 && firstNorm !== undefined ? firstNorm : chi(degrees - i, rng);
    for (let j = i + 1; j < d; j++) factor[i * d + j] = rng.normal();
  }
  return factor;
}

/** RᵀR of an upper trapezoidal (rank, d) matrix. */
function gram(factor: Float64Array, rank: number, d: number): Float64Array {
  const product = new Float64Array(d * d);
  for (let l = 0; l < rank; l++) {
    for (let i = l; i < d; i++) {
      const left = factor[l * d + i];
      for (let j = l; j <= i; j++) product[i * d + j] += left * factor[l * d + j];
    }
  }
  for (let i = 0; i < d; i++) for (let j = i + 1; j < d; j++) product[i * d + j] = product[j * d + i];
  return product;
}

/** Norms of one draw of normals, sorted and cut into bags. O(n log n). */
export function drawSortedNorms(bags: number, bagSize: number, rng: Rng): ColumnNorms {
  const values = Float64Array.from({ length: bags * bagSize }, () => rng.normal()).sort();
  let [between, within] = [0, 0];
  for (let a = 0; a < bags; a++) {
    let mean = 0;
    for (let i = 0; i < bagSize; i++) mean += values[a * bagSize + i] / bagSize;
    between += bagSize * mean ** 2;
    for (let i = 0; i < bagSize; i++) within += (values[a * bagSize + i] - mean) ** 2;
  }
  return { between: Math.sqrt(between), within: Math.sqrt(within) };
}

/** Strips of equal probability that stand for the bags when those are many: within them lies 1.5e-4 of the variance. */
const STRIPS = 1000;

/** What `drawSortedNorms` tends to for many samples: bags as strips of the normal distribution, at most a thousand of them. O(1). */
export function limitSortedNorms(bags: number, bagSize: number): ColumnNorms {
  const strips = Math.min(bags, STRIPS);
  let explained = 0;
  let density = 0; // at the lower end of the strip
  for (let i = 1; i <= strips; i++) {
    const end = i < strips ? normalQuantile(i / strips) : Infinity;
    const next = Math.exp(-(end ** 2) / 2) / Math.sqrt(2 * Math.PI);
    // The mean over a strip is (density at its lower − at its upper end) ÷ its probability.
    explained += strips * (density - next) ** 2;
    density = next;
  }
  const n = bags * bagSize;
  return { between: Math.sqrt(n * explained), within: Math.sqrt(n * Math.max(0, 1 - explained)) };
}

/** √(χ² of ν ≥ 1 degrees): a gamma variate of shape ν/2 by Marsaglia and Tsang (ACM TOMS 26, 2000), doubled. */
function chi(degrees: number, rng: Rng): number {
  if (degrees === 1) return Math.abs(rng.normal());
  const d = degrees / 2 - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = rng.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - rng.next()) < (x * x) / 2 + d * (1 - v + Math.log(v)))
      return Math.sqrt(2 * d * v);
  }
}
