// From words on the command line to values. What is wrong is said before any work starts (exit code 2).

import { InvalidArgumentError } from 'commander';

/** A number of rows: fixed, or a share of all of them. */
export type Size = { rows: number } | { share: number };

export function positiveInteger(text: string): number {
  const value = toNumber(text);
  if (!Number.isSafeInteger(value) || value < 1) throw wrong('an integer ≥ 1');
  return value;
}

/** An integer ≥ 0. */
export function count(text: string): number {
  const value = toNumber(text);
  if (!Number.isSafeInteger(value) || value < 0) throw wrong('an integer ≥ 0');
  return value;
}

export function positiveNumber(text: string): number {
  const value = toNumber(text);
  if (!(value > 0 && value < Infinity)) throw wrong('a number > 0');
  return value;
}

export function nonNegativeNumber(text: string): number {
  const value = toNumber(text);
  if (!(value >= 0 && value < Infinity)) throw wrong('a number ≥ 0');
  return value;
}

/** Strictly between 0 and 1; `5%` is 0.05. */
export function probability(text: string): number {
  const value = toShare(text);
  if (!(value > 0 && value < 1)) throw wrong('a number strictly between 0 and 1, or a percentage such as 5%');
  return value;
}

/** In [0, 1]; `20%` is 0.2. */
export function share(text: string): number {
  const value = toShare(text);
  if (!(value >= 0 && value <= 1)) throw wrong('a number in [0, 1], or a percentage such as 20%');
  return value;
}

export function seedInteger(text: string): number {
  const value = toNumber(text);
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
    throw wrong('an integer in [0, 4294967295]');
  return value;
}

/** `500` is 500 rows, `1%` is that share of all rows. */
export function size(text: string): Size {
  if (!text.trim().endsWith('%')) return { rows: positiveInteger(text) };
  const value = toShare(text);
  if (!(value > 0 && value <= 1))
    throw wrong('a number of rows such as 500, or a percentage in (0, 100] such as 1%');
  return { share: value };
}

/** Rows that `size` means among `total`: at least one. */
export function sizeInRows(wanted: Size, total: number): number {
  if ('rows' in wanted) return wanted.rows;
  return Math.max(1, Math.min(total, Math.round(wanted.share * total)));
}

/** `auto` or an integer ≥ 1. */
export function autoOrPositiveInteger(text: string): 'auto' | number {
  if (text === 'auto') return 'auto';
  const value = toNumber(text);
  if (!Number.isSafeInteger(value) || value < 1) throw wrong('auto or an integer ≥ 1');
  return value;
}

/** `all`, which is no limit, or an integer ≥ 1. */
export function allOrPositiveInteger(text: string): number {
  if (text === 'all') return Number.POSITIVE_INFINITY;
  const value = toNumber(text);
  if (!Number.isSafeInteger(value) || value < 1) throw wrong('all or an integer ≥ 1');
  return value;
}

/** `auto` or an integer ≥ 0. */
export function autoOrCount(text: string): 'auto' | number {
  if (text === 'auto') return 'auto';
  const value = toNumber(text);
  if (!Number.isSafeInteger(value) || value < 0) throw wrong('auto or an integer ≥ 0');
  return value;
}

/** `a,b, c` is ['a', 'b', 'c']. */
export function list(text: string): string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.some((item) => item === '')) throw wrong('names separated by commas');
  return items;
}

/** `0,1` is [0, 1]: the lower end first. */
export function bounds(text: string): [number, number] {
  const values = list(text).map(toNumber);
  if (values.length !== 2 || !(values[0] < values[1]) || !values.every(Number.isFinite)) {
    throw wrong('two numbers such as 0,1, the lower one first');
  }
  return [values[0], values[1]];
}

/** `0,0.1,1`: numbers ≥ 0. */
export function nonNegativeNumbers(text: string): number[] {
  return list(text).map(nonNegativeNumber);
}

/** One of `words`, or a number ≥ 0. */
export function numberOr<Word extends string>(...words: readonly Word[]): (text: string) => Word | number {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    const value = toNumber(text);
    if (!(value >= 0 && value < Infinity)) throw wrong(`${words.join(', ')} or a number ≥ 0`);
    return value;
  };
}

/** `100,200` is [100, 200]. */
export function positiveIntegers(text: string): number[] {
  return list(text).map(positiveInteger);
}

/** Decimal notation only: Number('') is 0 and Number('0x10') is 16, which nobody means here. */
function toNumber(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
}

function toShare(text: string): number {
  const trimmed = text.trim();
  return trimmed.endsWith('%') ? toNumber(trimmed.slice(0, -1)) / 100 : toNumber(trimmed);
}

function wrong(expected: string): InvalidArgumentError {
  return new InvalidArgumentError(`Expected ${expected}.`);
}
