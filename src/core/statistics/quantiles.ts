// Quantiles of the normal, Student's t, χ² and beta distribution, and the χ² p-value.

import { requireNumber, requirePositive } from '../check.ts';
import { InvalidArgumentError } from '../errors.ts';
import { binomialTerm, poissonTerm } from './saddle-point.ts';
import { betaTails, gammaTails, type Tails } from './tails.ts';

/** Which tail a probability is of. 'upper' keeps the digits of a small one, where 1 − p would lose them. */
export type Tail = 'lower' | 'upper';

/** z with P(Z ≤ z) = p (lower) or P(Z > z) = p (upper) for standard normal Z; ∓∞ at p = 0 and 1. */
export function normalQuantile(p: number, tail: Tail = 'lower'): number {
  requireNumber('normalQuantile: p', p, 0, 1);
  const sign = p < 0.5 === (tail === 'lower') ? -1 : 1;
  // |Z|² / 2 is gamma distributed with shape ½; 1 − 2 min(p, 1 − p) = |1 − 2p| is exact.
  const size = Math.sqrt(2 * gammaQuantile(0.5, Math.abs(1 - 2 * p), 2 * Math.min(p, 1 - p)));
  return size === 0 ? 0 : sign * size;
}

/** t with P(T ≤ t) = p (lower) or P(T > t) = p (upper) for Student's T. @param degrees - of freedom, > 0, may be Infinity */
export function studentTQuantile(p: number, degrees: number, tail: Tail = 'lower'): number {
  requireNumber('studentTQuantile: p', p, 0, 1);
  requireDegrees('studentTQuantile', degrees);
  // From 10¹⁶ on, t is the normal quantile to the last digit: they differ by z³ / 4ν.
  if (degrees > 1e16) return normalQuantile(p, tail);
  const sign = p < 0.5 === (tail === 'lower') ? -1 : 1;
  // ν / (ν + T²) is beta distributed with shapes ν/2 and ½, and small where |T| is great.
  const { x, y } = betaPoint(degrees / 2, 0.5, 2 * Math.min(p, 1 - p), Math.abs(1 - 2 * p));
  const size = Math.sqrt((degrees * y) / x);
  return size === 0 ? 0 : sign * size;
}

/** x with P(X ≤ x) = p (lower) or P(X > x) = p (upper) for X of χ² distribution. @param degrees - of freedom, > 0 */
export function chiSquareQuantile(p: number, degrees: number, tail: Tail = 'lower'): number {
  requireNumber('chiSquareQuantile: p', p, 0, 1);
  requirePositive('chiSquareQuantile: degrees', degrees);
  return 2 * (tail === 'lower' ? gammaQuantile(degrees / 2, p, 1 - p) : gammaQuantile(degrees / 2, 1 - p, p));
}

/** x in [0, 1] with P(X ≤ x) = p (lower) or P(X > x) = p (upper) for X of beta distribution. @param a, b - shapes, > 0 */
export function betaQuantile(p: number, a: number, b: number, tail: Tail = 'lower'): number {
  requireNumber('betaQuantile: p', p, 0, 1);
  requirePositive('betaQuantile: a', a);
  requirePositive('betaQuantile: b', b);
  return (tail === 'lower' ? betaPoint(a, b, p, 1 - p) : betaPoint(a, b, 1 - p, p)).x;
}

/**
 * P(X ≥ statistic) for X of χ² distribution: the p-value of a χ² test, exact far into the tail.
 *
 * @param statistic - ≥ 0, may be Infinity
 * @param degrees - of freedom, > 0
 */
export function chiSquarePValue(statistic: number, degrees: number): number {
  if (!(statistic >= 0)) {
    throw new InvalidArgumentError(`chiSquarePValue: statistic is ${statistic}; expected a number ≥ 0.`);
  }
  requirePositive('chiSquarePValue: degrees', degrees);
  return gammaTails(degrees / 2, statistic / 2).upper;
}

function requireDegrees(where: string, degrees: number): void {
  if (!(degrees > 0))
    throw new InvalidArgumentError(`${where}: degrees is ${degrees}; expected a number > 0.`);
}

function gammaQuantile(a: number, lower: number, upper: number): number {
  if (lower === 0) return 0;
  if (upper === 0) return Infinity;
  const u = solveTails(Math.log(a), lower, upper, (u) => {
    const x = Math.exp(u);
    return { ...gammaTails(a, x), slope: a * poissonTerm(a, x) };
  });
  return Math.exp(u);
}

/** The point and its distance from 1, each with full relative precision. */
function betaPoint(a: number, b: number, lower: number, upper: number): { x: number; y: number } {
  if (lower === 0) return { x: 0, y: 1 };
  if (upper === 0) return { x: 1, y: 0 };
  const u = solveTails(Math.log(a / b), lower, upper, (u) => {
    const [x, y] = [logistic(u), logistic(-u)];
    return { ...betaTails(a, b, x, y), slope: (binomialTerm(a, b, x, y) * a * b) / (a + b) };
  });
  return { x: logistic(u), y: logistic(-u) };
}

function logistic(u: number): number {
  return 1 / (1 + Math.exp(-u));
}

/**
 * The u where the tails are the given ones: Newton's method on the logarithm of the smaller tail, inside a bracket.
 *
 * In u = log x (gamma) or log(x / (1 − x)) (beta) both log tails are concave, so that Newton comes from one side and
 * squares its error; the bracket catches under- and overflow.
 *
 * @param evaluate - tails at u, and the derivative of the lower one in u
 */
function solveTails(
  start: number,
  lower: number,
  upper: number,
  evaluate: (u: number) => Tails & { slope: number },
): number {
  let [left, right] = [-745, 745]; // beyond, eᵘ leaves the range of doubles
  let u = start;
  for (let step = 0; step < 200; step++) {
    const at = evaluate(u);
    const [tail, excess] =
      lower <= upper ? [at.lower, Math.log(at.lower / lower)] : [at.upper, -Math.log(at.upper / upper)];
    if (excess === 0) return u;
    if (excess < 0) left = u;
    else right = u;
    const newton = u - (excess * tail) / at.slope;
    const next = newton > left && newton < right ? newton : (left + right) / 2;
    if (Math.abs(next - u) <= 2 ** -53 * Math.max(1, Math.abs(u))) return next;
    u = next;
  }
  return u;
}
