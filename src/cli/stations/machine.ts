// The lines at the foot of a report: what it was computed with.

import { loadKernels } from '../../kernels/index.ts';

/** Versions and kernels, one fact a line. */
export async function describeMachine(version: string): Promise<string[]> {
  const { backend, simd, threads } = await loadKernels();
  return [
    `provably ${version}`,
    `kernels: ${backend} ${simd}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
  ];
}
