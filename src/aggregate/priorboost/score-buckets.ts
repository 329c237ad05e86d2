// Buckets of predictions with thresholds fixed beforehand: a sample that comes later knows its bag without the others.

import { requireFinite, requireInteger, requireLength } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { Bags } from '../bags/bags.ts';

/** Plain JSON. Bucket b holds scores between thresholds[b − 1] and thresholds[b]; equal thresholds share their score. */
export interface ScoreBuckets {
  /** Ascending, shape (buckets − 1,), in the unit of the scores. */
  thresholds: number[];
}

/** Expected samples in a bucket so that few hold fewer than k: a binomial count is below its mean less two deviations once in 40. */
export function expectedBucketSize(bagSize: number): number {
  return Math.ceil(bagSize + 2 * Math.sqrt(bagSize));
}

/**
 * Buckets that hold equally many of these scores; frozen, they take scores that come later.
 *
 * @param scores - shape (n,), finite: predictions of the stage before
 * @param count - number of buckets, 1 … n
 *
 * Later scores of the same distribution fill the buckets equally in expectation only: `closeBuckets` mends that. O(n log n).
 */
export function scoreBuckets(scores: ArrayLike<number>, count: number): ScoreBuckets {
  requireInteger('scoreBuckets: count', count, 1, scores.length);
  requireFinite('scoreBuckets: scores', scores);
  const sorted = Float64Array.from(scores).sort();
  const quantile = (_: unknown, b: number) => sorted[Math.ceil(((b + 1) * sorted.length) / count) - 1];
  return { thresholds: Array.from({ length: count - 1 }, quantile) };
}

/**
 * Bucket of one score.
 *
 * @param tie - in [0, 1): place among the buckets that a score equal to thresholds may go to. Draw it per sample, so that equal scores fill equal
 * thresholds' buckets alike and the order of the rows says nothing
 *
 * O(log buckets).
 */
export function bucketOf({ thresholds }: ScoreBuckets, score: number, tie: number): number {
  if (!Number.isFinite(score)) {
    throw new InvalidArgumentError(`bucketOf: score is ${score}; expected a finite prediction.`);
  }
  if (!(tie >= 0 && tie < 1)) {
    throw new InvalidArgumentError(`bucketOf: tie is ${tie}; expected a number in [0, 1).`);
  }
  const below = countBelow(thresholds, (threshold) => threshold < score);
  const upTo = countBelow(thresholds, (threshold) => threshold <= score);
  return below + Math.floor(tie * (upTo - below + 1));
}

/**
 * Bags from filled buckets: neighbours are merged until each has at least `minSize` samples.
 *
 * @param buckets - bucket of each of `members`, shape (members.length,)
 * @param members - samples, shape (members.length,)
 * @throws {InvalidArgumentError} there are fewer samples than `minSize`
 *
 * O(members + filled buckets · log of them).
 */
export function closeBuckets(
  buckets: ArrayLike<number>,
  { minSize, members, samples }: { minSize: number; members: ArrayLike<number>; samples: number },
): Bags {
  requireInteger('closeBuckets: minSize', minSize, 1);
  requireLength('closeBuckets: members', members, buckets.length);
  if (members.length < minSize) {
    throw new InvalidArgumentError(
      `closeBuckets: there are ${members.length} samples; expected at least minSize = ${minSize}.`,
    );
  }
  const filled = new Map<number, number[]>();
  for (let i = 0; i < buckets.length; i++) {
    requireInteger(`closeBuckets: buckets[${i}]`, buckets[i], 0, 0xffffffff);
    const list = filled.get(buckets[i]);
    if (list) list.push(members[i]);
    else filled.set(buckets[i], [members[i]]);
  }
  const ordered: number[] = [];
  const offsets = [0];
  for (const [, list] of [...filled].sort(([a], [b]) => a - b)) {
    for (const sample of list) ordered.push(sample);
    if (ordered.length - offsets[offsets.length - 1] >= minSize) offsets.push(ordered.length);
  }
  // What is left over at the end is too few for a bag of its own: it joins the last one.
  offsets[offsets.length - 1] = ordered.length;
  return { samples, members: Uint32Array.from(ordered), offsets: Uint32Array.from(offsets) };
}

/** Number of leading entries for which `holds` is true; true entries come first. */
function countBelow(sorted: readonly number[], holds: (value: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(sorted[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}
