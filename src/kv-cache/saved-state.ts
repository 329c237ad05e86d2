// Reading of a saved state that a file may have got wrong: each number and array is looked at before a cache takes it over.

import { DataError } from '../core/errors.ts';
import type { CacheState, StateArray } from './serialize.ts';

/** The state that `decodeState` found, or a part of it: the arrays whose names begin with a prefix. */
export class SavedState {
  private readonly state: CacheState;
  private readonly prefix: string;

  constructor(state: CacheState, prefix: string = '') {
    this.state = state;
    this.prefix = prefix;
  }

  part(prefix: string): SavedState {
    return new SavedState(this.state, this.prefix + prefix);
  }

  /** Any value of the header. */
  value(name: string): unknown {
    return this.state.header[name];
  }

  /** @throws {DataError} unless the header has an integer in [min, max] by this name */
  integer(name: string, min: number, max: number): number {
    const value = this.state.header[name];
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
      throw damaged(`${name} is ${JSON.stringify(value)}; expected an integer in [${min}, ${max}]`);
    return value as number;
  }

  /** @throws {DataError} unless there is an array of the kind of `like` by this name, of `length` entries, none of them NaN */
  array<T extends StateArray>(name: string, like: new (length: number) => T, length: number): T {
    const array = this.state.arrays[this.prefix + name];
    if (!(array instanceof like) || array.length !== length) {
      const found = array ? `a ${array.constructor.name} of ${array.length}` : 'missing';
      throw damaged(`array "${this.prefix}${name}" is ${found}; expected a ${like.name} of ${length}`);
    }
    if (array instanceof Float32Array || array instanceof Float64Array)
      this.every(name, array, (x) => !Number.isNaN(x), 'no NaN');
    return array;
  }

  /** Entries of an array, 0 where there is none. */
  length(name: string): number {
    return this.state.arrays[this.prefix + name]?.length ?? 0;
  }

  /** @throws {DataError} naming the first entry that is not as expected */
  every(
    name: string,
    array: StateArray,
    isRight: (entry: number, i: number) => boolean,
    expected: string,
  ): void {
    for (let i = 0; i < array.length; i++)
      if (!isRight(array[i], i))
        throw damaged(`array "${this.prefix}${name}" has ${array[i]} at ${i}; expected ${expected}`);
  }
}

/** The error of a saved state; `what` says what it is and what was expected. */
export function damaged(what: string): DataError {
  return new DataError(`restoreCache: ${what}. The file is damaged: save the cache anew.`);
}
