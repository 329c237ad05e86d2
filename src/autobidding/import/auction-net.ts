// Logs in the layout of AuctionNet (Su et al., NeurIPS 2024 Datasets and Benchmarks; github.com/alimama-tech/AuctionNet).

import { requireLength } from '../../core/check.ts';
import { DataError } from '../../core/errors.ts';
import type { AuctionRules, Bidder } from '../types.ts';
import { type ImportedLog, importLog } from './import-log.ts';
import { describeCell, type LogColumn, numberOf } from './log-columns.ts';

/** The columns read of a file of one delivery period, under the names they have there. */
export interface AuctionNetColumns {
  /** Which impression: the auction. */
  readonly pvIndex: LogColumn;
  readonly advertiserNumber: LogColumn;
  /** Predicted probability of a conversion, once shown. */
  readonly pValue: LogColumn;
  /** Target cost of a conversion: the same in all rows of an advertiser. */
  readonly CPAConstraint: LogColumn;
  /** Budget of the period: the same in all rows of an advertiser. */
  readonly budget: LogColumn;
  readonly bid: LogColumn;
  /** 1, 2, 3, or 0 for a loss. */
  readonly adSlot: LogColumn;
  /** Price of being shown. */
  readonly cost: LogColumn;
  readonly isExposed: LogColumn;
  /** One of 48 steps of the period: becomes the segment. */
  readonly timeStepIndex: LogColumn;
  readonly deliveryPeriodIndex: LogColumn;
}

/** A period of AuctionNet as a market. */
export interface AuctionNetLog extends ImportedLog {
  readonly period: number;
  /** Value maximisers with their budgets; targets are in the values. */
  readonly bidders: readonly Bidder[];
  /** GSP with reserve 0.01. */
  readonly rules: AuctionRules;
  /** Of each slot: rows that won it, and the share of them that was shown. */
  readonly exposure: readonly { readonly won: number; readonly shownShare: number }[];
  /**
   * Rows without slot although a slot stayed empty and their bid reached the reserve. The simulator takes a cost of exactly the reserve for an
   * unsold slot and erases the sale; here such rows stay entries that lost.
   */
  readonly erasedSales: number;
}

/** Coefficients of the slots, as the simulator states them. It shows slot 3 only if slot 2 is shown too: 0.48 of the time, not 0.6. */
export const AUCTION_NET_DISCOUNTS: readonly number[] = [1, 0.8, 0.6];

const RESERVE = 0.01;
const WHERE = 'importAuctionNet';

/** How a file of AuctionNet is read. */
export interface ImportAuctionNetOptions {
  /** δ of the three slots. Default: `AUCTION_NET_DISCOUNTS`; [1, 0.8, 0.48] are the shares of impressions really shown. */
  discounts?: ArrayLike<number> | undefined;
  /** As of `importLog`. */
  onInvalid?: 'throw' | 'drop' | undefined;
}

/**
 * Makes a market of one delivery period of AuctionNet: v = pValue · CPAConstraint, the most that being shown may cost at the target.
 *
 * @throws {DataError} several periods; a slot other than 0 … 3; a budget or target that differs within an advertiser; as `importLog`
 * @throws {ShapeError} columns of different lengths
 */
export function importAuctionNet(
  columns: AuctionNetColumns,
  { discounts = AUCTION_NET_DISCOUNTS, onInvalid }: ImportAuctionNetOptions = {},
): AuctionNetLog {
  for (const [name, column] of Object.entries(columns) as [string, LogColumn][]) {
    requireLength(`${WHERE}: column ${name}`, column, columns.pvIndex.length);
  }
  const period = onlyPeriod(columns.deliveryPeriodIndex);
  const { pValue, CPAConstraint, adSlot } = columns;
  const slots = Uint8Array.from({ length: adSlot.length }, (_, row) => slotOf(adSlot, row));
  const log = importLog(
    {
      auction: columns.pvIndex,
      advertiser: columns.advertiserNumber,
      value: Float64Array.from(
        { length: pValue.length },
        // What is missing becomes NaN, which importLog names or drops.
        (_, row) => (numberOf(pValue[row]) ?? Number.NaN) * (numberOf(CPAConstraint[row]) ?? Number.NaN),
      ),
      bucket: columns.timeStepIndex,
      positionWeight: Float64Array.from(slots, (slot) => (slot === 0 ? 0 : discounts[slot - 1])),
      bid: columns.bid,
      price: columns.cost,
    },
    { discounts, onInvalid },
  );
  constantOf(log, CPAConstraint, 'CPAConstraint');
  const budgets = constantOf(log, columns.budget, 'budget');
  return {
    ...log,
    period,
    bidders: Array.from(budgets, (budget) =>
      Number.isNaN(budget) ? { kind: 'value' as const } : { kind: 'value' as const, budget },
    ),
    rules: { format: 'gsp', reserve: RESERVE },
    exposure: exposureOf(slots, columns.isExposed),
    erasedSales: erasedSales(log, slots),
  };
}

function onlyPeriod(column: LogColumn): number {
  const periods = new Set<number | undefined>();
  for (let row = 0; row < column.length; row++) periods.add(numberOf(column[row]));
  const [period] = periods;
  if (periods.size !== 1 || period === undefined) {
    throw new DataError(
      `${WHERE}: deliveryPeriodIndex takes the values ${[...periods].slice(0, 5).join(', ') || 'none'}; expected one period: budgets and targets are those of a period. Read the rows of one.`,
    );
  }
  return period;
}

function slotOf(column: LogColumn, row: number): number {
  const slot = numberOf(column[row]);
  if (slot === undefined || !Number.isInteger(slot) || slot < 0 || slot > 3) {
    throw new DataError(
      `${WHERE}: adSlot of row ${row} is ${describeCell(column[row])}; expected 0 (lost), 1, 2 or 3.`,
    );
  }
  return slot;
}

/** The one value of each advertiser, NaN for one without entries. @throws {DataError} a second value */
function constantOf({ market }: ImportedLog, column: LogColumn, name: string): Float64Array {
  const constants = new Float64Array(market.advertisers).fill(Number.NaN);
  for (const [e, row] of market.rowOf.entries()) {
    const advertiser = market.advertiserOf[e];
    const value = numberOf(column[row]);
    if (value === undefined || !(value >= 0 && value < Infinity)) {
      throw new DataError(
        `${WHERE}: ${name} of row ${row} is ${describeCell(column[row])}; expected a finite number ≥ 0.`,
      );
    }
    if (!Number.isNaN(constants[advertiser]) && constants[advertiser] !== value) {
      throw new DataError(
        `${WHERE}: ${name} of row ${row} is ${value}; expected ${constants[advertiser]}, as in other rows of advertiser ${market.names?.[advertiser]}.`,
      );
    }
    constants[advertiser] = value;
  }
  return constants;
}

function exposureOf(slots: Uint8Array, shown: LogColumn): { won: number; shownShare: number }[] {
  const counts = [1, 2, 3].map(() => ({ won: 0, shown: 0 }));
  for (const [row, slot] of slots.entries()) {
    if (slot === 0) continue;
    counts[slot - 1].won++;
    if (numberOf(shown[row]) === 1) counts[slot - 1].shown++;
  }
  return counts.map((count) => ({ won: count.won, shownShare: count.shown / count.won }));
}

function erasedSales({ market, recorded }: ImportedLog, slots: Uint8Array): number {
  let erased = 0;
  for (let j = 0; j < market.auctions; j++) {
    let won = 0;
    let bidders = 0;
    for (let e = market.offsets[j]; e < market.offsets[j + 1]; e++) {
      if (slots[market.rowOf[e]] > 0) won++;
      if (recorded.bids && recorded.bids[e] >= RESERVE) bidders++;
    }
    erased += Math.max(0, Math.min(AUCTION_NET_DISCOUNTS.length, bidders) - won);
  }
  return erased;
}
