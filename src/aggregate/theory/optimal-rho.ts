// Which loss to train with: the share ρ of the instance-level loss that makes the risk least, and where the two ends meet.

import { requireInteger, requireNumber } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { type AsymptoticRisk, limitRisk, type RiskSetting, requireRiskSetting } from './asymptotic-risk.ts';

export interface OptimalRhoOptions {
  /** Largest ρ considered, ≥ 1e-6. Default 1000; 1 keeps to interpolation between the two losses. */
  maxRho?: number | undefined;
}

/** The best ρ and the limits of its risk. */
export interface OptimalRho extends AsymptoticRisk {
  rho: number;
}

const LEAST_RHO = 1e-6;
/** Points a decade that bracket the minimum before the golden section: the risk is smooth on that scale. */
const POINTS_PER_DECADE = 8;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The ρ of least asymptotic risk: golden section over ln ρ on [1e-6, maxRho], compared with ρ = 0, 1 and maxRho.
 *
 * It falls with the signal and with ψ, and may lie above 1 when there is little signal. ρ plays no part for bags of one: 0 is returned.
 *
 * @throws {InvalidArgumentError} an argument leaves its range, or ψ ≤ 1 without ridge
 *
 * About 200 evaluations of a closed form. Source: arXiv 2401.11081 (the family of losses); the search is ours.
 */
export function optimalRho(setting: RiskSetting, { maxRho = 1e3 }: OptimalRhoOptions = {}): OptimalRho {
  requireRiskSetting('optimalRho', setting);
  requireNumber('optimalRho: maxRho', maxRho, LEAST_RHO);
  return minimiseRho((rho) => limitRisk('optimalRho', setting, rho), setting.bagSize, maxRho);
}

/** The least of a risk that depends on ρ; arguments already checked. */
export function minimiseRho<Risk extends { risk: number }>(
  riskAt: (rho: number) => Risk,
  bagSize: number,
  maxRho: number,
): Risk & { rho: number } {
  if (bagSize === 1) return { ...riskAt(0), rho: 0 };
  const low = Math.log(LEAST_RHO);
  const high = Math.log(maxRho);
  const steps = Math.max(2, Math.ceil(((high - low) / Math.LN10) * POINTS_PER_DECADE));
  const at = (i: number) => low + ((high - low) * Math.min(Math.max(i, 0), steps)) / steps;
  let bestStep = 0;
  for (let i = 1; i <= steps; i++) {
    if (riskAt(Math.exp(at(i))).risk < riskAt(Math.exp(at(bestStep))).risk) bestStep = i;
  }
  const found = goldenSection((u) => riskAt(Math.exp(u)).risk, at(bestStep - 1), at(bestStep + 1));
  // Ends last: they win only by being strictly better, so that a flat risk keeps the inner point. Zero is exact, e^low is not.
  const candidates = [Math.exp(found), 0, ...(maxRho >= 1 ? [1] : []), maxRho];
  return candidates
    .map((rho) => ({ ...riskAt(rho), rho }))
    .reduce((best, point) => (point.risk < best.risk ? point : best));
}

/** Minimiser of a unimodal function on [low, high], to about 1e-8 (below that, rounding decides). */
function goldenSection(f: (x: number) => number, low: number, high: number): number {
  let [a, b] = [low, high];
  let left = b - GOLDEN * (b - a);
  let right = a + GOLDEN * (b - a);
  let [atLeft, atRight] = [f(left), f(right)];
  while (b - a > 1e-8) {
    if (atLeft <= atRight) {
      b = right;
      [right, atRight] = [left, atLeft];
      left = b - GOLDEN * (b - a);
      atLeft = f(left);
    } else {
      a = left;
      [left, atLeft] = [right, atRight];
      right = a + GOLDEN * (b - a);
      atRight = f(right);
    }
  }
  return (a + b) / 2;
}

/**
 * The signal-to-noise ratio ‖θ‖²/σ² above which the bag-level loss (ρ = 0) has less risk than the instance-level loss (ρ = 1).
 *
 * @param psi - samples per feature, > 1
 * @param bagSize - k ≥ 2; for bags of one the losses are the same
 * @returns k[(k+1)ψ − k] / ((ψ−k)[(k−1)(ψ−1)+1]); Infinity for ψ ≤ k, where the bag-level loss has no unique minimum
 * @throws {InvalidArgumentError} an argument leaves its range
 *
 * Source: arXiv 2401.11081 has such a lemma; derived here from the risks at both ends.
 */
export function snrThreshold(psi: number, bagSize: number): number {
  requireInteger('snrThreshold: bagSize', bagSize, 2);
  if (!(psi > 1 && psi < Infinity)) {
    throw new InvalidArgumentError(
      `snrThreshold: psi is ${psi}; expected a finite number > 1. With fewer samples than features neither loss has a unique minimum.`,
    );
  }
  const k = bagSize;
  if (psi <= k) return Infinity;
  return (k * ((k + 1) * psi - k)) / ((psi - k) * ((k - 1) * (psi - 1) + 1));
}
