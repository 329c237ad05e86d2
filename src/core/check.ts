// Argument checks. Each takes the name to print first ("kMeans: k"), so that messages come in one form.

import { InvalidArgumentError, ShapeError } from './errors.ts';

/** A vector of numbers of any storage. */
export type NumericArray = ArrayLike<number>;

/** @throws {InvalidArgumentError} unless `value` is an integer in [min, max] */
export function requireInteger(
  name: string,
  value: number,
  min: number = -Infinity,
  max: number = Infinity,
): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new InvalidArgumentError(`${name} is ${value}; expected an integer ${describeRange(min, max)}.`);
  }
}

/** @throws {InvalidArgumentError} unless `value` is a finite number in [min, max] */
export function requireNumber(
  name: string,
  value: number,
  min: number = -Infinity,
  max: number = Infinity,
): void {
  if (!Number.isFinite(value) || value < min || value > max) {
    throw new InvalidArgumentError(
      `${name} is ${value}; expected a finite number ${describeRange(min, max)}.`,
    );
  }
}

/** @throws {InvalidArgumentError} unless `value` is finite and > 0 */
export function requirePositive(name: string, value: number): void {
  if (!Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError(`${name} is ${value}; expected a finite number > 0.`);
  }
}

/** @throws {InvalidArgumentError} unless 0 < value < 1 */
export function requireProbability(name: string, value: number): void {
  if (!(value > 0 && value < 1)) {
    throw new InvalidArgumentError(`${name} is ${value}; expected a number strictly between 0 and 1.`);
  }
}

/** @throws {InvalidArgumentError} unless `seed` is an unsigned 32-bit integer */
export function requireSeed(name: string, seed: number): void {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new InvalidArgumentError(`${name} is ${seed}; expected an integer in [0, 4294967295].`);
  }
}

/** @throws {InvalidArgumentError} unless `value` is one of `choices` */
export function requireOneOf<T extends string>(
  name: string,
  value: string,
  choices: readonly T[],
): asserts value is T {
  if (!(choices as readonly string[]).includes(value)) {
    throw new InvalidArgumentError(`${name} is "${value}"; expected one of ${choices.join(', ')}.`);
  }
}

/** @throws {ShapeError} unless `values.length` equals `length` */
export function requireLength(name: string, values: ArrayLike<unknown>, length: number): void {
  if (values.length !== length) {
    throw new ShapeError(`${name} has length ${values.length}; expected ${length}.`);
  }
}

/** @throws {InvalidArgumentError} naming the first entry that is not finite */
export function requireFinite(name: string, values: NumericArray): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new InvalidArgumentError(`${name}[${i}] is ${values[i]}; expected a finite number.`);
    }
  }
}

/** @throws {InvalidArgumentError} naming the first entry that is not finite or is < 0 */
export function requireNonNegative(name: string, values: NumericArray): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]) || values[i] < 0) {
      throw new InvalidArgumentError(`${name}[${i}] is ${values[i]}; expected a finite number ≥ 0.`);
    }
  }
}

function describeRange(min: number, max: number): string {
  if (min > -Infinity && max < Infinity) return `in [${min}, ${max}]`;
  if (min > -Infinity) return `≥ ${min}`;
  if (max < Infinity) return `≤ ${max}`;
  return 'of any sign';
}
