// The risks a plan is made of: each way to form bags, at each size and ρ.

import { type AsymptoticRisk, limitRisk } from './asymptotic-risk.ts';
import { chunkRisk, correlationOf, type Prior } from './curated-risk.ts';
import { minimiseRho } from './optimal-rho.ts';
import type { PlanSetting } from './plan-options.ts';
import { meanNoiseVariance } from './private-risk.ts';

/** Risk and its two parts, in squared units of the response. */
export interface RiskParts {
  risk: number;
  squaredBias: number;
  variance: number;
}

export interface RiskAtRho extends RiskParts {
  rho: number;
}

/** Random bags of all samples; of one label each for k = 1. */
export function randomRisk(setting: PlanSetting, bagSize: number, rho: number): AsymptoticRisk {
  const { psi, signal, noise, ridge, privacy } = setting;
  const released = privacy ? bagSize * meanNoiseVariance(privacy, bagSize) : 0;
  return limitRisk('planAggregation', { psi, bagSize, signal, noise: noise + released, ridge }, rho);
}

/** A prior that this setting allows for bags of this size, the best first stage if none is given. */
export function priorFor(setting: PlanSetting, bagSize: number): Prior {
  if (setting.prior) return setting.prior;
  const best = minimiseRho(
    (rho) => ({ risk: 1 - priorCorrelation(setting, bagSize, { firstStageRho: rho }) }),
    bagSize,
    setting.maxRho,
  );
  return { firstStageRho: best.rho };
}

/** Correlation of a prior's predictions with the true means. */
export function priorCorrelation(setting: PlanSetting, bagSize: number, prior: Prior): number {
  return correlationOf('planAggregation', { ...setting, bagSize, prior });
}

/** Risk of bags cut from the order of a prior, as a function of ρ. */
export function curatedRiskAt(
  setting: PlanSetting,
  bagSize: number,
  prior: Prior,
): (rho: number) => RiskParts {
  const correlation = priorCorrelation(setting, bagSize, prior);
  return (rho) => {
    const { risk, squaredBias, variance } = chunkRisk(
      'planAggregation',
      { ...setting, bagSize, prior },
      rho,
      correlation,
    );
    return { risk, squaredBias, variance };
  };
}

/** Risk of the plan's own design as a function of ρ. Bags of one need no design. */
export function designRiskAt(setting: PlanSetting, bagSize: number): (rho: number) => RiskParts {
  if (setting.design === 'curated' && bagSize > 1) {
    return curatedRiskAt(setting, bagSize, priorFor(setting, bagSize));
  }
  return (rho) => {
    const { risk, squaredBias, variance } = randomRisk(setting, bagSize, rho);
    return { risk, squaredBias, variance };
  };
}

/** Other ways to use bags of this size, next to the plan's own: what the advice compares. Infinity where one is impossible. */
export interface Alternatives {
  bagSize: number;
  /** Random bags, ρ = 0. */
  bagLevel: number;
  /** Random bags, ρ = 1: every sample labelled with its bag's mean. */
  instanceLevel: number;
  /** Random bags, best ρ. */
  interpolated: number;
  /** Two stages, both with ρ = 1: PriorBoost as first described. */
  twoStages: number;
  /** Two stages, each with its best ρ. */
  twoStagesBest: number;
  /** Curated bags by an oracle's order, ρ = 1: what a perfect prior would be worth. */
  oracle: number;
}

/** All alternatives at one bag size ≥ 2. */
export function alternativesAt(setting: PlanSetting, bagSize: number): Alternatives {
  const { psi, ridge, maxRho, samples } = setting;
  const twoStages = (psi > 2 || ridge > 0) && samples / 2 >= bagSize;
  const self = { ...setting, prior: undefined };
  const bestOf = (riskAt: (rho: number) => RiskParts) => minimiseRho(riskAt, bagSize, maxRho).risk;
  return {
    bagSize,
    bagLevel: randomRisk(setting, bagSize, 0).risk,
    instanceLevel: randomRisk(setting, bagSize, 1).risk,
    interpolated: bestOf((rho) => randomRisk(setting, bagSize, rho)),
    twoStages: twoStages ? curatedRiskAt(self, bagSize, { firstStageRho: 1 })(1).risk : Infinity,
    twoStagesBest: twoStages ? bestOf(curatedRiskAt(self, bagSize, priorFor(self, bagSize))) : Infinity,
    oracle: curatedRiskAt(setting, bagSize, { correlation: 1 })(1).risk,
  };
}
