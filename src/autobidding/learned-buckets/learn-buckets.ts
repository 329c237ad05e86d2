// The buckets that serve one advertiser best: groups of auctions, merged into K by splitting in two again and again.

import type { Certified } from '../../core/certificate.ts';
import { requireInteger } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { type EntryIndex, indexEntries, landscapeOf, multiplierGrid } from '../landscape/index.ts';
import { undominated } from '../response/choices.ts';
import { type Goal, goalOf } from '../response/goal.ts';
import { bestResponse } from '../response/index.ts';
import { relax } from '../response/relax.ts';
import type { Bidder, Buckets, Landscape, Response, Setting } from '../types.ts';
import { bestSplit, type Split } from './split.ts';
import { type WorthTable, worthTable } from './worth-table.ts';

export interface LearnBucketsOptions extends RunOptions {
  /** K ≥ 1: how many buckets to learn at most. */
  count: number;
  /** What can be told apart before bidding: topics, hours, value classes, labels. Buckets are unions of these groups. */
  groups: Buckets;
  /** Multipliers that a split may choose from; the response chooses from all. Default 97. */
  gridSize?: number | undefined;
}

export interface LearnedBuckets {
  /** The setting's buckets, the advertiser's entries in learned ones; count is K or the setting's, whichever is more. */
  readonly buckets: Buckets;
  /** Learned bucket of each group, shape (groups,); 0 for groups without entries of the advertiser. */
  readonly bucketOfGroup: Uint16Array;
  /** Buckets that are used, ≤ K: fewer when no further split gains. */
  readonly used: number;
  /** Objective of the best response with 1 … K buckets, money, shape (K,), non-decreasing: each level splits one bucket of the level before. */
  readonly levels: Float64Array;
  /** Best response in the learned buckets, multipliers of shape (buckets.count,). */
  readonly response: Response;
  /** No merging of the groups, with however many buckets, has a greater objective. */
  readonly bound: number;
}

/**
 * Learns K buckets for one advertiser, all others' bids fixed.
 *
 * Starts from one bucket and splits K − 1 times: with the price of the limits (target, budget) at the present optimum, every group is worth
 * gain − price · cost at a multiplier, and the split is the one whose two multipliers are worth most, over all pairs of a grid. So level K + 1
 * refines level K. Greedy: the split is optimal at that price, the sequence need not be; the certificate says what is left at most.
 *
 * In-sample: bid landscapes of these very auctions decide. See `holdOutBuckets` for what it is worth on others.
 *
 * @param bids - one for each entry, shape (entries,); the advertiser's own do not matter
 * @param advertiser - a `value` or `utility` bidder
 * @returns certificate: money between the objective reached and that of every group a bucket of its own
 * @throws {InvalidArgumentError} an option or bid leaves its range; the advertiser bids by rule
 * @throws `signal.reason` when cancelled
 *
 * O(K · (groups · G² + own auctions · participants)). Source: derived; non-uniform bid-scaling as in arXiv 2311.10679.
 */
export async function learnBuckets(
  setting: Setting,
  bids: Float64Array,
  advertiser: number,
  { count, groups, gridSize = 97, signal, onProgress }: LearnBucketsOptions,
): Promise<Certified<LearnedBuckets>> {
  requireInteger('learnBuckets: count', count, 1, 65_536);
  requireInteger('learnBuckets: advertiser', advertiser, 0, setting.market.advertisers - 1);
  const bidder = optimiserOf('learnBuckets', setting, advertiser);
  const goal = goalOf('learnBuckets', bidder);
  const { format } = setting.rules;
  const index = indexEntries(setting.market);
  const { multipliers: grid } = multiplierGrid(setting, { size: gridSize });
  const byGroup = landscapeOf({ ...setting, buckets: groups }, bids, advertiser, index);
  const bucketOfGroup = new Uint16Array(groups.count);
  const levels = new Float64Array(count);
  let buckets: Buckets;
  let response: Response;
  let used = 1;
  for (;;) {
    signal?.throwIfAborted();
    buckets = mergedBuckets(setting.buckets, groups, bucketOfGroup, { count, advertiser, index });
    const landscape = landscapeOf({ ...setting, buckets }, bids, advertiser, index);
    response = bestResponse(landscape, bidder, { format });
    levels.fill(objectiveOf(bidder, response), used - 1);
    onProgress?.({ phase: 'splits', done: used - 1, total: count - 1 });
    await yieldToEventLoop();
    if (used === count) break;
    const price = relax(undominated(landscape, goal), goal).slope;
    const table = worthTable(byGroup, grid, { goal, price, format });
    const upper = greatestSplit(table, bucketOfGroup, used);
    if (upper.length === 0) break;
    for (const row of upper) bucketOfGroup[table.groups[row]] = used;
    used++;
  }
  const reached = levels[count - 1];
  const bound = Math.max(reached, mostOf(byGroup, goal));
  return {
    value: { buckets, bucketOfGroup, used, levels, response, bound },
    certificate: {
      statement: `On these auctions, the others' bids fixed, no merging of the ${groups.count} groups gives advertiser ${advertiser} an objective further above the one reached`,
      source: 'derived: linear relaxation of the best response with every group a bucket of its own',
      assumptions: [
        { statement: 'the others do not answer with other bids', status: 'assumed' },
        { statement: 'auctions to come are as these: fitted in-sample', status: 'assumed' },
      ],
      bound: { value: bound - reached, unit: 'money', failureProbability: 0, scale: reached },
      seed: 0,
      backend: 'none',
      warnings: used < count ? [`${used} of ${count} buckets are used: no further split gains.`] : [],
    },
  };
}

/** @throws {InvalidArgumentError} the advertiser bids by rule */
export function optimiserOf(
  name: string,
  { bidders }: Setting,
  advertiser: number,
): Extract<Bidder, { kind: 'value' | 'utility' }> {
  const bidder = bidders?.[advertiser] ?? { kind: 'value' };
  if (bidder.kind === 'value' || bidder.kind === 'utility') return bidder;
  throw new InvalidArgumentError(
    `${name}: advertiser ${advertiser} is a "${bidder.kind}" bidder; expected "value" or "utility", which have multipliers to choose.`,
  );
}

/** Value of a value bidder, value − spend of a utility bidder. */
export function objectiveOf({ kind }: Bidder, { value, spend }: { value: number; spend: number }): number {
  return kind === 'utility' ? value - spend : value;
}

/** The most that all groups apart can reach, also by mixing. */
function mostOf(byGroup: Landscape, goal: Goal): number {
  return relax(undominated(byGroup, goal), goal).bound;
}

/** The setting's buckets, but for the advertiser: its groups' learned ones. */
export function mergedBuckets(
  buckets: Buckets,
  groups: Buckets,
  bucketOfGroup: Uint16Array,
  { count, advertiser, index }: { count: number; advertiser: number; index: EntryIndex },
): Buckets {
  const ofEntry = buckets.ofEntry.slice();
  for (let at = index.starts[advertiser]; at < index.starts[advertiser + 1]; at++) {
    const e = index.entries[at];
    ofEntry[e] = bucketOfGroup[groups.ofEntry[e]];
  }
  return { count: Math.max(count, buckets.count), ofEntry };
}

/** Rows that move to a new bucket in the split, of any bucket, that gains most; none when no split gains. */
function greatestSplit(table: WorthTable, bucketOfGroup: Uint16Array, used: number): number[] {
  const rows: number[][] = Array.from({ length: used }, () => []);
  table.groups.forEach((group, row) => {
    rows[bucketOfGroup[group]].push(row);
  });
  let best: Split = { gain: 0, upper: [] };
  for (const members of rows) {
    const split = bestSplit(table, members);
    if (split.gain > best.gain) best = split;
  }
  return best.upper;
}
