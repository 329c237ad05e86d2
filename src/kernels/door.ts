// The door's check: every task is validated here, once, whatever backend carries it out. A wrong length would
// let native code read or write beyond an array, so nothing gets past.

import { requireInteger } from '../core/check.ts';
import { InvalidArgumentError, ShapeError } from '../core/errors.ts';
import { checkedAttention } from './attention-door.ts';
import { checkedAuctions } from './auction-door.ts';
import { checkedLlm, type LlmBackend } from './llm-door.ts';
import type { LlmKernels } from './llm-types.ts';
import { checkedMoments } from './moments-door.ts';
import { requireApart, requireArray } from './require-array.ts';
import { checkedSlices } from './slice-door.ts';
import type {
  GemmTask,
  HashTask,
  Kernels,
  LabelSumsTask,
  NearestTask,
  RowNormsTask,
  UniformTask,
} from './types.ts';

/** A product with every default filled in. */
export type FullGemmTask = Required<GemmTask>;

/** What a backend implements: as `Kernels`, but it gets tasks that were checked and completed. */
export interface CheckedKernels extends Omit<Kernels, 'gemm' | 'nearest' | keyof LlmKernels>, LlmBackend {
  gemm(task: FullGemmTask): Promise<void>;
  /** `secondLabels` and `secondDistances` are both there or both not. */
  nearest(task: NearestTask): Promise<void>;
}

/** @throws (from each kernel) {ShapeError} an array is too short; {InvalidArgumentError} a size, type or label is wrong */
export function checked(kernels: CheckedKernels): Kernels {
  const { backend, simd, threads } = kernels;
  return {
    backend,
    simd,
    threads,
    gemm: async (task) => kernels.gemm(completeGemm(task)),
    nearest: async (task) => kernels.nearest(completeNearest(task)),
    labelSums: async (task) => {
      checkLabelSums(task);
      await kernels.labelSums(task);
    },
    rowNorms: async (task) => {
      checkRowNorms(task);
      await kernels.rowNorms(task);
    },
    xxh64: async (task) => {
      checkHash(task);
      await kernels.xxh64(task);
    },
    uniform: async (task) => {
      checkUniform(task);
      await kernels.uniform(task);
    },
    ...checkedSlices(kernels),
    ...checkedMoments(kernels),
    ...checkedAuctions(kernels),
    ...checkedAttention(kernels),
    ...checkedLlm(kernels),
  };
}

function completeGemm(task: GemmTask): FullGemmTask {
  const { m, n, k, a, b, c, transposeA = false, transposeB = false, accumulate = false } = task;
  requireInteger('gemm: m', m, 0);
  requireInteger('gemm: n', n, 0);
  requireInteger('gemm: k', k, 0);
  const [rowsA, colsA] = transposeA ? [k, m] : [m, k];
  const [rowsB, colsB] = transposeB ? [n, k] : [k, n];
  const { strideA = colsA, strideB = colsB, strideC = n } = task;
  requireStored('gemm: a', a, rowsA, colsA, strideA);
  requireStored('gemm: b', b, rowsB, colsB, strideB);
  requireStored('gemm: c', c, m, n, strideC);
  requireApart('gemm: c', c, a, 'a');
  requireApart('gemm: c', c, b, 'b');
  return { m, n, k, a, b, c, transposeA, transposeB, accumulate, strideA, strideB, strideC };
}

function completeNearest(task: NearestTask): NearestTask {
  const { points, rows, dim, centers, centerCount, origin, labels, distances } = task;
  const { secondLabels, secondDistances, rescanned } = task;
  requireInteger('nearest: rows', rows, 0);
  requireInteger('nearest: dim', dim, 0);
  requireInteger('nearest: centerCount', centerCount, 1, 0xffffffff);
  requireArray('nearest: points', points, Float32Array, rows * dim);
  requireArray('nearest: centers', centers, Float32Array, centerCount * dim);
  if (origin) requireArray('nearest: origin', origin, Float32Array, dim);
  requireArray('nearest: labels', labels, Uint32Array, rows);
  requireArray('nearest: distances', distances, Float64Array, rows);
  if (secondLabels) requireArray('nearest: secondLabels', secondLabels, Uint32Array, rows);
  if (secondDistances) requireArray('nearest: secondDistances', secondDistances, Float64Array, rows);
  if (rescanned) requireArray('nearest: rescanned', rescanned, BigUint64Array, 1);
  if (!secondLabels === !secondDistances) return task;
  return {
    ...task,
    secondLabels: secondLabels ?? new Uint32Array(rows),
    secondDistances: secondDistances ?? new Float64Array(rows),
  };
}

function checkLabelSums({
  points,
  rows,
  dim,
  labels,
  centerCount,
  weights,
  sums,
  counts,
}: LabelSumsTask): void {
  requireInteger('labelSums: rows', rows, 0);
  requireInteger('labelSums: dim', dim, 0);
  requireInteger('labelSums: centerCount', centerCount, 0, 0xffffffff);
  requireArray('labelSums: points', points, Float32Array, rows * dim);
  requireArray('labelSums: labels', labels, Uint32Array, rows);
  if (weights) requireArray('labelSums: weights', weights, Float64Array, rows);
  requireArray('labelSums: sums', sums, Float64Array, centerCount * dim);
  requireArray('labelSums: counts', counts, Float64Array, centerCount);
  for (let i = 0; i < rows; i++) {
    if (labels[i] >= centerCount) {
      throw new InvalidArgumentError(
        `labelSums: labels[${i}] is ${labels[i]}; expected a label < centerCount = ${centerCount}.`,
      );
    }
  }
}

function checkRowNorms({ points, rows, dim, origin, norms }: RowNormsTask): void {
  requireInteger('rowNorms: rows', rows, 0);
  requireInteger('rowNorms: dim', dim, 0);
  requireArray('rowNorms: points', points, Float32Array, rows * dim);
  if (origin) requireArray('rowNorms: origin', origin, Float32Array, dim);
  requireArray('rowNorms: norms', norms, Float64Array, rows);
}

function checkHash({ values, seeds, hashes }: HashTask): void {
  requireArray('xxh64: values', values, BigUint64Array, 0);
  if (typeof seeds !== 'bigint') requireArray('xxh64: seeds', seeds, BigUint64Array, values.length);
  requireArray('xxh64: hashes', hashes, BigUint64Array, values.length);
}

function checkUniform({ key, start, out }: UniformTask): void {
  requireInteger('uniform: key[0]', key[0], 0, 0xffffffff);
  requireInteger('uniform: key[1]', key[1], 0, 0xffffffff);
  requireArray('uniform: out', out, Float64Array, 0);
  requireInteger('uniform: start', start, 0, Number.MAX_SAFE_INTEGER + 1 - out.length);
}

function requireStored(name: string, value: Float32Array, rows: number, cols: number, stride: number): void {
  requireInteger(`${name}: stride`, stride, 0);
  if (stride < cols && rows > 1) {
    throw new ShapeError(`${name}: stride is ${stride}; expected at least ${cols}, the columns stored.`);
  }
  requireArray(name, value, Float32Array, rows === 0 || cols === 0 ? 0 : (rows - 1) * stride + cols);
}
