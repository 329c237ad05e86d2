// Reads the discounts of slots off the weights of the slots that rows of a log got.

import { DataError } from '../../core/errors.ts';
import { NO_ID } from './id-index.ts';
import { describeCell } from './log-columns.ts';

/** Weights closer than this, relatively, are one: they may have been computed in different ways. */
const SAME_WEIGHT = 1e-9;

/** More distinct weights than any page has slots: click rates of single ads, say. */
const MOST_SLOTS = 64;

/**
 * The distinct weights in descending order, divided by the largest. A weight that an auction has several times is that many slots.
 *
 * @param weights - of the slot that each row got, shape (rows,); 0 or NaN where it lost
 * @param auctionOf - auction of each row, shape (rows,); `NO_ID`: not counted
 * @param auctionIds - what to call them in messages
 * @throws {DataError} no row won a slot; there are too many different weights; an auction gave away a slot but not a better one
 *
 * Time O(rows log slots), memory O(auctions + slots).
 */
export function discountsOfLog(
  where: string,
  weights: Float64Array,
  auctionOf: Uint32Array,
  auctionIds: readonly (string | number)[],
): Float64Array {
  const levels = distinctWeights(where, weights, auctionOf, auctionIds);
  // How often each auction has each level; levels are few.
  const counts = new Uint32Array(auctionIds.length * levels.length);
  for (let row = 0; row < weights.length; row++) {
    if (!(weights[row] > 0) || auctionOf[row] === NO_ID) continue;
    counts[auctionOf[row] * levels.length + levelOf(levels, weights[row])]++;
  }
  const slots = levels.map((_, level) => {
    let most = 0;
    for (let at = level; at < counts.length; at += levels.length) most = Math.max(most, counts[at]);
    return most;
  });
  requireFilledFromTop(where, levels, slots, counts, auctionIds);
  return Float64Array.from(
    levels.flatMap((weight, level) => Array<number>(slots[level]).fill(weight / levels[0])),
  );
}

function distinctWeights(
  where: string,
  weights: Float64Array,
  auctionOf: Uint32Array,
  auctionIds: readonly (string | number)[],
): number[] {
  const levels: number[] = []; // descending
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row];
    if (!(weight > 0) || auctionOf[row] === NO_ID || levelOf(levels, weight) >= 0) continue;
    if (levels.length === MOST_SLOTS) {
      throw new DataError(
        `${where}: position_weight takes more than ${MOST_SLOTS} different values, at row ${row} (auction ${describeCell(auctionIds[auctionOf[row]])}) ` +
          `${weight}; expected one weight for each slot of the page, the same in all auctions. Pass discounts, or leave the click rates of ads out of it.`,
      );
    }
    levels.push(weight);
    levels.sort((a, b) => b - a);
  }
  if (levels.length === 0) {
    throw new DataError(
      `${where}: position_weight is 0 or empty everywhere; expected the weight of the slot that each winner got. Pass discounts.`,
    );
  }
  return levels;
}

/** Place of a weight among descending ones, −1 where it is none of them. */
function levelOf(levels: readonly number[], weight: number): number {
  for (let level = 0; level < levels.length; level++) {
    if (Math.abs(weight - levels[level]) <= SAME_WEIGHT * levels[level]) return level;
  }
  return -1;
}

function requireFilledFromTop(
  where: string,
  levels: readonly number[],
  slots: readonly number[],
  counts: Uint32Array,
  auctionIds: readonly (string | number)[],
): void {
  for (let j = 0; j < auctionIds.length; j++) {
    const row = counts.subarray(j * levels.length, (j + 1) * levels.length);
    for (let level = 1; level < levels.length; level++) {
      if (row[level] === 0 || row[level - 1] === slots[level - 1]) continue;
      throw new DataError(
        `${where}: auction ${describeCell(auctionIds[j])} gave away a slot of position_weight ${levels[level]} and ${row[level - 1]} of weight ${levels[level - 1]}; ` +
          `expected ${slots[level - 1]} of weight ${levels[level - 1]}, as other auctions have: slots are filled from the best. Add its missing rows, or pass discounts.`,
      );
    }
  }
}
