// Checks that every task needs: an array of the right class, long enough; an output that overlaps no input.

import { InvalidArgumentError, ShapeError } from '../core/errors.ts';

type TypedArray = Uint8Array | Float32Array | Float64Array | Uint16Array | Uint32Array | BigUint64Array;
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

/** @throws {InvalidArgumentError} an output shares memory with another array */
export function requireApart(name: string, output: TypedArray, input: TypedArray, inputName: string): void {
  if (output.buffer !== input.buffer || output.length === 0 || input.length === 0) return;
  const outputEnd = output.byteOffset + output.byteLength;
  const inputEnd = input.byteOffset + input.byteLength;
  if (output.byteOffset < inputEnd && input.byteOffset < outputEnd) {
    throw new InvalidArgumentError(
      `${name} overlaps ${inputName} in memory; expected arrays apart. Copy one.`,
    );
  }
}
