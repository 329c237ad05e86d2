// The rows that a layer keeps, all key heads in one slab each, as the decode kernel reads them. Forks share memory until one writes.

import { fromHalf, type KeyValueStorage, putHalf } from '../kernels/index.ts';
import type { SavedState } from './saved-state.ts';

export interface SlabShape {
  keyHeads: number;
  dim: number;
  valueDim: number;
  storage: KeyValueStorage;
}

type StoredArray = Float32Array | Uint16Array;

/** A slab's arrays by name. */
export interface SlabArrays {
  /** Shape (keyHeads, capacity, dim) and (keyHeads, capacity, valueDim). */
  keys: StoredArray;
  values: StoredArray;
  /** Shape (keyHeads, capacity), natural logarithms. */
  logWeights: Float32Array;
  /** Place in the stream, shape (keyHeads, capacity). */
  positions: Uint32Array;
  /** Rows in use, shape (keyHeads,). */
  lengths: Uint32Array;
}

export class Slab {
  readonly shape: SlabShape;
  capacity: number;
  private arrays: SlabArrays;
  /** Another slab may hold the same arrays. */
  private isShared = false;

  constructor(shape: SlabShape, capacity: number, arrays: SlabArrays = emptyArrays(shape, capacity)) {
    this.shape = shape;
    this.capacity = capacity;
    this.arrays = arrays;
  }

  /**
   * A slab by the arrays that `view` showed when it was saved.
   *
   * @param tokens - absorbed when it was saved: places in the stream lie below
   * @throws {DataError} they do not fit the shape, or hold what no slab does
   */
  static restore(saved: SavedState, shape: SlabShape, capacity: number, tokens: number): Slab {
    const { keyHeads, dim, valueDim, storage } = shape;
    const rows = keyHeads * capacity;
    const Stored: new (length: number) => StoredArray = storage === 'float32' ? Float32Array : Uint16Array;
    const arrays = {
      keys: saved.array('keys', Stored, rows * dim),
      values: saved.array('values', Stored, rows * valueDim),
      logWeights: saved.array('logWeights', Float32Array, rows),
      positions: saved.array('positions', Uint32Array, rows),
      lengths: saved.array('lengths', Uint32Array, keyHeads),
    };
    const exponent = storage === 'float16' ? 0x7c00 : 0x7f80;
    const isNumber =
      storage === 'float32' ? Number.isFinite : (bits: number) => (bits & exponent) !== exponent;
    saved.every('keys', arrays.keys, isNumber, 'finite numbers');
    saved.every('values', arrays.values, isNumber, 'finite numbers');
    saved.every('logWeights', arrays.logWeights, (x) => x < Infinity, 'less than infinity');
    saved.every('positions', arrays.positions, (at) => at < Math.max(1, tokens), `less than ${tokens}`);
    saved.every('lengths', arrays.lengths, (length) => length <= capacity, `at most ${capacity}`);
    return new Slab(shape, capacity, arrays);
  }

  /** To read; what is written here would show in forks. */
  get view(): Readonly<SlabArrays> {
    return this.arrays;
  }

  length(head: number): number {
    return this.arrays.lengths[head];
  }

  /** Writes a token into row `row` of a head; a row at the end makes the head longer. @param key, value - shape (dim,) and (valueDim,) */
  put(
    head: number,
    row: number,
    key: Float32Array,
    value: Float32Array,
    position: number,
    logWeight = 0,
  ): void {
    if (row >= this.capacity) this.grow(Math.max(row + 1, 2 * this.capacity));
    this.own();
    const { storage, dim, valueDim } = this.shape;
    const at = head * this.capacity + row;
    store(key, this.arrays.keys, at * dim, storage);
    store(value, this.arrays.values, at * valueDim, storage);
    this.arrays.positions[at] = position;
    this.arrays.logWeights[at] = logWeight;
    if (row >= this.arrays.lengths[head]) this.arrays.lengths[head] = row + 1;
  }

  /** Row `from` of a head over row `to`; a row at the end makes the head longer. */
  copyRow(head: number, from: number, to: number): void {
    if (from === to) return;
    this.own();
    const base = head * this.capacity;
    for (const [array, width] of this.wide())
      array.copyWithin((base + to) * width, (base + from) * width, (base + from + 1) * width);
    if (to >= this.arrays.lengths[head]) this.arrays.lengths[head] = to + 1;
  }

  /** Entries of keys or values as numbers; float32 ones as a view. */
  numbers(name: 'keys' | 'values', start: number, count: number): Float32Array {
    const part = this.arrays[name].subarray(start, start + count);
    const { storage } = this.shape;
    return storage === 'float32' ? (part as Float32Array) : fromHalf(part as Uint16Array, storage);
  }

  /** To write rows in place; these arrays are this slab's own until it is forked. */
  writable(): SlabArrays {
    this.own();
    return this.arrays;
  }

  /** Overwrites the key of a row in use. */
  setKey(head: number, row: number, key: Float32Array): void {
    const { storage, dim } = this.shape;
    store(key, this.writable().keys, (head * this.capacity + row) * dim, storage);
  }

  /** Overwrites the value of a row in use. */
  setValue(head: number, row: number, value: Float32Array): void {
    const { storage, valueDim } = this.shape;
    store(value, this.writable().values, (head * this.capacity + row) * valueDim, storage);
  }

  setLogWeight(head: number, row: number, logWeight: number): void {
    this.own();
    this.arrays.logWeights[head * this.capacity + row] = logWeight;
  }

  /** A slab with the same content; memory is copied when one of the two is written. */
  fork(): Slab {
    const copy = new Slab(this.shape, this.capacity, this.arrays);
    copy.isShared = true;
    this.isShared = true;
    return copy;
  }

  private own(): void {
    if (!this.isShared) return;
    const { keys, values, logWeights, positions, lengths } = this.arrays;
    this.arrays = {
      ...{ keys: keys.slice(), values: values.slice(), logWeights: logWeights.slice() },
      ...{ positions: positions.slice(), lengths: lengths.slice() },
    };
    this.isShared = false;
  }

  private grow(capacity: number): void {
    const before = this.wide();
    const { lengths } = this.arrays;
    this.arrays = { ...emptyArrays(this.shape, capacity), lengths: lengths.slice() };
    this.wide().forEach(([array, width], i) => {
      for (let head = 0; head < this.shape.keyHeads; head++)
        array.set(
          before[i][0].subarray(head * this.capacity * width, (head + 1) * this.capacity * width),
          head * capacity * width,
        );
    });
    this.capacity = capacity;
    this.isShared = false;
  }

  /** The arrays with one line a row, and their width. */
  private wide(): [Float32Array | Uint16Array | Uint32Array, number][] {
    const { keys, values, logWeights, positions } = this.arrays;
    return [
      [keys, this.shape.dim],
      [values, this.shape.valueDim],
      [logWeights, 1],
      [positions, 1],
    ];
  }
}

/** Writes numbers as they are stored. */
function store(numbers: Float32Array, to: StoredArray, start: number, storage: KeyValueStorage): void {
  if (storage === 'float32') to.set(numbers, start);
  else putHalf(numbers, to as Uint16Array, start, storage);
}

function emptyArrays({ keyHeads, dim, valueDim, storage }: SlabShape, capacity: number): SlabArrays {
  const Stored = storage === 'float32' ? Float32Array : Uint16Array;
  return {
    keys: new Stored(keyHeads * capacity * dim),
    values: new Stored(keyHeads * capacity * valueDim),
    logWeights: new Float32Array(keyHeads * capacity),
    positions: new Uint32Array(keyHeads * capacity),
    lengths: new Uint32Array(keyHeads),
  };
}
