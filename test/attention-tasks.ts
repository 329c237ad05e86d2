// For tests: attention tasks of any shape, with fixed random entries at odd offsets.

import type { AttentionLogits, AttentionTiles } from '../src/kernels/attention-types.ts';
import { offsetView, randomFloats } from './each-backend.ts';

export interface TaskShape {
  heads: number;
  keyHeads: number;
  queryRows: number;
  keyRows: number;
  dim: number;
  valueDim: number;
}

export const small: TaskShape = { heads: 1, keyHeads: 1, queryRows: 5, keyRows: 7, dim: 3, valueDim: 4 };

export function attentionLogits(
  shape: TaskShape,
  size = 2,
): AttentionLogits & { keys: Float32Array; values: Float32Array } {
  const { heads, keyHeads, queryRows, keyRows, dim, valueDim } = shape;
  const scaled = (length: number, seed: number) =>
    offsetView(randomFloats(length, seed).map((x) => size * x));
  return {
    ...shape,
    queries: scaled(heads * queryRows * dim, 1),
    keys: scaled(keyHeads * keyRows * dim, 2),
    values: offsetView(randomFloats(keyHeads * keyRows * valueDim, 3)),
    scale: 1 / Math.sqrt(dim),
  };
}

/** A plan over all rows of all heads in tiles of `rows` rows, each with its own segments of the keys in a scrambled order. */
export function scrambledTiles({ heads, queryRows, keyRows }: TaskShape, rows: number): AttentionTiles {
  const tiles = {
    heads: [] as number[],
    rowStart: [0],
    segmentStart: [0],
    keyStart: [] as number[],
    keyEnd: [] as number[],
  };
  const order = Array.from({ length: queryRows }, (_, i) => (i * 7 + 3) % queryRows);
  const isOrder = new Set(order).size === queryRows;
  const rowList: number[] = [];
  const weights: number[] = [];
  const keys = Array.from({ length: keyRows }, (_, j) => (j * 5 + 1) % keyRows);
  for (let head = 0; head < heads; head++)
    for (let start = 0; start < queryRows; start += rows) {
      for (let i = start; i < Math.min(queryRows, start + rows); i++) rowList.push(isOrder ? order[i] : i);
      tiles.heads.push(head);
      tiles.rowStart.push(rowList.length);
      // Three segments that overlap, the middle one possibly empty.
      const third = Math.floor(keyRows / 3);
      for (const [from, to, weight] of [
        [start % (third + 1), keyRows - third, 0],
        [third, third, 1],
        [third, Math.min(keyRows, third + 1 + (start % 9)), 0.75],
      ]) {
        tiles.keyStart.push(Math.min(from, to));
        tiles.keyEnd.push(to);
        weights.push(weight);
      }
      tiles.segmentStart.push(weights.length);
    }
  const words = (list: number[]) => Uint32Array.from(list);
  return {
    heads: words(tiles.heads),
    rowStart: words(tiles.rowStart),
    rows: words(rowList),
    segmentStart: words(tiles.segmentStart),
    keyStart: words(tiles.keyStart),
    keyEnd: words(tiles.keyEnd),
    logWeights: Float32Array.from(weights),
    keys: words(keys),
  };
}
