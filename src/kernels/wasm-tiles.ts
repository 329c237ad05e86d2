// Plans of tiles in WASM: some tiles of one head become a task of their own, with only the rows of queries, keys and values they name, so
// that what is copied grows with the work and not with the length of the sequence.

import type { AttentionTask, AttentionTiles } from './attention-types.ts';
import type { AttentionPiece, AttentionPieceResult } from './wasm-attention.ts';
import type { Crew } from './wasm-crew.ts';

/** Some tiles of one head. */
interface TileRange {
  head: number;
  /** Numbers of the tiles, shape (tiles,). */
  tiles: Uint32Array;
}

/** Runs a task with tiles, without bias and slopes (which depend on row numbers), in pieces. */
export async function tilesInPieces(crew: Crew, task: AttentionTask, tiles: AttentionTiles): Promise<void> {
  const { heads, queryRows, valueDim, out, lse, merge = false } = task;
  if (!merge) {
    out.fill(0, 0, heads * queryRows * valueDim);
    lse.fill(-Infinity, 0, heads * queryRows);
  }
  const work = Float64Array.from(tiles.heads, (_, t) => workOf(task, tiles, t));
  const total = work.reduce((sum, x) => sum + x, 0);
  const ranges = cutTiles(tiles, work, total / crew.pieces(tiles.heads.length, total));
  const running = new Map<number, Packed>();
  const spare: Memory[] = [];
  const piece = (i: number): AttentionPiece => {
    const packed = running.get(i) ?? packTiles(task, tiles, ranges[i], spare.pop() ?? new Memory());
    running.set(i, packed);
    return packed.piece;
  };
  await crew.run('attentionPiece', ranges.length, total, piece, (i, result) => {
    const packed = running.get(i) as Packed;
    store(task, ranges[i].head, packed, result);
    running.delete(i);
    spare.push(packed.memory);
  });
}

/** Multiply-adds of tile t. */
function workOf({ dim, valueDim }: AttentionTask, tiles: AttentionTiles, t: number): number {
  let keys = 0;
  for (let s = tiles.segmentStart[t]; s < tiles.segmentStart[t + 1]; s++)
    keys += tiles.keyEnd[s] - tiles.keyStart[s];
  return (tiles.rowStart[t + 1] - tiles.rowStart[t]) * keys * (dim + valueDim);
}

/** Ranges of at least `least` work each where a head has so much. */
function cutTiles({ heads }: AttentionTiles, work: Float64Array, least: number): TileRange[] {
  const order = Uint32Array.from(heads.keys()).sort((a, b) => heads[a] - heads[b] || a - b);
  const ranges: TileRange[] = [];
  let [first, sum] = [0, 0];
  for (let i = 0; i < order.length; i++) {
    sum += work[order[i]];
    const head = heads[order[i]];
    if (sum < least && i + 1 < order.length && heads[order[i + 1]] === head) continue;
    ranges.push({ head, tiles: order.subarray(first, i + 1) });
    [first, sum] = [i + 1, 0];
  }
  return ranges;
}

/** Arrays that serve one piece after another: fresh memory costs more than what is copied into it. */
class Memory {
  private readonly buffers = new Map<string, ArrayBuffer>();

  /** An array of the kind of `like`, with rubbish in it. */
  array<T extends Lines>(name: string, like: T, length: number): T {
    const bytes = length * like.BYTES_PER_ELEMENT;
    let buffer = this.buffers.get(name);
    if (!buffer || buffer.byteLength < bytes) {
      buffer = new ArrayBuffer(bytes);
      this.buffers.set(name, buffer);
    }
    return new (like.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => T)(
      buffer,
      0,
      length,
    );
  }
}

type Lines = Float32Array | Float64Array | Uint16Array;

interface Packed {
  piece: AttentionPiece;
  memory: Memory;
  /** Query rows within their head, and where each is in the piece; shape (rows,). */
  rows: Uint32Array;
  places: Uint32Array;
}

function packTiles(
  task: AttentionTask,
  tiles: AttentionTiles,
  { head, tiles: own }: TileRange,
  memory: Memory,
): Packed {
  const { heads, keyHeads, queryRows, keyRows, dim, valueDim, causalOffset, merge } = task;
  const rows = joined(own, (t) => tiles.rows.subarray(tiles.rowStart[t], tiles.rowStart[t + 1]));
  const segments = joined(own, (t) =>
    Uint32Array.from(
      { length: tiles.segmentStart[t + 1] - tiles.segmentStart[t] },
      (_, i) => tiles.segmentStart[t] + i,
    ),
  );
  const listed = joined(segments, (s) => tiles.keys.subarray(tiles.keyStart[s], tiles.keyEnd[s]));
  const placed = placesOf(rows, listed, queryRows, keyRows, causalOffset);
  const firstRow = head * queryRows;
  const firstKey = Math.floor(head / (heads / keyHeads)) * keyRows;
  const rowsOf = <T extends Lines>(from: T, width: number, to: T): T =>
    copyLines(from, firstRow, rows, to, placed.rows, width);
  const keysOf = <T extends Lines>(name: string, from: T, width: number): T =>
    copyLines(
      from,
      firstKey,
      placed.keys,
      memory.array(name, from, placed.keyCount * width),
      placed.keyPlaces,
      width,
    );
  const keyStart = startsOf(segments, (s) => tiles.keyEnd[s] - tiles.keyStart[s]);
  return {
    rows,
    memory,
    places: placed.rows,
    piece: {
      queries: rowsOf(task.queries, dim, memory.array('queries', task.queries, placed.rowCount * dim)),
      keys: keysOf('keys', task.keys, dim),
      values: keysOf('values', task.values, valueDim),
      storage: task.storage ?? 'float32',
      ...{ queryRows: placed.rowCount, keyRows: placed.keyCount, dim, valueDim, scale: task.scale },
      keyLogWeights: task.keyLogWeights && keysOf('keyLogWeights', task.keyLogWeights, 1),
      causalOffset: causalOffset === undefined ? undefined : 0,
      tiles: {
        heads: new Uint32Array(own.length),
        rowStart: startsOf(own, (t) => tiles.rowStart[t + 1] - tiles.rowStart[t]),
        rows: placed.rows,
        segmentStart: startsOf(own, (t) => tiles.segmentStart[t + 1] - tiles.segmentStart[t]),
        keyStart: keyStart.slice(0, -1),
        keyEnd: keyStart.slice(1),
        logWeights: Float32Array.from(segments, (s) => tiles.logWeights[s]),
        keys: placed.listed,
      },
      before: merge
        ? {
            out: rowsOf(task.out, valueDim, new Float32Array(placed.rowCount * valueDim)),
            lse: rowsOf(task.lse, 1, new Float64Array(placed.rowCount)),
          }
        : undefined,
    },
  };
}

interface Places {
  /** Place of each query row, shape (rows,), below `rowCount`. */
  rows: Uint32Array;
  rowCount: number;
  /** Keys that are listed, each once, rising, and their places below `keyCount`. */
  keys: Uint32Array;
  keyPlaces: Uint32Array;
  keyCount: number;
  /** Place of each listed key. */
  listed: Uint32Array;
}

/**
 * New numbers for the rows and keys of a piece, without the gaps. Where positions matter, a key's is at most a row's exactly where
 * key ≤ row + causalOffset. Time O(queryRows + keyRows).
 */
function placesOf(
  rows: Uint32Array,
  listed: Uint32Array,
  queryRows: number,
  keyRows: number,
  causalOffset: number | undefined,
): Places {
  const placeOfKey = new Int32Array(keyRows).fill(-1);
  for (const key of listed) placeOfKey[key] = 0;
  const keys: number[] = [];
  let [rowCount, keyCount, key] = [0, 0, 0];
  const placeKeys = (end: number) => {
    for (; key < end; key++) {
      if (placeOfKey[key] < 0) continue;
      keys.push(key);
      // After the last row: it does not see this key.
      if (causalOffset !== undefined) keyCount = Math.max(keyCount, rowCount);
      placeOfKey[key] = keyCount++;
    }
  };
  const places = new Uint32Array(rows.length);
  if (causalOffset === undefined) {
    for (let i = 0; i < rows.length; i++) places[i] = i;
    rowCount = rows.length;
  } else {
    const indexOfRow = new Int32Array(queryRows).fill(-1);
    rows.forEach((row, i) => {
      indexOfRow[row] = i;
    });
    for (let row = 0; row < queryRows; row++) {
      if (indexOfRow[row] < 0) continue;
      placeKeys(Math.min(keyRows, row + causalOffset + 1));
      rowCount = Math.max(rowCount, keyCount - 1);
      places[indexOfRow[row]] = rowCount++;
    }
  }
  placeKeys(keyRows);
  return {
    ...{ rows: places, rowCount, keys: Uint32Array.from(keys), keyCount },
    keyPlaces: Uint32Array.from(keys, (k) => placeOfKey[k]),
    listed: listed.map((k) => placeOfKey[k]),
  };
}

function store(
  { queryRows, valueDim, out, lse }: AttentionTask,
  head: number,
  { rows, places }: Packed,
  result: AttentionPieceResult,
): void {
  const first = head * queryRows;
  copyLines(result.out, 0, places, out.subarray(first * valueDim), rows, valueDim);
  copyLines(result.lse, 0, places, lse.subarray(first), rows, 1);
}

/** Lines that are fetched at a time. */
const AT_ONCE = 16;

/** Copies lines `first + numbers[i]` of one matrix to lines `places[i]` of another, which is returned. */
function copyLines<T extends Lines>(
  from: T,
  first: number,
  numbers: Uint32Array,
  to: T,
  places: Uint32Array,
  width: number,
): T {
  const perCacheLine = 64 / from.BYTES_PER_ELEMENT;
  const copy = (i: number, step: number) => {
    const [start, place] = [(first + numbers[i]) * width, places[i] * width];
    for (let c = 0; c < width; c += step) to[place + c] = from[start + c];
  };
  for (let i = 0; i < numbers.length; i += AT_ONCE) {
    const end = Math.min(numbers.length, i + AT_ONCE);
    // First one entry per cache line: so the waits for memory overlap, which takes less than half the time of line after line.
    for (let j = i; j < end; j++) copy(j, perCacheLine);
    for (let j = i; j < end; j++) copy(j, 1);
  }
  return to;
}

/** The lists of all `items`, one after another. */
function joined(items: Uint32Array, listOf: (item: number) => Uint32Array): Uint32Array {
  const lists = Array.from(items, listOf);
  const all = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all;
}

/** Where the list of each item starts, and at last where they end; shape (items + 1,). */
function startsOf(items: Uint32Array, lengthOf: (item: number) => number): Uint32Array {
  const starts = new Uint32Array(items.length + 1);
  for (let i = 0; i < items.length; i++) starts[i + 1] = starts[i] + lengthOf(items[i]);
  return starts;
}
