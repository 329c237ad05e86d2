// What the verifier asks about advertisers, answered for pure profiles by running auctions and for mixed ones by expectations.

import type { RunOptions } from '../../core/progress.ts';
import type { MixedProfile, Setting } from '../types.ts';
import { CAP } from './check-setting.ts';
import { type Choices, choicesOf } from './choices.ts';
import { type Expected, expectedOf } from './expected.ts';
import { bidsByRule, bidsOfRows, runMarket } from './run-market.ts';

/** What one advertiser gets. */
export interface Got {
  readonly value: number;
  readonly spend: number;
  readonly wins: number;
}

export interface Players {
  ownOf(advertiser: number): Promise<Got>;
  /** Everything one advertiser could choose, by bucket. */
  choicesOf(advertiser: number): Promise<readonly Choices[]>;
  /** Runs everything with another row of one advertiser. */
  deviate(advertiser: number, row: Float64Array): Promise<Got>;
  /** Whether deviations may be lotteries over rows, which keep the target on average. */
  readonly lotteries: boolean;
}

/** @param strategies - of one row each */
export async function purePlayers(
  setting: Setting,
  strategies: MixedProfile,
  options: RunOptions,
): Promise<Players> {
  const { maxMultiplier: cap = CAP } = setting;
  const bidsWith = (advertiser: number, row: Float64Array) =>
    bidsOfRows('verifyProfile', setting, (i) => (i === advertiser ? row : strategies[i].multipliers));
  const bids = bidsWith(-1, new Float64Array(0));
  const totals = await runMarket(setting, bids, options);
  return {
    async ownOf(i) {
      return { value: totals.value[i], spend: totals.spend[i], wins: totals.wins[i] };
    },
    choicesOf: (i) => choicesOf(setting, i, bids, cap, options),
    async deviate(i, row) {
      const { value, spend, wins } = await runMarket(setting, bidsWith(i, row), options);
      return { value: value[i], spend: spend[i], wins: wins[i] };
    },
    lotteries: false,
  };
}

export function mixedPlayers(
  setting: Setting,
  strategies: MixedProfile,
  maxCombinations: number,
  { signal }: RunOptions,
): Players {
  const { maxMultiplier: cap = CAP } = setting;
  const asked = { cap, maxCombinations, signal };
  // One advertiser at a time: the lists of choices are long.
  let last: { advertiser: number; expected: Expected } | undefined;
  const expected = async (advertiser: number) => {
    if (last?.advertiser !== advertiser) {
      const withChoices = !bidsByRule(setting, advertiser);
      last = {
        advertiser,
        expected: await expectedOf(setting, advertiser, strategies, { ...asked, withChoices }),
      };
    }
    return last.expected;
  };
  return {
    ownOf: expected,
    async choicesOf(i) {
      return (await expected(i)).choices;
    },
    async deviate(i, row) {
      const mix = { weights: Float64Array.of(1), multipliers: row };
      const others = strategies.map((strategy, other) => (other === i ? mix : strategy));
      return expectedOf(setting, i, others, { ...asked, withChoices: false });
    },
    lotteries: true,
  };
}
