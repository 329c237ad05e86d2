// Columns of an auction log into a market.

import { requireOneOf } from '../../core/check.ts';
import { DataError, InvalidArgumentError } from '../../core/errors.ts';
import type { MarketOfRows } from '../market/create-market.ts';
import { checkedDiscounts, createMarket } from '../market/create-market.ts';
import type { Bidder } from '../types.ts';
import { biddersOf, ownersOf, targetsOf } from './advertiser-columns.ts';
import { discountsOfLog } from './discounts-of-log.ts';
import { requireDistinct } from './distinct-rows.ts';
import { DropCounter, type DroppedRows } from './drops.ts';
import { type IdIndex, indexInOrder, indexSorted, NO_ID } from './id-index.ts';
import {
  amountOf,
  type Cell,
  describeCell,
  isEmpty,
  type LogColumn,
  type LogColumns,
  numberOf,
  requireEqualLengths,
} from './log-columns.ts';

/** How a log is read. */
export interface ImportLogOptions {
  /** δ of the slots, best first. Default: the distinct weights of `positionWeight`, divided by the largest. */
  discounts?: ArrayLike<number> | undefined;
  /** Rows without id, or whose value is missing, no number, negative, infinite or beyond e^±50: an error, or left out and counted. Default 'throw'. */
  onInvalid?: 'throw' | 'drop' | undefined;
  /** Let an advertiser have several entries in one auction. Default: only if there is an `entry` column. */
  multiEntry?: boolean | undefined;
}

/** What became of the rows. */
export interface ImportReport {
  readonly rows: number;
  /** Rows that became entries of the market. */
  readonly entries: number;
  readonly auctions: number;
  readonly advertisers: number;
  /** Rows left out, by reason. */
  readonly dropped: readonly DroppedRows[];
}

/** What was really bid, won and paid, of each entry: NaN where the log does not say. */
export interface RecordedBehaviour {
  /** Shape (entries,), money. */
  readonly bids?: Float64Array | undefined;
  /** Shape (entries,), money. */
  readonly prices?: Float64Array | undefined;
  /** Weight of the slot, shape (entries,), in the log's unit; 0 for a loss. */
  readonly weights?: Float64Array | undefined;
}

/** A market with what else its log says. */
export interface ImportedLog {
  readonly market: MarketOfRows;
  /** Ids of the auctions, in the order in which they first come, shape (auctions,). */
  readonly auctionIds: readonly (string | number)[];
  /** Label of each entry's segment, shape (entries,): for `labelBuckets`. */
  readonly bucketLabels?: readonly (string | number)[] | undefined;
  /** For `AuctionRules.owners`: owner of each advertiser, shape (advertisers,). */
  readonly owners?: Uint32Array | undefined;
  /** Of each advertiser, if the log says what it is after or may spend, shape (advertisers,). */
  readonly bidders?: readonly Bidder[] | undefined;
  readonly recorded: RecordedBehaviour;
  readonly report: ImportReport;
}

const WHERE = 'importLog';
/** As `createMarket` has it: a row is looked at before, so that it can be left out. */
const LOG_RANGE = 50;

/**
 * Makes a market of the columns of a log. Rows may come in any order.
 *
 * Auctions are numbered as they first come, advertisers by their ids (so that ties do not hang on the order of the rows). Rows of value 0
 * are no participants: they are left out and counted, but what slot they got still counts for the discounts.
 *
 * @throws {DataError} a bad row (its number counts from 0) unless `onInvalid` is 'drop'; a target that is missing, ≤ 0 or differs within an
 *   advertiser; an owner, budget or kind of bidder that differs; two rows of one advertiser (and entry) in an auction; weights that are no weights of common slots
 * @throws {InvalidArgumentError} there are neither discounts nor weights to read them off, or discounts rise or leave [0, 1]
 * @throws {ShapeError} columns of different lengths
 *
 * Time O(rows log(rows of one auction)); about 60 bytes a row.
 *
 * @example
 * const { market, report } = importLog({ auction, advertiser, value, positionWeight });
 */
export function importLog(columns: LogColumns, options: ImportLogOptions = {}): ImportedLog {
  const { onInvalid = 'throw', multiEntry = columns.entry !== undefined } = options;
  requireOneOf(`${WHERE}: onInvalid`, onInvalid, ['throw', 'drop']);
  requireEqualLengths(WHERE, columns);
  const rows = columns.auction.length;
  const auctions = indexInOrder(columns.auction);
  const advertisers = indexSorted(columns.advertiser);
  const targets = columns.target && targetsOf(WHERE, columns.target, advertisers);
  const weights = columns.positionWeight && amounts('position_weight', columns.positionWeight);
  const discounts = discountsFor(options.discounts, weights, auctions);

  const drops = new DropCounter();
  const kept = new Uint32Array(rows);
  const value = new Float64Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const target = targets && advertisers.of[row] !== NO_ID ? targets[advertisers.of[row]] : 1;
    const problem = problemOf(columns, auctions, advertisers, target, row);
    if (problem && problem.reason !== ZERO && onInvalid === 'throw') {
      throw new DataError(
        `${WHERE}: row ${row} ${problem.text}. Mend it, or leave such rows out: onInvalid "drop" (--on-invalid drop).`,
      );
    }
    if (problem) {
      drops.add(problem.reason, row, problem.found);
    } else {
      value[count] = numberOf(columns.value[row]) as number;
      kept[count++] = row;
    }
  }
  requireDistinct(WHERE, columns, auctions, advertisers, kept.subarray(0, count), multiEntry);
  const market = createMarket(
    {
      auction: Uint32Array.from(kept.subarray(0, count), (row) => auctions.of[row]),
      advertiser: Uint32Array.from(kept.subarray(0, count), (row) => advertisers.of[row]),
      value: value.subarray(0, count),
    },
    {
      discounts,
      auctions: auctions.ids.length,
      targets,
      names: advertisers.ids.map(String),
      multiEntry,
    },
  );
  const rowOf = market.rowOf.map((place) => kept[place]);
  const ofEntries = (column: Float64Array | undefined) =>
    column && Float64Array.from(rowOf, (row) => column[row]);
  return {
    market: { ...market, rowOf },
    auctionIds: auctions.ids,
    bucketLabels: columns.bucket && labelsOf(columns.bucket, rowOf),
    owners: columns.owner && ownersOf(WHERE, columns.owner, advertisers),
    bidders: columns.budget || columns.bidderKind ? biddersOf(WHERE, columns, advertisers) : undefined,
    recorded: {
      bids: ofEntries(columns.bid && amounts('bid', columns.bid)),
      prices: ofEntries(columns.price && amounts('price', columns.price)),
      weights: ofEntries(weights)?.map((weight) => weight || 0),
    },
    report: {
      rows,
      entries: count,
      auctions: market.auctions,
      advertisers: market.advertisers,
      dropped: drops.report(),
    },
  };
}

const ZERO = 'value 0: no participant';

interface Problem {
  readonly reason: string;
  readonly found: string;
  /** What comes after "row 7 ". */
  readonly text: string;
}

function problemOf(
  columns: LogColumns,
  auctions: IdIndex,
  advertisers: IdIndex,
  target: number,
  row: number,
): Problem | undefined {
  if (auctions.of[row] === NO_ID) return missing('auction_id', columns.auction[row]);
  if (advertisers.of[row] === NO_ID) return missing('advertiser_id', columns.advertiser[row]);
  const cell = columns.value[row];
  const value = numberOf(cell);
  if (value !== undefined && value > 0 && Math.abs(Math.log(value / target)) <= LOG_RANGE) return undefined;
  const found = describeCell(cell);
  const wrong = (reason: string, expected: string): Problem => ({
    reason,
    found,
    text: `has value ${found}; expected ${expected}`,
  });
  if (value === undefined) return wrong('no value', 'a finite number ≥ 0');
  if (Number.isNaN(value)) return wrong('value that is no number', 'a finite number ≥ 0');
  if (value < 0) return wrong('negative value', 'a finite number ≥ 0');
  if (value === Infinity) return wrong('infinite value', 'a finite number ≥ 0');
  if (value === 0) return wrong(ZERO, 'more');
  return wrong(
    'value beyond e^±50',
    `a number between e^-${LOG_RANGE} and e^${LOG_RANGE} after its target ${target}, or 0`,
  );
}

function missing(name: string, cell: Cell): Problem {
  const found = describeCell(cell);
  return { reason: `no ${name}`, found, text: `has ${name} ${found}; expected a number or text` };
}

function amounts(name: string, column: LogColumn): Float64Array {
  return Float64Array.from({ length: column.length }, (_, row) => amountOf(WHERE, name, column[row], row));
}

function discountsFor(
  given: ArrayLike<number> | undefined,
  weights: Float64Array | undefined,
  auctions: IdIndex,
): Float64Array {
  if (given) return checkedDiscounts(given, `${WHERE}: discounts`);
  if (weights) return discountsOfLog(WHERE, weights, auctions.of, auctions.ids);
  throw new InvalidArgumentError(
    `${WHERE}: there are neither discounts nor a position_weight column; expected one of them. Pass discounts, e.g. [1] for one slot.`,
  );
}

function labelsOf(column: LogColumn, rowOf: Uint32Array): (string | number)[] {
  return Array.from(rowOf, (row) => {
    const label = column[row];
    if (isEmpty(label) || Number.isNaN(label)) {
      throw new DataError(
        `${WHERE}: bucket of row ${row} is ${describeCell(label)}; expected a label. Give rows without segment one of their own, e.g. "other".`,
      );
    }
    return label as string | number;
  });
}
