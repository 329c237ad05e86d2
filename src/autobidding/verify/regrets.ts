// Regrets: what each advertiser could gain, shown and bounded, and all of them together.

import { compensatedSum } from '../../core/sums.ts';
import type { AdvertiserRegret, EquilibriumGap, Setting } from '../types.ts';
import { type BestChoice, bestChoice, NODE_LIMIT } from './best-choice.ts';
import { budgetOf, CAP } from './check-setting.ts';
import { type Choices, multiplierOfChoice } from './choices.ts';
import type { Got, Players } from './players.ts';
import { bidsByRule } from './run-market.ts';

/** Share by which a reply that is shown may pass value and budget: first-price bids stand 1e-9 above the infimum. */
const SHOWN_SLACK = 2e-9;

/** Against mixes the choices are nearly continuous, and lotteries over them are bounded by the relaxation anyway. */
const NODES_OF_LOTTERIES = 50_000;

export interface Examined {
  readonly own: Got;
  readonly regret: AdvertiserRegret;
  /** The better reply, when there is one: what running everything with it gave. */
  readonly shown: Got | undefined;
}

/**
 * Best reply of one advertiser and a bound on all.
 *
 * @param row - the own multipliers, shape (K,), given as deviation where there is no better one
 */
export async function examineAdvertiser(
  setting: Setting,
  players: Players,
  advertiser: number,
  row: Float64Array,
): Promise<Examined> {
  const own = await players.ownOf(advertiser);
  const bidder = setting.bidders?.[advertiser];
  if (bidsByRule(setting, advertiser)) {
    const regret = regretOf(own, own.value, own.value, own.value, 0, row);
    return { own, regret, shown: undefined };
  }
  const utility = bidder?.kind === 'utility';
  const budget = budgetOf(bidder);
  const objectiveOf = ({ value, spend }: Got) => (utility ? value - spend : value);
  const objective = objectiveOf(own);
  const overspend = overspendOf(own.spend, utility ? budget : Math.min(budget, own.value));
  const choices = await players.choicesOf(advertiser);
  const found = bestChoice({
    buckets: choices,
    objective: utility ? 'utility' : 'value',
    budget,
    incumbent: objective,
    nodes: players.lotteries ? NODES_OF_LOTTERIES : NODE_LIMIT,
  });
  const bound = Math.max(objective, players.lotteries ? found.relaxed : found.bound);
  if (found.picks) {
    const deviation = rowOfPicks(setting, choices, found, row);
    const shown = await players.deviate(advertiser, deviation);
    const allowed =
      (utility || shown.spend <= shown.value * (1 + SHOWN_SLACK)) &&
      shown.spend <= budget * (1 + SHOWN_SLACK);
    const best = objectiveOf(shown);
    if (allowed && best > objective) {
      return {
        own,
        regret: regretOf(own, objective, best, Math.max(best, bound), overspend, deviation),
        shown,
      };
    }
  }
  return { own, regret: regretOf(own, objective, objective, bound, overspend, row), shown: undefined };
}

/** The largest and the mean of regrets, weighted by objective. */
export function gapOf(advertisers: readonly AdvertiserRegret[], { bidders }: Setting): EquilibriumGap {
  const own = compensatedSum(
    advertisers.map(({ value, spend }, i) => (bidders?.[i]?.kind === 'utility' ? value - spend : value)),
  );
  const mean = (key: 'best' | 'bestBound') => gainOf(compensatedSum(advertisers.map((a) => a[key])), own);
  const most = (key: 'regret' | 'regretBound' | 'overspend') =>
    advertisers.reduce((largest, advertiser) => Math.max(largest, advertiser[key]), 0);
  return {
    advertisers,
    maxRegret: most('regret'),
    meanRegret: mean('best'),
    maxRegretBound: most('regretBound'),
    meanRegretBound: mean('bestBound'),
    maxOverspend: most('overspend'),
  };
}

function rowOfPicks(
  { rules, maxMultiplier = CAP }: Setting,
  choices: readonly Choices[],
  { picks }: BestChoice,
  row: Float64Array,
): Float64Array {
  return row.map((own, k) => {
    const choice = picks?.[k] ?? 0;
    if (choice === 0 && Number.isNaN(own)) return own; // a bucket without entries
    return multiplierOfChoice(choices[k], choice, maxMultiplier, rules.format === 'fpa');
  });
}

function regretOf(
  { value, spend }: Got,
  objective: number,
  best: number,
  bestBound: number,
  overspend: number,
  deviation: Float64Array,
): AdvertiserRegret {
  const [regret, regretBound] = [gainOf(best, objective), gainOf(bestBound, objective)];
  return { value, spend, best, bestBound, regret, regretBound, overspend, deviation };
}

/** best ÷ own − 1; 0 where there is no gain, Infinity where nothing (or a loss) turns into something. */
function gainOf(best: number, own: number): number {
  if (!(best > own)) return 0;
  return own > 0 ? best / own - 1 : Infinity;
}

/** By how much spend is above its limit. */
function overspendOf(spend: number, limit: number): number {
  if (!(spend > limit)) return 0;
  return limit > 0 ? spend / limit - 1 : Infinity;
}
