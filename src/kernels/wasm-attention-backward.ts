// The backward pass of attention in WASM: pieces as in the forward pass, each with gradients of its own for all keys of its head.

import type { AttentionBackwardTask } from './attention-types.ts';
import { tilesOfHead } from './tiles-of.ts';
import { cutByRows } from './wasm-attention.ts';
import type { Crew } from './wasm-crew.ts';
import { lines, type OneHead, oneHead, putLogits } from './wasm-logits.ts';
import { wasmModule } from './wasm-module.ts';

/** The backward pass of some query rows of one head. */
export type BackwardPiece = OneHead & {
  out: Float32Array;
  lse: Float64Array;
  outGradient: Float32Array;
  lseGradient: Float64Array | undefined;
};

/** Gradients of a piece's queries, and its share of those of all keys and values of its head. */
export interface BackwardPieceResult {
  queryGradient: Float32Array;
  keyGradient: Float32Array;
  valueGradient: Float32Array;
}

/** Runs a task in pieces, by workers when there are several threads; shares are added in the order of pieces, whoever ends first. */
export async function backwardInPieces(crew: Crew, task: AttentionBackwardTask): Promise<void> {
  const { heads, keyHeads, queryRows, keyRows, dim, valueDim, accumulate = false } = task;
  if (!accumulate) {
    task.queryGradient.fill(0, 0, heads * queryRows * dim);
    task.keyGradient.fill(0, 0, keyHeads * keyRows * dim);
    task.valueGradient.fill(0, 0, keyHeads * keyRows * valueDim);
  }
  const { count, work, rowsOf } = cutByRows(task);
  const piece = (i: number): BackwardPiece => {
    const { head, start, end } = rowsOf(i);
    const [row, last] = [head * queryRows + start, head * queryRows + end];
    return {
      ...oneHead(task, head, start, end),
      tiles: task.tiles && tilesOfHead(task.tiles, head),
      out: lines(task.out, row, last, valueDim),
      lse: lines(task.lse, row, last, 1),
      outGradient: lines(task.outGradient, row, last, valueDim),
      lseGradient: task.lseGradient && lines(task.lseGradient, row, last, 1),
    };
  };
  const early = new Map<number, BackwardPieceResult>();
  let next = 0;
  await crew.run('backwardPiece', count, 2.5 * work, piece, (i, result) => {
    early.set(i, result);
    for (let share = early.get(next); share; share = early.get(next)) {
      early.delete(next);
      const { head, start } = rowsOf(next++);
      const keyRow = Math.floor(head / (heads / keyHeads)) * keyRows;
      addAt(task.queryGradient, share.queryGradient, (head * queryRows + start) * dim);
      addAt(task.keyGradient, share.keyGradient, keyRow * dim);
      addAt(task.valueGradient, share.valueGradient, keyRow * valueDim);
    }
  });
}

function addAt(to: Float32Array, share: Float32Array, start: number): void {
  for (let i = 0; i < share.length; i++) to[start + i] += share[i];
}

export async function backwardPiece(piece: BackwardPiece): Promise<BackwardPieceResult> {
  const { queryRows, keyRows, dim, valueDim } = piece;
  const wasm = await wasmModule();
  return wasm.scope(() => {
    const sizes = [queryRows * dim, keyRows * dim, keyRows * valueDim];
    const [queries, keys, values] = sizes.map((size) => wasm.call.allocate(4 * size));
    const words = Uint32Array.of(
      ...putLogits(wasm, piece),
      ...[wasm.put(piece.out), wasm.put(piece.lse), wasm.put(piece.outGradient), wasm.put(piece.lseGradient)],
      ...[queries, keys, values, 0],
    );
    wasm.call.attentionBackward(wasm.put(words));
    return {
      queryGradient: wasm.get(queries, new Float32Array(sizes[0])),
      keyGradient: wasm.get(keys, new Float32Array(sizes[1])),
      valueGradient: wasm.get(values, new Float32Array(sizes[2])),
    };
  });
}
