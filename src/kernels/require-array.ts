// One check that every task needs: an array of the right class, long enough.

import { InvalidArgumentError, ShapeError } from '../core/errors.ts';

type TypedArray = Float32Array | Float64Array | Uint16Array | Uint32Array | BigUint64Array;
type ArrayClass<T extends TypedArray> = { readonly name: string; new (length: number): T };

/** @throws {InvalidArgumentError} another class @throws {ShapeError} shorter than `length` */
export function requireArray<T extends TypedArray>(
  name: string,
  value: T,
  arrayClass: ArrayClass<T>,
  length: number,
): void {
  if (!(value instanceof arrayClass)) {
    throw new InvalidArgumentError(
      `${name} is ${Object.prototype.toString.call(value).slice(8, -1)}; expected ${arrayClass.name}.`,
    );
  }
  if (value.length < length) {
    throw new ShapeError(`${name} has length ${value.length}; expected at least ${length}.`);
  }
}
