// What the verifier asks of a setting before it believes anything in it.

import {
  requireInteger,
  requireLength,
  requireNonNegative,
  requireNumber,
  requireOneOf,
  requireSeed,
} from '../../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../../core/errors.ts';
import { AUCTION_FORMATS, type AuctionRules, type Bidder, type Market, type Setting } from '../types.ts';

/** Cap of multipliers where a setting names none. */
export const CAP: number = 10;

/**
 * @param where - who asks: "verifyProfile"
 * @throws {InvalidArgumentError} a number out of its domain; entries of one advertiser in one auction that lie in different buckets
 * @throws {ShapeError} arrays that do not fit each other. O(entries)
 */
export function requireSetting(where: string, setting: Setting): void {
  const { market, buckets, rules, bidders, maxMultiplier = CAP } = setting;
  requireMarket(where, market);
  requireInteger(`${where}: buckets.count`, buckets.count, 1, 0x10000);
  requireLength(`${where}: buckets.ofEntry`, buckets.ofEntry, market.values.length);
  requireBuckets(where, setting);
  requireRules(where, rules, market);
  requireNumber(`${where}: maxMultiplier`, maxMultiplier, 1);
  if (!bidders) return;
  requireInteger(`${where}: bidders.length`, bidders.length, market.advertisers, market.advertisers);
  bidders.forEach((bidder, i) => {
    requireBidder(`${where}: bidders[${i}]`, bidder);
  });
}

/** What an advertiser may spend. */
export function budgetOf(bidder: Bidder | undefined): number {
  return bidder && 'budget' in bidder ? (bidder.budget ?? Infinity) : Infinity;
}

function requireMarket(where: string, market: Market): void {
  const { auctions, advertisers, offsets, advertiserOf, values, discounts } = market;
  requireInteger(`${where}: market.auctions`, auctions, 0);
  requireInteger(`${where}: market.advertisers`, advertisers, 0);
  requireLength(`${where}: market.offsets`, offsets, auctions + 1);
  requireLength(`${where}: market.advertiserOf`, advertiserOf, values.length);
  if (offsets[0] !== 0 || offsets[auctions] !== values.length) {
    throw new ShapeError(
      `${where}: market.offsets run from ${offsets[0]} to ${offsets[auctions]}; expected 0 to ${values.length}, the number of entries.`,
    );
  }
  for (let j = 0; j < auctions; j++) {
    if (offsets[j] > offsets[j + 1]) {
      throw new ShapeError(
        `${where}: market.offsets[${j + 1}] is ${offsets[j + 1]}; expected ≥ ${offsets[j]}.`,
      );
    }
    for (let e = offsets[j] + 1; e < offsets[j + 1]; e++) {
      if (advertiserOf[e] < advertiserOf[e - 1]) {
        throw new InvalidArgumentError(
          `${where}: market.advertiserOf[${e}] is ${advertiserOf[e]}; expected ≥ ${advertiserOf[e - 1]}: entries of an auction ascend by advertiser.`,
        );
      }
    }
  }
  for (let e = 0; e < values.length; e++) {
    requireInteger(`${where}: market.advertiserOf[${e}]`, advertiserOf[e], 0, advertisers - 1);
    if (!(values[e] > 0 && values[e] < Infinity)) {
      throw new InvalidArgumentError(
        `${where}: market.values[${e}] is ${values[e]}; expected a finite number > 0.`,
      );
    }
  }
  if (discounts.length === 0)
    throw new ShapeError(`${where}: market.discounts are empty; expected one a slot.`);
  for (let s = 0; s < discounts.length; s++) {
    requireNumber(`${where}: market.discounts[${s}]`, discounts[s], 0, s === 0 ? 1 : discounts[s - 1]);
  }
}

function requireBuckets(where: string, { market, buckets: { count, ofEntry } }: Setting): void {
  const { offsets, advertiserOf, auctions } = market;
  for (let j = 0; j < auctions; j++) {
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      requireInteger(`${where}: buckets.ofEntry[${e}]`, ofEntry[e], 0, count - 1);
      if (e > offsets[j] && advertiserOf[e] === advertiserOf[e - 1] && ofEntry[e] !== ofEntry[e - 1]) {
        throw new InvalidArgumentError(
          `${where}: buckets.ofEntry[${e}] is ${ofEntry[e]}; expected ${ofEntry[e - 1]}, the bucket of the same advertiser's entry ${e - 1} in auction ${j}.`,
        );
      }
    }
  }
}

function requireRules(where: string, rules: AuctionRules, market: Market): void {
  const { format, reserve = 0, boosts, factors, owners, ties = 'index' } = rules;
  requireOneOf(`${where}: rules.format`, format, AUCTION_FORMATS);
  if (typeof reserve === 'number') requireNumber(`${where}: rules.reserve`, reserve, 0);
  else {
    requireLength(`${where}: rules.reserve`, reserve, market.auctions);
    requireNonNegative(`${where}: rules.reserve`, reserve);
  }
  if (boosts) {
    requireLength(`${where}: rules.boosts`, boosts, market.values.length);
    requireNonNegative(`${where}: rules.boosts`, boosts);
  }
  if (factors) {
    requireLength(`${where}: rules.factors`, factors, market.values.length);
    requireNonNegative(`${where}: rules.factors`, factors);
    const zero = factors.indexOf(0);
    if (zero >= 0) {
      throw new InvalidArgumentError(`${where}: rules.factors[${zero}] is 0; expected a number > 0.`);
    }
  }
  if (owners) requireLength(`${where}: rules.owners`, owners, market.advertisers);
  if (ties !== 'index') requireSeed(`${where}: rules.ties.seed`, ties.seed);
}

function requireBidder(name: string, bidder: Bidder): void {
  requireOneOf(`${name}.kind`, bidder.kind, ['value', 'utility', 'fixed', 'manual']);
  if (bidder.kind === 'fixed') requireNumber(`${name}.multiplier`, bidder.multiplier, 0);
  else if (bidder.kind === 'manual') requireNumber(`${name}.bid`, bidder.bid, 0);
  else if (bidder.budget !== undefined && !(bidder.budget >= 0)) {
    throw new InvalidArgumentError(`${name}.budget is ${bidder.budget}; expected a number ≥ 0.`);
  }
}
