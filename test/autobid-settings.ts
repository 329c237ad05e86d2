// Small random settings of every kind of rule and bidder, for tests that hold one part of autobidding against another.

import type {
  AuctionFormat,
  AuctionRules,
  Bidder,
  Market,
  Profile,
  Setting,
} from '../src/autobidding/types.ts';
import { createRng, type Rng } from '../src/core/rng.ts';

export interface RandomSettingOptions {
  format: AuctionFormat;
  advertisers?: number;
  auctions?: number;
  buckets?: number;
  /** Reserves, boosts, factors, hashed ties. Default false. */
  rich?: boolean;
  /** Common owners and second entries. Default false. */
  shared?: boolean;
  /** Values of 1, 2 and 4, which `tiedProfile` makes tie. Default false. */
  tied?: boolean;
  /** Utility maximisers, fixed and manual bidders among the value maximisers, and budgets. Default false. */
  mixed?: boolean;
}

/** The same seed gives the same setting. */
export function randomSetting(
  seed: number,
  {
    format,
    advertisers = 4,
    auctions = 30,
    buckets = 2,
    rich = false,
    shared = false,
    tied = false,
    mixed = false,
  }: RandomSettingOptions,
): Setting {
  const rng = createRng(seed).fork('setting');
  const offsets = [0];
  const advertiserOf: number[] = [];
  const bucketOf: number[] = [];
  for (let j = 0; j < auctions; j++) {
    for (let i = 0; i < advertisers; i++) {
      const entries = rng.next() < 0.8 ? 1 + Number(shared && rng.next() < 0.3) : 0;
      const bucket = rng.integer(buckets);
      for (let copy = 0; copy < entries; copy++) {
        advertiserOf.push(i);
        bucketOf.push(bucket);
      }
    }
    offsets.push(advertiserOf.length);
  }
  const values = Float64Array.from(advertiserOf, () =>
    tied ? 2 ** rng.integer(3) : Math.exp(rng.normal() / 2),
  );
  const market: Market = {
    auctions,
    advertisers,
    offsets: Uint32Array.from(offsets),
    advertiserOf: Uint32Array.from(advertiserOf),
    values,
    discounts: Float64Array.of(1, 0.6, 0.25),
  };
  const rules: AuctionRules = {
    format,
    ...(rich && {
      reserve: Float64Array.from({ length: auctions }, () => rng.next()),
      boosts: values.map(() => (rng.next() < 0.3 ? rng.next() : 0)),
      factors: values.map(() => 0.5 + rng.next()),
      ties: { seed },
    }),
    ...(shared && {
      owners: Uint32Array.from({ length: advertisers }, (_, i) => Math.min(i, advertisers - 2)),
    }),
  };
  // With ties thresholds are powers of two: none of them at the cap, above which nothing can be bid.
  const setting = {
    market,
    buckets: { count: buckets, ofEntry: Uint16Array.from(bucketOf) },
    rules,
    maxMultiplier: tied ? 5 : 4,
  };
  return mixed ? { ...setting, bidders: randomBidders(advertisers, rng) } : setting;
}

/** Multipliers between 0.4 and 2. */
export function randomProfile(setting: Setting, seed: number): Profile {
  return profileOf(setting, createRng(seed).fork('profile'), (rng) => 0.4 * 5 ** rng.next());
}

/** Multipliers 1/2, 1 and 2: with values that are powers of two, many scores are equal. */
export function tiedProfile(setting: Setting, seed: number): Profile {
  return profileOf(setting, createRng(seed).fork('tied profile'), (rng) => 2 ** (rng.integer(3) - 1));
}

function profileOf({ market, buckets }: Setting, rng: Rng, draw: (rng: Rng) => number): Profile {
  const used = new Set<number>();
  market.advertiserOf.forEach((i, e) => {
    used.add(i * buckets.count + buckets.ofEntry[e]);
  });
  return Float64Array.from({ length: market.advertisers * buckets.count }, (_, at) => {
    const multiplier = draw(rng);
    return used.has(at) ? multiplier : Number.NaN;
  });
}

function randomBidders(count: number, rng: Rng): Bidder[] {
  const kinds: Bidder[] = [
    { kind: 'value', budget: 2 + 8 * rng.next() },
    { kind: 'utility' },
    { kind: 'fixed', multiplier: 0.5 + rng.next() },
    { kind: 'manual', bid: 0.5 + rng.next() },
    { kind: 'utility', budget: 1 + 2 * rng.next() },
    { kind: 'value' },
  ];
  return Array.from({ length: count }, (_, i) => kinds[i % kinds.length]);
}
