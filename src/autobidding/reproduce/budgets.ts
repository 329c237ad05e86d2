// Protocol B1: budgets in first price: the pacing equilibrium of a market worked by hand, and of a larger one.

import { judge, type ProtocolOptions, type ProtocolReport, partOf } from '../../reproduce/protocol.ts';
import { firstPricePacing } from '../fppe/index.ts';
import { provablyGenerator } from '../generators/provably-generator.ts';
import { createMarket } from '../market/create-market.ts';

export interface BudgetsOptions extends Omit<ProtocolOptions, 'seeds'> {
  /** Auctions of the larger market. Default 1000. */
  auctions?: number | undefined;
  /** Default 200. */
  seed?: number | undefined;
}

export interface BudgetsFigures {
  /** v = [[4, 2, 1], [2, 3, 1.5]], B = (2, 2.5). */
  literal: { multipliers: number[]; prices: number[]; spend: number[] };
  larger: {
    advertisers: number;
    /** Advertisers that bid below their value. */
    paced: number;
    /** Certified error of the worst multiplier. */
    bound: number;
    /** Largest share of a budget by which a paced advertiser's spend is off it. */
    unspent: number;
    iterations: number;
  };
}

const LITERAL = { values: [4, 2, 1, 2, 3, 1.5], budgets: [2, 2.5] };
const EXPECTED = { multipliers: [1 / 2, 5 / 9], prices: [2, 5 / 3, 5 / 6], spend: [2, 2.5] };

/** Less than a second. In the larger market everybody has half of what first price without budgets would take from it. */
export async function reproduceBudgets(
  options: BudgetsOptions = {},
): Promise<ProtocolReport<BudgetsFigures>> {
  const { auctions = 1000, seed = 200 } = options;
  const { signal } = partOf(options, 'budgets', 0, 1);
  const places = LITERAL.values.keys().toArray();
  const small = createMarket(
    {
      auction: places.map((e) => e % 3),
      advertiser: places.map((e) => Math.floor(e / 3)),
      value: LITERAL.values,
    },
    { discounts: [1] },
  );
  const { value: hand } = await firstPricePacing(small, Float64Array.from(LITERAL.budgets), {
    signal,
  });
  const literal = {
    multipliers: Array.from(hand.multipliers),
    prices: Array.from(hand.prices),
    spend: Array.from(hand.spend),
  };

  const { market } = provablyGenerator({ auctions, discounts: [1], seed });
  const free = await firstPricePacing(market, new Float64Array(market.advertisers).fill(Infinity), {
    signal,
  });
  const budgets = free.value.spend.map((spend) => (spend > 0 ? spend / 2 : 1));
  const { value: paced, certificate } = await firstPricePacing(market, budgets, { signal });
  const below = Array.from(paced.multipliers.keys()).filter((i) => paced.multipliers[i] < 1);
  const larger = {
    advertisers: market.advertisers,
    paced: below.length,
    bound: certificate.bound.value,
    unspent: Math.max(0, ...below.map((i) => Math.abs(paced.spend[i] / budgets[i] - 1))),
    iterations: paced.iterations,
  };
  return {
    id: 'B1',
    title: 'Budgets: the pacing equilibrium',
    setting: { auctions, seed, budgets: 'half of the spend without budgets' },
    figures: { literal, larger },
    verdicts: [
      judge(
        'worked by hand: β = (1/2, 5/9), prices (2, 5/3, 5/6), budgets spent',
        Math.max(
          ...(['multipliers', 'prices', 'spend'] as const).flatMap((name) =>
            EXPECTED[name].map((expected, at) => Math.abs(literal[name][at] - expected)),
          ),
        ),
        { high: 1e-9, unit: 'largest difference' },
      ),
      judge('larger market: every multiplier, certified', larger.bound, {
        ...{ high: 1e-5, unit: 'largest error' },
      }),
      judge('larger market: who bids below the value spends the budget', larger.unspent, {
        ...{ high: 1e-7, unit: 'of the budget' },
      }),
      judge('larger market: all that the equilibrium rests on is checked', unchecked(certificate), {
        ...{ high: 0, unit: 'violated conditions' },
      }),
    ],
  };
}

function unchecked({ assumptions }: { assumptions: readonly { status: string }[] }): number {
  return assumptions.filter(({ status }) => status === 'violated').length;
}
