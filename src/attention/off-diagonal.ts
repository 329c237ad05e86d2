// One unmasked problem: some queries of a head against some keys of theirs. Blocks by sorted hash, residual by samples
// (arXiv 2310.05869, Algorithm 1 and the practical form of Algorithms 2 and 3).

import { type Rng, sampleIndices } from '../core/rng.ts';
import { countingSort, type RowBuckets, type SortedRows } from './counting-sort.ts';
import type { HyperSettings } from './options.ts';
import { type PlanBuilder, range, type Segment } from './plan-builder.ts';

/** Queries of a tile in the 'smooth' rule. */
const SMOOTH_ROWS = 128;

/** The keys of one key head in a range, sorted by bucket: shared by all query heads of its group. */
export interface SortedKeys {
  /** Live keys in order of bucket, ties by position. */
  order: SortedRows;
  /** Keys that every query meets exactly: sinks and window. */
  always: Uint32Array;
  /** Where both lie in the plan's key list. */
  orderAt: number;
  alwaysAt: number;
}

export interface KeyRange {
  start: number;
  end: number;
  /** Of keys: 0 where masked; undefined: all live. */
  live: Uint8Array | undefined;
  /** Keys before this one, and from `windowStart` on, are always met. */
  sinks: number;
  windowStart: number;
}

/** @param hash - buckets of the keys @param buckets - their number */
export function sortKeys(
  plan: PlanBuilder,
  { start, end, live, sinks, windowStart }: KeyRange,
  hash: RowBuckets,
  buckets: number,
): SortedKeys {
  const isLive = (key: number) => live === undefined || live[key] !== 0;
  const always: number[] = [];
  let listed: Uint32Array = range(start, end);
  if (live !== undefined || sinks > start || windowStart < end) {
    listed = listed.filter((key) => isLive(key) && key >= sinks && key < windowStart);
    for (let key = start; key < end; key++)
      if (isLive(key) && (key < sinks || key >= windowStart)) always.push(key);
  }
  const order = countingSort(listed, hash, buckets);
  const alwaysKeys = Uint32Array.from(always);
  return { order, always: alwaysKeys, orderAt: plan.addKeys(order.rows), alwaysAt: plan.addKeys(alwaysKeys) };
}

/** Queries of one head, ascending. */
export interface QueryRange {
  head: number;
  start: number;
  end: number;
  /** Of the queries, the same as of the keys. */
  hash: RowBuckets;
}

/** Adds the tiles of one query head. Time and memory O(queries + keys + blocks). */
export function addQueries(
  plan: PlanBuilder,
  queries: QueryRange,
  keys: SortedKeys,
  settings: HyperSettings,
  rng: Rng,
): void {
  const { head, start, end, hash } = queries;
  const { blockSize, sampleSize, minSequence, blocks } = settings;
  const count = keys.order.rows.length;
  const exactKeys: Segment = { start: keys.alwaysAt, end: keys.alwaysAt + keys.always.length, logWeight: 0 };
  const allKeys: Segment = { start: keys.orderAt, end: keys.orderAt + count, logWeight: 0 };
  if (end - start < minSequence || count <= blockSize + sampleSize) {
    plan.addTile(head, range(start, end), [exactKeys, allKeys]);
    return;
  }
  const samples = drawPositions(count, settings, rng);
  const samplesAt = plan.addKeys(samples.map((position) => keys.order.rows[position]));
  const logWeight = Math.log(count / sampleSize);
  /** A tile of the given rows with keys [from, to) of the sorted order exact: samples among these are left out. */
  const addTile = (rows: Uint32Array, from: number, to: number) => {
    const [before, after] = [firstAtLeast(samples, from), firstAtLeast(samples, to)];
    plan.addTile(head, rows, [
      exactKeys,
      { start: keys.orderAt + from, end: keys.orderAt + to, logWeight: 0 },
      { start: samplesAt, end: samplesAt + before, logWeight },
      { start: samplesAt + after, end: samplesAt + samples.length, logWeight },
    ]);
  };
  const buckets = keys.order.starts.length - 1;
  const blockCount = Math.ceil(count / blockSize);
  if (blocks === 'none') {
    addTile(range(start, end), 0, 0);
  } else if (blocks === 'hash-aligned') {
    const blockOf = alignedBlocks(keys.order.starts, blockSize, blockCount);
    const blocksOfCodes = { ...hash, positions: hash.positions.map((bucket) => blockOf[bucket]) };
    const byBlock = countingSort(range(start, end), blocksOfCodes, blockCount);
    for (let t = 0; t < blockCount; t++)
      addTile(
        byBlock.rows.subarray(byBlock.starts[t], byBlock.starts[t + 1]),
        t * blockSize,
        Math.min(count, (t + 1) * blockSize),
      );
  } else {
    const { rows } = countingSort(range(start, end), hash, buckets);
    const perTile = blocks === 'rank' ? Math.ceil(rows.length / blockCount) : SMOOTH_ROWS;
    for (let first = 0, t = 0; first < rows.length; first += perTile, t++) {
      const last = Math.min(rows.length, first + perTile);
      if (blocks === 'rank') {
        addTile(
          rows.subarray(first, last),
          Math.min(count, t * blockSize),
          Math.min(count, (t + 1) * blockSize),
        );
      } else {
        const middle = Math.round(((first + last) / 2 / rows.length) * count - blockSize / 2);
        const from = Math.min(count - blockSize, Math.max(0, middle));
        addTile(rows.subarray(first, last), from, from + blockSize);
      }
    }
  }
}

/**
 * The block of each bucket: the one with the middle of the bucket's run of keys, or with the place it would take. It depends on the keys alone,
 * so no query moves another's block (derived: arXiv 2310.05869 cuts sorted queries into blocks instead).
 */
function alignedBlocks(starts: Uint32Array, blockSize: number, blockCount: number): Uint32Array {
  return Uint32Array.from({ length: starts.length - 1 }, (_, bucket) =>
    Math.min(blockCount - 1, Math.floor((starts[bucket] + starts[bucket + 1]) / 2 / blockSize)),
  );
}

/** Positions in the sorted order, ascending: each is sampled m / count times in expectation. */
function drawPositions(count: number, { sampleSize, sampling }: HyperSettings, rng: Rng): Uint32Array {
  if (sampling === 'without-replacement') return sampleIndices(count, sampleSize, rng).sort();
  if (sampling === 'stratified')
    return Uint32Array.from({ length: sampleSize }, (_, s) =>
      Math.min(count - 1, Math.floor(((s + rng.next()) * count) / sampleSize)),
    );
  return Uint32Array.from({ length: sampleSize }, () => rng.integer(count)).sort();
}

/** Index of the first entry ≥ value in ascending `sorted`. */
function firstAtLeast(sorted: Uint32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
