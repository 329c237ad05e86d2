// Parts of a plan.

import type { AttentionTiles } from './attention-types.ts';

/** The tiles of one head as a plan of their own, for head 0. */
export function tilesOfHead(tiles: AttentionTiles, head: number): AttentionTiles {
  return tilesOf(
    tiles,
    Uint32Array.from(tiles.heads.keys()).filter((t) => tiles.heads[t] === head),
  );
}

/** Some tiles of one head as a plan of their own, for head 0. */
export function tilesOf(tiles: AttentionTiles, numbers: Uint32Array): AttentionTiles {
  const segments = joined(numbers, (t) =>
    Uint32Array.from(
      { length: tiles.segmentStart[t + 1] - tiles.segmentStart[t] },
      (_, i) => tiles.segmentStart[t] + i,
    ),
  );
  return {
    heads: new Uint32Array(numbers.length),
    rowStart: startsOf(numbers, (t) => tiles.rowStart[t + 1] - tiles.rowStart[t]),
    rows: joined(numbers, (t) => tiles.rows.subarray(tiles.rowStart[t], tiles.rowStart[t + 1])),
    segmentStart: startsOf(numbers, (t) => tiles.segmentStart[t + 1] - tiles.segmentStart[t]),
    keyStart: segments.map((s) => tiles.keyStart[s]),
    keyEnd: segments.map((s) => tiles.keyEnd[s]),
    logWeights: Float32Array.from(segments, (s) => tiles.logWeights[s]),
    keys: tiles.keys,
  };
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
