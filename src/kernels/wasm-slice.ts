// The kernels behind optimal bags in WASM. Only the window that a call looks at is copied in, so memory stays small however many values
// there are.

import { yieldToEventLoop } from '../core/progress.ts';
import { argsortReference } from './slice-reference.ts';
import type { ArgsortTask, SliceProgramme, SliceRowsTask } from './slice-types.ts';
import type { WasmModule } from './wasm-module.ts';

/** Steps of one call: about 20 ms, between two looks at the event loop. */
const STEPS_PER_CALL = 1 << 24;

/** Values that are sorted in WASM: its memory, 32 bytes a value here, never shrinks again. */
const MOST_SORTED = 1 << 22;

export async function argsortInWasm(wasm: WasmModule, task: ArgsortTask): Promise<void> {
  const { values, order, sorted } = task;
  const n = values.length;
  if (n > MOST_SORTED) {
    await argsortReference(task);
    return;
  }
  wasm.scope(() => {
    const [orderAt, sortedAt] = [wasm.call.allocate(4 * n), wasm.call.allocate(8 * n)];
    wasm.call.argsort(wasm.put(values), n, orderAt, sortedAt);
    wasm.get(orderAt, order.subarray(0, n));
    wasm.get(sortedAt, sorted.subarray(0, n));
  });
}

export async function sliceRowsInWasm(wasm: WasmModule, task: SliceRowsTask): Promise<void> {
  const { minSize, maxSize, monotone, first, end } = task;
  const stepsPerRow = monotone ? 16 : Math.max(16, maxSize - minSize + 1);
  const rowsPerCall = Math.max(1, Math.floor(STEPS_PER_CALL / stepsPerRow / minSize)) * minSize;
  for (const programme of task.programmes) {
    const last = Math.min(end, programme.rows);
    for (let row = first; row < last; row += rowsPerCall) {
      if (row > first) await yieldToEventLoop();
      wasm.scope(() => {
        callOn(wasm, task, programme, row, Math.min(last, row + rowsPerCall));
      });
    }
  }
}

/** Rows first + 1 … end of one programme, as if the values began where the window of its first block does. */
function callOn(
  wasm: WasmModule,
  task: SliceRowsTask,
  { reversed, costs, sizes }: SliceProgramme,
  first: number,
  end: number,
): void {
  const { count, minSize, maxSize, penalty, monotone } = task;
  const start = Math.max(0, first + 1 - maxSize);
  const window = (array: Float64Array | undefined) => {
    if (!array) return undefined;
    return reversed ? array.slice(count - end, count - start).reverse() : array.subarray(start, end);
  };
  const rows = end - start;
  const [values, weights, noise] = [task.values, task.weights, task.noise].map((array) =>
    wasm.put(window(array)),
  );
  const costsAt = wasm.call.allocate(8 * (rows + 1));
  const sizesAt = wasm.call.allocate(4 * (rows + 1));
  wasm.write(costsAt, costs.subarray(start, first + 1));
  // It says where the first block's columns begin, which is not before the window.
  wasm.write(sizesAt + 4 * (first - start), Uint32Array.of(Math.min(sizes[first], first - start)));
  wasm.call.sliceRows(
    values,
    rows,
    weights,
    noise,
    minSize,
    maxSize,
    penalty,
    Number(monotone),
    first - start,
    rows,
    costsAt,
    sizesAt,
  );
  wasm.get(costsAt, costs.subarray(start, end + 1));
  wasm.get(sizesAt + 4 * (first + 1 - start), sizes.subarray(first + 1, end + 1));
}
