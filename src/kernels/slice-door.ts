// The door's check of the tasks behind optimal bags.

import { requireInteger, requireNumber } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { requireApart, requireArray } from './require-array.ts';
import type { ArgsortTask, SliceKernels, SliceProgramme, SliceRowsTask } from './slice-types.ts';

export function checkedSlices(kernels: SliceKernels): SliceKernels {
  return {
    argsort: async (task) => {
      checkArgsort(task);
      await kernels.argsort(task);
    },
    sliceRows: async (task) => {
      checkSliceRows(task);
      await kernels.sliceRows(task);
    },
  };
}

function checkArgsort({ values, order, sorted, spare }: ArgsortTask): void {
  requireArray('argsort: values', values, Float64Array, 0);
  requireInteger('argsort: length of values', values.length, 0, 0xfffffffe);
  requireArray('argsort: order', order, Uint32Array, values.length);
  requireArray('argsort: sorted', sorted, Float64Array, values.length);
  requireApart('argsort: sorted', sorted, values, 'values');
  if (spare) {
    requireArray('argsort: spare.keys', spare.keys, Float64Array, values.length);
    requireArray('argsort: spare.order', spare.order, Uint32Array, values.length);
    requireApart('argsort: spare.keys', spare.keys, values, 'values');
    requireApart('argsort: spare.keys', spare.keys, sorted, 'sorted');
    requireApart('argsort: spare.order', spare.order, order, 'order');
  }
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) {
      throw new InvalidArgumentError(`argsort: values[${i}] is NaN; expected numbers that can be ordered.`);
    }
  }
}

function checkSliceRows(task: SliceRowsTask): void {
  const { values, count, weights, noise, minSize, maxSize, penalty, first, end, programmes } = task;
  requireInteger('sliceRows: count', count, 1, 0xfffffffe);
  requireArray('sliceRows: values', values, Float64Array, count);
  if (weights) requireArray('sliceRows: weights', weights, Float64Array, count);
  if (noise) requireArray('sliceRows: noise', noise, Float64Array, count);
  requireInteger('sliceRows: minSize', minSize, 1, count);
  requireInteger('sliceRows: maxSize', maxSize, minSize, count);
  requireNumber('sliceRows: penalty', penalty, 0);
  requireInteger('sliceRows: first', first, 0, count);
  if (first % minSize !== 0) {
    throw new InvalidArgumentError(
      `sliceRows: first is ${first}; expected a multiple of minSize = ${minSize}, where a block starts.`,
    );
  }
  requireInteger('sliceRows: end', end, first, count);
  requireInteger('sliceRows: number of programmes', programmes.length, 1, 2);
  programmes.forEach((programme, p) => {
    checkProgramme(`sliceRows: programmes[${p}]`, programme, task);
  });
}

function checkProgramme(name: string, { rows, costs, sizes }: SliceProgramme, task: SliceRowsTask): void {
  requireInteger(`${name}.rows`, rows, 0, task.count);
  requireArray(`${name}.costs`, costs, Float64Array, rows + 1);
  requireArray(`${name}.sizes`, sizes, Uint32Array, rows + 1);
  // A size tells where a block's first column is: one that is no bag's would point outside.
  const start = Math.min(task.first, rows);
  if (sizes[start] > start) {
    throw new InvalidArgumentError(
      `${name}.sizes[${start}] is ${sizes[start]}; expected at most ${start}, as the rows before left it.`,
    );
  }
}
