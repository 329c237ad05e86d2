// What every generator of markets gives back, and the checks they share.

import { requireInteger, requireNonNegative, requireNumber, requireSeed } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { Market } from '../types.ts';

/** Everything needed to draw the same market again: goes into every result file. */
export interface GeneratorRecord<Parameters> {
  readonly generator: string;
  /** Raised whenever the same parameters and seed give another market. */
  readonly version: number;
  readonly seed: number;
  /** Every parameter with its value, defaults filled in. */
  readonly parameters: Parameters;
}

/** What all generators have: sizes and slots. */
export interface CommonParameters {
  readonly advertisers: number;
  readonly auctions: number;
  /** Entries of each auction. */
  readonly participants: number;
  /** T: topics of queries. */
  readonly topics: number;
  readonly discounts: readonly number[];
}

/** A synthetic market. */
export interface GeneratedMarket<Parameters extends CommonParameters = CommonParameters> {
  readonly market: Market;
  /** Topic of each auction, < record.parameters.topics, shape (auctions,). */
  readonly topicOf: Uint32Array;
  readonly record: GeneratorRecord<Parameters>;
}

/** Options common to all generators; the defaults of sizes are each generator's own. */
export interface CommonGeneratorOptions {
  /** n ≥ 1. */
  advertisers?: number | undefined;
  /** m ≥ 1. */
  auctions?: number | undefined;
  /** Entries of each auction, 1 … n. */
  participants?: number | undefined;
  /** T ≥ 1. */
  topics?: number | undefined;
  /** δ: 1 ≥ δ₁ ≥ … ≥ 0, at least one. */
  discounts?: readonly number[] | undefined;
  /** Unsigned 32-bit integer. Default 0. */
  seed?: number | undefined;
}

/** The largest |ln v| a market holds: e^±50 times each other still is a number. */
const LOG_RANGE = 50;

/** @throws {InvalidArgumentError} a size, the discounts or the seed leave their range */
export function requireCommon(where: string, parameters: CommonParameters, seed: number): void {
  const { advertisers, auctions, participants, topics, discounts } = parameters;
  requireInteger(`${where}: advertisers`, advertisers, 1, 0xffffffff);
  requireInteger(`${where}: auctions`, auctions, 1, 0x7fffffff);
  requireInteger(`${where}: participants`, participants, 1, advertisers);
  requireInteger(`${where}: auctions · participants`, auctions * participants, 1, 0xffffffff);
  requireInteger(`${where}: topics`, topics, 1, 0xffffffff);
  requireSeed(`${where}: seed`, seed);
  if (discounts.length === 0) {
    throw new InvalidArgumentError(`${where}: discounts is empty; expected one discount for each slot.`);
  }
  requireNonNegative(`${where}: discounts`, discounts);
  for (let slot = 0; slot < discounts.length; slot++) {
    const limit = slot === 0 ? 1 : discounts[slot - 1];
    requireNumber(`${where}: discounts[${slot}]`, discounts[slot], 0, limit);
  }
}

/** The rows of a market in which every auction has the same number of entries. */
export function equalRows(parameters: CommonParameters): {
  offsets: Uint32Array;
  advertiserOf: Uint32Array;
  values: Float64Array;
} {
  const { auctions, participants } = parameters;
  return {
    offsets: Uint32Array.from({ length: auctions + 1 }, (_, j) => j * participants),
    advertiserOf: new Uint32Array(auctions * participants),
    values: new Float64Array(auctions * participants),
  };
}

/** @throws {InvalidArgumentError} a value is beyond e^±50 */
export function requireValueRange(where: string, values: Float64Array): void {
  const [least, most] = [Math.exp(-LOG_RANGE), Math.exp(LOG_RANGE)];
  for (let entry = 0; entry < values.length; entry++) {
    const value = values[entry];
    if (!(value >= least && value <= most)) {
      throw new InvalidArgumentError(
        `${where}: the value drawn for entry ${entry} is ${value}; expected e^-${LOG_RANGE} … e^${LOG_RANGE}. Lower the spreads and weights.`,
      );
    }
  }
}
