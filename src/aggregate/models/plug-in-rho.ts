// The ρ that theory recommends for data like these.

import { limitRisk, type RiskSetting } from '../theory/asymptotic-risk.ts';
import { minimiseRho } from '../theory/optimal-rho.ts';
import { type LinearSystem, solveAt } from './linear-system.ts';
import { residualVariance } from './residual-variance.ts';

/**
 * The ρ in [0, 1] of least asymptotic risk, with signal and noise estimated from the bag-level fit.
 *
 * With features whitened by their covariance C, t̂ = max(0, θ̃ᵀCθ̃ − σ̃² d/(m − d − 1)) and noise σ̃² = σ̂² + k·v̄, v̄ the mean privacy noise
 * (arXiv 2401.11081 for the setting; estimates derived). Bags of unequal sizes count with the mean size.
 *
 * @returns undefined when m ≤ d + 1, or when theory has no answer: one sample a bag, or n ≤ d
 *
 * O(d³).
 */
export function plugInRho(system: LinearSystem, ridge: number): number | undefined {
  const { statistics, between, within } = system;
  const { bags, samples, noiseWeight } = statistics;
  const d = system.right.length;
  const bagSize = Math.round(samples / bags);
  if (d === 0 || bags <= d + 1 || bagSize === 1) return undefined;
  const bagLevel = solveAt(system, 0, 0);
  const variance = residualVariance(system, bagLevel);
  if (!variance || bagLevel.solver.rank < d) return undefined;
  const { coefficients } = bagLevel;
  let spread = 0;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      spread += coefficients[i] * (between[i * d + j] + within[i * d + j]) * coefficients[j];
    }
  }
  const weight = statistics.between.weight;
  const noise = variance.estimate + (bagSize * noiseWeight) / weight;
  const setting: RiskSetting = {
    psi: samples / d,
    bagSize,
    signal: Math.max(0, spread / weight - (noise * d) / (bags - d - 1)),
    noise,
    // The theory's penalty is by sample and feature of unit variance.
    ridge: ridge / d,
  };
  return minimiseRho((rho) => limitRisk('plugInRho', setting, rho), bagSize, 1).rho;
}
