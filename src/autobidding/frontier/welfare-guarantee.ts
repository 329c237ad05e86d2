// Whether the bound on lost welfare holds for an outcome, and what it says there.

import type { Assumption } from '../../core/certificate.ts';
import { budgetOf } from '../market/optimal-welfare.ts';
import { profileBids } from '../market/profile-bids.ts';
import type { Market, MarketOutcome, Profile, Setting } from '../types.ts';
import { boostBound } from './boost-bound.ts';
import { type FrontierPolicy, withPolicy } from './policies.ts';

/** Bids this far below value, relatively, still count as value: μ · v is rounded. */
const ROUNDING = 1e-12;

/** The bound beside a point of a frontier. */
export interface WelfareGuarantee {
  /** No less than this share of W* is reached: 1 ÷ `boostBound`. 0, which promises nothing, where an assumption is violated. */
  readonly share: number;
  /** What it rests on, as measured. */
  readonly assumptions: readonly Assumption[];
}

/**
 * The guaranteed share of W* in an outcome, from `boostBound`.
 *
 * It rests on what is measured, not on the profile being an equilibrium. Responses in truthful auctions bid at least the value; those in first
 * price and GSP do not, as a rule.
 *
 * @param base - the setting before the policy
 * @param profile - bids of the outcome, under the policy
 */
export function welfareGuarantee(
  base: Setting,
  policy: FrontierPolicy,
  level: number,
  profile: Profile,
  { welfare, profit }: MarketOutcome,
): WelfareGuarantee {
  const { market, bidders, rules } = base;
  const { reserve = 0 } = withPolicy(base, policy, level).rules;
  const bids = profileBids(base, profile);
  let below = 0;
  for (let e = 0; e < bids.length; e++) if (bids[e] < market.values[e] * (1 - ROUNDING)) below++;
  const checked = (statement: string, holds: boolean): Assumption => ({
    statement,
    status: holds ? 'checked' : 'violated',
  });
  const assumptions: Assumption[] = [
    {
      ...checked('every bid is at least the value', below === 0),
      measured: below / Math.max(1, bids.length),
      measure: 'share of entries bid below value',
    },
    checked('no reserve', typeof reserve === 'number' ? reserve === 0 : reserve.every((r) => r === 0)),
    checked('no boost but that of the policy', !otherBoost(rules, policy)),
    checked('nobody has a budget', !bidders?.some((bidder) => budgetOf(bidder) < Infinity)),
    checked('nobody owns several entries of an auction', !rules.owners && !hasSeveralEntries(market)),
  ];
  if (assumptions.some(({ status }) => status === 'violated')) return { share: 0, assumptions };
  const overspend = welfare > 0 ? Math.max(0, profit / welfare - 1) : 0;
  const bound =
    policy === 'additive-boost' || policy === 'multiplicative-boost'
      ? boostBound(policy, level, overspend)
      : boostBound('additive-boost', 0, overspend);
  return { share: 1 / bound, assumptions };
}

function otherBoost({ boosts, factors }: Setting['rules'], policy: FrontierPolicy): boolean {
  return (
    (boosts !== undefined && policy !== 'additive-boost') ||
    (factors !== undefined && policy !== 'multiplicative-boost')
  );
}

/** Entries of an auction are in the order of their advertisers. */
function hasSeveralEntries({ auctions, offsets, advertiserOf }: Market): boolean {
  for (let j = 0; j < auctions; j++) {
    for (let e = offsets[j] + 1; e < offsets[j + 1]; e++) {
      if (advertiserOf[e] === advertiserOf[e - 1]) return true;
    }
  }
  return false;
}
