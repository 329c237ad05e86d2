// The rows that a layer keeps, all key heads in one slab each, as the decode kernel reads them. Forks share memory until one writes.

import { type KeyValueStorage, type RowFormat, rowFormat, type StoredArray } from '../kernels/index.ts';
import type { SavedState } from './saved-state.ts';

export interface SlabShape {
  keyHeads: number;
  dim: number;
  valueDim: number;
  storage: KeyValueStorage;
  /** Whether rows may have a log-weight; else all have 0, and there is no array. Default true. */
  weighted?: boolean;
  /** Row i holds token i, so that positions need no array. Default false. */
  inOrder?: boolean;
}

/** A slab's arrays by name. */
export interface SlabArrays {
  /** Shape (keyHeads, capacity, dim) and (keyHeads, capacity, valueDim), as `rowFormat` of the storage has rows. */
  keys: StoredArray;
  values: StoredArray;
  /** Shape (keyHeads, capacity), natural logarithms; empty where rows have none. */
  logWeights: Float32Array;
  /** Place in the stream, shape (keyHeads, capacity); empty where tokens lie in order. */
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
  private readonly formats: { keys: RowFormat; values: RowFormat };

  constructor(shape: SlabShape, capacity: number, arrays?: SlabArrays) {
    this.shape = shape;
    this.capacity = capacity;
    this.formats = formatsOf(shape);
    this.arrays = arrays ?? emptyArrays(shape, capacity);
  }

  /**
   * A slab by the arrays that `view` showed when it was saved.
   *
   * @param tokens - absorbed when it was saved: places in the stream lie below
   * @throws {DataError} they do not fit the shape, or hold what no slab does
   */
  static restore(saved: SavedState, shape: SlabShape, capacity: number, tokens: number): Slab {
    const { keyHeads, weighted = true, inOrder = false } = shape;
    const rows = keyHeads * capacity;
    const { keys, values } = formatsOf(shape);
    const stored = ({ Stored, width }: RowFormat): [new (length: number) => StoredArray, number] => [
      Stored,
      rows * width,
    ];
    const arrays = {
      keys: saved.array('keys', ...stored(keys)),
      values: saved.array('values', ...stored(values)),
      logWeights: saved.array('logWeights', Float32Array, weighted ? rows : 0),
      positions: saved.array('positions', Uint32Array, inOrder ? 0 : rows),
      lengths: saved.array('lengths', Uint32Array, keyHeads),
    };
    saved.every('keys', arrays.keys, (_, i) => keys.isFinite(arrays.keys, i), 'finite numbers');
    saved.every('values', arrays.values, (_, i) => values.isFinite(arrays.values, i), 'finite numbers');
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
    // An eighth at a time: a full cache is most of what a long text takes.
    if (row >= this.capacity) this.grow(Math.max(row + 1, Math.ceil(1.125 * this.capacity)));
    this.own();
    const { formats, arrays } = this;
    const at = head * this.capacity + row;
    formats.keys.put(key, arrays.keys, at);
    formats.values.put(value, arrays.values, at);
    if (!this.shape.inOrder) arrays.positions[at] = position;
    if (this.shape.weighted ?? true) arrays.logWeights[at] = logWeight;
    if (row >= this.arrays.lengths[head]) this.arrays.lengths[head] = row + 1;
  }

  /** Makes room for so many rows of each head, and no more. */
  reserve(rows: number): void {
    if (rows > this.capacity) this.grow(rows);
  }

  /** Place in the stream of what a row holds. */
  position(head: number, row: number): number {
    return this.shape.inOrder ? row : this.arrays.positions[head * this.capacity + row];
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

  /** Rows [row, row + rows) of keys or values as numbers, counted over all heads' places; float32 ones as a view. */
  numbers(name: 'keys' | 'values', row: number, rows = 1): Float32Array {
    return this.formats[name].get(this.arrays[name], row, rows);
  }

  /** What becomes of keys or values in the slab, apart from the slab. @param numbers - whole rows */
  rounded(name: 'keys' | 'values', numbers: Float32Array): Float32Array {
    if (this.shape.storage === 'float32') return numbers;
    const { Stored, width, put, get } = this.formats[name];
    const dim = name === 'keys' ? this.shape.dim : this.shape.valueDim;
    const rows = numbers.length / dim;
    const stored = new Stored(rows * width);
    for (let i = 0; i < rows; i++) put(numbers.subarray(i * dim, (i + 1) * dim), stored, i);
    return get(stored, 0, rows);
  }

  /** To write rows in place; these arrays are this slab's own until it is forked. */
  writable(): SlabArrays {
    this.own();
    return this.arrays;
  }

  /** Overwrites the key of a row in use. */
  setKey(head: number, row: number, key: Float32Array): void {
    this.formats.keys.put(key, this.writable().keys, head * this.capacity + row);
  }

  /** Overwrites the value of a row in use. */
  setValue(head: number, row: number, value: Float32Array): void {
    this.formats.values.put(value, this.writable().values, head * this.capacity + row);
  }

  /** Value and place in the stream of row `from` of a head over those of row `to`. */
  moveValue(head: number, from: number, to: number): void {
    const { values, positions } = this.writable();
    const { width } = this.formats.values;
    const [source, target] = [head * this.capacity + from, head * this.capacity + to];
    values.copyWithin(target * width, source * width, (source + 1) * width);
    positions[target] = positions[source];
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
  private wide(): [StoredArray | Uint32Array, number][] {
    const { keys, values, logWeights, positions } = this.arrays;
    const { formats, shape } = this;
    return [
      [keys, formats.keys.width],
      [values, formats.values.width],
      [logWeights, (shape.weighted ?? true) ? 1 : 0],
      [positions, shape.inOrder ? 0 : 1],
    ];
  }
}

function formatsOf({ dim, valueDim, storage }: SlabShape): { keys: RowFormat; values: RowFormat } {
  return { keys: rowFormat(storage, 'keys', dim), values: rowFormat(storage, 'values', valueDim) };
}

function emptyArrays(shape: SlabShape, capacity: number): SlabArrays {
  const { keyHeads, weighted = true, inOrder = false } = shape;
  const rows = keyHeads * capacity;
  const { keys, values } = formatsOf(shape);
  return {
    keys: new keys.Stored(rows * keys.width),
    values: new values.Stored(rows * values.width),
    logWeights: new Float32Array(weighted ? rows : 0),
    positions: new Uint32Array(inOrder ? 0 : rows),
    lengths: new Uint32Array(keyHeads),
  };
}
