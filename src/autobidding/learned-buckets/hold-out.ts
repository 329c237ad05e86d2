// What learned buckets are worth on auctions they were not learned from.

import { requireProbability, requireSeed } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { createRng, sampleIndices } from '../../core/rng.ts';
import { indexEntries, landscapeOf } from '../landscape/index.ts';
import { takeAuctions, takeEntries } from '../replay/take-auctions.ts';
import { bestResponse, outcomeAt } from '../response/index.ts';
import type { Buckets, Response, Setting } from '../types.ts';
import { type LearnBucketsOptions, learnBuckets, mergedBuckets, optimiserOf } from './learn-buckets.ts';

export interface HoldOutOptions extends LearnBucketsOptions {
  /** Share of the auctions to learn from, in (0, 1). Default ½. */
  share?: number | undefined;
  /** Which auctions: unsigned 32-bit integer. Default 0. */
  seed?: number | undefined;
}

/** Value and spend, money. */
export interface Outcome {
  readonly value: number;
  readonly spend: number;
}

/** What one bucketing gives. */
export interface HeldOut {
  /** On the auctions learned from, with the best multipliers there. */
  readonly fitted: Outcome;
  /** On the other auctions, with these same multipliers: limits may be broken. */
  readonly held: Outcome;
  /** On the other auctions, with the best multipliers there: what the buckets alone are worth. */
  readonly refitted: Outcome;
}

export interface HoldOut {
  /** One bucket. */
  readonly uniform: HeldOut;
  /** The learned buckets. */
  readonly learned: HeldOut;
  /** Auctions learned from, and held out. */
  readonly auctions: readonly [number, number];
}

/**
 * Learns buckets from a random part of the auctions and evaluates them on the rest, beside one multiplier for all.
 *
 * A group that the advertiser meets only in the rest is bid with the uniform multiplier. Budgets are scaled with the number of auctions.
 *
 * @throws as `learnBuckets`; {InvalidArgumentError} a part is empty
 *
 * As `learnBuckets`, and O(entries). Source: derived.
 */
export async function holdOutBuckets(
  setting: Setting,
  bids: Float64Array,
  advertiser: number,
  { share = 0.5, seed = 0, ...options }: HoldOutOptions,
): Promise<HoldOut> {
  requireProbability('holdOutBuckets: share', share);
  requireSeed('holdOutBuckets: seed', seed);
  optimiserOf('holdOutBuckets', setting, advertiser);
  const { auctions } = setting.market;
  const fittedCount = Math.round(share * auctions);
  if (fittedCount === 0 || fittedCount === auctions) {
    throw new InvalidArgumentError(
      `holdOutBuckets: share ${share} of ${auctions} auctions leaves a part empty; expected auctions in both.`,
    );
  }
  const order = sampleIndices(auctions, auctions, createRng(seed).fork('hold out'));
  const fit = part(setting, bids, options.groups, order.subarray(0, fittedCount).toSorted());
  const rest = part(setting, bids, options.groups, order.subarray(fittedCount).toSorted());
  const { value: learned } = await learnBuckets(fit.setting, fit.bids, advertiser, {
    ...options,
    groups: fit.groups,
  });
  const oneGroup = new Uint16Array(options.groups.count);
  const uniform = respond(fit, advertiser, oneGroup, 1);
  const [only] = uniform.multipliers.filter((multiplier) => !Number.isNaN(multiplier));
  const evaluate = (bucketOfGroup: Uint16Array, count: number, fitted: Response): HeldOut => {
    const row = fitted.multipliers.map((multiplier) => (Number.isNaN(multiplier) ? (only ?? 0) : multiplier));
    const seen = groupsSeen(fit, advertiser);
    // Groups not met in the fit get a bucket of their own, for the uniform multiplier.
    const spare = Math.max(count, setting.buckets.count);
    const target = bucketOfGroup.map((bucket, g) => (seen[g] ? bucket : spare));
    const landscape = landscapeIn(rest, advertiser, target, spare + 1);
    const held = Float64Array.from({ length: spare + 1 }, (_, k) => (k < spare ? row[k] : (only ?? 0)));
    const refitted = respond(rest, advertiser, bucketOfGroup, count);
    return {
      fitted: { value: fitted.value, spend: fitted.spend },
      held: outcomeAt(landscape, held, setting.rules.format),
      refitted: { value: refitted.value, spend: refitted.spend },
    };
  };
  return {
    uniform: evaluate(oneGroup, 1, uniform),
    learned: evaluate(learned.bucketOfGroup, options.count, learned.response),
    auctions: [fittedCount, auctions - fittedCount],
  };
}

/** Some of the auctions, with what belongs to them. */
interface Part {
  setting: Setting;
  bids: Float64Array;
  groups: Buckets;
}

function part(setting: Setting, bids: Float64Array, groups: Buckets, picks: Uint32Array): Part {
  const { setting: taken, entryOf } = takeAuctions(setting, picks);
  const scale = picks.length / setting.market.auctions;
  const bidders = setting.bidders?.map((bidder) =>
    'budget' in bidder && bidder.budget !== undefined ? { ...bidder, budget: bidder.budget * scale } : bidder,
  );
  return {
    setting: { ...taken, bidders },
    bids: takeEntries(bids, entryOf),
    groups: { count: groups.count, ofEntry: Uint16Array.from(entryOf, (e) => groups.ofEntry[e]) },
  };
}

function landscapeIn(
  { setting, bids, groups }: Part,
  advertiser: number,
  bucketOfGroup: Uint16Array,
  count: number,
) {
  const index = indexEntries(setting.market);
  const buckets = mergedBuckets(setting.buckets, groups, bucketOfGroup, { count, advertiser, index });
  return landscapeOf({ ...setting, buckets }, bids, advertiser, index);
}

function respond(of: Part, advertiser: number, bucketOfGroup: Uint16Array, count: number): Response {
  const landscape = landscapeIn(of, advertiser, bucketOfGroup, count);
  const bidder = optimiserOf('holdOutBuckets', of.setting, advertiser);
  return bestResponse(landscape, bidder, { format: of.setting.rules.format });
}

/** Whether the advertiser has entries of each group, shape (groups,). */
function groupsSeen({ setting, groups }: Part, advertiser: number): Uint8Array {
  const seen = new Uint8Array(groups.count);
  const { advertiserOf } = setting.market;
  for (let e = 0; e < advertiserOf.length; e++)
    if (advertiserOf[e] === advertiser) seen[groups.ofEntry[e]] = 1;
  return seen;
}
