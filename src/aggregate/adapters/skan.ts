// Postbacks of SKAdNetwork, versions 3 and 4: a bag is a campaign or source, its answer the mean of conversion values in units of your own.

import { requireInteger } from '../../core/check.ts';
import { DataError, InvalidArgumentError } from '../../core/errors.ts';
import { type JsonRecord, parseJsonRecords } from './json-records.ts';
import type { KeyedAnswer, KeyedAnswers } from './keyed-answers.ts';

/** Conversion values are 6 bits. */
const FINE_VALUES = 64;

const COARSE = ['low', 'medium', 'high'] as const;

export interface SkanValues {
  /** Response that each conversion value 0 … 63 stands for, shape (64,), finite. */
  fine: ArrayLike<number>;
  /** Response that each coarse value stands for. Without it, postbacks with a coarse value alone count as suppressed. */
  coarse?: Readonly<Record<(typeof COARSE)[number], number>>;
}

export interface SkanOptions {
  values: SkanValues;
  /**
   * Digits of `source-identifier` that make the key: 2, 3 or 4, the last ones, since coarser tiers cut off the first. Postbacks
   * with fewer count as suppressed. Version 3 has `campaign-id` instead, which is taken whole. Default 2.
   */
  sourceDigits?: 2 | 3 | 4;
  /** Which postback of an install: 0 of the first days, 1 and 2 of later ones, with coarse values only. Default 0. */
  sequence?: 0 | 1 | 2;
  /** Key of a postback, instead of its source: for your own combination of app, country and campaign. */
  key?: (postback: JsonRecord) => string;
}

/** What a key's postbacks said, and what they did not. */
export interface SkanAnswers {
  /** Mean response of the postbacks with a value, with their count, by key. */
  answers: KeyedAnswers;
  /** Winning postbacks without a usable value, by key ("" where not even the source was told): crowds too small. */
  suppressed: ReadonlyMap<string, number>;
  /** Copies of a postback seen before, by `transaction-id`. */
  repeated: number;
  /** Postbacks of ads that did not win the install, or of another window. */
  skipped: number;
}

/**
 * Reads postbacks and averages their values by key. Signatures are not checked here: do that where postbacks arrive.
 *
 * What is suppressed is not missing at random: small crowds say less, so means lean to large ones. The share is told, not mended.
 *
 * @param text - JSON list, or one postback a line
 * @throws {DataError} a conversion value is not 0 … 63, a coarse one not low, medium or high, or a postback has no version
 * @throws {InvalidArgumentError} the table of values is not of 64 finite numbers
 */
export function parseSkanPostbacks(
  text: string,
  { values, sourceDigits = 2, sequence = 0, key }: SkanOptions,
): SkanAnswers {
  requireValues(values);
  requireInteger('parseSkanPostbacks: sourceDigits', sourceDigits, 2, 4);
  requireInteger('parseSkanPostbacks: sequence', sequence, 0, 2);
  const sums = new Map<string, { count: number; sum: number }>();
  const suppressed = new Map<string, number>();
  const seen = new Set<unknown>();
  let [repeated, skipped] = [0, 0];
  parseJsonRecords('parseSkanPostbacks', text).forEach((postback, i) => {
    const where = `parseSkanPostbacks: postback ${i}`;
    if (typeof postback.version !== 'string') {
      throw new DataError(`${where} has no version; expected a postback of version 3 or 4 with "version".`);
    }
    if (postback['did-win'] === false || (postback['postback-sequence-index'] ?? 0) !== sequence) {
      skipped++;
      return;
    }
    // One install sends up to three postbacks of one transaction; the sequence tells them apart, and here it is fixed.
    const transaction = postback['transaction-id'];
    if (transaction !== undefined && seen.has(transaction)) {
      repeated++;
      return;
    }
    seen.add(transaction);
    const source = key ? key(postback) : sourceOf(where, postback, sourceDigits);
    const value = responseOf(where, postback, values);
    if (source === undefined || value === undefined) {
      const name = source ?? '';
      suppressed.set(name, (suppressed.get(name) ?? 0) + 1);
      return;
    }
    const total = sums.get(source) ?? { count: 0, sum: 0 };
    sums.set(source, { count: total.count + 1, sum: total.sum + value });
  });
  const answers = new Map<string, KeyedAnswer>();
  for (const [name, { count, sum }] of sums) {
    answers.set(name, { responses: 'mean', value: sum / count, count });
  }
  return { answers, suppressed, repeated, skipped };
}

/**
 * Source identifiers of bags, all of them distinct in their last `digits` digits: "00", "01", … A two-digit one is told
 * by every tier.
 *
 * @throws {InvalidArgumentError} there are more bags than identifiers
 */
export function skanSourceIdentifiers(bags: number, { digits = 2 }: { digits?: 2 | 3 | 4 } = {}): string[] {
  requireInteger('skanSourceIdentifiers: digits', digits, 2, 4);
  if (!(Number.isInteger(bags) && bags >= 1 && bags <= 10 ** digits)) {
    throw new InvalidArgumentError(
      `skanSourceIdentifiers: bags is ${bags}; expected an integer in [1, ${10 ** digits}], as ${digits} digits tell apart. Make larger bags.`,
    );
  }
  return Array.from({ length: bags }, (_, a) => String(a).padStart(digits, '0'));
}

/** Responses of 64 equal steps over [0, max]: value v stands for max · v / 63, and `conversionValue` inverts it. */
export function skanSteps(max: number): Float64Array {
  if (!(max > 0 && max < Infinity)) {
    throw new InvalidArgumentError(`skanSteps: max is ${max}; expected a finite number > 0.`);
  }
  return Float64Array.from({ length: FINE_VALUES }, (_, value) => (max * value) / (FINE_VALUES - 1));
}

/** The conversion value 0 … 63 whose response is nearest (the smaller of two). */
export function conversionValue(response: number, fine: ArrayLike<number>): number {
  requireValues({ fine });
  let nearest = 0;
  for (let value = 1; value < FINE_VALUES; value++) {
    if (Math.abs(fine[value] - response) < Math.abs(fine[nearest] - response)) nearest = value;
  }
  return nearest;
}

function sourceOf(where: string, postback: JsonRecord, digits: number): string | undefined {
  const campaign = postback['campaign-id'];
  if (campaign !== undefined) return String(campaign);
  const source = postback['source-identifier'];
  if (source === undefined) return undefined;
  const text = String(source);
  if (!/^\d{1,4}$/.test(text)) {
    throw new DataError(
      `${where}: source-identifier is ${JSON.stringify(source)}; expected two to four digits.`,
    );
  }
  return text.length < digits ? undefined : text.slice(-digits);
}

function responseOf(where: string, postback: JsonRecord, { fine, coarse }: SkanValues): number | undefined {
  const value = postback['conversion-value'];
  if (value !== undefined && value !== null) {
    if (!Number.isInteger(value) || (value as number) < 0 || (value as number) >= FINE_VALUES) {
      throw new DataError(
        `${where}: conversion-value is ${JSON.stringify(value)}; expected an integer in [0, 63].`,
      );
    }
    return fine[value as number];
  }
  const level = postback['coarse-conversion-value'];
  if (level === undefined || level === null) return undefined;
  const name = COARSE.find((known) => known === level);
  if (name === undefined) {
    throw new DataError(
      `${where}: coarse-conversion-value is ${JSON.stringify(level)}; expected low, medium or high.`,
    );
  }
  return coarse?.[name];
}

function requireValues({ fine, coarse }: SkanValues): void {
  if (fine.length !== FINE_VALUES || !Array.from(fine).every(Number.isFinite)) {
    throw new InvalidArgumentError(
      `parseSkanPostbacks: values.fine has ${fine.length} entries; expected 64 finite numbers, one per conversion value.`,
    );
  }
  const wrong = coarse && COARSE.find((name) => !Number.isFinite(coarse[name]));
  if (wrong) {
    throw new InvalidArgumentError(
      `parseSkanPostbacks: values.coarse.${wrong} is ${coarse?.[wrong]}; expected a finite number.`,
    );
  }
}
