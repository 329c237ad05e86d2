// Landscapes on a grid of multipliers: no sorting, so that a step of a dynamic costs about as much as the auctions themselves.

import { InvalidArgumentError } from '../../core/errors.ts';
import type { AuctionFormat, Landscape, Setting } from '../types.ts';
import { type Arena, layOutArena } from './arena.ts';
import { addGroupSteps, groupStepsPerEntry } from './group-steps.ts';
import type { MultiplierGrid } from './multiplier-grid.ts';
import { ownerGroups } from './owner-groups.ts';
import { bidForScore, emptyRanking, type Ranking, rankAuction, reserveOf } from './ranking.ts';
import { siblingsOf } from './siblings.ts';
import type { StepStore } from './steps.ts';

/**
 * A threshold that is above a grid point by no more than this share of a step counts as at it: logarithms round, and a tie is won. In the
 * multiplier that is 5 · 10⁻¹² at the default step.
 */
const TIE = 1e-9;

/**
 * The landscapes of all advertisers at the multipliers of a grid: what `exactLandscapes` has at each of them.
 *
 * Every step falls into the bin of the first grid point at or above its threshold (difference arrays), and prefix sums over the bins make the
 * landscapes. Grid points at which nothing changes are left out.
 *
 * @param bids - one for each entry, shape (entries,), finite and ≥ 0
 * @param grid - of `multiplierGrid(setting)`, to be kept between calls
 * @throws as `exactLandscapes`; {InvalidArgumentError} the grid is of another market
 *
 * O(entries · slots + advertisers · K · G); 16 bytes for each advertiser, bucket and grid point. Source: derived.
 */
export function gridLandscapes(setting: Setting, bids: Float64Array, grid: MultiplierGrid): Landscape[] {
  const arena = layOutArena('gridLandscapes', setting, bids);
  const { market, buckets, bucketOf, slots } = arena;
  const { auctions, advertisers, advertiserOf, offsets } = market;
  if (grid.logUnits.length !== market.values.length) {
    throw new InvalidArgumentError(
      `gridLandscapes: grid is of ${grid.logUnits.length} entries; expected one of the setting's ${market.values.length}. Make it by multiplierGrid(setting).`,
    );
  }
  const size = grid.multipliers.length;
  const bins = new Float64Array(2 * size * advertisers * buckets);
  const counts = new Uint32Array(advertisers * buckets);
  const groups = ownerGroups(arena);
  const ranking = emptyRanking(slots + 1);
  const logs = new Float64Array(slots + 1);
  const plain = !arena.factors && !arena.boosts;
  for (let j = 0; j < auctions; j++) {
    const shared = groups.visit(j);
    rankAuction(arena, j, ranking);
    const reserve = reserveOf(arena, j);
    const logReserve = Math.log(reserve);
    if (plain) for (let s = 0; s < ranking.count; s++) logs[s] = Math.log(ranking.scores[s]); // ≥ the reserve
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      const segment = advertiserOf[e] * buckets + bucketOf[e];
      counts[segment]++;
      if (shared && groups.isShared(e)) binGroup(arena, j, e, grid, bins, segment);
      else binEntry(arena, e, ranking, plain ? logs : undefined, reserve, logReserve, grid, bins, segment);
    }
  }
  return Array.from({ length: advertisers }, (_, i) =>
    sumBins(
      bins.subarray(2 * size * i * buckets, 2 * size * (i + 1) * buckets),
      grid.multipliers,
      arena.format,
      counts.slice(i * buckets, (i + 1) * buckets),
    ),
  );
}

/** As `addEntrySteps`, into bins. @param logs - of the ranking's scores; undefined where bids are not scores */
function binEntry(
  arena: Arena,
  e: number,
  { count, scores, entries }: Ranking,
  logs: Float64Array | undefined,
  reserve: number,
  logReserve: number,
  { multipliers, step, first, logUnits }: MultiplierGrid,
  bins: Float64Array,
  segment: number,
): void {
  const { slots, discounts, format } = arena;
  const unit = arena.units[e];
  if (unit <= 0) return;
  const worth = arena.market.values[e];
  const size = multipliers.length;
  const start = segment * size;
  const perStep = 1 / step;
  const logUnit = logUnits[e];
  let place = 0;
  while (place < count && entries[place] !== e) place++;
  let costBelow = 0;
  for (let s = slots - 1; s >= 0; s--) {
    const rank = s < place ? s : s + 1;
    let bid = reserve;
    let log = logReserve;
    if (rank < count) {
      if (logs) {
        bid = scores[rank];
        log = logs[rank];
      } else {
        bid = bidForScore(arena, e, scores[rank], reserve);
        log = Math.log(bid);
      }
    }
    const bin = Math.max(0, Math.ceil((log - logUnit) * perStep - TIE) - first); // ln 0 falls into the first
    if (bin >= size) return;
    const gain = discounts[s] - discounts[s + 1];
    const at = 2 * (start + bin);
    bins[at] += gain * worth;
    if (format === 'vcg') {
      bins[at + 1] += gain * bid;
    } else if (format === 'gsp') {
      const cost = discounts[s] * bid;
      bins[at + 1] += cost - costBelow;
      costBelow = cost;
    } else {
      bins[at + 1] += gain * unit;
    }
  }
}

/** The steps of all entries of e's advertiser in the auction, when e is the first of them. */
function binGroup(
  arena: Arena,
  j: number,
  e: number,
  { multipliers, step, first }: MultiplierGrid,
  bins: Float64Array,
  segment: number,
): void {
  const own = siblingsOf(arena.market, e, j);
  if (own[0] !== e) return;
  const { offsets } = arena.market;
  const ranking = emptyRanking(offsets[j + 1] - offsets[j]);
  rankAuction(arena, j, ranking);
  const room = own.length * groupStepsPerEntry(arena.slots, own.length);
  const store: StepStore = {
    thresholds: new Float64Array(room),
    value: new Float64Array(room),
    spend: new Float64Array(room),
    cursors: new Float64Array(1),
  };
  addGroupSteps(arena, j, own, ranking, store, 0);
  const size = multipliers.length;
  for (let t = 0; t < store.cursors[0]; t++) {
    const bin = Math.max(0, Math.ceil(Math.log(store.thresholds[t]) / step - TIE) - first);
    if (bin >= size) continue;
    bins[2 * (segment * size + bin)] += store.value[t];
    bins[2 * (segment * size + bin) + 1] += store.spend[t];
  }
}

function sumBins(
  bins: Float64Array,
  multipliers: Float64Array,
  format: AuctionFormat,
  entries: Uint32Array,
): Landscape {
  const size = multipliers.length;
  let steps = 0;
  for (let b = 0; b < bins.length; b += 2) if (bins[b] !== 0 || bins[b + 1] !== 0) steps++;
  const landscape = {
    bucketOffsets: new Uint32Array(entries.length + 1),
    thresholds: new Float64Array(steps),
    value: new Float64Array(steps),
    spend: new Float64Array(steps),
    entries,
  };
  let at = 0;
  for (let k = 0; k < entries.length; k++) {
    let value = 0;
    let spend = 0;
    for (let g = 0; g < size; g++) {
      const b = 2 * (k * size + g);
      if (bins[b] === 0 && bins[b + 1] === 0) continue;
      value += bins[b];
      spend += bins[b + 1];
      landscape.thresholds[at] = multipliers[g];
      landscape.value[at] = value;
      landscape.spend[at++] = format === 'fpa' ? multipliers[g] * spend : spend;
    }
    landscape.bucketOffsets[k + 1] = at;
  }
  return landscape;
}
