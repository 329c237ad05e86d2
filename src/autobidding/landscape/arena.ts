// What a landscape is computed in: a setting with the others' bids, checked once and laid out for the hot loops.

import { requireLength, requireNonNegative } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { checkSetting, DEFAULT_MAX_MULTIPLIER } from '../market/check-setting.ts';
import type { AuctionFormat, Bidder, Market, Setting } from '../types.ts';

const NO_RESERVES = new Float64Array(0);

/** A setting and a bid for each entry, ready to be asked for landscapes. */
export interface Arena {
  readonly market: Market;
  readonly format: AuctionFormat;
  readonly bids: Float64Array;
  readonly buckets: number;
  readonly bucketOf: Uint16Array;
  /** Slots that are sold: those with discounts > 0. */
  readonly slots: number;
  /** δ of the sold slots and one 0 after them, shape (slots + 1,). */
  readonly discounts: Float64Array;
  /** Shape (auctions,), or empty where `reserve` holds for all. */
  readonly reserves: Float64Array;
  readonly reserve: number;
  readonly boosts: Float64Array | undefined;
  readonly factors: Float64Array | undefined;
  readonly owners: Uint32Array | undefined;
  /** No step is above it, shape (advertisers,): maxMultiplier, or more for a `fixed` bidder that bids more. */
  readonly caps: Float64Array;
  /** What an entry bids at multiplier 1: its value, or what a `manual` bidder bids everywhere. Shape (entries,). */
  readonly units: Float64Array;
}

/**
 * Checks a setting and bids, and lays them out.
 *
 * @param name - the public function that asks, for messages
 * @param bids - one for each entry, shape (entries,), finite and ≥ 0
 * @throws {InvalidArgumentError} a number leaves its domain; entries of one advertiser in one auction are of different buckets
 * @throws {ShapeError} an array's length does not fit the market. O(entries)
 */
export function layOutArena(name: string, setting: Setting, bids: Float64Array): Arena {
  const { market, buckets, rules, bidders, maxMultiplier = DEFAULT_MAX_MULTIPLIER } = setting;
  const entries = market.values.length;
  checkSetting(name, setting);
  requireLength(`${name}: bids`, bids, entries);
  requireNonNegative(`${name}: bids`, bids);
  requireCommonBuckets(name, setting);
  const slots = soldSlots(market.discounts);
  const discounts = new Float64Array(slots + 1);
  discounts.set(market.discounts.subarray(0, slots));
  const { reserve = 0 } = rules;
  return {
    market,
    format: rules.format,
    bids,
    buckets: buckets.count,
    bucketOf: buckets.ofEntry,
    slots,
    discounts,
    reserves: typeof reserve === 'number' ? NO_RESERVES : reserve,
    reserve: typeof reserve === 'number' ? reserve : 0,
    boosts: rules.boosts,
    factors: rules.factors,
    owners: rules.owners,
    caps: capsOf(setting, maxMultiplier),
    units: unitsOf(market, bidders),
  };
}

/** Discounts are non-increasing, so the slots that are never sold come last. */
function soldSlots(discounts: Float64Array): number {
  let slots = discounts.length;
  while (slots > 0 && discounts[slots - 1] === 0) slots--;
  return slots;
}

function requireCommonBuckets(name: string, { market, buckets }: Setting): void {
  const { offsets, advertiserOf, auctions } = market;
  const { ofEntry } = buckets;
  for (let j = 0; j < auctions; j++) {
    for (let e = offsets[j] + 1; e < offsets[j + 1]; e++) {
      if (advertiserOf[e] === advertiserOf[e - 1] && ofEntry[e] !== ofEntry[e - 1]) {
        throw new InvalidArgumentError(
          `${name}: buckets.ofEntry[${e}] is ${ofEntry[e]}; expected ${ofEntry[e - 1]}, as of entry ${e - 1} of the same advertiser in auction ${j}.`,
        );
      }
    }
  }
}

function capsOf({ market, bidders }: Setting, maxMultiplier: number): Float64Array {
  return Float64Array.from({ length: market.advertisers }, (_, i) => {
    const bidder = bidders?.[i];
    return bidder?.kind === 'fixed' ? Math.max(maxMultiplier, bidder.multiplier) : maxMultiplier;
  });
}

/** What each entry bids at multiplier 1. */
export function unitsOf(
  { values, advertiserOf }: Market,
  bidders: readonly Bidder[] | undefined,
): Float64Array {
  if (!bidders?.some(({ kind }) => kind === 'manual')) return values;
  return values.map((value, e) => {
    const bidder = bidders[advertiserOf[e]];
    return bidder.kind === 'manual' ? bidder.bid : value;
  });
}
