// Monte-Carlo bands of a plan: the spread of single runs about the theory.

import type { RunOptions } from '../../core/progress.ts';
import type { PlanSetting } from './plan-options.ts';
import { designRiskAt, priorFor, type RiskAtRho } from './plan-risks.ts';
import { simulateRisk } from './simulate-risk.ts';

/** Nine runs in ten lie between `low` and `high`; in squared units of the response. */
export interface Band {
  low: number;
  high: number;
  /** Mean of the simulated runs and its standard error. */
  simulated: number;
  standardError: number;
}

/** A bag size with a ρ, and what to expect of it. */
export interface PlanPoint extends RiskAtRho {
  bagSize: number;
  /** risk ÷ that of individual labels at the same ε. */
  againstIndividual: number;
  /** Simulated runs; undefined when none were made or the risk is infinite. */
  band?: Band | undefined;
}

/** Features simulated at most: the risk depends on ψ, its spread falls as 1/√d. */
const MOST_FEATURES = 60;
/** The size that is simulated in place of the plan's, with the same ψ. */
export function simulatedFeatures({ features }: PlanSetting): number {
  return Math.min(features, MOST_FEATURES);
}

/**
 * Band at one bag size and ρ; undefined when nothing is to be simulated: no repeats, or an infinite risk.
 *
 * Runs of at most 60 features have the same ψ; their quantiles, relative to the theory of their own size, are applied to the plan's.
 */
export async function bandAt(
  setting: PlanSetting,
  bagSize: number,
  { rho, risk }: { rho: number; risk: number },
  options: RunOptions,
): Promise<Band | undefined> {
  const { repeats, seed, psi, design } = setting;
  const features = simulatedFeatures(setting);
  const samples = Math.round(psi * features);
  const curated = design === 'curated' && bagSize > 1;
  if (repeats === 0 || !Number.isFinite(risk) || samples < bagSize * (curated ? 2 : 1)) return undefined;
  const small: PlanSetting = { ...setting, features, samples, psi: samples / features };
  const prior = curated ? { prior: priorFor(setting, bagSize) } : {};
  const [runs] = await simulateRisk(
    { ...small, ...prior, prior: prior.prior, bagSize, rhos: [rho] },
    { ...options, repeats, seed },
  );
  const scale = risk / designRiskAt({ ...small, ...prior }, bagSize)(rho).risk;
  if (!Number.isFinite(runs.mean) || !Number.isFinite(scale)) return undefined;
  return {
    low: scale * runs.low,
    high: scale * runs.high,
    simulated: scale * runs.mean,
    standardError: scale * runs.standardError,
  };
}
