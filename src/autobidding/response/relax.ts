// The linear relaxation: shares of choices instead of one choice a bucket. Solved exactly by one sweep over the edges of the upper hulls.

import { sortMemory, sortThresholds } from '../landscape/sort-thresholds.ts';
import type { Choices } from './choices.ts';
import type { Goal } from './goal.ts';

/** The optimum of the relaxation, and the whole choices on either side of it. */
export interface Relaxation {
  /** Most Σ gain at any mixture: no single choice a bucket has more. */
  readonly bound: number;
  /** The last whole choice a bucket before the limit, feasible, shape (K,): indices into the choices. */
  readonly floor: Int32Array;
  /** Bucket in which the limit cuts an edge of the hull, and the choice at the edge's other end; −1 where nothing limits. */
  readonly cutBucket: number;
  readonly cutChoice: number;
  /** Weight of that choice, in [0, 1): the rest is on the floor's. */
  readonly cutWeight: number;
  /** Gain that a unit of cost buys at the limit: the slope of the cut edge; 0 where nothing limits. */
  readonly slope: number;
  /** Whether it is the target beside a budget that limits. */
  readonly targetLimits: boolean;
}

/**
 * Solves the relaxation of max Σ gain subject to Σ cost ≤ cap, and Σ cost ≤ Σ gain where the goal has a target besides.
 *
 * In the plane of cost and gain the sums of the buckets' hulls have one concave frontier: all edges by falling slope. Gain rises along it and
 * cost − gain is convex on it, so the optimum for both limits is where the frontier first meets either. Derived.
 *
 * O(choices): the edges are sorted by radix.
 */
export function relax(choices: Choices, goal: Goal): Relaxation {
  const { offsets, gain, cost } = choices;
  const buckets = offsets.length - 1;
  const floor = new Int32Array(buckets);
  let sumGain = 0;
  let sumCost = 0;
  for (let k = 0; k < buckets; k++) {
    floor[k] = offsets[k];
    sumGain += gain[offsets[k]];
    sumCost += cost[offsets[k]];
  }
  const edges = hullEdges(choices);
  for (const edge of edges.order) {
    const bucket = edges.bucket[edge];
    const from = floor[bucket];
    const to = edges.to[edge];
    const moreGain = gain[to] - gain[from];
    const moreCost = cost[to] - cost[from];
    const share = affordableShare(goal, sumGain, sumCost, moreGain, moreCost);
    if (share < 1) {
      return {
        bound: sumGain + share * moreGain,
        floor,
        cutBucket: bucket,
        cutChoice: to,
        cutWeight: share,
        slope: moreGain / moreCost,
        targetLimits:
          goal.target && (sumCost + moreCost <= goal.cap || share < (goal.cap - sumCost) / moreCost),
      };
    }
    floor[bucket] = to;
    sumGain += moreGain;
    sumCost += moreCost;
  }
  return {
    bound: sumGain,
    floor,
    cutBucket: -1,
    cutChoice: -1,
    cutWeight: 0,
    slope: 0,
    targetLimits: false,
  };
}

/** Share of an edge that the limits leave; 1 when all of it. */
function affordableShare(
  { cap, target }: Goal,
  gain: number,
  cost: number,
  moreGain: number,
  moreCost: number,
): number {
  let share = 1;
  if (cost + moreCost > cap) share = Math.max(0, (cap - cost) / moreCost);
  // Beside a budget: cost ≤ gain, up to the same relative rounding as everywhere.
  const over = moreCost - moreGain;
  const slack = gain - cost;
  if (target && slack - over < -1e-12 * (gain + moreGain)) share = Math.min(share, Math.max(0, slack / over));
  return share;
}

interface Edges {
  /** Edges by falling slope; of one bucket in the order of its hull. */
  order: Uint32Array;
  bucket: Uint16Array;
  /** Choice at the upper end. */
  to: Uint32Array;
}

/** The edges of every bucket's upper concave hull, merged by slope. */
function hullEdges({ offsets, gain, cost }: Choices): Edges {
  const buckets = offsets.length - 1;
  const hull = new Uint32Array(gain.length);
  const prices = new Float64Array(gain.length); // cost of a unit of gain: 1 ÷ slope
  const bucket = new Uint16Array(gain.length);
  const to = new Uint32Array(gain.length);
  let count = 0;
  for (let k = 0; k < buckets; k++) {
    let size = 0;
    for (let a = offsets[k]; a < offsets[k + 1]; a++) {
      while (size > 1) {
        const below = hull[size - 2];
        const last = hull[size - 1];
        const turn =
          (gain[last] - gain[below]) * (cost[a] - cost[last]) -
          (gain[a] - gain[last]) * (cost[last] - cost[below]);
        if (turn > 0) break;
        size--;
      }
      hull[size++] = a;
    }
    for (let s = 1; s < size; s++) {
      prices[count] = (cost[hull[s]] - cost[hull[s - 1]]) / (gain[hull[s]] - gain[hull[s - 1]]);
      // Prices on a hull rise strictly; rounding may make them equal, never let it reverse them.
      if (s > 1 && prices[count] < prices[count - 1]) prices[count] = prices[count - 1];
      bucket[count] = k;
      to[count++] = hull[s];
    }
  }
  // Stable, so that edges of one bucket stay in order.
  return { order: sortThresholds(prices, 0, count, sortMemory(count)), bucket, to };
}
