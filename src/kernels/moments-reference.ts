// The reference of rowProducts and rowMoments: obvious loops.

import { yieldToEventLoop } from '../core/progress.ts';
import type { MomentKernels } from './moments-types.ts';

/** Multiply-adds between two looks at the event loop: about 20 ms of this code. */
const WORK_PER_SLICE = 1 << 24;

export const momentsReference: MomentKernels = {
  async rowProducts({ features, cols, rows, count, center, coefficients, bias, out }) {
    await inSlices(count, cols, (i) => {
      const start = (rows ? rows[i] : i) * cols;
      let sum = bias;
      for (let j = 0; j < cols; j++) {
        sum += (center ? features[start + j] - center[j] : features[start + j]) * coefficients[j];
      }
      out[i] = sum;
    });
  },
  async rowMoments({ features, cols, rows, count, center, weights, sums, gram }) {
    const z = new Float64Array(cols);
    await inSlices(count, gram ? cols * cols : cols, (i) => {
      const start = (rows ? rows[i] : i) * cols;
      for (let j = 0; j < cols; j++) {
        z[j] = center ? features[start + j] - center[j] : features[start + j];
        sums[j] += weights[i] * z[j];
      }
      for (let j = 0; j < cols && gram; j++) {
        const weighted = weights[i] * z[j];
        for (let l = j; l < cols; l++) gram[j * cols + l] += weighted * z[l];
      }
    });
    for (let j = 0; j < cols && gram; j++) {
      for (let l = 0; l < j; l++) gram[j * cols + l] = gram[l * cols + j];
    }
  },
};

/** Runs `body(i)` for i < count, giving way to the event loop every WORK_PER_SLICE units of `workPerItem`. */
async function inSlices(count: number, workPerItem: number, body: (i: number) => void): Promise<void> {
  const slice = Math.max(1, Math.floor(WORK_PER_SLICE / Math.max(1, workPerItem)));
  for (let start = 0; start < count; start += slice) {
    if (start > 0) await yieldToEventLoop();
    const end = Math.min(count, start + slice);
    for (let i = start; i < end; i++) body(i);
  }
}
