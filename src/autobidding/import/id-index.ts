// Ids of any kind into numbers 0, 1, 2, …

import { type Cell, isEmpty, type LogColumn } from './log-columns.ts';

/** Ids and where they stand. */
export interface IdIndex {
  readonly ids: readonly (string | number)[];
  /** Index of each row's id, shape (rows,); `NO_ID` where the cell is empty or NaN. */
  readonly of: Uint32Array;
}

export const NO_ID = 0xffffffff;

/** Numbers ids in the order in which they first come. */
export function indexInOrder(column: LogColumn): IdIndex {
  const seen = new Map<string | number, number>();
  const of = new Uint32Array(column.length);
  let last: Cell = null;
  let lastIndex = NO_ID;
  for (let row = 0; row < column.length; row++) {
    const id = column[row];
    // Rows of one auction mostly follow each other: no look-up then.
    if (id !== last || row === 0) {
      last = id;
      lastIndex = lookUp(seen, id);
    }
    of[row] = lastIndex;
  }
  return { ids: [...seen.keys()], of };
}

/**
 * Numbers ids in their own order, whatever order the rows come in: numbers (also as text) by size, other text by code units.
 *
 * The number of an advertiser decides ties; it must not hang on how a file is sorted.
 */
export function indexSorted(column: LogColumn): IdIndex {
  const { ids, of } = indexInOrder(column);
  const order = Array.from(ids.keys()).sort((a, b) => compareIds(ids[a], ids[b]));
  const rank = new Uint32Array(ids.length);
  for (const [place, index] of order.entries()) rank[index] = place;
  return {
    ids: order.map((index) => ids[index]),
    of: of.map((index) => (index === NO_ID ? NO_ID : rank[index])),
  };
}

function lookUp(seen: Map<string | number, number>, id: Cell): number {
  if (isEmpty(id) || Number.isNaN(id)) return NO_ID;
  const known = seen.get(id as string | number);
  if (known !== undefined) return known;
  seen.set(id as string | number, seen.size);
  return seen.size - 1;
}

function compareIds(a: string | number, b: string | number): number {
  const [x, y] = [Number(a), Number(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y) && x !== y) return x - y;
  if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
  return String(a) < String(b) ? -1 : 1;
}
