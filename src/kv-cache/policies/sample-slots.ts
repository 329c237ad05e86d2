// Slots that each hold one sampled token. A token lies in one row of a slab however many slots it fills; the row weighs as many.

import { damaged, type SavedState } from '../saved-state.ts';
import type { Slab } from '../slab.ts';

export class SampleSlots {
  /** Row of each slot. */
  rows: Uint32Array;
  /** Slots that hold each row; 0: the row is free. */
  holders: Uint32Array;
  /** Log-weight of one slot of each row. */
  logWeights: Float64Array;

  constructor(
    rows: Uint32Array = new Uint32Array(0),
    holders: Uint32Array = new Uint32Array(0),
    logWeights: Float64Array = new Float64Array(0),
  ) {
    this.rows = rows;
    this.holders = holders;
    this.logWeights = logWeights;
  }

  /** @param slots - expected @throws {DataError} rows, slots and the slab's weights do not fit each other */
  static restore(saved: SavedState, slab: Slab, head: number, slots: number): SampleSlots {
    const used = saved.length('holders');
    const rows = saved.array('rows', Uint32Array, slots);
    const holders = saved.array('holders', Uint32Array, used);
    const logWeights = saved.array('weights', Float64Array, used);
    if (used !== slab.length(head))
      throw damaged(`samples of key head ${head} lie in ${used} rows; expected ${slab.length(head)}`);
    saved.every('rows', rows, (row) => row < used, `less than ${used}`);
    // Of counts, or of squares of float32 numbers.
    saved.every('weights', logWeights, (weight) => Math.abs(weight) < 1000, 'less than 1000 in size');
    const held = new Uint32Array(used);
    for (const row of rows) held[row]++;
    saved.every('holders', holders, (count, row) => count === held[row], 'as many as slots hold the row');
    const restored = new SampleSlots(rows, holders, logWeights);
    for (let row = 0; row < used; row++) restored.weigh(slab, head, row);
    return restored;
  }

  copy(): SampleSlots {
    return new SampleSlots(this.rows.slice(), this.holders.slice(), this.logWeights.slice());
  }

  get bytes(): number {
    return this.rows.byteLength + this.holders.byteLength + this.logWeights.byteLength;
  }

  /**
   * Gives some slots to a new token, and frees rows that nobody holds any more.
   *
   * @param slots - which, ascending; new ones extend the list @param put - writes the token into the row it gets
   * @param logWeight - of one slot
   */
  fill(
    slab: Slab,
    head: number,
    slots: readonly number[],
    logWeight: number,
    put: (row: number) => void,
  ): void {
    if (slots.length === 0) return;
    const left = new Set<number>();
    for (const slot of slots) {
      if (slot >= this.rows.length) continue;
      this.holders[this.rows[slot]]--;
      left.add(this.rows[slot]);
    }
    const free = this.holders.indexOf(0);
    const row = free < 0 ? this.holders.length : free;
    if (free < 0) {
      this.holders = extended(this.holders, row + 1);
      this.logWeights = extended(this.logWeights, row + 1);
    }
    put(row);
    const last = slots[slots.length - 1];
    if (last >= this.rows.length) this.rows = extended(this.rows, last + 1);
    for (const slot of slots) this.rows[slot] = row;
    this.holders[row] = slots.length;
    this.logWeights[row] = logWeight;
    for (const changed of left.add(row)) this.weigh(slab, head, changed);
  }

  /** Changes the weight of one slot of a row. */
  setWeight(slab: Slab, head: number, row: number, logWeight: number): void {
    this.logWeights[row] = logWeight;
    this.weigh(slab, head, row);
  }

  /** −∞ hides a row that no slot holds. */
  private weigh(slab: Slab, head: number, row: number): void {
    const held = this.holders[row];
    slab.setLogWeight(head, row, held === 0 ? -Infinity : this.logWeights[row] + Math.log(held));
  }
}

function extended<T extends Uint32Array | Float64Array>(array: T, length: number): T {
  const longer = new (array.constructor as new (length: number) => T)(length);
  longer.set(array);
  return longer;
}
