// Risk when bag means are released under label differential privacy.

import { requireNumber } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { type AsymptoticRisk, limitRisk, type RiskSetting, requireRiskSetting } from './asymptotic-risk.ts';

/** What the release of bag means promises and what it costs. */
export interface PrivacySetting {
  /** Public bounds [L, U] that labels are clipped to, L < U, in the unit of the response. Never taken from the labels. */
  bounds: readonly [number, number];
  /** ε of each label, > 0; Infinity: no noise. */
  epsilon: number;
}

export interface PrivateRisk extends AsymptoticRisk {
  /** σ² + 2(U − L)² / (k ε²): the noise that a model trained on the released means sees. */
  effectiveNoise: number;
}

/**
 * Variance of the Laplace noise in the released mean of k labels: 2((U − L)/(kε))², in squared units of the response.
 *
 * The sensitivity of a mean whose labels may be *replaced* within [L, U] is (U − L)/k; half of it would be 2ε-private.
 */
export function meanNoiseVariance({ bounds: [low, high], epsilon }: PrivacySetting, bagSize: number): number {
  return 2 * ((high - low) / bagSize / epsilon) ** 2;
}

/**
 * `asymptoticRisk` under ε-label differential privacy: Laplace noise of variance v in a mean acts as k·v of response noise.
 *
 * Clipping is taken to be inactive: it is, with high probability, when bounds are √(2(‖θ‖² + σ²) ln n) to either side of the mean.
 *
 * @throws {InvalidArgumentError} as `asymptoticRisk`; or bounds are not L < U, or ε is not > 0
 *
 * O(1). Source: arXiv 2401.11081 (mechanism: clip, average, Laplace); scale (U − L)/(kε) and the formula are derived here.
 */
export function privateRisk(setting: RiskSetting & { rho: number } & PrivacySetting): PrivateRisk {
  requireRiskSetting('privateRisk', setting);
  requireNumber('privateRisk: rho', setting.rho, 0);
  requirePrivacy('privateRisk', setting);
  const effectiveNoise = setting.noise + setting.bagSize * meanNoiseVariance(setting, setting.bagSize);
  return { ...limitRisk('privateRisk', { ...setting, noise: effectiveNoise }, setting.rho), effectiveNoise };
}

/** @throws {InvalidArgumentError} naming what is wrong */
export function requirePrivacy(name: string, { bounds, epsilon }: PrivacySetting): void {
  const [low, high] = bounds;
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) {
    throw new InvalidArgumentError(
      `${name}: bounds are [${low}, ${high}]; expected finite numbers L < U. Take them from what is public about the labels.`,
    );
  }
  if (!(epsilon > 0)) {
    throw new InvalidArgumentError(
      `${name}: epsilon is ${epsilon}; expected a number > 0, or Infinity for no noise.`,
    );
  }
  if (!Number.isFinite(meanNoiseVariance({ bounds, epsilon }, 1))) {
    throw new InvalidArgumentError(
      `${name}: epsilon is ${epsilon}, whose noise overflows; expected at least about (U − L) · 1e-150.`,
    );
  }
}
