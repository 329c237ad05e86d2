// An advertiser has one row in an auction, or one for each of its entries.

import { DataError } from '../../core/errors.ts';
import { type IdIndex, indexInOrder, NO_ID } from './id-index.ts';
import { describeCell, type LogColumn, type LogColumns } from './log-columns.ts';

/** @throws {DataError} two rows of one advertiser (and entry) in one auction */
export function requireDistinct(
  where: string,
  columns: LogColumns,
  auctions: IdIndex,
  advertisers: IdIndex,
  kept: Uint32Array,
  multiEntry: boolean,
): void {
  if (multiEntry && !columns.entry) return;
  const entries = columns.entry && pairIndex(where, columns.entry, advertisers);
  const { of, size } = entries ?? { of: advertisers.of, size: advertisers.ids.length };
  // The last row of each advertiser (and entry) and the auction it was in, going through the auctions one after the other.
  const lastRow = new Uint32Array(size);
  const lastAuction = new Uint32Array(size).fill(NO_ID);
  for (const row of groupedByAuction(kept, auctions)) {
    const who = of[row];
    if (lastAuction[who] === auctions.of[row]) {
      const what = entries ? `entry ${describeCell(columns.entry?.[row])} of ` : '';
      throw new DataError(
        `${where}: rows ${lastRow[who]} and ${row} are both ${what}advertiser ${describeCell(advertisers.ids[advertisers.of[row]])} in auction ${describeCell(auctions.ids[auctions.of[row]])}; expected one row. ` +
          (entries ? 'Number the entries.' : 'Set multiEntry if an advertiser may have several.'),
      );
    }
    lastAuction[who] = auctions.of[row];
    lastRow[who] = row;
  }
}

/** Rows by auction, in their order within one: a counting sort. */
function groupedByAuction(rows: Uint32Array, auctions: IdIndex): Uint32Array {
  const next = new Uint32Array(auctions.ids.length + 1);
  for (const row of rows) next[auctions.of[row] + 1]++;
  for (let j = 1; j < next.length; j++) next[j] += next[j - 1];
  const grouped = new Uint32Array(rows.length);
  for (const row of rows) grouped[next[auctions.of[row]]++] = row;
  return grouped;
}

/** Numbers the pairs of advertiser and entry. @throws {DataError} a row without entry */
function pairIndex(
  where: string,
  column: LogColumn,
  advertisers: IdIndex,
): { of: Uint32Array; size: number } {
  const entries = indexInOrder(column);
  const numbers = new Map<number, number>();
  const of = entries.of.map((entry, row) => {
    if (advertisers.of[row] === NO_ID) return NO_ID;
    if (entry === NO_ID) {
      throw new DataError(
        `${where}: entry of row ${row} is empty; expected which entry of its advertiser it is.`,
      );
    }
    const pair = advertisers.of[row] * entries.ids.length + entry;
    const known = numbers.get(pair) ?? numbers.size;
    numbers.set(pair, known);
    return known;
  });
  return { of, size: numbers.size };
}
