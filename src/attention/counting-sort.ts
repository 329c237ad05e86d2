// Stable sort of rows by the bucket of their hash code, in time O(rows + buckets).

/** A small integer for each row. Plain arrays and no functions: sorting is a share of the whole time that counts. */
export interface RowBuckets {
  /** Of every row of the head. */
  codes: Uint16Array;
  /** Bucket of the low bits of a code; its length is a power of two. */
  positions: Uint32Array;
}

/** Rows in order, and where each bucket's run begins. */
export interface SortedRows {
  /** Shape (count,). */
  rows: Uint32Array;
  /** Rows of bucket v are rows[starts[v]] … rows[starts[v + 1] − 1]; shape (buckets + 1,). */
  starts: Uint32Array;
}

/** @param rows - ascending @param buckets - their number, above all of `positions` */
export function countingSort(
  rows: Uint32Array,
  { codes, positions }: RowBuckets,
  buckets: number,
): SortedRows {
  const mask = positions.length - 1;
  const starts = new Uint32Array(buckets + 1);
  for (let i = 0; i < rows.length; i++) starts[positions[codes[rows[i]] & mask] + 1]++;
  for (let v = 0; v < buckets; v++) starts[v + 1] += starts[v];
  const next = starts.slice(0, buckets);
  const sorted = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) sorted[next[positions[codes[rows[i]] & mask]]++] = rows[i];
  return { rows: sorted, starts };
}
