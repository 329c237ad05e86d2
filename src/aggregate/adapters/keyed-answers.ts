// Answers by key, as a platform, an office or a table gives them, and how they come to bags: by name, never by position alone.

import { DataError, InvalidArgumentError, ShapeError } from '../../core/errors.ts';
import { type Bags, bagCount, bagMembers, bagSize, requireBags } from '../bags/bags.ts';
import type { BagAnswers } from '../types.ts';

/** What was answered for one key: an area, an aggregation key, a bag's number. */
export interface KeyedAnswer {
  /** Whether `value` is the mean or the sum of the responses: nothing is guessed. */
  responses: 'mean' | 'sum';
  /** In the unit of the responses. */
  value: number;
  /** Samples behind it, where that is said. */
  count?: number | undefined;
  /** Variance of the privacy noise in `value`, ≥ 0. Default 0. */
  noiseVariance?: number | undefined;
}

export type KeyedAnswers = ReadonlyMap<string, KeyedAnswer>;

export interface JoinAnswersOptions {
  /** What becomes of a bag whose key has no answer, e.g. because it was suppressed. 'drop': it is left out of the bags. Default 'error'. */
  missing?: 'error' | 'drop';
  /**
   * What a count that is not the bag's size means. 'match': an error. 'ignore': the mean of those counted stands for the
   * bag, which assumes that they are like the others. Default 'match'.
   */
  counts?: 'match' | 'ignore';
}

export interface JoinedAnswers extends BagAnswers {
  /** The bags that were answered, in their order. */
  bags: Bags;
  /** Keys of bags that were left out. */
  dropped: string[];
  /** Keys with an answer and no bag: those of another stage, or a mistake. */
  unused: string[];
}

/**
 * Brings answers to the bags they are of. A sum is divided by the count where one is said, else by the size of its bag.
 *
 * @param keys - key of each bag, shape (bags,), distinct
 * @param answers - by key, in any order
 * @returns means and noise variances of means, in the order of the bags
 * @throws {ShapeError} there are not as many keys as bags
 * @throws {InvalidArgumentError} two bags have one key; bags are no bags
 * @throws {DataError} a bag's key has no answer, or its count is not the bag's size: the message names the key
 *
 * O(samples).
 */
export function joinAnswers(
  bags: Bags,
  keys: readonly string[],
  answers: KeyedAnswers,
  { missing = 'error', counts = 'match' }: JoinAnswersOptions = {},
): JoinedAnswers {
  requireBags('joinAnswers: bags', bags);
  requireKeys('joinAnswers', keys, bagCount(bags));
  const kept: number[] = [];
  const dropped: string[] = [];
  keys.forEach((key, a) => {
    if (answers.has(key)) kept.push(a);
    else if (missing === 'drop') dropped.push(key);
    else {
      throw new DataError(
        `joinAnswers: there is no answer for key "${key}" (bag ${a}, ${bagSize(bags, a)} samples); expected one per bag. Ask again, or leave such bags out with missing: 'drop'.`,
      );
    }
  });
  if (kept.length === 0) {
    throw new DataError(
      `joinAnswers: none of the ${keys.length} bags has an answer; expected keys such as "${keys[0]}", got ${[...answers.keys()].slice(0, 3).map(quote).join(', ') || 'none'}.`,
    );
  }
  const means = new Float64Array(kept.length);
  const noiseVariance = new Float64Array(kept.length);
  kept.forEach((a, row) => {
    const answer = answers.get(keys[a]) as KeyedAnswer;
    const { responses, value, count, noiseVariance: variance = 0 } = answer;
    const size = bagSize(bags, a);
    if (counts === 'match' && count !== undefined && count !== size) {
      throw new DataError(
        `joinAnswers: key "${keys[a]}" was answered for ${count} samples, its bag has ${size}; expected equal counts. Were samples added or lost? With counts: 'ignore' the answer stands for the whole bag.`,
      );
    }
    const divisor = responses === 'sum' ? (count ?? size) : 1;
    means[row] = value / divisor;
    noiseVariance[row] = variance / divisor ** 2;
  });
  const wanted = new Set(keys);
  return {
    bags: dropped.length === 0 ? bags : takeBags(bags, kept),
    means,
    ...(noiseVariance.some((variance) => variance > 0) ? { noiseVariance } : {}),
    dropped,
    unused: [...answers.keys()].filter((key) => !wanted.has(key)),
  };
}

/** Checks one answer as it is read. @throws {DataError} naming the key */
export function requireAnswer(
  where: string,
  key: string,
  { value, count, noiseVariance }: KeyedAnswer,
): void {
  const refuse = (what: string, found: number, expected: string): never => {
    throw new DataError(`${where}: ${what} of key "${key}" is ${found}; expected ${expected}.`);
  };
  if (!Number.isFinite(value)) refuse('value', value, 'a finite number');
  if (count !== undefined && !(Number.isInteger(count) && count >= 1)) {
    refuse('count', count, 'an integer ≥ 1. Leave keys of nobody out');
  }
  if (noiseVariance !== undefined && !(noiseVariance >= 0 && noiseVariance < Infinity)) {
    refuse('noise variance', noiseVariance, 'a finite number ≥ 0');
  }
}

/** Adds an answer. @throws {DataError} there is one for this key already */
export function addAnswer(
  where: string,
  answers: Map<string, KeyedAnswer>,
  key: string,
  answer: KeyedAnswer,
): void {
  if (answers.has(key)) {
    throw new DataError(
      `${where}: key "${key}" is answered twice; expected one answer per key. Take the first, or add up sums and their variances.`,
    );
  }
  requireAnswer(where, key, answer);
  answers.set(key, answer);
}

/** @throws {ShapeError} not one key per bag @throws {InvalidArgumentError} a key is empty, or names two bags */
export function requireKeys(where: string, keys: readonly string[], bags: number): void {
  if (keys.length !== bags) {
    throw new ShapeError(`${where}: there are ${keys.length} keys for ${bags} bags; expected one per bag.`);
  }
  const bagOf = new Map<string, number>();
  keys.forEach((key, a) => {
    const other = bagOf.get(key);
    if (key === '' || other !== undefined) {
      const what = key === '' ? `key of bag ${a} is empty` : `key "${key}" names bags ${other} and ${a}`;
      throw new InvalidArgumentError(`${where}: ${what}; expected distinct names.`);
    }
    bagOf.set(key, a);
  });
}

function takeBags(bags: Bags, kept: readonly number[]): Bags {
  const offsets = new Uint32Array(kept.length + 1);
  kept.forEach((a, row) => {
    offsets[row + 1] = offsets[row] + bagSize(bags, a);
  });
  const members = new Uint32Array(offsets[kept.length]);
  kept.forEach((a, row) => {
    members.set(bagMembers(bags, a), offsets[row]);
  });
  return { samples: bags.samples, members, offsets };
}

function quote(text: string): string {
  return `"${text}"`;
}
