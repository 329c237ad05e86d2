// The ρ that theory recommends for data like these.

import { limitRisk, type RiskSetting } from '../theory/asymptotic-risk.ts';
import { minimiseRho } from '../theory/optimal-rho.ts';
import { type LinearSystem, solveAt } from './linear-system.ts';
import { residualVariance } from './residual-variance.ts';

/**
 * The ρ in [0, 1] of least asymptotic risk on random bags, with signal and noise estimated from the answers.
 *
 * Noise is σ̃² = σ̂² + k·v̄, σ̂² by the bag-level fit and v̄ the mean privacy noise; the signal is t̂ = max(0, k·Var(ȳ) − σ̃²), since means of random bags
 * spread by (t + σ²)/k + v (arXiv 2401.11081 for the setting; estimates derived). With few bags this t̂ strays less than the length of the bag-level
 * coefficients, whose own noise is as large as they. Bags of unequal sizes count with the mean size.
 *
 * @returns undefined when m ≤ d + 1, or when theory has no answer: one sample a bag, or n ≤ d
 *
 * O(d³).
 */
export function plugInRho(system: LinearSystem, ridge: number): number | undefined {
  const { statistics, responseSquares } = system;
  const { bags, samples, noiseWeight } = statistics;
  const d = system.right.length;
  const bagSize = Math.round(samples / bags);
  if (d === 0 || bags <= d + 1 || bagSize === 1) return undefined;
  const bagLevel = solveAt(system, 0, 0);
  const variance = residualVariance(system, bagLevel);
  if (!variance || bagLevel.solver.rank < d) return undefined;
  const weight = statistics.between.weight;
  const spread = (responseSquares / weight) * (bags / (bags - 1));
  const noise = variance.estimate + (bagSize * noiseWeight) / weight;
  const setting: RiskSetting = {
    psi: samples / d,
    bagSize,
    signal: Math.max(0, bagSize * spread - noise),
    noise,
    // The theory's penalty is by sample and feature of unit variance.
    ridge: ridge / d,
  };
  return minimiseRho((rho) => limitRisk('plugInRho', setting, rho), bagSize, 1).rho;
}
