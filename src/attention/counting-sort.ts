// Stable sort of rows by small integers, in time O(rows + values).

/** Rows in order, and where each value's run begins. */
export interface SortedRows {
  /** Shape (count,). */
  rows: Uint32Array;
  /** Rows with value v are rows[starts[v]] … rows[starts[v + 1] − 1]; shape (values + 1,). */
  starts: Uint32Array;
}

/** @param rowAt - row number i, ascending @param keyOf - of a row, < `values` */
export function countingSort(
  count: number,
  values: number,
  rowAt: (i: number) => number,
  keyOf: (row: number) => number,
): SortedRows {
  const starts = new Uint32Array(values + 1);
  for (let i = 0; i < count; i++) starts[keyOf(rowAt(i)) + 1]++;
  for (let v = 0; v < values; v++) starts[v + 1] += starts[v];
  const next = starts.slice(0, values);
  const rows = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const row = rowAt(i);
    rows[next[keyOf(row)]++] = row;
  }
  return { rows, starts };
}
