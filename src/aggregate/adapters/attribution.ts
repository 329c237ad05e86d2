// Summary reports of attribution APIs: a bag is an aggregation key, its answer a noisy sum of scaled values.

import { requireInteger, requirePositive } from '../../core/check.ts';
import { DataError, InvalidArgumentError } from '../../core/errors.ts';
import { type JsonRecord, parseJsonRecords } from './json-records.ts';
import { addAnswer, type KeyedAnswer, type KeyedAnswers } from './keyed-answers.ts';

/** Σ of all values that one source (a click or view) may contribute, over all its keys. */
export const CONTRIBUTION_BUDGET = 65_536;

const KEY_BITS = 128n;

/** How responses become the whole numbers that are added up, and back. */
export interface ContributionScale {
  /** Largest response, > 0, a public bound; responses lie in [0, maxResponse]: who reports nothing counts as 0. */
  maxResponse: number;
  /** L1 budget of a source. Default 65 536. */
  budget?: number;
  /** Part of the budget for this key, in (0, 1]: what other measurements of the same source need is not there. Default 1. */
  share?: number;
}

/** Units of the histogram per unit of the response: the budget's share ÷ the largest response. */
export function contributionFactor({
  maxResponse,
  budget = CONTRIBUTION_BUDGET,
  share = 1,
}: ContributionScale): number {
  requirePositive('contributionFactor: maxResponse', maxResponse);
  requireInteger('contributionFactor: budget', budget, 1);
  if (!(share > 0 && share <= 1)) {
    throw new InvalidArgumentError(`contributionFactor: share is ${share}; expected a number in (0, 1].`);
  }
  return (budget * share) / maxResponse;
}

/**
 * A response as the value that its report contributes: an integer in [0, budget · share], rounded to nearest.
 *
 * @throws {InvalidArgumentError} the response leaves [0, maxResponse]: a platform would drop what exceeds the budget
 */
export function toContribution(response: number, scale: ContributionScale): number {
  if (!(response >= 0 && response <= scale.maxResponse)) {
    throw new InvalidArgumentError(
      `toContribution: response is ${response}; expected a number in [0, ${scale.maxResponse}]. Clip it.`,
    );
  }
  return Math.min(
    Math.floor((scale.budget ?? CONTRIBUTION_BUDGET) * (scale.share ?? 1)),
    Math.round(response * contributionFactor(scale)),
  );
}

export interface SummaryReportOptions extends ContributionScale {
  /** ε that the platform spent on the report: its noise has scale budget / ε. Infinity: no noise. */
  epsilon: number;
  /** Of a debug report, take the sums before noise: for tests only. Default false. */
  unnoised?: boolean;
}

/**
 * Reads a summary report, converted to JSON; otherwise as `summaryReportAnswers`.
 *
 * @throws {DataError} the text is no report, or a key comes twice
 * @throws {InvalidArgumentError} an option leaves its range
 */
export function parseSummaryReport(text: string, options: SummaryReportOptions): KeyedAnswers {
  return summaryReportAnswers(parseJsonRecords('parseSummaryReport', text), options);
}

/**
 * Answers of a summary report's records of `bucket` and `metric`, or of a debug report's with `unnoised_metric` and `noise`.
 *
 * Buckets are 128-bit keys: big-endian bytes with leading zeros left out, as in Avro; the same as text of one character a byte, as in
 * Avro's JSON; "0x…"; or 32 hexadecimal digits. The noise is discrete Laplace of scale budget / ε, whatever the number of reports;
 * its standard deviation is √2 · budget / ε, up to the rounding to integers.
 *
 * @returns sums in the unit of the responses, by key as `attributionKeys` writes it
 * @throws {DataError} a record has no bucket or metric, or a key comes twice
 * @throws {InvalidArgumentError} an option leaves its range
 */
export function summaryReportAnswers(
  records: readonly JsonRecord[],
  options: SummaryReportOptions,
): KeyedAnswers {
  const where = 'summaryReportAnswers';
  const { epsilon, budget = CONTRIBUTION_BUDGET, unnoised = false } = options;
  if (epsilon !== Infinity) requirePositive(`${where}: epsilon`, epsilon);
  const factor = contributionFactor(options);
  const variance = unnoised ? 0 : discreteLaplaceVariance(epsilon / budget);
  const answers = new Map<string, KeyedAnswer>();
  records.forEach((record, i) => {
    const key = formatKey(parseBucket(`${where}: bucket of record ${i}`, record.bucket));
    const before = record.unnoised_metric;
    const metric = unnoised
      ? before
      : (record.metric ?? (typeof before === 'number' ? before + Number(record.noise) : undefined));
    if (!Number.isSafeInteger(metric)) {
      throw new DataError(
        `${where}: ${unnoised ? 'unnoised_metric' : 'metric'} of key "${key}" is ${JSON.stringify(metric)}; expected an integer.`,
      );
    }
    addAnswer(where, answers, key, {
      responses: 'sum',
      value: (metric as number) / factor,
      noiseVariance: variance / factor ** 2,
    });
  });
  return answers;
}

export interface AttributionKeyOptions {
  /**
   * First key of the block, "0x…": bag a gets this + a. Give each stage a block of its own, e.g. the stage in the upper
   * bits: a key that is asked for twice costs its ε twice. Default 0x0.
   */
  base?: string;
}

/**
 * Aggregation keys of bags: what a source registers so that its report lands in its bag, and what the output domain lists.
 *
 * @returns "0x" and 32 hexadecimal digits for each bag
 * @throws {InvalidArgumentError} `base` is no key, or the last key would exceed 128 bits
 */
export function attributionKeys(bags: number, { base = '0x0' }: AttributionKeyOptions = {}): string[] {
  requireInteger('attributionKeys: bags', bags, 1);
  if (!/^0x[\da-f]{1,32}$/i.test(base)) {
    throw new InvalidArgumentError(
      `attributionKeys: base is "${base}"; expected "0x" and up to 32 hexadecimal digits.`,
    );
  }
  const first = BigInt(base);
  if (first + BigInt(bags) > 1n << KEY_BITS) {
    throw new InvalidArgumentError(
      `attributionKeys: base ${base} leaves no room for ${bags} keys of 128 bits. Choose a smaller one.`,
    );
  }
  return Array.from({ length: bags }, (_, a) => formatKey(first + BigInt(a)));
}

/**
 * The output domain that an aggregation job takes: the keys whose sums are wanted, as schema and records of an Avro file. Keys of
 * empty bags come back as noise alone.
 *
 * @param keys - as `attributionKeys` gives them
 * @throws {InvalidArgumentError} there is no key, or one is none
 */
export function outputDomain(keys: readonly string[]): OutputDomain {
  if (keys.length === 0) throw new InvalidArgumentError('outputDomain: there is no key; expected some.');
  return {
    schema: { type: 'record', name: 'AggregationBucket', fields: [{ name: 'bucket', type: 'bytes' }] },
    records: keys.map((key) => {
      if (!/^0x[\da-f]{1,32}$/i.test(key)) {
        throw new InvalidArgumentError(
          `outputDomain: key is "${key}"; expected "0x" and up to 32 hexadecimal digits.`,
        );
      }
      const value = BigInt(key);
      const byte = (i: number): number => Number((value >> BigInt(8 * (15 - i))) & 255n);
      return { bucket: Uint8Array.from({ length: 16 }, (_, i) => byte(i)) };
    }),
  };
}

/** Content of an Avro file. */
export interface OutputDomain {
  schema: { type: 'record'; name: string; fields: { name: string; type: string }[] };
  /** 128-bit keys as 16 bytes, big-endian. */
  records: { bucket: Uint8Array }[];
}

function formatKey(key: bigint): string {
  return `0x${key.toString(16).padStart(32, '0')}`;
}

function parseBucket(where: string, bucket: unknown): bigint {
  if (typeof bucket === 'string' && /^(0x[\da-f]{1,32}|[\da-f]{32})$/i.test(bucket)) {
    return BigInt(`0x${bucket.replace(/^0x/i, '')}`);
  }
  const bytes =
    typeof bucket === 'string'
      ? Array.from(bucket, (character) => character.charCodeAt(0))
      : bucket instanceof Uint8Array
        ? [...bucket]
        : undefined;
  if (bytes && bytes.length <= 16 && bytes.every((byte) => byte < 256)) {
    return bytes.reduce((key, byte) => (key << 8n) | BigInt(byte), 0n);
  }
  throw new DataError(
    `${where} is ${JSON.stringify(bucket)}; expected "0x…", 32 hexadecimal digits, or at most 16 bytes.`,
  );
}

/** Variance of P(z) ∝ exp(−|z| ε'): 2 e^{−ε'} / (1 − e^{−ε'})² = 1 / (2 sinh²(ε'/2)); 0 at Infinity. */
function discreteLaplaceVariance(epsilon: number): number {
  return 1 / (2 * Math.sinh(epsilon / 2) ** 2);
}
