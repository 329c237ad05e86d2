// Risk of bags cut from the order of a prior's predictions, of linear models.

import { requireInteger, requireNumber } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { limitRisk, type RiskSetting, requireRiskSetting } from './asymptotic-risk.ts';
import { meanNoiseVariance, type PrivacySetting, requirePrivacy } from './private-risk.ts';

/** Where the order of the samples comes from. */
export type Prior =
  /** Correlation, in [0, 1], of a linear prior's predictions with the true means: 1 is an oracle, 0 gives random bags. */
  | { correlation: number }
  /** A first stage: half of the samples in random bags, fitted with this ρ ≥ 0. The other half is then put in curated bags. */
  | { firstStageRho: number };

export interface CuratedSetting extends Omit<RiskSetting, 'psi'> {
  /** n: all samples, of both stages. */
  samples: number;
  /** d. */
  features: number;
  /** ρ ≥ 0 of the fit to curated bags. */
  rho: number;
  prior: Prior;
  /** Release of the bag means, the same in both stages. Default: no noise. */
  privacy?: PrivacySetting | undefined;
}

export interface CuratedRisk {
  /** E ‖θ̂ − θ‖², squared units of the response; approximate. */
  risk: number;
  squaredBias: number;
  variance: number;
  /** Correlation of the prior's predictions with the true means. */
  correlation: number;
  /** Within-bag sum of squares of the true means per sample: what the bags are chosen to make small. */
  withinBagSquares: number;
}

/**
 * Risk of fitting bags that are equal chunks of the samples sorted by a linear prior.
 *
 * A bag looks at x along the prior's direction w alone. Along w bags are homogeneous: that coordinate is fitted as if from
 * single samples, each label averaged with its like, with variance σ²/n. Across w they are random bags: `asymptoticRisk`
 * of d − 1 features with the signal that the prior misses, (1 − r²)‖θ‖². For n ≫ d and ρ = 1 this is
 * ((k−1)/k)²(1−r²)‖θ‖² + (σ²/n)(1 + (d−1)/k), σ² including k · Var(noise of a mean): below σ²d/n, that of single labels, for a good prior.
 * The within-bag sum of squares along w is neglected: bags must be many, n ≫ k.
 *
 * @throws {InvalidArgumentError} an argument leaves its range, or n/(d−1) ≤ 1 without ridge
 *
 * O(1). Source: derived here; the reduction to the within-bag sum of squares is the content of arXiv 2402.04987's theorem for linear models.
 */
export function curatedRisk(setting: CuratedSetting): CuratedRisk {
  requireCurated('curatedRisk', setting);
  return chunkRisk('curatedRisk', setting, setting.rho, correlationOf('curatedRisk', setting));
}

/** The half of the samples that a stage gets when a first stage trains the prior; all of them when it is given. */
export function samplesOfFit({ samples, prior }: Pick<CuratedSetting, 'samples' | 'prior'>): number {
  return 'correlation' in prior ? samples : samples / 2;
}

/** `curatedRisk` for a known correlation; arguments already checked. */
export function chunkRisk(
  name: string,
  setting: Omit<CuratedSetting, 'rho'>,
  rho: number,
  correlation: number,
): CuratedRisk {
  const { features: d, bagSize: k, signal, ridge = 0 } = setting;
  const n = samplesOfFit(setting);
  const noise = effectiveNoise(setting);
  const missed = signal * (1 - correlation ** 2);
  const across =
    d > 1
      ? limitRisk(name, { psi: n / (d - 1), bagSize: k, signal: missed, noise, ridge }, rho)
      : { squaredBias: 0, variance: 0 };
  // Along w the sum of squares is n, the penalty λd: a plain ridge of one coefficient.
  const kept = n / (n + ridge * d);
  const squaredBias = across.squaredBias + signal * correlation ** 2 * (1 - kept) ** 2;
  const variance = across.variance + (noise * kept ** 2) / n;
  return {
    risk: squaredBias + variance,
    squaredBias,
    variance,
    correlation,
    withinBagSquares: (missed * (k - 1)) / k,
  };
}

/** Correlation of the prior: as given, or cos of the angle between θ and what the first stage finds. */
export function correlationOf(name: string, setting: Omit<CuratedSetting, 'rho'>): number {
  const { prior, samples, features, signal } = setting;
  if ('correlation' in prior) return prior.correlation;
  if (signal === 0) return 0;
  const { psi, noise } = { psi: samples / 2 / features, noise: effectiveNoise(setting) };
  const { risk, shrinkage } = limitRisk(name, { ...setting, psi, noise }, prior.firstStageRho);
  const along = shrinkage ** 2 * signal;
  const across = risk - (1 - shrinkage) ** 2 * signal;
  return across === Infinity ? 0 : Math.sqrt(along / (along + across));
}

function effectiveNoise({ noise, bagSize, privacy }: Omit<CuratedSetting, 'rho'>): number {
  return privacy ? noise + bagSize * meanNoiseVariance(privacy, bagSize) : noise;
}

/** @throws {InvalidArgumentError} naming the field that leaves its range */
function requireCurated(name: string, setting: CuratedSetting): void {
  const { samples, features, bagSize, rho, prior, privacy } = setting;
  requireInteger(`${name}: samples`, samples, 1);
  requireInteger(`${name}: features`, features, 1);
  requireRiskSetting(name, { ...setting, psi: samples / features });
  requireNumber(`${name}: rho`, rho, 0);
  if ('correlation' in prior) requireNumber(`${name}: prior.correlation`, prior.correlation, 0, 1);
  else requireNumber(`${name}: prior.firstStageRho`, prior.firstStageRho, 0);
  if (privacy) requirePrivacy(name, privacy);
  if (samplesOfFit(setting) < bagSize) {
    throw new InvalidArgumentError(
      `${name}: a stage has ${samplesOfFit(setting)} samples; expected at least bagSize, ${bagSize}. Take smaller bags.`,
    );
  }
}
