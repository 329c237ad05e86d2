// For tests: the kernels of every backend and SIMD level this machine can run.

import { levelsOf, loadKernels, type SimdLevel } from '../src/kernels/load.ts';
import type { Backend, Kernels } from '../src/kernels/types.ts';

/** Every backend × SIMD level × 1 and 3 threads. A backend that is not available is left out; `npm run setup` builds them. */
export async function allKernels(): Promise<{ name: string; kernels: Kernels }[]> {
  const all: { name: string; kernels: Kernels }[] = [];
  for (const backend of ['native', 'wasm', 'ts'] as const satisfies Backend[]) {
    const levels = await levelsOf(backend).catch(() => []);
    for (const simd of levels as SimdLevel[]) {
      for (const threads of backend === 'ts' || simd === 'scalar' ? [1] : [1, 3]) {
        const kernels = await loadKernels({ backend, simd, threads });
        all.push({ name: `${backend} ${simd} × ${threads}`, kernels });
      }
    }
  }
  return all;
}

/** Numbers in [−1, 1) of a simple generator: fixed for a seed. */
export function randomFloats(length: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 0x80000000 - 1;
  });
}

/** The same entries at an odd offset inside a larger array: nothing may assume alignment, nor write beyond. */
export function offsetView<
  T extends Float32Array | Float64Array | Uint16Array | Uint32Array | BigUint64Array,
>(array: T): T {
  const larger = new (array.constructor as new (length: number) => T)(array.length + 5);
  const view = larger.subarray(3, 3 + array.length) as T;
  view.set(array as never);
  return view;
}
