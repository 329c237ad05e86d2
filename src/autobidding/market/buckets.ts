// Bucketings: which queries share a multiplier. All of them nest: with K a divisor of K′, each bucket of level K is a union of buckets of
// level K′, because ⌊⌊r K′/T⌋ / (K′/K)⌋ = ⌊r K/T⌋. Else the curve over K would mix more freedom with other freedom.

import { requireInteger, requireSeed } from '../../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../../core/errors.ts';
import { createRng, shuffle } from '../../core/rng.ts';
import type { GeneratedMarket } from '../generators/generated.ts';
import type { Buckets, Market } from '../types.ts';
import { valuesByAdvertiser } from './values-by-advertiser.ts';

/** Buckets are numbered in 16 bits. */
const MOST_BUCKETS = 65_536;

/**
 * Buckets of whole topics: topics in a random order (of the market's seed, the same at every K), bucket ⌊rank · K / T⌋.
 *
 * @param generated - from `provablyGenerator` or `gammaTopicGenerator`
 * @param count - K, 1 … T; T / K topics a bucket where K divides T
 * @throws {InvalidArgumentError} K is no integer of that range
 */
export function topicBuckets(generated: GeneratedMarket, count: number): Buckets {
  const { market, topicOf, record } = generated;
  const { topics } = record.parameters;
  requireInteger('topicBuckets: count', count, 1, Math.min(topics, MOST_BUCKETS));
  const order = shuffle(
    Uint32Array.from({ length: topics }, (_, t) => t),
    createRng(record.seed).fork('topic buckets'),
  );
  const bucketOf = new Uint32Array(topics);
  for (let rank = 0; rank < topics; rank++) bucketOf[order[rank]] = Math.floor((rank * count) / topics);
  return fromAuctions(market, count, (auction) => bucketOf[topicOf[auction]]);
}

/**
 * Buckets by value: each advertiser's own K quantiles of its own values; equal values stay together.
 *
 * @param count - K, 1 … 65536; levels nest where one divides the other
 * @throws {InvalidArgumentError} K is no integer of that range
 *
 * Time O(entries · (log entries + log K)).
 */
export function valueBuckets(market: Market, count: number): Buckets {
  requireInteger('valueBuckets: count', count, 1, MOST_BUCKETS);
  const { values, advertiserOf } = market;
  const cuts = valuesByAdvertiser(market).map((own) => quantileCuts(own.sort(), count));
  const ofEntry = new Uint16Array(values.length);
  for (let e = 0; e < values.length; e++) ofEntry[e] = countBelow(cuts[advertiserOf[e]], values[e]);
  return { count, ofEntry };
}

/** How `labelBuckets` coarsens. */
export interface LabelBucketsOptions {
  /** K: merge neighbouring labels into so many buckets, 1 … number of labels. Default: one bucket for each label. */
  count?: number | undefined;
  /** Seed of a random order of the labels. Default: numbers ascending, strings by code units, so that "sport/…" labels stay together. */
  orderSeed?: number | undefined;
}

/** Buckets of a column, with what they are called. */
export interface LabelledBuckets {
  readonly buckets: Buckets;
  /** The labels in each bucket, shape (K,). */
  readonly labels: readonly (readonly (string | number)[])[];
}

/**
 * Buckets from a column of labels: labels in order, bucket ⌊rank · K / labels⌋.
 *
 * @param labels - one for each auction, shape (auctions,), or for each entry, shape (entries,)
 * @throws {ShapeError} `labels` has neither length
 * @throws {InvalidArgumentError} K leaves its range, a label is NaN, or there are more than 65536 labels and no K is given
 */
export function labelBuckets(
  market: Market,
  labels: ArrayLike<string | number>,
  options: LabelBucketsOptions = {},
): LabelledBuckets {
  const perEntry = labels.length === market.values.length;
  if (!perEntry && labels.length !== market.auctions) {
    throw new ShapeError(
      `labelBuckets: labels has length ${labels.length}; expected ${market.auctions} (one an auction) or ${market.values.length} (one an entry).`,
    );
  }
  const distinct = orderedLabels(labels, options.orderSeed);
  const count = options.count ?? distinct.length;
  if (options.count === undefined && count > MOST_BUCKETS) {
    throw new InvalidArgumentError(
      `labelBuckets: labels has ${count} different labels; expected at most ${MOST_BUCKETS} buckets. Merge them: pass count.`,
    );
  }
  requireInteger('labelBuckets: count', count, 1, Math.min(distinct.length, MOST_BUCKETS));
  const bucketOf = new Map<string | number, number>();
  const names: (string | number)[][] = Array.from({ length: count }, () => []);
  for (const [rank, label] of distinct.entries()) {
    const bucket = Math.floor((rank * count) / distinct.length);
    bucketOf.set(label, bucket);
    names[bucket].push(label);
  }
  const find = (at: number) => bucketOf.get(labels[at]) as number;
  const buckets = perEntry
    ? { count, ofEntry: Uint16Array.from({ length: labels.length }, (_, e) => find(e)) }
    : fromAuctions(market, count, find);
  return { buckets, labels: names };
}

/**
 * Checks that levels of non-uniformity refine each other, as a curve over K needs it.
 *
 * @param levels - K's, ascending, each a divisor of the next
 * @throws {InvalidArgumentError} they are not
 */
export function requireNestedLevels(where: string, levels: readonly number[]): void {
  if (levels.length === 0) {
    throw new InvalidArgumentError(`${where} is empty; expected at least one number of buckets.`);
  }
  for (const [at, level] of levels.entries()) {
    requireInteger(`${where}[${at}]`, level, 1, MOST_BUCKETS);
    const before = at === 0 ? 1 : levels[at - 1];
    if (level % before !== 0 || (at > 0 && level === before)) {
      throw new InvalidArgumentError(
        `${where}[${at}] is ${level} after ${before}; expected a larger multiple, so that its buckets refine those before. Use e.g. 1, 2, 4, 8.`,
      );
    }
  }
}

function fromAuctions(market: Market, count: number, bucketOf: (auction: number) => number): Buckets {
  const ofEntry = new Uint16Array(market.values.length);
  for (let j = 0; j < market.auctions; j++) {
    ofEntry.fill(bucketOf(j), market.offsets[j], market.offsets[j + 1]);
  }
  return { count, ofEntry };
}

/** With r values below v, v is of bucket ⌊r K / n⌋ ≥ b just if it is above sorted[⌈b n / K⌉ − 1]: those, for b = 1 … K − 1. */
function quantileCuts(sorted: Float64Array, count: number): Float64Array {
  if (sorted.length === 0) return new Float64Array(0);
  return Float64Array.from(
    { length: count - 1 },
    (_, b) => sorted[Math.ceil(((b + 1) * sorted.length) / count) - 1],
  );
}

/** How many of ascending numbers are below `value`. */
function countBelow(ascending: Float64Array, value: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function orderedLabels(labels: ArrayLike<string | number>, seed: number | undefined): (string | number)[] {
  const distinct = new Set<string | number>();
  for (let at = 0; at < labels.length; at++) {
    const label = labels[at];
    if (Number.isNaN(label)) {
      throw new InvalidArgumentError(`labelBuckets: labels[${at}] is NaN; expected a number or a string.`);
    }
    distinct.add(label);
  }
  // Numbers before strings; a column holds only one of them as a rule.
  const ordered = [...distinct].sort((a, b) =>
    typeof a === typeof b ? (a < b ? -1 : 1) : typeof a === 'number' ? -1 : 1,
  );
  if (seed === undefined) return ordered;
  requireSeed('labelBuckets: orderSeed', seed);
  return shuffle(ordered, createRng(seed).fork('label buckets'));
}
