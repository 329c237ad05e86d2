// The decode and exponential kernels of the WASM backend.

import type { DecodeTask, ExpTask } from './attention-types.ts';
import { rowFormat, STORAGES, type StoredArray } from './row-format.ts';
import type { WasmModule } from './wasm-module.ts';

export function decodeInWasm(wasm: WasmModule, task: DecodeTask): void {
  const { heads, keyHeads, capacity, dim, valueDim, lengths, storage = 'float32', probabilities } = task;
  // Only rows in use are copied: the slab is made as high as the longest head.
  const rows = lengths.subarray(0, keyHeads).reduce((most, length) => Math.max(most, length), 0);
  wasm.scope(() => {
    const slab = (array: StoredArray, width: number) => {
      const address = wasm.call.allocate(keyHeads * rows * width * array.BYTES_PER_ELEMENT);
      for (let g = 0; g < keyHeads; g++)
        wasm.write(
          address + g * rows * width * array.BYTES_PER_ELEMENT,
          array.subarray(g * capacity * width, (g * capacity + lengths[g]) * width),
        );
      return address;
    };
    const [keys, values] = [
      slab(task.keys, rowFormat(storage, 'keys', dim).width),
      slab(task.values, rowFormat(storage, 'values', valueDim).width),
    ];
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
