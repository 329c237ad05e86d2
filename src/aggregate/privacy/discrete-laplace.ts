// The discrete Laplace distribution, sampled exactly: integers only, no logarithm of a double.

import { InvalidArgumentError } from '../../core/errors.ts';
import { epsilonUnits, UNITS_PER_EPSILON } from './epsilon.ts';
import { type RandomBits, uniformBelow } from './random-bits.ts';

/** Scale t/s of P(z) ∝ exp(−|z|·s/t), a fraction of integers in [1, 2⁵³). */
export interface NoiseScale {
  readonly t: number;
  readonly s: number;
}

/** Scales above this answer nothing, and their sums would leave the integers that doubles hold. */
const MAX_SCALE = 2 ** 40;

/**
 * The scale Δ/ε that makes an integer sum of sensitivity Δ ε-private, as a fraction and never smaller.
 *
 * ε is rounded down to billionths, and a fraction that does not fit is rounded up.
 *
 * @param name - public function, for messages
 * @param sensitivity - Δ, the most one label can change the sum: an integer ≥ 1
 * @throws {InvalidArgumentError} ε is not in [10⁻⁹, 10⁶], or Δ/ε is above 2⁴⁰
 */
export function noiseScale(name: string, sensitivity: number, epsilon: number): NoiseScale {
  const units = BigInt(epsilonUnits(`${name}: epsilon`, epsilon, 'down'));
  if (sensitivity / epsilon > MAX_SCALE) {
    throw new InvalidArgumentError(
      `${name}: the noise would have scale ${sensitivity / epsilon} grid steps; expected at most 2^40. Take a coarser grid or a larger epsilon.`,
    );
  }
  const numerator = BigInt(sensitivity) * BigInt(UNITS_PER_EPSILON);
  const divisor = greatestCommonDivisor(numerator, units);
  const t = numerator / divisor;
  const s = units / divisor;
  const largest = BigInt(Number.MAX_SAFE_INTEGER);
  if (t <= largest && s <= largest) return { t: Number(t), s: Number(s) };
  // largest / ⌊s · largest / t⌋ ≥ t / s: too much noise by less than one part in 2¹².
  return { t: Number(largest), s: Number((s * largest) / t) };
}

/**
 * One draw of the discrete Laplace distribution, exact for exact uniform bits.
 *
 * Time varies with the value drawn: see `NoisePool`. Expected O(1).
 * Reference: algorithm 2 of Canonne, Kamath, Steinke, arXiv 2004.00010; the use for label privacy is that of arXiv 2402.04987.
 */
export function sampleDiscreteLaplace(bits: RandomBits, { t, s }: NoiseScale): number {
  for (;;) {
    const u = uniformBelow(bits, t);
    if (!bernoulliExp(bits, u, t)) continue;
    let v = 0;
    while (bernoulliExp(bits, 1, 1)) v++;
    const magnitude = floorQuotient(u, t, v, s);
    const negative = (bits.uint32() & 1) === 1;
    // Both signs give 0, so one of them is drawn again.
    if (negative && magnitude === 0) continue;
    return negative ? -magnitude : magnitude;
  }
}

/** Variance 2e^(−ε′) / (1 − e^(−ε′))² of the discrete Laplace distribution, ε′ = s/t. */
export function discreteLaplaceVariance({ t, s }: NoiseScale): number {
  const rate = s / t;
  return (2 * Math.exp(-rate)) / Math.expm1(-rate) ** 2;
}

/** P(|Z| > z) of the discrete Laplace distribution, exact, for an integer z ≥ 0. */
export function discreteLaplaceTail({ t, s }: NoiseScale, z: number): number {
  const rate = s / t;
  return (2 * Math.exp(-rate * (z + 1))) / (1 + Math.exp(-rate));
}

/** Least integer z ≥ 0 with P(|Z| > z) ≤ probability, for a probability in (0, 1). */
export function discreteLaplaceQuantile(scale: NoiseScale, probability: number): number {
  const rate = scale.s / scale.t;
  const real = Math.log(2 / (probability * (1 + Math.exp(-rate)))) / rate - 1;
  let z = Math.max(0, Math.ceil(real));
  // The logarithm may be off by a rounding at either side of an integer.
  while (discreteLaplaceTail(scale, z) > probability) z++;
  while (z > 0 && discreteLaplaceTail(scale, z - 1) <= probability) z--;
  return z;
}

/**
 * True with probability exp(−u/t), for integers 0 ≤ u ≤ t: the first k with a failing coin of chance (u/t)/k is odd with just this probability.
 * The coin is two, of chances 1/k and u/t, so that no product leaves the safe integers.
 */
function bernoulliExp(bits: RandomBits, u: number, t: number): boolean {
  let k = 1;
  while (uniformBelow(bits, k) === 0 && uniformBelow(bits, t) < u) k++;
  return (k & 1) === 1;
}

/** ⌊(u + t·v) / s⌋ for integers, exact: a quotient of doubles might be rounded up to the next integer. */
function floorQuotient(u: number, t: number, v: number, s: number): number {
  const x = u + t * v;
  if (t * (v + 1) > Number.MAX_SAFE_INTEGER) {
    return Number((BigInt(u) + BigInt(t) * BigInt(v)) / BigInt(s));
  }
  return (x - (x % s)) / s;
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b > 0n) [a, b] = [b, a % b];
  return a;
}
