// Products and moments of rows in WASM: the rows asked for are copied in, a piece at a time.

import { yieldToEventLoop } from '../core/progress.ts';
import type { CenteredRows, RowMomentsTask, RowProductsTask } from './moments-types.ts';
import type { WasmModule } from './wasm-module.ts';

/** Entries of a piece: 2 MiB. */
const PIECE_ENTRIES = 1 << 18;
/** Rows of the kernel's chunks: pieces of whole ones give the bits of one call. */
const CHUNK_ROWS = 2048;
/** Multiply-adds between two looks at the event loop: about 20 ms. */
const WORK_PER_SLICE = 1 << 26;

export async function rowProductsInWasm(wasm: WasmModule, task: RowProductsTask): Promise<void> {
  const { cols, center, coefficients, bias, out } = task;
  await eachPiece(task, cols, (piece, start, end) => {
    wasm.scope(() => {
      const features = wasm.put(piece);
      const outAt = wasm.call.allocate(8 * (end - start));
      const [centerAt, by] = [wasm.put(center?.subarray(0, cols)), wasm.put(coefficients.subarray(0, cols))];
      wasm.call.rowProducts(features, end - start, cols, centerAt, by, bias, outAt);
      wasm.get(outAt, out.subarray(start, end));
    });
  });
}

export async function rowMomentsInWasm(wasm: WasmModule, task: RowMomentsTask): Promise<void> {
  const { cols, center, weights } = task;
  const sums = task.sums.subarray(0, cols);
  const gram = task.gram?.subarray(0, cols * cols);
  await eachPiece(task, gram ? cols * cols : cols, (piece, start, end) => {
    wasm.scope(() => {
      const features = wasm.put(piece);
      const [centerAt, weightsAt] = [
        wasm.put(center?.subarray(0, cols)),
        wasm.put(weights.subarray(start, end)),
      ];
      const [sumsAt, gramAt] = [wasm.put(sums), wasm.put(gram)];
      wasm.call.rowMoments(features, end - start, cols, centerAt, weightsAt, sumsAt, gramAt);
      wasm.get(sumsAt, sums);
      if (gram) wasm.get(gramAt, gram);
    });
  });
}

/** Calls back with the rows start … end − 1 of the task one after the other. */
async function eachPiece(
  { features, cols, rows, count }: CenteredRows,
  workPerRow: number,
  use: (piece: Float64Array, start: number, end: number) => void,
): Promise<void> {
  const perPiece = CHUNK_ROWS * Math.max(1, Math.floor(PIECE_ENTRIES / Math.max(1, cols) / CHUNK_ROWS));
  const gathered = rows && new Float64Array(Math.min(perPiece, count) * cols);
  let work = 0;
  for (let start = 0; start < count; start += perPiece) {
    const end = Math.min(count, start + perPiece);
    if (work > WORK_PER_SLICE) {
      work = 0;
      await yieldToEventLoop();
    }
    work += (end - start) * workPerRow;
    if (!rows || !gathered) {
      use(features.subarray(start * cols, end * cols), start, end);
      continue;
    }
    for (let i = start; i < end; i++) {
      gathered.set(features.subarray(rows[i] * cols, (rows[i] + 1) * cols), (i - start) * cols);
    }
    use(gathered.subarray(0, (end - start) * cols), start, end);
  }
}
