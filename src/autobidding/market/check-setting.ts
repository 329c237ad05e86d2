// The one check of a setting: what its parts may be, and that they fit each other.

import { requireInteger, requireLength, requireNumber, requireOneOf, requireSeed } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import {
  AUCTION_FORMATS,
  type AuctionRules,
  type Bidder,
  type Buckets,
  type Market,
  type Setting,
} from '../types.ts';

/** Cap of multipliers where a setting names none. */
export const DEFAULT_MAX_MULTIPLIER = 10;

/**
 * Checks rules, buckets and bidders against their market; the market itself was checked when it was made.
 *
 * @param where - who asks, the start of messages
 * @throws {InvalidArgumentError} a number out of its range, naming it and its place
 * @throws {ShapeError} an array that does not fit the market
 *
 * O(entries).
 */
export function checkSetting(
  where: string,
  { market, buckets, rules, bidders, maxMultiplier }: Setting,
): void {
  checkBuckets(where, buckets, market);
  checkRules(where, rules, market);
  if (bidders) {
    requireLength(`${where}: bidders`, bidders, market.advertisers);
    bidders.forEach((bidder, i) => {
      checkBidder(`${where}: bidders[${i}]`, bidder);
    });
  }
  if (maxMultiplier !== undefined) requireNumber(`${where}: maxMultiplier`, maxMultiplier, 1);
}

function checkBuckets(where: string, { count, ofEntry }: Buckets, { values }: Market): void {
  requireInteger(`${where}: buckets.count`, count, 1, 0x10000);
  requireLength(`${where}: buckets.ofEntry`, ofEntry, values.length);
  // The greatest first, without leaving the loop early: this runs before every run.
  let greatest = 0;
  for (let e = 0; e < ofEntry.length; e++) if (ofEntry[e] > greatest) greatest = ofEntry[e];
  if (greatest < count || ofEntry.length === 0) return;
  const e = ofEntry.findIndex((bucket) => bucket >= count);
  throw new InvalidArgumentError(
    `${where}: buckets.ofEntry[${e}] is ${ofEntry[e]}; expected less than the ${count} buckets there are.`,
  );
}

function checkRules(where: string, rules: AuctionRules, market: Market): void {
  const { format, reserve = 0, boosts, factors, owners, ties = 'index' } = rules;
  requireOneOf(`${where}: rules.format`, format, AUCTION_FORMATS);
  if (typeof reserve === 'number') requireNumber(`${where}: rules.reserve`, reserve, 0);
  else {
    requireLength(`${where}: rules.reserve`, reserve, market.auctions);
    requireEach(`${where}: rules.reserve`, reserve, (r) => r >= 0, '≥ 0');
  }
  if (boosts) {
    requireLength(`${where}: rules.boosts`, boosts, market.values.length);
    requireEach(`${where}: rules.boosts`, boosts, (boost) => boost >= 0, '≥ 0');
  }
  if (factors) {
    requireLength(`${where}: rules.factors`, factors, market.values.length);
    requireEach(`${where}: rules.factors`, factors, (factor) => factor > 0, '> 0');
  }
  if (owners) requireLength(`${where}: rules.owners`, owners, market.advertisers);
  if (typeof ties === 'object') requireSeed(`${where}: rules.ties.seed`, ties.seed);
  else requireOneOf(`${where}: rules.ties`, ties, ['index']);
}

function checkBidder(name: string, bidder: Bidder): void {
  requireOneOf(`${name}.kind`, bidder.kind, ['value', 'utility', 'fixed', 'manual']);
  if (bidder.kind === 'fixed') requireNumber(`${name}.multiplier`, bidder.multiplier, 0);
  else if (bidder.kind === 'manual') requireNumber(`${name}.bid`, bidder.bid, 0);
  // No budget may be written as Infinity.
  else if (bidder.budget !== undefined && !(bidder.budget >= 0)) {
    throw new InvalidArgumentError(`${name}.budget is ${bidder.budget}; expected a number ≥ 0.`);
  }
}

function requireEach(
  name: string,
  numbers: Float64Array,
  holds: (x: number) => boolean,
  expected: string,
): void {
  for (let i = 0; i < numbers.length; i++) {
    if (!holds(numbers[i]) || numbers[i] === Infinity) {
      throw new InvalidArgumentError(`${name}[${i}] is ${numbers[i]}; expected a finite number ${expected}.`);
    }
  }
}
