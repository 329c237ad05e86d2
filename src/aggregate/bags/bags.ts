// Bags: disjoint groups of samples, each of which is answered by one mean response.

import { requireInteger } from '../../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../../core/errors.ts';

/** Disjoint, non-empty bags over the samples 0 … samples − 1, one after the other. A sample may be in no bag. */
export interface Bags {
  /** Number of samples that could be in a bag, n. */
  readonly samples: number;
  /** Samples of bag 0, then of bag 1, …; each at most once. Shape (assigned,). */
  readonly members: Uint32Array;
  /** Bag a holds members[offsets[a]] … members[offsets[a + 1] − 1]; offsets[0] = 0. Shape (bags + 1,). */
  readonly offsets: Uint32Array;
}

/** Number of bags, m. */
export function bagCount({ offsets }: Bags): number {
  return offsets.length - 1;
}

/** Samples of bag a, shape (size,): a view. */
export function bagMembers({ members, offsets }: Bags, a: number): Uint32Array {
  return members.subarray(offsets[a], offsets[a + 1]);
}

/** Number of samples in bag a, k_a. */
export function bagSize({ offsets }: Bags, a: number): number {
  return offsets[a + 1] - offsets[a];
}

/** Bag of each sample, shape (samples,); −1 for a sample in no bag. O(n). */
export function bagOfEach({ samples, members, offsets }: Bags): Int32Array {
  const bagOf = new Int32Array(samples).fill(-1);
  for (let a = 0; a + 1 < offsets.length; a++) {
    for (let i = offsets[a]; i < offsets[a + 1]; i++) bagOf[members[i]] = a;
  }
  return bagOf;
}

/**
 * Bags from a list of index lists.
 *
 * @throws {InvalidArgumentError} a bag is empty, an index is not one of 0 … samples − 1, or a sample is in two bags: the message names bag and sample
 */
export function bagsFromLists(lists: readonly ArrayLike<number>[], samples: number): Bags {
  const offsets = new Uint32Array(lists.length + 1);
  lists.forEach((list, a) => {
    offsets[a + 1] = offsets[a] + list.length;
  });
  const members = new Uint32Array(offsets[lists.length]);
  lists.forEach((list, a) => {
    for (let i = 0; i < list.length; i++) {
      requireInteger(`bagsFromLists: bag ${a}[${i}]`, list[i], 0, samples - 1);
      members[offsets[a] + i] = list[i];
    }
  });
  const bags = { samples, members, offsets };
  requireBags('bagsFromLists', bags);
  return bags;
}

/**
 * @param name - public function and argument, for messages: "fitLinear: bags"
 * @throws {ShapeError} offsets do not fit the members
 * @throws {InvalidArgumentError} there is no bag, a bag is empty, or a sample is out of range or in two bags
 *
 * O(n).
 */
export function requireBags(name: string, { samples, members, offsets }: Bags): void {
  requireInteger(`${name}: samples`, samples, 1, 0xfffffffe);
  if (offsets.length < 2) {
    throw new InvalidArgumentError(`${name}: there is no bag; expected at least one.`);
  }
  if (offsets[0] !== 0 || offsets[offsets.length - 1] !== members.length) {
    throw new ShapeError(
      `${name}: offsets run from ${offsets[0]} to ${offsets[offsets.length - 1]}; expected 0 to ${members.length}, the number of members.`,
    );
  }
  const bagOf = new Int32Array(samples).fill(-1);
  for (let a = 0; a + 1 < offsets.length; a++) {
    if (offsets[a + 1] <= offsets[a]) {
      throw new InvalidArgumentError(
        `${name}: bag ${a} is empty; expected at least one sample. Leave it out.`,
      );
    }
    for (let i = offsets[a]; i < offsets[a + 1]; i++) {
      const sample = members[i];
      if (sample >= samples) {
        throw new InvalidArgumentError(
          `${name}: bag ${a} holds sample ${sample}; expected indices below ${samples}.`,
        );
      }
      if (bagOf[sample] >= 0) {
        const twice = bagOf[sample] === a ? `twice in bag ${a}` : `in bags ${bagOf[sample]} and ${a}`;
        throw new InvalidArgumentError(
          `${name}: sample ${sample} is ${twice}; expected disjoint bags. Take it out of all but one.`,
        );
      }
      bagOf[sample] = a;
    }
  }
}

/** Mean of `values` over each bag, shape (bags,); float64, in the order of the members. O(n). */
export function bagMeans(values: ArrayLike<number>, { members, offsets }: Bags): Float64Array {
  const means = new Float64Array(offsets.length - 1);
  for (let a = 0; a < means.length; a++) {
    let sum = 0;
    for (let i = offsets[a]; i < offsets[a + 1]; i++) sum += values[members[i]];
    means[a] = sum / (offsets[a + 1] - offsets[a]);
  }
  return means;
}
