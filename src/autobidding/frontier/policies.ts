// What an auctioneer can turn: reserves and boosts of scores.

import { requireNumber, requireOneOf } from '../../core/check.ts';
import type { AuctionRules, Market, Setting } from '../types.ts';
import type { BoostPolicy } from './boost-bound.ts';

/**
 * What is varied:
 * - `reserve`: the same reserve in all auctions, in money
 * - `relative-reserve`: level · the auction's mean value, dimensionless
 * - `additive-boost`: score = bid + level · value, dimensionless
 * - `multiplicative-boost`: score = bid · (value ÷ geometric mean of the auction)^level, dimensionless
 */
export type FrontierPolicy = 'reserve' | 'relative-reserve' | BoostPolicy;

export const FRONTIER_POLICIES: readonly FrontierPolicy[] = [
  'reserve',
  'relative-reserve',
  'additive-boost',
  'multiplicative-boost',
];

/**
 * The setting with one of its rules set to a level; what a policy does not touch stays. Level 0 of a boost, or a reserve of 0, is none.
 *
 * @param level - ≥ 0
 * @throws {InvalidArgumentError} unknown policy, or a level that is negative or not finite
 *
 * O(entries).
 */
export function withPolicy(setting: Setting, policy: FrontierPolicy, level: number): Setting {
  requireOneOf('withPolicy: policy', policy, FRONTIER_POLICIES);
  requireNumber(`withPolicy: level of ${policy}`, level, 0);
  return { ...setting, rules: { ...setting.rules, ...ruleOf(setting.market, policy, level) } };
}

function ruleOf(market: Market, policy: FrontierPolicy, level: number): Partial<AuctionRules> {
  switch (policy) {
    case 'reserve':
      return { reserve: level };
    case 'relative-reserve':
      return { reserve: meansOf(market, (value) => value).map((mean) => level * mean) };
    case 'additive-boost':
      return { boosts: market.values.map((value) => level * value) };
    case 'multiplicative-boost':
      return { factors: relativeValues(market).map((ratio) => ratio ** level) };
  }
}

/** Value ÷ geometric mean of its auction: scores keep the size of bids, and orders within an auction do not hang on the unit. */
function relativeValues(market: Market): Float64Array {
  const centres = meansOf(market, Math.log).map(Math.exp);
  const { offsets, values } = market;
  const ratios = new Float64Array(values.length);
  for (let j = 0; j < market.auctions; j++) {
    for (let e = offsets[j]; e < offsets[j + 1]; e++) ratios[e] = values[e] / centres[j];
  }
  return ratios;
}

/** Mean over the entries of each auction; 0 for one without. */
function meansOf({ auctions, offsets, values }: Market, of: (value: number) => number): Float64Array {
  return Float64Array.from({ length: auctions }, (_, j) => {
    let sum = 0;
    for (let e = offsets[j]; e < offsets[j + 1]; e++) sum += of(values[e]);
    return sum / Math.max(1, offsets[j + 1] - offsets[j]);
  });
}
