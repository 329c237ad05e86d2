// Columns that say something of advertisers, not of entries: the same in all rows of one.

import { DataError } from '../../core/errors.ts';
import type { Bidder } from '../types.ts';
import { type IdIndex, indexSorted, NO_ID } from './id-index.ts';
import { describeCell, isEmpty, type LogColumn, type LogColumns, numberOf } from './log-columns.ts';

/** Target of each advertiser: that of its rows that have one. @throws {DataError} */
export function targetsOf(where: string, column: LogColumn, advertisers: IdIndex): Float64Array {
  const targets = numbersOf(where, 'target', column, advertisers, {
    expected: 'a finite number > 0: value to be had for each unit of money spent',
    allows: (target) => target > 0 && target < Infinity,
  });
  const without = targets.findIndex(Number.isNaN);
  if (without >= 0) {
    throw new DataError(
      `${where}: advertiser ${describeCell(advertisers.ids[without])} has no target in any row; expected one. Leave the column out if nobody has targets.`,
    );
  }
  return targets;
}

/** Kind and budget of each advertiser; value bidders without budget where the columns are empty. @throws {DataError} */
export function biddersOf(
  where: string,
  { budget, bidderKind }: Pick<LogColumns, 'budget' | 'bidderKind'>,
  advertisers: IdIndex,
): Bidder[] {
  const budgets =
    budget &&
    numbersOf(where, 'budget', budget, advertisers, {
      expected: 'a finite number ≥ 0 or nothing',
      allows: (money) => money >= 0 && money < Infinity,
    });
  const kinds = bidderKind && kindsOf(where, bidderKind, advertisers);
  return advertisers.ids.map((_, i): Bidder => {
    const kind = kinds?.[i] ?? 'value';
    return budgets && !Number.isNaN(budgets[i]) ? { kind, budget: budgets[i] } : { kind };
  });
}

/** Number of each advertiser: that of its rows that have one, NaN where none has. @throws {DataError} */
function numbersOf(
  where: string,
  name: string,
  column: LogColumn,
  advertisers: IdIndex,
  { expected, allows }: { expected: string; allows: (value: number) => boolean },
): Float64Array {
  const numbers = new Float64Array(advertisers.ids.length).fill(Number.NaN);
  for (let row = 0; row < column.length; row++) {
    const advertiser = advertisers.of[row];
    if (advertiser === NO_ID || isEmpty(column[row])) continue;
    const number = numberOf(column[row]) as number;
    const who = describeCell(advertisers.ids[advertiser]);
    if (!allows(number)) {
      throw new DataError(
        `${where}: ${name} of row ${row} (advertiser ${who}) is ${describeCell(column[row])}; expected ${expected}.`,
      );
    }
    if (!Number.isNaN(numbers[advertiser]) && numbers[advertiser] !== number) {
      throw new DataError(
        `${where}: ${name} of row ${row} is ${number}; expected ${numbers[advertiser]}, as in other rows of advertiser ${who}. Import periods of one ${name} each.`,
      );
    }
    numbers[advertiser] = number;
  }
  return numbers;
}

function kindsOf(
  where: string,
  column: LogColumn,
  advertisers: IdIndex,
): (('value' | 'utility') | undefined)[] {
  const kinds: ('value' | 'utility' | undefined)[] = Array(advertisers.ids.length).fill(undefined);
  for (let row = 0; row < column.length; row++) {
    const advertiser = advertisers.of[row];
    const kind = column[row];
    if (advertiser === NO_ID || isEmpty(kind)) continue;
    if (kind !== 'value' && kind !== 'utility') {
      throw new DataError(
        `${where}: bidder_kind of row ${row} is ${describeCell(kind)}; expected value or utility.`,
      );
    }
    if (kinds[advertiser] !== undefined && kinds[advertiser] !== kind) {
      throw new DataError(
        `${where}: bidder_kind of row ${row} is ${kind}; expected ${kinds[advertiser]}, as in other rows of advertiser ${describeCell(advertisers.ids[advertiser])}.`,
      );
    }
    kinds[advertiser] = kind;
  }
  return kinds;
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
