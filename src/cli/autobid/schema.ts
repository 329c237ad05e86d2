// What settings of `provably autobid` are: the same in files and as flags.

import { z } from 'zod';
import { AUCTION_FORMATS, FRONTIER_POLICIES } from '../../autobidding/index.ts';
import type {
  BestResponseSettings,
  FrontierSettings,
  PacingSettings,
  ReplaySettings,
  SimulateSettings,
  SweepSettings,
} from './settings-types.ts';

const format = z.enum(AUCTION_FORMATS);
const seed = z.int().min(0).max(0xffffffff);
const segments = z.int().min(1).max(65_536);
const amount = z.number().min(0);

/** Columns of a log, by what they are: read under these names unless others are given. */
const columns = z.strictObject({
  auction: z.string().optional(),
  advertiser: z.string().optional(),
  value: z.string().optional(),
  bucket: z.string().optional(),
  positionWeight: z.string().optional(),
  target: z.string().optional(),
  entry: z.string().optional(),
  owner: z.string().optional(),
  budget: z.string().optional(),
  bidderKind: z.string().optional(),
  bid: z.string().optional(),
  price: z.string().optional(),
});

const generator = z.strictObject({
  name: z.enum(['provably', 'gamma-topic']).default('provably'),
  advertisers: z.int().min(1).optional(),
  auctions: z.int().min(1).optional(),
  participants: z.int().min(1).optional(),
  topics: z.int().min(1).optional(),
  /** Of the Provably generator: how far topics predict values. */
  rho: z.number().optional(),
  targetSpread: amount.optional(),
});

const market = z.strictObject({
  /** A table with one row for each entry of an advertiser in an auction. */
  log: z.string().optional(),
  layout: z.enum(['rows', 'auctionnet', 'bat']).default('rows'),
  columns: columns.prefault({}),
  /** δ of the slots, best first. */
  discounts: z.array(z.number().min(0).max(1)).min(1).optional(),
  onInvalid: z.enum(['throw', 'drop']).default('throw'),
  multiEntry: z.boolean().optional(),
  /** Column whose labels (or quantiles of values: "value") make segments; "topic" of generated markets. */
  segmentBy: z.string().optional(),
  /** Column of what is drawn together in a bootstrap: days, users. */
  clusterBy: z.string().optional(),
  /** Instead of a log. */
  generator: generator.optional(),
});

const bidder = z.discriminatedUnion('kind', [
  z.strictObject({ advertiser: z.string(), kind: z.literal('value'), budget: amount.optional() }),
  z.strictObject({ advertiser: z.string(), kind: z.literal('utility'), budget: amount.optional() }),
  z.strictObject({ advertiser: z.string(), kind: z.literal('fixed'), multiplier: amount }),
  z.strictObject({ advertiser: z.string(), kind: z.literal('manual'), bid: amount }),
]);

const ties = z.union([z.literal('index'), z.strictObject({ seed })]);

const rules = { format, reserve: amount.optional(), ties: ties.default('index') };

const search = z.strictObject({
  dynamics: z
    .enum([
      ...['damped-best-response', 'plain-best-response', 'gauss-seidel', 'controller'],
      ...['dual-descent', 'optimistic'],
    ] as const)
    .default('damped-best-response'),
  iterations: z.int().min(0).default(30),
  rounds: z.int().min(0).default(20),
  /** Value-weighted regret from which a result counts as an equilibrium. */
  tolerance: amount.optional(),
});

/** Mixed strategies where pure ones find no rest. */
const mixed = z.enum(['when-needed', 'never']).default('when-needed');

/** What every subcommand on a market takes. */
const common = {
  market: market.prefault({}),
  /** Advertisers that are no value maximisers without budget. */
  bidders: z.array(bidder).default([]),
  maxMultiplier: z.number().min(1).default(10),
  search: search.prefault({}),
  seed: seed.default(0),
};

export const simulateSchema: z.ZodType<SimulateSettings> = z.strictObject({
  ...common,
  ...rules,
  format: format.default('gsp'),
  segments: segments.default(1),
  /** What is bid: an equilibrium, what the log recorded, or one multiplier for everybody. */
  bids: z.union([z.enum(['equilibrium', 'recorded']), amount]).default('equilibrium'),
  mixed,
});

export const replaySchema: z.ZodType<ReplaySettings> = z.strictObject({
  ...common,
  mixed,
  from: z.strictObject({
    ...rules,
    segments: segments.default(1),
    /** auto: recorded bids if the log has any, else an equilibrium. */
    bids: z.enum(['auto', 'recorded', 'equilibrium']).default('auto'),
  }),
  to: z.strictObject({ ...rules, segments: segments.default(1) }),
  bootstrap: z
    .strictObject({
      resamples: z.int().min(50).default(1000),
      /** Find equilibria anew on so many draws, instead of holding multipliers. */
      resolve: z
        .int()
        .min(0)
        .refine((count) => count === 0 || count >= 5, 'an integer ≥ 5, or 0')
        .default(0),
      confidence: z.number().gt(0).lt(1).default(0.95),
    })
    .prefault({}),
});

export const sweepSchema: z.ZodType<SweepSettings> = z.strictObject({
  ...common,
  formats: z
    .array(format)
    .min(1)
    .default([...AUCTION_FORMATS]),
  segments: z.array(segments).min(1).default([1, 2, 4, 8]),
  /** Markets drawn, each with the next seed. */
  seeds: z.int().min(2).default(10),
  reserve: amount.default(0),
  mixed,
  confidence: z.number().gt(0).lt(1).default(0.95),
});

export const frontierSchema: z.ZodType<FrontierSettings> = z.strictObject({
  ...common,
  ...rules,
  format: format.default('gsp'),
  segments: segments.default(1),
  policies: z.array(z.enum(FRONTIER_POLICIES)).min(1).optional(),
  levels: z.array(amount).min(1).default([0.5, 1]),
  reserves: z.array(amount).min(1).optional(),
});

export const pacingSchema: z.ZodType<PacingSettings> = z.strictObject({
  ...common,
  /** By advertiser; "all": of everybody else that has none. */
  budgets: z.record(z.string(), z.number().gt(0)).default({}),
});

export const bestResponseSchema: z.ZodType<BestResponseSettings> = z.strictObject({
  ...common,
  ...rules,
  format: format.default('gsp'),
  segments: segments.default(8),
  /** Merge the segments into so many. */
  learnSegments: segments.optional(),
  /** Whose bids are looked for; the first if none is named. */
  advertiser: z.string().optional(),
  /** What all others bid: as of `simulate`. */
  others: z.union([z.enum(['equilibrium', 'recorded']), amount]).default('equilibrium'),
  mixed,
  bat: z
    .strictObject({
      campaigns: z.string().optional(),
      valuePerContact: z.number().gt(0).optional(),
      hours: z.enum(['campaign', 'hour-of-day', 'hour']).default('hour-of-day'),
    })
    .prefault({}),
});
