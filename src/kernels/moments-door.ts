// The door's check of products and moments of rows.

import { requireInteger } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import type { CenteredRows, MomentKernels } from './moments-types.ts';
import { requireApart, requireArray } from './require-array.ts';

export function checkedMoments(kernels: MomentKernels): MomentKernels {
  return {
    rowProducts: async (task) => {
      const { features, cols, count, coefficients, out } = task;
      checkRows('rowProducts', task);
      requireArray('rowProducts: coefficients', coefficients, Float64Array, cols);
      requireArray('rowProducts: out', out, Float64Array, count);
      requireApart('rowProducts: out', out, features, 'features');
      await kernels.rowProducts(task);
    },
    rowMoments: async (task) => {
      const { cols, count, weights, sums, gram } = task;
      checkRows('rowMoments', task);
      requireArray('rowMoments: weights', weights, Float64Array, count);
      requireArray('rowMoments: sums', sums, Float64Array, cols);
      if (gram) requireArray('rowMoments: gram', gram, Float64Array, cols * cols);
      await kernels.rowMoments(task);
    },
  };
}

function checkRows(name: string, { features, cols, rows, count, center }: CenteredRows): void {
  requireInteger(`${name}: cols`, cols, 0);
  requireInteger(`${name}: count`, count, 0, 0xffffffff);
  requireArray(`${name}: features`, features, Float64Array, rows ? 0 : count * cols);
  if (center) requireArray(`${name}: center`, center, Float64Array, cols);
  if (!rows) return;
  requireArray(`${name}: rows`, rows, Uint32Array, count);
  let greatest = -1;
  for (let i = 0; i < count; i++) if (rows[i] > greatest) greatest = rows[i];
  if ((greatest + 1) * cols > features.length) {
    throw new InvalidArgumentError(
      `${name}: rows names row ${greatest}; expected one of the ${Math.floor(features.length / cols)} rows of features.`,
    );
  }
}
