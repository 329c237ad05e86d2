// What the columns of an auction log are, and how their cells are read.

import { DataError, ShapeError } from '../../core/errors.ts';

/** A cell as readers of files give it. */
export type Cell = string | number | null | undefined;

/** A column of a log, read: numbers, text, or text with gaps. */
export type LogColumn = ArrayLike<Cell>;

/** One row for each entry that an advertiser had in an auction; all columns have the same length. */
export interface LogColumns {
  /** Which auction: any numbers or text. */
  readonly auction: LogColumn;
  /** Whose entry: any numbers or text. */
  readonly advertiser: LogColumn;
  /** Value of slot 1 to the advertiser, ≥ 0, in money; raw where there is a `target`. 0: takes no part. */
  readonly value: LogColumn;
  /** Label of the segment: what an advertiser may bid on separately. */
  readonly bucket?: LogColumn | undefined;
  /** Weight of the slot the row got, in any unit; 0 or empty where it lost. */
  readonly positionWeight?: LogColumn | undefined;
  /** Target ROAS of the row's advertiser, > 0: the same in all its rows. */
  readonly target?: LogColumn | undefined;
  /** Which of several entries of one advertiser in an auction: lets it have several. */
  readonly entry?: LogColumn | undefined;
  /** Who owns the row's advertiser: entries of one owner never set each other's price. */
  readonly owner?: LogColumn | undefined;
  /** Most that the row's advertiser spends in the whole log, ≥ 0, in money: the same in all its rows; empty for none. */
  readonly budget?: LogColumn | undefined;
  /** What the row's advertiser is after: value (also where empty) or utility; the same in all its rows. */
  readonly bidderKind?: LogColumn | undefined;
  /** The bid that was made, ≥ 0, in money. */
  readonly bid?: LogColumn | undefined;
  /** What was paid, ≥ 0, in money. */
  readonly price?: LogColumn | undefined;
}

/** What the columns are called in files. */
export const LOG_COLUMN_NAMES: Readonly<Record<keyof LogColumns, string>> = {
  auction: 'auction_id',
  advertiser: 'advertiser_id',
  value: 'value',
  bucket: 'bucket',
  positionWeight: 'position_weight',
  target: 'target',
  entry: 'entry',
  owner: 'owner',
  budget: 'budget',
  bidderKind: 'bidder_kind',
  bid: 'bid',
  price: 'price',
};

/** @throws {ShapeError} columns of different lengths */
export function requireEqualLengths(where: string, columns: LogColumns): void {
  const rows = columns.auction.length;
  for (const role of Object.keys(LOG_COLUMN_NAMES) as (keyof LogColumns)[]) {
    const column = columns[role];
    if (column && column.length !== rows) {
      throw new ShapeError(
        `${where}: column ${LOG_COLUMN_NAMES[role]} has ${column.length} rows; expected ${rows}, as many as ${LOG_COLUMN_NAMES.auction}.`,
      );
    }
  }
}

export function isEmpty(cell: Cell): boolean {
  return cell === null || cell === undefined || (typeof cell === 'string' && cell.trim() === '');
}

/** A cell as a number: text is parsed; NaN for what is no number, undefined for an empty cell. */
export function numberOf(cell: Cell): number | undefined {
  if (typeof cell === 'number') return cell;
  return isEmpty(cell) ? undefined : Number(cell);
}

/** A number ≥ 0, or NaN for an empty cell. @throws {DataError} anything else, naming the row */
export function amountOf(where: string, name: string, cell: Cell, row: number): number {
  const amount = numberOf(cell);
  if (amount === undefined) return Number.NaN;
  if (!(amount >= 0 && amount < Infinity)) {
    throw new DataError(
      `${where}: ${name} of row ${row} is ${describeCell(cell)}; expected a finite number ≥ 0 or nothing.`,
    );
  }
  return amount;
}

export function describeCell(cell: Cell): string {
  return isEmpty(cell) ? 'empty' : typeof cell === 'string' ? `"${cell}"` : String(cell);
}
