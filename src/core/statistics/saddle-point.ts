// The two terms of every binomial, Poisson, gamma and beta density that do not cancel, however large the parameters.
// Source: C. Loader, "Fast and accurate computation of binomial probabilities" (2000): a density is a normal one at
// its mode, times exp(−deviance), times Stirling's errors; log Γ of large numbers is never subtracted from itself.

/** Coefficients B₂ₖ / (2k(2k−1)) of Stirling's series in 1/a, 1/a³, …; beyond a = 16 the first one left out is < 1e-17. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360];

/** δ(a) = log Γ(a+1) − (a + ½) log a + a − ½ log 2π for a > 0; absolute error about 1e-15. */
function stirlingError(a: number): number {
  let error = 0;
  let x = a;
  for (; x < 16; x++) error += (x + 0.5) * Math.log1p(1 / x) - 1; // δ(x) − δ(x + 1)
  const square = 1 / (x * x);
  let series = 0;
  for (let k = STIRLING.length - 1; k >= 0; k--) series = series * square + STIRLING[k];
  return error + series / x;
}

/** D(a, m) = a log(a/m) + m − a ≥ 0, for a, m > 0, with small relative error also where a is near m. @param excess - a − m */
function deviance(a: number, m: number, excess: number): number {
  const u = excess / m;
  if (Math.abs(u) > 0.1) return a * Math.log(a / m) + m - a;
  // m ((1+u) log(1+u) − u) = m Σ (−u)ᵏ / (k (k−1)), k ≥ 2; 0.1¹⁵ is below the rounding of the first term.
  let power = u * u;
  let sum = 0;
  for (let k = 2; k <= 17; k++) {
    sum += power / (k * (k - 1));
    power *= -u;
  }
  return m * sum;
}

/** xᵃ e⁻ˣ / Γ(a+1) for a, x > 0: the Poisson probability of a at mean x. */
export function poissonTerm(a: number, x: number): number {
  return Math.exp(-stirlingError(a) - deviance(a, x, a - x)) / Math.sqrt(2 * Math.PI * a);
}

/** Γ(a+b+1) / (Γ(a+1) Γ(b+1)) · xᵃ yᵇ for a, b > 0, x + y = 1: the binomial probability of a in a + b trials. */
export function binomialTerm(a: number, b: number, x: number, y: number): number {
  const n = a + b;
  const excess = a * y - b * x; // a − n x = n y − b, without the cancellation
  const stirling = stirlingError(n) - stirlingError(a) - stirlingError(b);
  const exponent = stirling - deviance(a, n * x, excess) - deviance(b, n * y, -excess);
  return Math.exp(exponent) * Math.sqrt(n / (2 * Math.PI * a * b));
}
