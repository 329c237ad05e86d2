// Both tails of the gamma and the beta distribution: all quantiles and p-values here come from these two.
// Why not a library: the quantile packages of @stdlib bring 243 packages and 28 MB; jstat is small, but its quantiles
// are right to 8 digits and it has no upper tails (a χ² p-value of 1e-42 comes out as 0). Here: about 13 digits.

import { binomialTerm, poissonTerm } from './saddle-point.ts';

/** Probabilities below and above a point; the smaller one has a small relative error. */
export interface Tails {
  lower: number;
  upper: number;
}

const ROUNDING = 2 ** -54;
const TINY = 1e-300; // stands for a zero denominator in a continued fraction

/**
 * P(a, x) and Q(a, x), the regularized incomplete gamma functions, for a > 0.
 *
 * Series below a + 1 (DLMF 8.11.4), Legendre's continued fraction above (DLMF 8.9.2). O(√a) terms near x = a.
 */
export function gammaTails(a: number, x: number): Tails {
  if (x <= 0) return { lower: 0, upper: 1 };
  if (x === Infinity) return { lower: 1, upper: 0 };
  if (x < a + 1) {
    let term = 1;
    let sum = 1;
    for (let n = 1; term > sum * ROUNDING; n++) {
      term *= x / (a + n);
      sum += term;
    }
    const lower = poissonTerm(a, x) * sum;
    return { lower, upper: 1 - lower };
  }
  let b = x + 1 - a;
  const fraction = continuedFraction(
    () => b,
    (n) => {
      b += 2;
      return [n * (a - n), b];
    },
  );
  const upper = (a * poissonTerm(a, x)) / fraction;
  return { lower: 1 - upper, upper };
}

/**
 * I_x(a, b) and 1 − I_x(a, b), the regularized incomplete beta function, for a, b > 0 and x + y = 1.
 *
 * The continued fraction of Didonato and Morris (ACM TOMS 18 (1992), 708), taken from the side where it converges fast: unlike
 * DLMF 8.17.22, of which it is the even part, it has no 1 − x in it that cancels. O(√max(a, b)) terms.
 *
 * @param y - 1 − x, given apart so that points next to 1 keep their digits
 */
export function betaTails(a: number, b: number, x: number, y: number): Tails {
  if (x <= 0) return { lower: 0, upper: 1 };
  if (y <= 0) return { lower: 1, upper: 0 };
  const excess = a * y - b * x; // a − (a + b) x without cancellation: < 0 above the mean, and exactly negated when swapped
  if (excess < 0) {
    const { lower, upper } = betaTails(b, a, y, x);
    return { lower: upper, upper: lower };
  }
  const fraction = continuedFraction(
    () => (a * (excess + 1)) / (a + 1),
    (m) => {
      const odd = a + 2 * m - 1;
      const top = ((a + m - 1) * (a + b + m - 1) * m * (b - m) * x * x) / (odd * odd);
      return [top, m + (m * (b - m) * x) / odd + ((a + m) * (excess + 1 + m * (1 + y))) / (odd + 2)];
    },
  );
  const lower = (binomialTerm(a, b, x, y) * a * b) / ((a + b) * fraction);
  return { lower, upper: 1 - lower };
}

/** b₀ + a₁/(b₁ + a₂/(b₂ + …)), by Lentz's method as modified by Thompson and Barnett; `next(n)` gives [aₙ, bₙ]. */
function continuedFraction(first: () => number, next: (n: number) => [number, number]): number {
  let value = first() || TINY;
  let c = value;
  let d = 0;
  for (let n = 1; ; n++) {
    const [a, b] = next(n);
    d = 1 / (b + a * d || TINY);
    c = b + a / c || TINY;
    const factor = c * d;
    value *= factor;
    // Rounding alone keeps the factor within 1.5 · 2⁻⁵² of 1. NaN ends the loop too: it cannot come back to a number.
    if (!(Math.abs(factor - 1) > 2 ** -51)) return value;
  }
}
