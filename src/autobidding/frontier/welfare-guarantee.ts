// Whether the bound on lost welfare holds for an outcome, and what it says there.

import type { Assumption } from '../../core/certificate.ts';
import { budgetOf } from '../market/optimal-welfare.ts';
import { profileBids } from '../market/profile-bids.ts';
import { hasSeveralEntries } from '../market/several-entries.ts';
import type { MarketOutcome, Profile, Setting } from '../types.ts';
import { boostBound } from './boost-bound.ts';
import { displacedBidShare } from './displaced.ts';
import { type FrontierPolicy, withPolicy } from './policies.ts';

/** The bound beside a point of a frontier. */
export interface WelfareGuarantee {
  /** No less than this share of W* is reached: 1 ÷ `boostBound`. 0, which promises nothing, where an assumption is violated. */
  readonly share: number;
  /**
   * What it would be if nobody bid less than the value or missed a target, which in VCG is weakly dominated: additive boosts (c + 1) / (c + 2), as
   * recalled from the literature. 0 as above. Bidders that have given up, bidding next to nothing, are why `share` may be far less.
   */
  readonly undominatedShare: number;
  /** β: the least bid ÷ value of those that lost a place to someone of less value; at most 1. */
  readonly bidShare: number;
  /** ε: max(0, P ÷ W − 1). */
  readonly overspend: number;
  /** What it rests on, as measured. */
  readonly assumptions: readonly Assumption[];
}

/**
 * The guaranteed share of W* in an outcome, from `boostBound`.
 *
 * It rests on what is measured, not on the profile being an equilibrium. In truthful auctions value bidders have no reason to bid less than the
 * value: β = 1; in first price and GSP they often have.
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
  const changed = withPolicy(base, policy, level);
  const { reserve = 0 } = changed.rules;
  const checked = (statement: string, holds: boolean): Assumption => ({
    statement,
    status: holds ? 'checked' : 'violated',
  });
  const assumptions: Assumption[] = [
    checked('no reserve', typeof reserve === 'number' ? reserve === 0 : reserve.every((r) => r === 0)),
    checked('no boost but that of the policy', !otherBoost(rules, policy)),
    checked('nobody has a budget', !bidders?.some((bidder) => budgetOf(bidder) < Infinity)),
    checked('nobody owns several entries of an auction', !rules.owners && !hasSeveralEntries(market)),
  ];
  const bidShare = displacedBidShare(changed, profileBids(changed, profile));
  const overspend = welfare > 0 ? Math.max(0, profit / welfare - 1) : 0;
  if (assumptions.some(({ status }) => status === 'violated')) {
    return { share: 0, undominatedShare: 0, bidShare, overspend, assumptions };
  }
  const [boost, size] =
    policy === 'additive-boost' || policy === 'multiplicative-boost'
      ? ([policy, level] as const)
      : (['additive-boost', 0] as const);
  return {
    share: 1 / boostBound(boost, size, { bidShare, overspend }),
    undominatedShare: 1 / boostBound(boost, size),
    bidShare,
    overspend,
    assumptions,
  };
}

function otherBoost({ boosts, factors }: Setting['rules'], policy: FrontierPolicy): boolean {
  return (
    (boosts !== undefined && policy !== 'additive-boost') ||
    (factors !== undefined && policy !== 'multiplicative-boost')
  );
}
