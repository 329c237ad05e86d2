// The attention kernels of the WASM backend: one piece a head, or several where the head's queries can be cut by rows.

import type { AttentionLogits, AttentionTask } from './attention-types.ts';
import { type Crew, WORK_PER_PIECE } from './wasm-crew.ts';
import { lines, type OneHead, oneHead, putLogits } from './wasm-logits.ts';
import { wasmModule } from './wasm-module.ts';

/** Attention of some query rows of one head. */
export type AttentionPiece = OneHead & {
  /** What the result is merged with; undefined: nothing. */
  before: { out: Float32Array; lse: Float64Array } | undefined;
};

export interface AttentionPieceResult {
  out: Float32Array;
  lse: Float64Array;
}

/** Runs a task without tiles in pieces, by workers when there are several threads. */
export async function attentionInPieces(crew: Crew, task: AttentionTask): Promise<void> {
  const { queryRows, valueDim, out, lse } = task;
  const { count, work, rowsOf } = cutByRows(task);
  const piece = (i: number): AttentionPiece => {
    const { head, start, end } = rowsOf(i);
    return attentionPieceOf(task, head, start, end);
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

/** Query rows [start, end) of a head. */
export function attentionPieceOf(
  task: AttentionTask,
  head: number,
  start: number,
  end: number,
): AttentionPiece {
  const row = head * task.queryRows;
  // Copies: a worker would get the whole arrays behind views.
  const before = task.merge && {
    out: lines(task.out, row + start, row + end, task.valueDim).slice(),
    lse: lines(task.lse, row + start, row + end, 1).slice(),
  };
  return { ...oneHead(task, head, start, end), before: before || undefined };
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
