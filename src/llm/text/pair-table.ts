// What two neighbouring symbols merge into, and how early: a hash table in typed arrays, since this look-up is what
// tokenising a text consists of.

/** A merge of two symbols into a third. */
export interface Merge {
  left: number;
  right: number;
  result: number;
  /** Smaller merges earlier; equal ranks merge from the left. An integer in [0, 2²⁴). */
  rank: number;
}

export class PairTable {
  private readonly mask: number;
  /** left, right, result, rank of each slot; left is −1 where the slot is free. */
  private readonly slots: Int32Array;

  /** Of several merges of one pair the last counts. Time and memory O(merges), slots at most half full. */
  constructor(merges: readonly Merge[]) {
    const size = 2 ** Math.ceil(Math.log2(2 * merges.length + 2));
    this.mask = size - 1;
    this.slots = new Int32Array(4 * size).fill(-1);
    for (const { left, right, result, rank } of merges) {
      this.slots.set([left, right, result, rank], this.find(left, right));
    }
  }

  /** Where the pair is, or the free slot where it would be. */
  find(left: number, right: number): number {
    const { slots, mask } = this;
    let at = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    at ^= at >>> 15;
    for (;;) {
      const slot = 4 * (at & mask);
      if (slots[slot] < 0 || (slots[slot] === left && slots[slot + 1] === right)) return slot;
      at++;
    }
  }

  /** The symbol that the pair at a slot merges into. */
  result(slot: number): number {
    return this.slots[slot + 2];
  }

  /** The rank of the pair at a slot, −1 if the slot is free. */
  rank(slot: number): number {
    return this.slots[slot + 3];
  }
}
