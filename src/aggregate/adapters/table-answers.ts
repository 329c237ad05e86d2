// Tables of areas and their totals, as census and health offices publish them: one row an area, with a count and a mean, sum or proportion.

import { requireOneOf } from '../../core/check.ts';
import { DataError, ShapeError } from '../../core/errors.ts';
import { type Bags, bagCount, bagSize } from '../bags/bags.ts';
import type { BagAnswers } from '../types.ts';
import { addAnswer, type KeyedAnswer, type KeyedAnswers, requireKeys } from './keyed-answers.ts';

/** Columns of a table of answers, all of one length. */
export interface AnswerColumns {
  /** Area, bag or key of each row. */
  key: ArrayLike<string | number>;
  /** Mean, sum or proportion of each row. */
  value: ArrayLike<number>;
  /** People of each row. Default: not said. */
  count?: ArrayLike<number> | undefined;
  /** Variance of the noise in `value`. Default: none. */
  noiseVariance?: ArrayLike<number> | undefined;
}

export interface TableAnswersOptions {
  /** What `value` is. It must be said: a sum taken for a mean is wrong by the size of the bag, and nothing would show it. */
  responses: 'mean' | 'sum' | 'proportion';
  /** Noise was added, so that proportions may leave [0, 1]. Default: true where `noiseVariance` is given. */
  noisy?: boolean;
}

/**
 * Reads a table of answers.
 *
 * Noisy proportions are kept as they are: to clip them would bias a least-squares fit.
 *
 * @throws {ShapeError} columns differ in length
 * @throws {DataError} a key comes twice, a number is none, or a proportion that is not noisy leaves [0, 1]: the message names the key
 */
export function tableAnswers(
  { key, value, count, noiseVariance }: AnswerColumns,
  { responses, noisy = noiseVariance !== undefined }: TableAnswersOptions,
): KeyedAnswers {
  requireOneOf('tableAnswers: responses', responses, ['mean', 'sum', 'proportion']);
  for (const [name, column] of Object.entries({ value, count, noiseVariance })) {
    if (column !== undefined && column.length !== key.length) {
      throw new ShapeError(
        `tableAnswers: ${name} has length ${column.length}; expected ${key.length}, one per key.`,
      );
    }
  }
  const answers = new Map<string, KeyedAnswer>();
  for (let i = 0; i < key.length; i++) {
    const name = String(key[i]);
    if (responses === 'proportion' && !noisy && !(value[i] >= 0 && value[i] <= 1)) {
      throw new DataError(
        `tableAnswers: proportion of key "${name}" is ${value[i]}; expected a number in [0, 1]. Is it a percentage or a sum? If noise was added, say noisy.`,
      );
    }
    addAnswer('tableAnswers', answers, name, {
      responses: responses === 'sum' ? 'sum' : 'mean',
      value: value[i],
      ...(count ? { count: count[i] } : {}),
      ...(noiseVariance ? { noiseVariance: noiseVariance[i] } : {}),
    });
  }
  return answers;
}

/** Columns that `tableAnswers` reads back. */
export interface AnswerTable {
  key: string[];
  /** Shape (bags,). */
  count: Uint32Array;
  /** Means or sums, shape (bags,). */
  value: Float64Array;
  /** Of `value`, shape (bags,); not there without noise. */
  noiseVariance?: Float64Array;
}

/**
 * Answers of bags as a table of areas: to hand them on, or to publish them.
 *
 * @param keys - key of each bag, shape (bags,), distinct
 * @throws {ShapeError} there are not as many keys or means as bags
 */
export function answerTable(
  bags: Bags,
  keys: readonly string[],
  { means, noiseVariance }: BagAnswers,
  { responses }: { responses: 'mean' | 'sum' },
): AnswerTable {
  requireOneOf('answerTable: responses', responses, ['mean', 'sum']);
  const rows = bagCount(bags);
  requireKeys('answerTable', keys, rows);
  if (means.length !== rows) {
    throw new ShapeError(
      `answerTable: there are ${means.length} means for ${rows} bags; expected one per bag.`,
    );
  }
  const count = Uint32Array.from({ length: rows }, (_, a) => bagSize(bags, a));
  const factor = (a: number): number => (responses === 'sum' ? count[a] : 1);
  return {
    key: [...keys],
    count,
    value: means.map((mean, a) => mean * factor(a)),
    ...(noiseVariance ? { noiseVariance: noiseVariance.map((v, a) => v * factor(a) ** 2) } : {}),
  };
}
