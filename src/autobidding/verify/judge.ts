// The verdict: what was stated, held against what was found.

import { shortNumber } from '../../core/certificate.ts';
import type { EquilibriumGap, MarketOutcome, MixedProfile, Setting } from '../types.ts';
import { budgetOf, CAP } from './check-setting.ts';
import type { Got } from './players.ts';
import { largestMultiplier } from './strategies.ts';
import type { Claims, Objection, Verification, VerifyOptions } from './verification.ts';

/** Relative difference of sums that rounding and the order of addition explain. */
const ROUNDING = 1e-9;

/**
 * Verdict and objections.
 *
 * @param shown - what each advertiser's better reply gave when it was run; undefined where there is none
 */
export function judge(
  setting: Setting,
  strategies: MixedProfile,
  gap: EquilibriumGap,
  outcome: MarketOutcome,
  shown: readonly (Got | undefined)[],
  { maxRegret = 1e-6, meanRegret = Infinity, maxOverspend = 1e-4, claims = {} }: VerifyOptions,
): Pick<Verification, 'verdict' | 'objections'> {
  const nameOf = (i: number) => setting.market.names?.[i] ?? `advertiser ${i}`;
  const { maxMultiplier = CAP } = setting;
  const objections: Objection[] = [];
  gap.advertisers.forEach(({ value, spend }, advertiser) => {
    const { kind = 'value' } = setting.bidders?.[advertiser] ?? {};
    const budget = budgetOf(setting.bidders?.[advertiser]);
    const name = nameOf(advertiser);
    if (kind === 'value' && spend > value * (1 + maxOverspend)) {
      const message = `${name} spends ${shortNumber(spend)} for a value of ${shortNumber(value)}: its target is missed by ${percent(spend / value - 1)}.`;
      objections.push({ kind: 'target', advertiser, value, spend, message });
    }
    if (spend > budget * (1 + maxOverspend)) {
      const message = `${name} spends ${shortNumber(spend)}; its budget is ${shortNumber(budget)}.`;
      objections.push({ kind: 'budget', advertiser, spend, budget, message });
    }
    const multiplier = largestMultiplier(strategies[advertiser]);
    // First-price bids stand 1e-9 above the infimum that may be the cap itself.
    if (multiplier > maxMultiplier * (1 + ROUNDING * 2)) {
      const message = `${name} bids with multiplier ${shortNumber(multiplier)}; the cap is ${shortNumber(maxMultiplier)}.`;
      objections.push({ kind: 'cap', advertiser, multiplier, message });
    }
  });
  const gains = [...gap.advertisers.entries()].sort(([, a], [, b]) => b.regret - a.regret);
  for (const [advertiser, { regret: gain, deviation }] of gains) {
    const reply = shown[advertiser];
    if (!(gain > maxRegret + ROUNDING) || !reply) continue;
    const { value, spend } = reply;
    const message =
      `${nameOf(advertiser)} gains ${percent(gain)} with multipliers [${[...deviation].map(shortNumber).join(', ')}]: ` +
      `all auctions run with them give it value ${shortNumber(value)} for ${shortNumber(spend)}.`;
    objections.push({ kind: 'deviation', advertiser, gain, deviation, value, spend, message });
  }
  if (gap.meanRegret > meanRegret + ROUNDING) {
    const message = `All deviations together gain ${percent(gap.meanRegret)} of the objectives; at most ${percent(meanRegret)} was stated.`;
    objections.push({ kind: 'mean-regret', gain: gap.meanRegret, message });
  }
  objections.push(...refutedClaims(claims, gap, outcome));
  if (objections.length > 0) return { verdict: 'rejected', objections };
  const proved =
    gap.maxRegretBound <= Math.min(maxRegret, claims.maxRegret ?? Infinity) + ROUNDING &&
    gap.meanRegretBound <= Math.min(meanRegret, claims.meanRegret ?? Infinity) + ROUNDING;
  return { verdict: proved ? 'accepted' : 'undecided', objections };
}

function refutedClaims(claims: Claims, gap: EquilibriumGap, outcome: MarketOutcome): Objection[] {
  const objections: Objection[] = [];
  const refute = (figure: string, claimed: number, found: number, wrong: boolean) => {
    if (!wrong) return;
    const message = `${figure} is stated as ${claimed}; the verifier finds ${found}.`;
    objections.push({ kind: 'claim', figure, claimed, found, message });
  };
  // What is stated as a limit may be larger than what is found, never smaller.
  for (const figure of ['maxRegret', 'meanRegret', 'maxOverspend'] as const) {
    const claimed = claims[figure];
    if (claimed !== undefined) refute(figure, claimed, gap[figure], !(gap[figure] <= claimed + ROUNDING));
  }
  for (const figure of ['welfare', 'profit', 'optimum'] as const) {
    const claimed = claims[figure];
    if (claimed !== undefined) refute(figure, claimed, outcome[figure], differ(claimed, outcome[figure]));
  }
  for (const figure of ['value', 'spend'] as const) {
    const claimed = claims[figure];
    if (claimed === undefined) continue;
    const found = outcome.totals[figure];
    if (claimed.length !== found.length) {
      refute(`number of ${figure} figures`, claimed.length, found.length, true);
      continue;
    }
    claimed.forEach((stated, i) => {
      refute(`${figure} of advertiser ${i}`, stated, found[i], differ(stated, found[i]));
    });
  }
  return objections;
}

function differ(a: number, b: number): boolean {
  return !(Math.abs(a - b) <= ROUNDING * Math.max(Math.abs(a), Math.abs(b)));
}

function percent(share: number): string {
  return `${shortNumber(100 * share)} %`;
}
