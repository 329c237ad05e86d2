// What a plan says in words: what to do, what it costs, and when the other way is better.

import { shortNumber } from '../../core/certificate.ts';
import type { PlanPoint } from './plan-bands.ts';
import type { PlanSetting } from './plan-options.ts';
import type { Alternatives } from './plan-risks.ts';

/** Bags per feature from which bags count as many: the variance of the bag-level loss is then within a ninth of its classical value. */
const MANY = 10;

export interface AdviceInput {
  setting: PlanSetting;
  best: PlanPoint;
  individual: PlanPoint;
  /** Undefined when no bag of two or more is considered. */
  alternatives: Alternatives | undefined;
}

/** Sentences in the order of their weight. */
export function adviceOn(input: AdviceInput): string[] {
  const { setting, best, individual, alternatives } = input;
  const advice = [against(best, individual, setting)];
  if (!alternatives) return advice;
  advice.push(bagLevelOrCurated(setting, alternatives), whenCuratedWins(setting, alternatives));
  if (setting.privacy) advice.push(underPrivacy(setting, alternatives, individual));
  return advice;
}

function against(best: PlanPoint, individual: PlanPoint, { privacy, noise, design }: PlanSetting): string {
  const same = privacy ? ` at the same ε = ${shortNumber(privacy.epsilon)}` : '';
  if (best.bagSize === 1) {
    return `Ask for individual labels${same}: no bag size considered comes below their risk, ${shortNumber(individual.risk)}.`;
  }
  const ratio = best.risk / individual.risk;
  const total = (best.risk + noise) / (individual.risk + noise) - 1;
  const cost =
    ratio >= 1
      ? `${shortNumber(ratio)} times that of individual labels${same}`
      : `below that of individual labels${same} by a factor of ${shortNumber(1 / ratio)}`;
  return (
    `${design === 'curated' ? 'Curated' : 'Random'} bags of ${best.bagSize} with ρ = ${shortNumber(best.rho)}: risk ${shortNumber(best.risk)}, ${cost} (${shortNumber(individual.risk)}); ` +
    `the squared error of a prediction, noise included, is ${shortNumber(Math.abs(100 * total))} % ${total >= 0 ? 'above' : 'below'} theirs.`
  );
}

function bagLevelOrCurated(setting: PlanSetting, alternatives: Alternatives): string {
  const { bagSize, bagLevel, twoStages, interpolated, instanceLevel } = alternatives;
  const perFeature = setting.psi / bagSize;
  const many = perFeature >= MANY;
  const bags = `${Math.floor(setting.samples / bagSize)} bags for ${setting.features} features`;
  if (bagLevel <= twoStages) {
    const reason = many
      ? 'For linear models with many more bags than features, plain bag-level loss on random bags is unbiased and beats PriorBoost with the instance-level loss'
      : 'Plain bag-level loss on random bags, which is unbiased, beats PriorBoost with the instance-level loss even here';
    return (
      `${reason}: ${shortNumber(bagLevel)} against ${shortNumber(twoStages)} (bags of ${bagSize}; ${bags}). ` +
      `The best ρ on random bags gives ${shortNumber(interpolated)}, the instance-level loss ${shortNumber(instanceLevel)}.`
    );
  }
  const reason = many
    ? 'Curated bags beat plain bag-level loss on random bags here'
    : 'Bags are not many more than features, so curated bags beat plain bag-level loss on random bags';
  return (
    `${reason}: ${shortNumber(twoStages)} against ${shortNumber(bagLevel)} (bags of ${bagSize}; ${bags}). ` +
    `The best ρ on random bags gives ${shortNumber(interpolated)}.`
  );
}

function whenCuratedWins({ psi }: PlanSetting, alternatives: Alternatives): string {
  const { bagSize, twoStages, twoStagesBest, instanceLevel, oracle } = alternatives;
  return (
    `Choose curated bags when (a) the learner can only take soft labels, one a sample (${shortNumber(twoStages)} in two stages against ${shortNumber(instanceLevel)} on random bags), ` +
    `(b) bags are about as many as features (here ${shortNumber(psi / bagSize)} a feature), ` +
    `(c) a good prior exists elsewhere, such as a public or last year's model (a perfect order would give ${shortNumber(oracle)}), ` +
    `or (d) with a small ρ in both stages (${shortNumber(twoStagesBest)}).`
  );
}

function underPrivacy({ privacy }: PlanSetting, alternatives: Alternatives, individual: PlanPoint): string {
  const { twoStagesBest, oracle, bagSize } = alternatives;
  const ratio = twoStagesBest / individual.risk;
  const about = ratio > 0.5 && ratio < 2 ? 'about the same as' : ratio >= 2 ? 'more than' : 'less than';
  return (
    `With ε = ${shortNumber(privacy!.epsilon)} and a prior trained on the same noisy answers, two stages give ${shortNumber(twoStagesBest)}, ${about} noising individual labels (${shortNumber(individual.risk)}), ` +
    `while a perfect prior would give ${shortNumber(oracle)} with bags of ${bagSize}: the prior's quality is everything. Bring a prior model from elsewhere as stage 0 if you can. ` +
    'Take ρ from this plan: cross-validation would have only noisy means to score by.'
  );
}

/** What a reader should know before relying on the figures. */
export function planWarnings({ setting, best, individual }: AdviceInput): string[] {
  const { psi, bagSizes, design, privacy, signal, samples, ridge } = setting;
  const warnings = [
    'Estimates, not guarantees: the theory is for Gaussian features and a linear mean; real tables differ.',
  ];
  const short = bagSizes.filter((k) => k > 1 && k >= psi);
  if (ridge === 0 && design === 'random' && short.length > 0) {
    warnings.push(
      `With ρ = 0 and bags of ${short[0]}${short.length > 1 ? ' or more' : ''}, bags are no more than features: the bag-level loss has no unique minimum and its risk is infinite. Take ρ > 0.`,
    );
  }
  if (design === 'curated') {
    warnings.push('The risk of curated bags is approximate: it neglects their spread along the prior.');
  }
  if (privacy) {
    const reach = clippingReach(setting);
    const width = (privacy.bounds[1] - privacy.bounds[0]) / 2;
    if (width < reach) {
      warnings.push(
        `Bounds reach ${shortNumber(width)} to either side; Gaussian labels of ${samples} samples would reach ${shortNumber(reach)}. Unless yours end at the bounds by themselves, clipping adds a bias that the figures leave out.`,
      );
    }
  }
  if (individual.risk > signal) {
    warnings.push(
      `Even individual labels have a risk of ${shortNumber(individual.risk)}, above ‖θ‖² = ${shortNumber(signal)}, that of predicting the mean: add a ridge, more samples or a larger ε.`,
    );
  } else if (best.risk > signal) {
    warnings.push(
      `The best plan has a risk above ‖θ‖² = ${shortNumber(signal)}, that of predicting the mean: no bag size considered teaches anything.`,
    );
  }
  if (best.bagSize > 1 && best.rho === setting.maxRho) {
    warnings.push(
      `The best ρ is the largest allowed, ${shortNumber(best.rho)}: there is little signal beside the noise, and a larger maxRho, or a ridge, may do better.`,
    );
  }
  if (signal === 0) warnings.push('snr is 0: there is nothing to learn.');
  return warnings;
}

/** √(2 (‖θ‖² + σ²) ln n): what n Gaussian labels reach to either side of their mean, with high probability. */
export function clippingReach({ signal, noise, samples }: PlanSetting): number {
  return Math.sqrt(2 * (signal + noise) * Math.log(Math.max(2, samples)));
}
