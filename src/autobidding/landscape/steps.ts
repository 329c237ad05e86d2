// Where one entry's fortune changes as its bid rises: a step for every competitor passed.

import type { Arena } from './arena.ts';
import { bidForScore, type Ranking, reserveOf } from './ranking.ts';

/** Steps of many landscapes in segments: one segment for each advertiser and bucket. */
export interface StepStore {
  /** Multipliers at which the steps are. */
  readonly thresholds: Float64Array;
  /** Value gained at each. */
  readonly value: Float64Array;
  /** What they add to the spend; in first price to what the multiplier is paid on: δ × the bid at multiplier 1. */
  readonly spend: Float64Array;
  /** Where the next step of each segment goes. */
  readonly cursors: Float64Array;
}

/**
 * Adds the steps of entry `e` of auction `j`, all others' bids fixed, to a segment: at most one a slot, none above the cap.
 *
 * With C₁ ≥ C₂ ≥ … the bids that reach the others' scores, entry e passes competitor s at θ = C_s ÷ v and gains (δ_s − δ_{s+1}) v; GSP adds
 * δ_s C_s − δ_{s+1} C_{s+1} to what it pays, VCG (δ_s − δ_{s+1}) C_s. Slots that nobody competes for are one step. Holds where no other entry of the
 * auction is of the same owner. Derived.
 *
 * @param ranking - of auction j, at least slots + 1 deep
 */
export function addEntrySteps(
  arena: Arena,
  j: number,
  e: number,
  ranking: Ranking,
  store: StepStore,
  segment: number,
): void {
  const { slots, discounts, units, format } = arena;
  const { thresholds, value, spend, cursors } = store;
  const { count, scores, entries } = ranking;
  const plain = !arena.factors && !arena.boosts;
  const reserve = reserveOf(arena, j);
  const unit = units[e];
  if (unit <= 0) return;
  const cap = arena.caps[arena.market.advertiserOf[e]];
  const worth = arena.market.values[e];
  const start = cursors[segment];
  let at = start - 1; // last step written
  // The others' ranks skip the entry itself: competitor s is at s from its own place on one further down.
  let place = 0;
  while (place < count && entries[place] !== e) place++;
  let costBelow = 0;
  for (let s = slots - 1; s >= 0; s--) {
    const rank = s < place ? s : s + 1;
    let bid = reserve;
    if (rank < count) {
      const score = scores[rank];
      if (!plain) bid = bidForScore(arena, e, score, reserve);
      else if (score > reserve) bid = score;
    }
    const threshold = bid / unit;
    const contested = bid > reserve;
    // A reserve is met by bidding it, a competitor passed by bidding more. Those above need even more.
    if (contested ? threshold >= cap : threshold > cap) break;
    const gain = discounts[s] - discounts[s + 1];
    let cost: number;
    if (format === 'fpa') {
      cost = gain * unit;
    } else if (format === 'gsp') {
      cost = discounts[s] * bid - costBelow;
      costBelow = discounts[s] * bid;
    } else {
      cost = gain * bid;
    }
    if (gain === 0 && cost === 0) continue;
    if (!contested && at >= start && thresholds[at] === threshold) {
      value[at] += gain * worth;
      spend[at] += cost;
    } else {
      at++;
      thresholds[at] = threshold;
      value[at] = gain * worth;
      spend[at] = cost;
    }
  }
  cursors[segment] = at + 1;
}
