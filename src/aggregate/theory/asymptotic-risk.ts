// What a linear model trained on random bags is worth: its risk in closed form, before any label is asked for.

import { requireInteger, requireNumber, requirePositive } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';

/**
 * A linear regression on random bags of equal size: Gaussian features, response ⟨x, θ⟩ plus independent noise.
 *
 * Formulas are written for features N(0, I). Without a ridge the fit does not care in which coordinates features come, so for features of
 * covariance Σ they hold as they stand with ‖v‖² read as vᵀΣv: the risk is then the excess error of predictions.
 */
export interface RiskSetting {
  /** Samples per feature ψ = n / d, > 0 (many papers use d / n). */
  psi: number;
  /** Samples in a bag k, an integer ≥ 1. */
  bagSize: number;
  /** ‖θ‖², which is the variance of the mean response, ≥ 0, in squared units of the response. */
  signal: number;
  /** Variance σ² of the response about its mean, ≥ 0, in squared units of the response. */
  noise: number;
  /** Penalty λ ≥ 0: λ · d · ‖θ‖² beside Σ_a k (ȳ_a − ⟨x̄_a, θ⟩)² + ρ θᵀWθ. Default 0. */
  ridge?: number | undefined;
}

/** Limits as n and d grow with n / d = ψ. */
export interface AsymptoticRisk {
  /** E ‖θ̂ − θ‖², which is the excess error of predictions, in squared units of the response: the squared error on a new sample is this plus σ². Infinity when no estimate exists. */
  risk: number;
  squaredBias: number;
  variance: number;
  /** c in [0, 1]: ⟨θ̂, θ⟩ / ‖θ‖²; 1 when nothing is shrunk. */
  shrinkage: number;
  /** Root of the fixed-point equation; Infinity when no estimate exists. */
  q: number;
}

/**
 * Risk of minimising (1 − ρ) · bag-level + ρ · instance-level square loss over random bags.
 *
 * With α₁ = ψ/k, α₂ = ψ(k−1)/k, q solves 1 = λq + α₁ q/(1+q) + α₂ ρq/(1+ρq). Then c = α₁ q/(1+q), a = α₁/(1+q)²,
 * b = α₂ρ/(1+ρq)², and Bias² = ‖θ‖² {(1−c)² + q [(1−c)² a + c² ρ b] / (λ+a+b)}, Var = σ² q a / (λ+a+b).
 * A quadratic gives q when λ = 0, bisection otherwise.
 *
 * @param setting - with `rho`, ρ ≥ 0: 0 is the bag-level loss, 1 the instance-level loss, above 1 is allowed
 * @returns limits; the risk is Infinity for ρ = 0 and ψ ≤ k without ridge, where bags are fewer than features
 * @throws {InvalidArgumentError} an argument leaves its range; or ψ ≤ 1 with ρ > 0 and no ridge, where no estimate is unique
 *
 * O(1). Source: arXiv 2401.11081 states a theorem of this kind; this form is derived here (√k x̄_a are independent of the
 * within-bag scatter, so the estimate is a ridge with a random penalty; leave-one-out) and checked by simulation.
 */
export function asymptoticRisk(setting: RiskSetting & { rho: number }): AsymptoticRisk {
  requireRiskSetting('asymptoticRisk', setting);
  requireNumber('asymptoticRisk: rho', setting.rho, 0);
  return limitRisk('asymptoticRisk', setting, setting.rho);
}

/** `asymptoticRisk` of arguments already checked. */
export function limitRisk(name: string, setting: RiskSetting, rho: number): AsymptoticRisk {
  const { psi, bagSize: k, signal, noise, ridge = 0 } = setting;
  const between = psi / k;
  const within = (psi * (k - 1)) / k;
  if (ridge === 0 && rho === 0 && !(psi > k)) {
    return { risk: Infinity, squaredBias: 0, variance: Infinity, shrinkage: 1, q: Infinity };
  }
  if (ridge === 0 && !(psi > 1)) {
    throw new InvalidArgumentError(
      `${name}: psi is ${psi}; expected more than 1 sample per feature, or a ridge > 0. ` +
        'Add a ridge, take more samples, or drop features.',
    );
  }
  const q = ridge > 0 ? rootWithRidge(between, within, rho, ridge) : rootOfQuadratic(psi, k, rho);
  // 1 − c from its own terms: no cancellation where the bias is small.
  const lost = ridge * q + (within * rho * q) / (1 + rho * q);
  const shrinkage = 1 - lost;
  const a = between / (1 + q) ** 2;
  const b = (within * rho) / (1 + rho * q) ** 2;
  const spread = q / (ridge + a + b);
  const squaredBias = signal * (lost ** 2 + spread * (lost ** 2 * a + shrinkage ** 2 * rho * b));
  const variance = noise * spread * a;
  return { risk: squaredBias + variance, squaredBias, variance, shrinkage, q };
}

/** ρ(ψ−1)q² + Bq − 1 = 0, its positive root in the form that does not cancel. Exact for k = 1, where ρ plays no part. */
function rootOfQuadratic(psi: number, k: number, rho: number): number {
  if (k === 1) return 1 / (psi - 1);
  if (rho === 0) return 1 / (psi / k - 1);
  const product = rho * (psi - 1);
  const b = psi / k - 1 + rho * ((psi * (k - 1)) / k - 1);
  const root = Math.hypot(b, 2 * Math.sqrt(product));
  return b >= 0 ? 2 / (b + root) : (root - b) / (2 * product);
}

/** Bisection on ln q: the right-hand side increases in q, from at most 1 at the low end to at least 1 at 1/λ. */
function rootWithRidge(between: number, within: number, rho: number, ridge: number): number {
  const excess = (q: number) => ridge * q + (between * q) / (1 + q) + (within * rho * q) / (1 + rho * q) - 1;
  let low = Math.log(1 / (ridge + between + within * rho));
  let high = Math.log(1 / ridge);
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return Math.exp(middle);
    if (excess(Math.exp(middle)) > 0) high = middle;
    else low = middle;
  }
}

/** @throws {InvalidArgumentError} naming the field that leaves its range */
export function requireRiskSetting(name: string, { psi, bagSize, signal, noise, ridge }: RiskSetting): void {
  requirePositive(`${name}: psi`, psi);
  requireInteger(`${name}: bagSize`, bagSize, 1);
  requireNumber(`${name}: signal`, signal, 0);
  requireNumber(`${name}: noise`, noise, 0);
  if (ridge !== undefined) requireNumber(`${name}: ridge`, ridge, 0);
}
