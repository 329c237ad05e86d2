// What a planner is told, and the setting it works with.

import { requireInteger, requireNumber, requirePositive, requireSeed } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import type { Prior } from './curated-risk.ts';
import { type PrivacySetting, requirePrivacy } from './private-risk.ts';

export interface PlanOptions extends RunOptions {
  /** Samples n that can be put in bags. Give this or `psi`. */
  samples?: number | undefined;
  /** Samples per feature ψ = n/d, instead of `samples`. */
  psi?: number | undefined;
  /** Features d, without the intercept. */
  features: number;
  /** Signal-to-noise ratio Var(mean response) / `noise`, ≥ 0: R² = snr / (1 + snr). */
  snr: number;
  /** Variance σ² > 0 of the response about its mean, in squared units of the response. Default 1; give it when ε is finite. */
  noise?: number | undefined;
  /** Public bounds [L, U] of the labels, in the unit of the response. Needed when ε is finite. */
  bounds?: readonly [number, number] | undefined;
  /** ε of each label, > 0. Default Infinity: exact means. */
  epsilon?: number | undefined;
  /** Smallest bag that may be asked for, ≥ 1. Default 1: single labels. */
  minBag?: number | undefined;
  /** Largest bag considered. Default 64, or all samples of the smallest stage when those are fewer. */
  maxBag?: number | undefined;
  /** Bag sizes considered, instead of those from `minBag` to `maxBag` (at most 12, evenly spaced in their logarithm). */
  bagSizes?: readonly number[] | undefined;
  /** Random bags, or bags cut from the order of a prior's predictions. Default 'random'. */
  design?: 'random' | 'curated' | undefined;
  /** For curated bags: where their order comes from. Default: a first stage on half of the samples, with its best ρ. */
  prior?: Prior | undefined;
  /** Values of ρ in the table. Default 0, 0.01, 0.03, 0.1, 0.3, 1. */
  rhos?: readonly number[] | undefined;
  /** Largest ρ for the best ρ of a bag size, > 0. Default 1; above 1 the instance-level loss is over-weighted. */
  maxRho?: number | undefined;
  /** λ ≥ 0 of the ridge λ · d · ‖θ‖². Default 0; needed when ψ ≤ 1. */
  ridge?: number | undefined;
  /** Simulated runs for each bag size, 0 or ≥ 2. Default 60. */
  repeats?: number | undefined;
  /** Seed of the simulation. Default 0. */
  seed?: number | undefined;
}

/** The options with every default filled in. */
export interface PlanSetting {
  samples: number;
  features: number;
  psi: number;
  signal: number;
  noise: number;
  ridge: number;
  privacy: PrivacySetting | undefined;
  bagSizes: readonly number[];
  design: 'random' | 'curated';
  prior: Prior | undefined;
  rhos: readonly number[];
  maxRho: number;
  repeats: number;
  seed: number;
}

const BAG_SIZES = 12;

/** @throws {InvalidArgumentError} naming the option that is missing or leaves its range */
export function resolvePlan(options: PlanOptions): PlanSetting {
  const {
    features,
    snr,
    noise = 1,
    epsilon = Infinity,
    design = 'random',
    prior,
    rhos = [0, 0.01, 0.03, 0.1, 0.3, 1],
    maxRho = 1,
    ridge = 0,
    repeats = 60,
    seed = 0,
  } = options;
  const name = 'planAggregation';
  requireInteger(`${name}: features`, features, 1);
  const samples = samplesOf(options);
  const psi = samples / features;
  requireNumber(`${name}: snr`, snr, 0);
  requirePositive(`${name}: noise`, noise);
  requireNumber(`${name}: ridge`, ridge, 0);
  const privacy = privacyOf(options, epsilon);
  if (psi <= 1 && ridge === 0) {
    throw new InvalidArgumentError(
      `${name}: ${samples} samples for ${features} features; expected more samples than features, or a ridge > 0. Add a ridge, or drop features.`,
    );
  }
  if (prior && design === 'random') {
    throw new InvalidArgumentError(
      `${name}: a prior is given for random bags, which do not use one. Take design 'curated'.`,
    );
  }
  if (prior && 'correlation' in prior) {
    requireNumber(`${name}: prior.correlation`, prior.correlation, 0, 1);
  } else if (prior) requireNumber(`${name}: prior.firstStageRho`, prior.firstStageRho, 0);
  const selfTrained = design === 'curated' && !(prior && 'correlation' in prior);
  if (selfTrained && psi <= 2 && ridge === 0) {
    throw new InvalidArgumentError(
      `${name}: a first stage has ${psi / 2} samples a feature; expected more than 1, or a ridge > 0. Give a prior from elsewhere, or take random bags.`,
    );
  }
  const bagSizes = bagSizesOf(options, Math.floor(samples / (selfTrained ? 2 : 1)));
  rhos.forEach((rho, i) => {
    requireNumber(`${name}: rhos[${i}]`, rho, 0);
  });
  requireNumber(`${name}: maxRho`, maxRho, 1e-6);
  if (repeats !== 0) requireInteger(`${name}: repeats`, repeats, 2);
  requireSeed(`${name}: seed`, seed);
  const signal = snr * noise;
  return {
    ...{ samples, features, psi, signal, noise, ridge, privacy, bagSizes, design, prior },
    ...{ rhos, maxRho, repeats, seed },
  };
}

/** @param most - samples of the smallest stage */
function bagSizesOf({ bagSizes, minBag, maxBag }: PlanOptions, most: number): readonly number[] {
  const name = 'planAggregation';
  if (bagSizes) {
    if (minBag !== undefined || maxBag !== undefined || bagSizes.length === 0) {
      throw new InvalidArgumentError(
        `${name}: bagSizes is ${bagSizes.length === 0 ? 'empty' : 'given with minBag or maxBag'}; expected one or more sizes, or their range.`,
      );
    }
    bagSizes.forEach((size, i) => {
      requireInteger(`${name}: bagSizes[${i}]`, size, 1, most);
    });
    return [...new Set(bagSizes)].sort((a, b) => a - b);
  }
  const low = minBag ?? 1;
  requireInteger(`${name}: minBag`, low, 1, most);
  const high = maxBag ?? Math.max(low, Math.min(64, most));
  requireInteger(`${name}: maxBag`, high, low, most);
  return spacedIntegers(low, high, BAG_SIZES);
}

function samplesOf({ samples, psi, features }: PlanOptions): number {
  if ((samples === undefined) === (psi === undefined)) {
    throw new InvalidArgumentError(
      `planAggregation: ${samples === undefined ? 'neither samples nor psi is' : 'samples and psi are both'} given; expected one of them.`,
    );
  }
  if (psi !== undefined) requirePositive('planAggregation: psi', psi);
  const count = samples ?? Math.round(psi! * features);
  requireInteger('planAggregation: samples', count, 1);
  return count;
}

function privacyOf({ bounds, noise }: PlanOptions, epsilon: number): PrivacySetting | undefined {
  if (epsilon === Infinity) {
    if (bounds) requirePrivacy('planAggregation', { bounds, epsilon });
    return undefined;
  }
  if (!bounds) {
    throw new InvalidArgumentError(
      'planAggregation: epsilon is finite but there are no bounds; expected public bounds [L, U] of the labels. Privacy noise grows with U − L.',
    );
  }
  requirePrivacy('planAggregation', { bounds, epsilon });
  if (noise === undefined) {
    throw new InvalidArgumentError(
      'planAggregation: epsilon is finite but noise is not given; expected the variance of the response about its mean. Privacy noise is measured against it.',
    );
  }
  return { bounds, epsilon };
}

/** At most `count` integers from low to high, evenly spaced in their logarithm, with both ends. */
function spacedIntegers(low: number, high: number, count: number): number[] {
  if (high - low < count) return Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const ratio = Math.log(high / low) / (count - 1);
  const values = Array.from({ length: count }, (_, i) => Math.round(low * Math.exp(ratio * i)));
  return [...new Set([...values.slice(0, -1), high])].sort((a, b) => a - b);
}
