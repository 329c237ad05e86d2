// Rows of "who values which query how much" into a market: checked, sorted, compressed.

import { requireInteger, requireLength } from '../../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../../core/errors.ts';
import type { Market } from '../types.ts';

/** ln v of a value at most this far from 0: products and sums of values then stay far from the ends of float64. */
const MAX_LOG_VALUE = 50;

/** Entries of an auction from which sorting by insertion is too slow. */
const MANY_ENTRIES = 64;

/** Columns of rows, all of one length; long tables come as several of these. */
export interface MarketRows {
  /** Auction of each row, 0-based. */
  readonly auction: ArrayLike<number>;
  /** Advertiser of each row, 0-based. */
  readonly advertiser: ArrayLike<number>;
  /** What slot 1 is worth to the advertiser, ≥ 0, in money; raw where `targets` are given, which then divide it. */
  readonly value: ArrayLike<number>;
}

export interface CreateMarketOptions {
  /** δ, shape (slots ≥ 1,): 1 ≥ δ₁ ≥ … ≥ δ_S ≥ 0. */
  discounts: ArrayLike<number>;
  /** Auctions there are. Default: the largest number in the rows + 1. */
  auctions?: number | undefined;
  /** Advertisers there are. Default: as many as `names` or `targets`, else the largest number in the rows + 1. */
  advertisers?: number | undefined;
  /** τ, target ROAS of each advertiser, > 0, by which its values are divided. Default: 1. */
  targets?: ArrayLike<number> | undefined;
  /** What the advertisers are called. Default: their numbers. */
  names?: readonly string[] | undefined;
  /** Let an advertiser have several entries in one auction; they never set each other's price. Default false: that is an error. */
  multiEntry?: boolean | undefined;
}

/** A market that knows which rows it comes from. */
export interface MarketOfRows extends Market {
  /** Row of each entry, counted through all tables of rows, shape (entries,): carries other columns of the rows over to the entries. */
  readonly rowOf: Uint32Array;
  /** Rows without value: no participants. */
  readonly dropped: number;
}

/**
 * Makes a market of rows in any order: entries are sorted by auction, then by advertiser, then by row.
 *
 * Rows of value 0 are left out and counted. More slots than participants are fine: they stay empty.
 *
 * @param rows - one table, or several that follow each other: fewer than 2³² rows in all
 * @returns the market, the row of each of its entries, and the number of rows dropped
 * @throws {InvalidArgumentError} discounts that rise or leave [0, 1] (the message names the index); a value that is negative, not finite
 *   or whose |ln| exceeds 50, a number out of range, or an auction's second row of one advertiser (it names the row); a target ≤ 0
 * @throws {ShapeError} columns of different lengths
 *
 * O(rows · log(rows of one auction)) time, 16 bytes a row beyond the result.
 */
export function createMarket(
  rows: MarketRows | readonly MarketRows[],
  options: CreateMarketOptions,
): MarketOfRows {
  const tables = 'value' in rows ? [rows] : rows;
  const discounts = checkedDiscounts(options.discounts);
  const total = countRows(tables);
  const advertisers = advertiserCount(tables, options);
  const targets = checkedTargets(options.targets, advertisers);
  const auctions = options.auctions ?? highest(tables, 'auction') + 1;
  requireInteger('createMarket: auctions', auctions, 0, 0xfffffffe);
  if (options.names) requireLength('createMarket: names', options.names, advertisers);

  // Counting sort by auction: stable, so rows of one auction stay in their order.
  const offsets = new Uint32Array(auctions + 1);
  let row = 0;
  for (const { auction, advertiser, value } of tables) {
    for (let r = 0; r < value.length; r++, row++) {
      requireInteger(`createMarket: auction of row ${row}`, auction[r], 0, auctions - 1);
      requireInteger(`createMarket: advertiser of row ${row}`, advertiser[r], 0, advertisers - 1);
      requireValue(row, value[r], targets ? value[r] / targets[advertiser[r]] : value[r]);
      if (value[r] > 0) offsets[auction[r] + 1]++;
    }
  }
  for (let j = 0; j < auctions; j++) offsets[j + 1] += offsets[j];
  const entries = offsets[auctions];
  const advertiserOf = new Uint32Array(entries);
  const values = new Float64Array(entries);
  const rowOf = new Uint32Array(entries);
  const next = offsets.slice(0, auctions);
  row = 0;
  for (const { auction, advertiser, value } of tables) {
    for (let r = 0; r < value.length; r++, row++) {
      if (!(value[r] > 0)) continue;
      const entry = next[auction[r]]++;
      advertiserOf[entry] = advertiser[r];
      values[entry] = targets ? value[r] / targets[advertiser[r]] : value[r];
      rowOf[entry] = row;
    }
  }
  for (let j = 0; j < auctions; j++) {
    const sort = offsets[j + 1] - offsets[j] > MANY_ENTRIES ? sortManyEntries : sortFewEntries;
    sort(offsets[j], offsets[j + 1], advertiserOf, values, rowOf);
  }
  if (!options.multiEntry) requireSingleEntries(offsets, advertiserOf, rowOf);
  const market = { auctions, advertisers, offsets, advertiserOf, values, discounts };
  return { ...market, targets, names: options.names, rowOf, dropped: total - entries };
}

/** @throws {InvalidArgumentError} naming the first discount that rises, leaves [0, 1] or is not a number */
export function checkedDiscounts(from: ArrayLike<number>, where = 'createMarket: discounts'): Float64Array {
  if (from.length === 0) throw new InvalidArgumentError(`${where} are empty; expected one for each slot.`);
  const discounts = Float64Array.from(from);
  discounts.forEach((discount, s) => {
    const highest = s === 0 ? 1 : discounts[s - 1];
    if (!(discount >= 0 && discount <= highest)) {
      throw new InvalidArgumentError(
        `${where}[${s}] is ${discount}; expected a number in [0, ${highest}]. Slots come best first, each worth no more than the one before.`,
      );
    }
  });
  return discounts;
}

function countRows(tables: readonly MarketRows[]): number {
  let total = 0;
  tables.forEach(({ auction, advertiser, value }, t) => {
    if (auction.length !== value.length || advertiser.length !== value.length) {
      throw new ShapeError(
        `createMarket: table ${t} of rows has ${auction.length} auctions, ${advertiser.length} advertisers and ${value.length} values; expected as many of each.`,
      );
    }
    total += value.length;
  });
  requireInteger('createMarket: number of rows', total, 0, 0xffffffff);
  return total;
}

function advertiserCount(tables: readonly MarketRows[], options: CreateMarketOptions): number {
  const given = options.advertisers ?? options.names?.length ?? options.targets?.length;
  const count = given ?? highest(tables, 'advertiser') + 1;
  requireInteger('createMarket: advertisers', count, 0, 0xfffffffe);
  return count;
}

/** The largest whole number of a column, −1 where there is none: what is no such number is found and named later. */
function highest(tables: readonly MarketRows[], column: 'auction' | 'advertiser'): number {
  let most = -1;
  for (const table of tables) {
    const numbers = table[column];
    for (let r = 0; r < numbers.length; r++) {
      if (numbers[r] > most && Number.isSafeInteger(numbers[r])) most = numbers[r];
    }
  }
  return most;
}

function checkedTargets(from: ArrayLike<number> | undefined, advertisers: number): Float64Array | undefined {
  if (!from) return undefined;
  requireLength('createMarket: targets', from, advertisers);
  const targets = Float64Array.from(from);
  targets.forEach((target, i) => {
    if (!(target > 0 && target < Infinity)) {
      throw new InvalidArgumentError(
        `createMarket: targets[${i}] is ${target}; expected a finite number > 0: value to be had for each unit of money spent.`,
      );
    }
  });
  return targets;
}

function requireValue(row: number, raw: number, value: number): void {
  if (!(raw >= 0 && raw < Infinity)) {
    throw new InvalidArgumentError(
      `createMarket: value of row ${row} is ${raw}; expected a finite number ≥ 0.`,
    );
  }
  if (raw > 0 && !(Math.abs(Math.log(value)) <= MAX_LOG_VALUE)) {
    throw new InvalidArgumentError(
      `createMarket: value of row ${row} is ${value} (after its target); expected 0 or a number in [e^-${MAX_LOG_VALUE}, e^${MAX_LOG_VALUE}]. Measure values in another unit of money.`,
    );
  }
}

/** Sorts the entries of one auction by advertiser, stably: by insertion, which few or sorted entries make fastest. */
function sortFewEntries(
  start: number,
  end: number,
  advertiserOf: Uint32Array,
  values: Float64Array,
  rowOf: Uint32Array,
): void {
  for (let e = start + 1; e < end; e++) {
    const [advertiser, value, row] = [advertiserOf[e], values[e], rowOf[e]];
    let to = e;
    for (; to > start && advertiserOf[to - 1] > advertiser; to--) {
      advertiserOf[to] = advertiserOf[to - 1];
      values[to] = values[to - 1];
      rowOf[to] = rowOf[to - 1];
    }
    advertiserOf[to] = advertiser;
    values[to] = value;
    rowOf[to] = row;
  }
}

function sortManyEntries(
  start: number,
  end: number,
  advertiserOf: Uint32Array,
  values: Float64Array,
  rowOf: Uint32Array,
): void {
  const order = Uint32Array.from({ length: end - start }, (_, e) => start + e);
  order.sort((a, b) => advertiserOf[a] - advertiserOf[b] || a - b);
  advertiserOf.set(
    Uint32Array.from(order, (e) => advertiserOf[e]),
    start,
  );
  values.set(
    Float64Array.from(order, (e) => values[e]),
    start,
  );
  rowOf.set(
    Uint32Array.from(order, (e) => rowOf[e]),
    start,
  );
}

function requireSingleEntries(offsets: Uint32Array, advertiserOf: Uint32Array, rowOf: Uint32Array): void {
  for (let j = 0; j + 1 < offsets.length; j++) {
    for (let e = offsets[j] + 1; e < offsets[j + 1]; e++) {
      if (advertiserOf[e] !== advertiserOf[e - 1]) continue;
      throw new InvalidArgumentError(
        `createMarket: rows ${rowOf[e - 1]} and ${rowOf[e]} are both of advertiser ${advertiserOf[e]} in auction ${j}; expected one row. ` +
          'Set multiEntry if an advertiser may have several.',
      );
    }
  }
}
