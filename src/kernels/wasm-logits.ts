// What the attention kernels of the WASM backend are given: one head at a time.

import type { AttentionLogits, AttentionTiles } from './attention-types.ts';
import { STORAGES } from './row-format.ts';
import type { WasmModule } from './wasm-module.ts';

/** What the logits of some query rows of one head are made from. */
export type OneHead = Omit<AttentionLogits, 'heads' | 'keyHeads'>;

/** Query rows [start, end) of a head, without tiles. */
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
