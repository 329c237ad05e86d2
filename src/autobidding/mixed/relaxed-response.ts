// Best responses in mixtures: the linear programme over shares of multipliers, target and budget in expectation.

import { undominated } from '../response/choices.ts';
import { goalOf } from '../response/goal.ts';
import { relax } from '../response/relax.ts';
import type { Bidder, Landscape } from '../types.ts';

type Optimizer = Extract<Bidder, { kind: 'value' | 'utility' }>;

/** The most value (or utility) that mixtures of the landscape's steps have. */
export function relaxedValue(landscape: Landscape, bidder: Optimizer): number {
  const goal = goalOf('relaxedValue', bidder);
  return relax(undominated(landscape, goal), goal).bound;
}

/** A best mixture: one step a bucket, and in at most one bucket two of them. */
export interface MixedResponse {
  /** Step of the landscape for each bucket, −1: bid nothing, shape (K,). */
  readonly steps: Int32Array;
  /** Bucket that mixes, or −1; its other step, and that step's weight. */
  readonly bucket: number;
  readonly other: number;
  readonly weight: number;
}

/**
 * @param slack - by how much spend may exceed value (where there is no budget): what past play has left over. O(steps + E log E) for E edges
 */
export function mixedResponse(landscape: Landscape, bidder: Optimizer, slack: number): MixedResponse {
  const plain = goalOf('mixedResponse', bidder);
  const goal = plain.valueWeight > 0 ? { ...plain, cap: slack } : plain;
  const choices = undominated(landscape, goal);
  const { floor, cutBucket, cutChoice, cutWeight } = relax(choices, goal);
  return {
    steps: floor.map((choice) => choices.step[choice]),
    bucket: cutBucket,
    other: cutBucket < 0 ? -1 : choices.step[cutChoice],
    weight: cutWeight,
  };
}
