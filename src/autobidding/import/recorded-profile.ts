// The multipliers that recorded bids amount to: where a replay starts from.

import { requireLength, requireOneOf } from '../../core/check.ts';
import type { Buckets, Market, Profile } from '../types.ts';

/** Multipliers read off recorded bids, and how well they explain them. */
export interface RecordedProfile {
  /** μ of each advertiser and bucket; NaN where no entry has a recorded bid. */
  readonly profile: Profile;
  /** √(Σ (bid − μ v)² / Σ bid²) of each advertiser and bucket: 0 where bids are μ v exactly; NaN as above. Shape of the profile. */
  readonly misfit: Float64Array;
  /** The same over everything. NaN where nothing was bid. */
  readonly totalMisfit: number;
  /** Entries with a recorded bid. */
  readonly entries: number;
}

/**
 * Reads each advertiser's multiplier of each bucket off its recorded bids.
 *
 * @param bids - recorded bid of each entry, shape (entries,), NaN where there is none
 * @param method - 'least-squares': Σ bid v / Σ v², which explains most money · 'median': of bid / v, which single odd bids do not move.
 *   Default 'least-squares'
 * @throws {ShapeError} arrays do not fit the market
 *
 * Time O(entries), O(entries log entries) for the median.
 */
export function recordedProfile(
  market: Market,
  buckets: Buckets,
  bids: Float64Array,
  method: 'least-squares' | 'median' = 'least-squares',
): RecordedProfile {
  requireLength('recordedProfile: bids', bids, market.values.length);
  requireLength('recordedProfile: buckets.ofEntry', buckets.ofEntry, market.values.length);
  requireOneOf('recordedProfile: method', method, ['least-squares', 'median']);
  const { values, advertiserOf, advertisers } = market;
  const cells = advertisers * buckets.count;
  const cellOf = (entry: number) => advertiserOf[entry] * buckets.count + buckets.ofEntry[entry];
  const profile =
    method === 'median'
      ? medianRatios(values, bids, cells, cellOf)
      : leastSquares(values, bids, cells, cellOf);
  const missed = new Float64Array(cells);
  const total = new Float64Array(cells);
  let entries = 0;
  for (let e = 0; e < values.length; e++) {
    if (Number.isNaN(bids[e])) continue;
    entries++;
    const cell = cellOf(e);
    missed[cell] += (bids[e] - profile[cell] * values[e]) ** 2;
    total[cell] += bids[e] ** 2;
  }
  const sum = (numbers: Float64Array) => numbers.reduce((s, x) => s + x, 0);
  return {
    profile,
    misfit: missed.map((square, cell) =>
      Number.isNaN(profile[cell]) ? Number.NaN : misfitOf(square, total[cell]),
    ),
    totalMisfit: entries === 0 ? Number.NaN : misfitOf(sum(missed), sum(total)),
    entries,
  };
}

/** Bids of 0 throughout are explained exactly by μ = 0. */
function misfitOf(missed: number, total: number): number {
  return total === 0 ? 0 : Math.sqrt(missed / total);
}

function leastSquares(
  values: Float64Array,
  bids: Float64Array,
  cells: number,
  cellOf: (entry: number) => number,
): Float64Array {
  const products = new Float64Array(cells);
  const squares = new Float64Array(cells);
  for (let e = 0; e < values.length; e++) {
    if (Number.isNaN(bids[e])) continue;
    products[cellOf(e)] += bids[e] * values[e];
    squares[cellOf(e)] += values[e] ** 2;
  }
  return products.map((product, cell) => product / squares[cell]); // 0 / 0: NaN, as promised
}

function medianRatios(
  values: Float64Array,
  bids: Float64Array,
  cells: number,
  cellOf: (entry: number) => number,
): Float64Array {
  const ratios: number[][] = Array.from({ length: cells }, () => []);
  for (let e = 0; e < values.length; e++) {
    if (!Number.isNaN(bids[e])) ratios[cellOf(e)].push(bids[e] / values[e]);
  }
  return Float64Array.from(ratios, (list) => {
    if (list.length === 0) return Number.NaN;
    const sorted = Float64Array.from(list).sort();
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  });
}
