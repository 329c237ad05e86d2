// Plans of tiles in WASM: some tiles of one head a piece, with all queries, keys and values of the head. Which rows the tiles name lie
// anywhere: the kernel fetches them from its own memory in half the time that picking them out beforehand takes.

import type { AttentionTask, AttentionTiles } from './attention-types.ts';
import { tilesOf } from './tiles-of.ts';
import { type AttentionPiece, attentionPieceOf } from './wasm-attention.ts';
import { type Crew, WORK_PER_PIECE } from './wasm-crew.ts';

/** Runs a task with tiles in pieces, by workers when there are several threads. */
export async function tilesInPieces(crew: Crew, task: AttentionTask, tiles: AttentionTiles): Promise<void> {
  const { heads, queryRows, keyRows, dim, valueDim, out, lse, merge = false } = task;
  if (!merge) {
    out.fill(0, 0, heads * queryRows * valueDim);
    lse.fill(-Infinity, 0, heads * queryRows);
  }
  const work = Float64Array.from(tiles.heads, (_, t) => workOf(task, tiles, t));
  // Each piece copies the head again, which must stay a small part: smaller still where more pieces make nothing faster.
  const perCopied = crew.threads > 1 ? 100 : 200;
  const least = Math.max(WORK_PER_PIECE, perCopied * (queryRows + keyRows) * (dim + valueDim));
  const pieces = cutTiles(tiles, work, least);
  const total = work.reduce((sum, x) => sum + x, 0);
  const plans = pieces.map(({ numbers }) => tilesOf(tiles, numbers));
  const piece = (i: number): AttentionPiece => ({
    ...attentionPieceOf(task, pieces[i].head, 0, queryRows),
    tiles: plans[i],
  });
  await crew.run('attentionPiece', pieces.length, total, piece, (i, result) => {
    const first = pieces[i].head * queryRows;
    if (plans[i].rows.length === queryRows) {
      out.set(result.out, first * valueDim);
      lse.set(result.lse, first);
      return;
    }
    for (const row of plans[i].rows) {
      const [from, to] = [row * valueDim, (first + row) * valueDim];
      for (let c = 0; c < valueDim; c++) out[to + c] = result.out[from + c];
      lse[first + row] = result.lse[row];
    }
  });
}

/** Some tiles of one head. */
interface Piece {
  head: number;
  /** Of the tiles, shape (tiles,). */
  numbers: Uint32Array;
}

/** Multiply-adds of tile t. */
function workOf({ dim, valueDim }: AttentionTask, tiles: AttentionTiles, t: number): number {
  let keys = 0;
  for (let s = tiles.segmentStart[t]; s < tiles.segmentStart[t + 1]; s++)
    keys += tiles.keyEnd[s] - tiles.keyStart[s];
  return (tiles.rowStart[t + 1] - tiles.rowStart[t]) * keys * (dim + valueDim);
}

/** Pieces of even work, at least `least` where a head has so much. */
function cutTiles({ heads }: AttentionTiles, work: Float64Array, least: number): Piece[] {
  const order = Uint32Array.from(heads.keys()).sort((a, b) => heads[a] - heads[b] || a - b);
  const pieces: Piece[] = [];
  for (let first = 0, end = 0; first < order.length; first = end) {
    const head = heads[order[first]];
    let total = 0;
    for (end = first; end < order.length && heads[order[end]] === head; end++) total += work[order[end]];
    const share = total / Math.max(1, Math.floor(total / least));
    let [start, sum] = [first, 0];
    for (let i = first; i < end; i++) {
      sum += work[order[i]];
      if (sum < share && i + 1 < end) continue;
      pieces.push({ head, numbers: order.subarray(start, i + 1) });
      [start, sum] = [i + 1, 0];
    }
  }
  return pieces;
}
