// What one advertiser can choose between: for each bucket, the outcomes of all multipliers, found by running its auctions again and again.

import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { CompensatedSum } from '../../core/sums.ts';
import type { Setting } from '../types.ts';
import {
  bidOfScore,
  type EntryOutcomes,
  emptyOutcomes,
  rankEntries,
  reserveAt,
  runSortedAuction,
  scoreOf,
} from './sorted-auction.ts';

/** All outcomes of one bucket, others' bids fixed; shapes (choices,). Choice 0 bids nothing and gets nothing. */
export interface Choices {
  /** θ: the infimum of the multipliers with this outcome; not descending. */
  readonly thresholds: Float64Array;
  /** 1 where the outcome is that of bidding exactly θ and no more, 0 where it is that of bidding above. */
  readonly exact: Uint8Array;
  readonly value: Float64Array;
  /** In first price the infimum θ · value. */
  readonly spend: Float64Array;
}

/** A change of what one bucket gets, at a multiplier. */
export interface Change {
  readonly threshold: number;
  /** False: from exactly the threshold on. True: just above it. */
  readonly above: boolean;
  readonly value: number;
  /** Not used in first price, where spend is multiplier · value. */
  readonly spend: number;
}

/** Auctions between two looks at the event loop: some ten milliseconds. */
const AUCTIONS_PER_TURN = 256;

/** Thresholds nearer to each other than this share count as one: several roundings of a quotient. */
const SAME = 1e-12;

/**
 * Outcomes of the entries `start` … `end` − 1, all of one advertiser in auction `j`, as their common multiplier rises from 0 to the cap.
 *
 * Wherever a score meets another one, the auction is run: exactly there, between neighbouring thresholds, and at the cap. Bidding a threshold
 * exactly is a choice of its own where several ties meet, in one auction or in several: the tie rule then wins some of them and loses others.
 *
 * @param bids - of all entries; those of this advertiser in auction j are overwritten
 * @param scratch - overwritten
 *
 * O(P² log P) for P participants.
 */
export function changesOfAuction(
  setting: Setting,
  j: number,
  start: number,
  end: number,
  cap: number,
  bids: Float64Array,
  scratch: EntryOutcomes,
): Change[] {
  const { market, rules } = setting;
  const outcomeAt = (multiplier: number) => {
    for (let e = start; e < end; e++) bids[e] = multiplier * market.values[e];
    runSortedAuction(market, rules, j, bids, scratch);
    let [value, spend] = [0, 0];
    for (let e = start; e < end; e++) {
      value += scratch.discount[e] * market.values[e];
      if (rules.format !== 'fpa') spend += scratch.payment[e];
    }
    return { value, spend };
  };
  const changes: Change[] = [];
  let last = { value: 0, spend: 0 };
  const moveTo = (next: { value: number; spend: number }, threshold: number, above: boolean) => {
    if (next.value !== last.value || next.spend !== last.spend) {
      changes.push({ threshold, above, value: next.value - last.value, spend: next.spend - last.spend });
    }
    last = next;
  };
  const thresholds = thresholdsOf(setting, j, start, end, bids);
  for (let t = 0; t < thresholds.length && thresholds[t] < cap; ) {
    const threshold = thresholds[t];
    let next = t + 1;
    while (next < thresholds.length && thresholds[next] <= threshold * (1 + SAME)) next++;
    if (threshold > 0) moveTo(outcomeAt(threshold), threshold, false);
    moveTo(outcomeAt(between(threshold, thresholds[next] ?? Infinity)), threshold, true);
    t = next;
  }
  moveTo(outcomeAt(cap), cap, false);
  return changes;
}

/** A multiplier strictly between two. */
export function between(low: number, high: number): number {
  if (high === Infinity) return low === 0 ? 1 : 2 * low;
  return low === 0 ? high / 2 : Math.sqrt(low) * Math.sqrt(high);
}

/**
 * All choices of one advertiser, one list for each bucket.
 *
 * @param changes - of each bucket, in any order
 */
export function choicesOfChanges(changes: readonly Change[], firstPrice: boolean): Choices {
  const sorted = [...changes].sort((a, b) => a.threshold - b.threshold || Number(a.above) - Number(b.above));
  const kept: { threshold: number; above: boolean; value: number; spend: number }[] = [];
  const [value, spend] = [new CompensatedSum(), new CompensatedSum()];
  sorted.forEach((change, t) => {
    value.add(change.value);
    spend.add(change.spend);
    const { threshold, above } = change;
    const next = sorted[t + 1];
    if (next?.threshold === threshold && next.above === above) return;
    kept.push({
      threshold,
      above,
      value: value.value,
      spend: firstPrice ? threshold * value.value : spend.value,
    });
  });
  const nothing = { threshold: 0, above: false, value: 0, spend: 0 };
  const all = [nothing, ...kept];
  return {
    thresholds: Float64Array.from(all, ({ threshold }) => threshold),
    // Where nothing more happens just above, bidding there does the same, and does not hang on a tie.
    exact: Uint8Array.from(all, ({ above, threshold }, t) =>
      Number(!above && all[t + 1]?.threshold === threshold),
    ),
    value: Float64Array.from(all, (choice) => choice.value),
    spend: Float64Array.from(all, (choice) => choice.spend),
  };
}

/**
 * Choices of `advertiser` in each bucket, all others' bids fixed.
 *
 * @param bids - shape (entries,): left as they are
 *
 * O(E P² log P) for E entries of the advertiser.
 */
export async function choicesOf(
  setting: Setting,
  advertiser: number,
  bids: Float64Array,
  cap: number,
  { signal }: RunOptions,
): Promise<Choices[]> {
  const { buckets, rules } = setting;
  const own = bids.slice();
  const scratch = emptyOutcomes(bids.length);
  const changes: Change[][] = Array.from({ length: buckets.count }, () => []);
  let turn = 0;
  for (const { auction, start, end } of ownEntries(setting, advertiser)) {
    if (++turn % AUCTIONS_PER_TURN === 0) await yieldToEventLoop();
    signal?.throwIfAborted();
    changes[buckets.ofEntry[start]].push(
      ...changesOfAuction(setting, auction, start, end, cap, own, scratch),
    );
  }
  return changes.map((list) => choicesOfChanges(list, rules.format === 'fpa'));
}

/** Where an advertiser takes part: its entries in each auction follow each other. */
export function* ownEntries(
  { market: { auctions, offsets, advertiserOf } }: Setting,
  advertiser: number,
): Generator<{ auction: number; start: number; end: number }> {
  for (let j = 0; j < auctions; j++) {
    let start = offsets[j];
    while (start < offsets[j + 1] && advertiserOf[start] !== advertiser) start++;
    let end = start;
    while (end < offsets[j + 1] && advertiserOf[end] === advertiser) end++;
    if (end > start) yield { auction: j, start, end };
  }
}

/** The multiplier to bid so that a choice comes about: first price just above its infimum, else far from both its ends. */
export function multiplierOfChoice(
  { thresholds, exact }: Choices,
  choice: number,
  cap: number,
  firstPrice: boolean,
): number {
  const threshold = thresholds[choice];
  if (choice === 0 || exact[choice] === 1) return threshold;
  let next = choice + 1;
  while (next < thresholds.length && thresholds[next] <= threshold) next++;
  const limit = Math.min(cap, thresholds[next] ?? Infinity);
  if (!firstPrice) return Math.min(cap, between(threshold, limit));
  return Math.min(limit, threshold > 0 ? threshold * (1 + 1e-9) : 1e-9 * limit);
}

/** Multipliers at which the order of an auction changes or an entry begins to take part; ascending, with repeats. */
function thresholdsOf(setting: Setting, j: number, start: number, end: number, bids: Float64Array): number[] {
  const { market, rules } = setting;
  const thresholds = [];
  const rivals = rankEntries(market, rules, j, bids).filter((e) => e < start || e >= end);
  for (let e = start; e < end; e++) {
    const unit = market.values[e];
    thresholds.push(reserveAt(rules, j) / unit);
    for (const rival of rivals)
      thresholds.push(bidOfScore(rules, e, scoreOf(rules, rival, bids[rival])) / unit);
    for (let other = start; other < e; other++) {
      const slope = scoreOf(rules, e, unit) - scoreOf(rules, e, 0);
      const otherSlope = scoreOf(rules, other, market.values[other]) - scoreOf(rules, other, 0);
      const meeting = (scoreOf(rules, e, 0) - scoreOf(rules, other, 0)) / (otherSlope - slope);
      if (meeting > 0 && meeting < Infinity) thresholds.push(meeting);
    }
  }
  return thresholds.sort((a, b) => a - b);
}
