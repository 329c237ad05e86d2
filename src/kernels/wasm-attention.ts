// The attention kernels of the WASM backend: one piece a head, or several where the head's queries can be cut by rows.

import {
  type AttentionLogits,
  type AttentionTask,
  type AttentionTiles,
  type DecodeTask,
  type ExpTask,
  STORAGES,
} from './attention-types.ts';
import { type Crew, WORK_PER_PIECE } from './wasm-crew.ts';
import { type WasmModule, wasmModule } from './wasm-module.ts';
import { tilesInPieces } from './wasm-tiles.ts';

/** What the logits of some query rows of one head are made from. */
export type OneHead = Omit<AttentionLogits, 'heads' | 'keyHeads'>;

/** Attention of some query rows of one head. */
export type AttentionPiece = OneHead & {
  /** What the result is merged with; undefined: nothing. */
  before: { out: Float32Array; lse: Float64Array } | undefined;
};

export interface AttentionPieceResult {
  out: Float32Array;
  lse: Float64Array;
}

/** Runs a task in pieces, by workers when there are several threads. */
export async function attentionInPieces(crew: Crew, task: AttentionTask): Promise<void> {
  if (task.tiles && !task.bias && !task.slopes) return tilesInPieces(crew, task, task.tiles);
  const { queryRows, valueDim, out, lse } = task;
  const { count, work, rowsOf } = cutByRows(task);
  const piece = (i: number): AttentionPiece => {
    const { head, start, end } = rowsOf(i);
    return pieceOf(task, head, start, end);
  };
  await crew.run('attentionPiece', count, work, piece, (i, result) => {
    const { head, start } = rowsOf(i);
    const row = head * queryRows + start;
    out.set(result.out, row * valueDim);
    lse.set(result.lse, row);
  });
}

/** Query rows [start, end) of a head. */
export interface HeadRows {
  head: number;
  start: number;
  end: number;
}

/** Pieces of a task, head after head, by its shape alone; `work` is multiply-adds of a forward pass. */
export function cutByRows(task: AttentionLogits): {
  count: number;
  work: number;
  rowsOf: (i: number) => HeadRows;
} {
  const { heads, queryRows, keyRows, dim, valueDim } = task;
  const width = dim + valueDim;
  const workPerHead = queryRows * averageKeys(task) * width;
  // What depends on the number of a row is kept together; cutting rows copies the keys again, which must stay a small part.
  const isWhole = task.tiles !== undefined || task.bias !== undefined || task.slopes !== undefined;
  const smallest = Math.max(WORK_PER_PIECE, 100 * keyRows * width);
  const wanted = isWhole ? 1 : Math.max(1, Math.floor(workPerHead / smallest));
  const rowsPerPiece = Math.ceil(queryRows / wanted);
  const perHead = queryRows === 0 ? 0 : Math.ceil(queryRows / rowsPerPiece);
  const rowsOf = (i: number) => {
    const start = (i % perHead) * rowsPerPiece;
    return { head: Math.floor(i / perHead), start, end: Math.min(queryRows, start + rowsPerPiece) };
  };
  return { count: heads * perHead, work: heads * workPerHead, rowsOf };
}

/** Keys a query meets, about: what decides how long a piece takes. */
function averageKeys({ tiles, heads, queryRows, keyRows, causalOffset }: AttentionLogits): number {
  if (!tiles) return causalOffset === undefined ? keyRows : keyRows / 2;
  let pairs = 0;
  for (let t = 0; t < tiles.heads.length; t++)
    for (let s = tiles.segmentStart[t]; s < tiles.segmentStart[t + 1]; s++)
      pairs += (tiles.rowStart[t + 1] - tiles.rowStart[t]) * (tiles.keyEnd[s] - tiles.keyStart[s]);
  return pairs / (heads * queryRows);
}

function pieceOf(task: AttentionTask, head: number, start: number, end: number): AttentionPiece {
  const row = head * task.queryRows;
  // Copies: a worker would get the whole arrays behind views.
  const before = task.merge && {
    out: lines(task.out, row + start, row + end, task.valueDim).slice(),
    lse: lines(task.lse, row + start, row + end, 1).slice(),
  };
  return { ...oneHead(task, head, start, end), before: before || undefined };
}

export function oneHead(task: AttentionLogits, head: number, start: number, end: number): OneHead {
  const { heads, keyHeads, queryRows, keyRows, dim, valueDim, causalOffset, bias, keyLogWeights } = task;
  const keyHead = Math.floor(head / (heads / keyHeads));
  const [firstKey, endKey] = [keyHead * keyRows, (keyHead + 1) * keyRows];
  const biasHead = bias && bias.length > queryRows * keyRows ? head : 0;
  return {
    queries: lines(task.queries, head * queryRows + start, head * queryRows + end, dim),
    keys: lines(task.keys, firstKey, endKey, dim),
    values: lines(task.values, firstKey, endKey, valueDim),
    storage: task.storage ?? 'float32',
    ...{ queryRows: end - start, keyRows, dim, valueDim, scale: task.scale },
    keyLogWeights: keyLogWeights && lines(keyLogWeights, firstKey, endKey, 1),
    causalOffset: causalOffset === undefined ? undefined : causalOffset + start,
    bias: bias && lines(bias, biasHead * queryRows, (biasHead + 1) * queryRows, keyRows),
    slopes: task.slopes?.subarray(head, head + 1),
    tiles: task.tiles && tilesOfHead(task.tiles, head),
  };
}

/** Lines first … end − 1 of a matrix with `width` columns, as a view. */
export function lines<T extends Float32Array | Float64Array | Uint16Array>(
  array: T,
  first: number,
  end: number,
  width: number,
): T {
  return array.subarray(first * width, end * width) as T;
}

/** The tiles of one head as a plan of their own, for head 0. */
function tilesOfHead(tiles: AttentionTiles, head: number): AttentionTiles {
  const own = Array.from(tiles.heads.keys()).filter((t) => tiles.heads[t] === head);
  const starts = (counts: number[]) => {
    const all = new Uint32Array(counts.length + 1);
    counts.forEach((count, i) => {
      all[i + 1] = all[i] + count;
    });
    return all;
  };
  const segments = own.flatMap((t) =>
    Array.from(
      { length: tiles.segmentStart[t + 1] - tiles.segmentStart[t] },
      (_, s) => tiles.segmentStart[t] + s,
    ),
  );
  const rowStart = starts(own.map((t) => tiles.rowStart[t + 1] - tiles.rowStart[t]));
  const rows = new Uint32Array(rowStart[own.length]);
  own.forEach((t, i) => {
    rows.set(tiles.rows.subarray(tiles.rowStart[t], tiles.rowStart[t + 1]), rowStart[i]);
  });
  return {
    heads: new Uint32Array(own.length),
    rowStart,
    rows,
    segmentStart: starts(own.map((t) => tiles.segmentStart[t + 1] - tiles.segmentStart[t])),
    keyStart: Uint32Array.from(segments, (s) => tiles.keyStart[s]),
    keyEnd: Uint32Array.from(segments, (s) => tiles.keyEnd[s]),
    logWeights: Float32Array.from(segments, (s) => tiles.logWeights[s]),
    keys: tiles.keys,
  };
}

export async function attentionPiece(piece: AttentionPiece): Promise<AttentionPieceResult> {
  const { queryRows, valueDim, before } = piece;
  const wasm = await wasmModule();
  return wasm.scope(() => {
    const out = before ? wasm.put(before.out) : wasm.call.allocate(4 * queryRows * valueDim);
    const lse = before ? wasm.put(before.lse) : wasm.call.allocate(8 * queryRows);
    const words = Uint32Array.of(...putLogits(wasm, piece), out, lse, Number(before !== undefined));
    wasm.call.attention(wasm.put(words));
    return {
      out: wasm.get(out, new Float32Array(queryRows * valueDim)),
      lse: wasm.get(lse, new Float64Array(queryRows)),
    };
  });
}

/** The words of `logitsAt` in native/bindings/wasm.cc, for one head. */
export function putLogits(wasm: WasmModule, piece: OneHead): number[] {
  const { queryRows, keyRows, dim, valueDim, tiles, causalOffset } = piece;
  return [
    ...[wasm.put(piece.queries), wasm.put(piece.keys), wasm.put(piece.values)],
    STORAGES.indexOf(piece.storage ?? 'float32'),
    ...[1, 1, queryRows, keyRows, dim, valueDim],
    new Uint32Array(Float32Array.of(piece.scale).buffer)[0],
    wasm.put(piece.keyLogWeights),
    clamp(causalOffset ?? 0),
    ...[wasm.put(piece.bias), 1, wasm.put(piece.slopes)],
    ...(tiles ? putTiles(wasm, tiles) : Array<number>(9).fill(0)),
    Number(causalOffset !== undefined),
  ];
}

function putTiles(wasm: WasmModule, tiles: AttentionTiles): number[] {
  return [
    tiles.heads.length,
    // An empty list has no address, but there is a plan.
    wasm.put(tiles.heads.length > 0 ? tiles.heads : new Uint32Array(1)),
    ...[wasm.put(tiles.rowStart), wasm.put(tiles.rows), wasm.put(tiles.segmentStart)],
    ...[wasm.put(tiles.keyStart), wasm.put(tiles.keyEnd), wasm.put(tiles.logWeights), wasm.put(tiles.keys)],
  ];
}

/** Offsets beyond all rows do no more than the largest ones. */
function clamp(offset: number): number {
  return Math.max(-0x7fffffff, Math.min(0x7fffffff, offset)) >>> 0;
}

export function decodeInWasm(wasm: WasmModule, task: DecodeTask): void {
  const { heads, keyHeads, capacity, dim, valueDim, lengths, storage = 'float32', probabilities } = task;
  // Only rows in use are copied: the slab is made as high as the longest head.
  const rows = lengths.subarray(0, keyHeads).reduce((most, length) => Math.max(most, length), 0);
  wasm.scope(() => {
    const slab = (array: Float32Array | Uint16Array, width: number) => {
      const address = wasm.call.allocate(keyHeads * rows * width * array.BYTES_PER_ELEMENT);
      for (let g = 0; g < keyHeads; g++)
        wasm.write(
          address + g * rows * width * array.BYTES_PER_ELEMENT,
          array.subarray(g * capacity * width, (g * capacity + lengths[g]) * width),
        );
      return address;
    };
    const [keys, values] = [slab(task.keys, dim), slab(task.values, valueDim)];
    const out = wasm.call.allocate(4 * heads * valueDim);
    const lse = wasm.call.allocate(8 * heads);
    const scores = probabilities ? wasm.call.allocate(4 * heads * rows) : 0;
    wasm.call.decode(
      ...([
        wasm.put(task.queries.subarray(0, heads * dim)),
        keys,
        values,
        STORAGES.indexOf(storage),
      ] as const),
      ...([heads, keyHeads, rows, dim, valueDim, wasm.put(lengths), task.scale] as const),
      ...([task.logWeights ? slab(task.logWeights, 1) : 0, out, lse, scores] as const),
    );
    wasm.get(out, task.out.subarray(0, heads * valueDim));
    wasm.get(lse, task.lse.subarray(0, heads));
    if (!probabilities) return;
    for (let head = 0; head < heads; head++) {
      const length = lengths[Math.floor(head / (heads / keyHeads))];
      wasm.get(scores + 4 * head * rows, probabilities.subarray(head * capacity, head * capacity + length));
    }
  });
}

export function expInWasm(wasm: WasmModule, { x, out }: ExpTask): void {
  wasm.scope(() => {
    const at = wasm.put(x);
    wasm.call.exp(x.length, at, at);
    wasm.get(at, out.subarray(0, x.length));
  });
}
