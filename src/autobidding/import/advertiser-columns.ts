// Columns that say something of advertisers, not of entries: the same in all rows of one.

import { DataError } from '../../core/errors.ts';
import { type IdIndex, indexSorted, NO_ID } from './id-index.ts';
import { describeCell, isEmpty, type LogColumn, numberOf } from './log-columns.ts';

/** Target of each advertiser: that of its rows that have one. @throws {DataError} */
export function targetsOf(where: string, column: LogColumn, advertisers: IdIndex): Float64Array {
  const targets = new Float64Array(advertisers.ids.length).fill(Number.NaN);
  for (let row = 0; row < column.length; row++) {
    const advertiser = advertisers.of[row];
    if (advertiser === NO_ID || isEmpty(column[row])) continue;
    const target = numberOf(column[row]) as number;
    const name = describeCell(advertisers.ids[advertiser]);
    if (!(target > 0 && target < Infinity)) {
      throw new DataError(
        `${where}: target of row ${row} (advertiser ${name}) is ${describeCell(column[row])}; expected a finite number > 0: value to be had for each unit of money spent.`,
      );
    }
    if (!Number.isNaN(targets[advertiser]) && targets[advertiser] !== target) {
      throw new DataError(
        `${where}: target of row ${row} is ${target}; expected ${targets[advertiser]}, as in other rows of advertiser ${name}. Import periods of one target each.`,
      );
    }
    targets[advertiser] = target;
  }
  const without = targets.findIndex(Number.isNaN);
  if (without >= 0) {
    throw new DataError(
      `${where}: advertiser ${describeCell(advertisers.ids[without])} has no target in any row; expected one. Leave the column out if nobody has targets.`,
    );
  }
  return targets;
}

/** For `AuctionRules.owners`; advertisers without owner own themselves. @throws {DataError} an owner that differs within an advertiser */
export function ownersOf(where: string, column: LogColumn, advertisers: IdIndex): Uint32Array {
  const { of, ids } = indexSorted(column);
  const owners = new Uint32Array(advertisers.ids.length).fill(NO_ID);
  for (let row = 0; row < column.length; row++) {
    const advertiser = advertisers.of[row];
    if (advertiser === NO_ID || of[row] === NO_ID) continue;
    if (owners[advertiser] !== NO_ID && owners[advertiser] !== of[row]) {
      throw new DataError(
        `${where}: owner of row ${row} is ${describeCell(column[row])}; expected ${describeCell(ids[owners[advertiser]])}, as in other rows of advertiser ${describeCell(advertisers.ids[advertiser])}.`,
      );
    }
    owners[advertiser] = of[row];
  }
  let next = ids.length;
  return owners.map((owner) => (owner === NO_ID ? next++ : owner));
}
