// The WASM backend: the native kernels compiled to WASM SIMD128, for browsers and for machines without a compiler. Arrays are
// copied in and out in pieces, so that WASM's memory stays small however many rows there are.

import type { WorkerFactory } from '../core/parallel.ts';
import { yieldToEventLoop } from '../core/progress.ts';
import type { CheckedKernels, FullGemmTask } from './door.ts';
import type { HashTask, LabelSumsTask, NearestTask, RowNormsTask, UniformTask } from './types.ts';
import { attentionInPieces } from './wasm-attention.ts';
import { backwardInPieces } from './wasm-attention-backward.ts';
import { auctionsInWasm } from './wasm-auctions.ts';
import { Crew } from './wasm-crew.ts';
import { decodeInWasm, expInWasm } from './wasm-decode.ts';
import { KeptWeights } from './wasm-kept.ts';
import {
  addInWasm,
  dequantiseInWasm,
  linearInPieces,
  rmsNormInWasm,
  rotaryInWasm,
  siluProductInWasm,
} from './wasm-linear.ts';
import { type WasmModule, wasmModule } from './wasm-module.ts';
import { rowMomentsInWasm, rowProductsInWasm } from './wasm-moments.ts';
import { argsortInWasm, sliceRowsInWasm } from './wasm-slice.ts';
import type { ProductPiece } from './wasm-tasks.ts';
import { tilesInPieces } from './wasm-tiles.ts';

/** The one SIMD level of this backend. */
export const WASM_LEVEL = 'wasm-simd128';

/** Entries of the largest array a piece copies in: 4 Mi floats, 16 MiB. */
const PIECE_ENTRIES = 1 << 22;

/** Of all sets of kernels on this thread, since they share its memory. */
const keptWeights = new KeptWeights();

/** @throws {UnsupportedError} the module is not there, or this platform has no WASM SIMD */
export async function wasmKernels(
  threads: number,
  worker?: WorkerFactory,
  keeper: KeptWeights = keptWeights,
): Promise<CheckedKernels> {
  const wasm = await wasmModule();
  const crew = new Crew(threads, worker);
  return {
    backend: 'wasm',
    simd: WASM_LEVEL,
    threads,
    attention: (task) => (task.tiles ? tilesInPieces(crew, task, task.tiles) : attentionInPieces(crew, task)),
    attentionBackward: (task) => backwardInPieces(crew, task),
    decode: async (task) => decodeInWasm(wasm, task),
    exp: async (task) => expInWasm(wasm, task),
    linear: (task) => linearInPieces(crew, keeper, task),
    dequantiseRows: async (task) => dequantiseInWasm(wasm, task),
    rmsNorm: async (task) => rmsNormInWasm(wasm, task),
    rotary: async (task) => rotaryInWasm(wasm, task),
    siluProduct: async (task) => siluProductInWasm(wasm, task),
    add: async (task) => addInWasm(wasm, task),
    ...auctionsInWasm(wasm),
    gemm: (task) => gemm(crew, task),
    nearest: (task) => nearest(crew, task),
    labelSums: (task) => labelSums(wasm, task),
    rowNorms: (task) => rowNorms(wasm, task),
    xxh64: (task) => xxh64(wasm, task),
    uniform: (task) => uniform(wasm, task),
    argsort: (task) => argsortInWasm(wasm, task),
    sliceRows: (task) => sliceRowsInWasm(wasm, task),
    rowProducts: (task) => rowProductsInWasm(wasm, task),
    rowMoments: (task) => rowMomentsInWasm(wasm, task),
  };
}

async function gemm(crew: Crew, task: FullGemmTask): Promise<void> {
  const { m, n, k, a, b, transposeA, transposeB, strideA, strideB } = task;
  if (m === 0 || n === 0) return;
  // C is cut into a grid of blocks: columns so that a piece of B stays small, the rest so that pieces are short and shared out.
  const columnParts = Math.ceil((k * n) / (4 * PIECE_ENTRIES)) || 1;
  const width = Math.ceil(n / columnParts);
  const rowParts = Math.max(
    crew.pieces(m, m * width * k),
    Math.min(m, Math.ceil((m * Math.max(k, width)) / PIECE_ENTRIES)),
  );
  const height = Math.ceil(m / rowParts);
  const blockAt = (i: number) => {
    const row = Math.floor(i / columnParts) * height;
    const column = (i % columnParts) * width;
    return {
      row,
      column,
      rows: Math.max(0, Math.min(height, m - row)),
      columns: Math.max(0, Math.min(width, n - column)),
    };
  };
  const piece = (i: number): ProductPiece => {
    const { row, column, rows, columns } = blockAt(i);
    const left = transposeA ? block(a, strideA, 0, k, row, rows) : block(a, strideA, row, rows, 0, k);
    const right = transposeB
      ? block(b, strideB, column, columns, 0, k)
      : block(b, strideB, 0, k, column, columns);
    return { m: rows, n: columns, k, a: left, b: right, transposeA, transposeB };
  };
  await crew.run('productPiece', rowParts * columnParts, m * n * k, piece, (i, product) => {
    storeBlock(task, blockAt(i), product);
  });
}

/** A block of a stored matrix without gaps: a view when it has none, else a copy. */
function block(
  from: Float32Array,
  stride: number,
  row: number,
  rows: number,
  column: number,
  columns: number,
): Float32Array {
  if (columns === stride) return from.subarray(row * stride, (row + rows) * stride);
  const copy = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const start = (row + i) * stride + column;
    copy.set(from.subarray(start, start + columns), i * columns);
  }
  return copy;
}

function storeBlock(
  { c, strideC, accumulate }: FullGemmTask,
  { row, rows, column, columns }: { row: number; rows: number; column: number; columns: number },
  product: Float32Array,
): void {
  for (let i = 0; i < rows; i++) {
    const start = (row + i) * strideC + column;
    const line = product.subarray(i * columns, (i + 1) * columns);
    if (!accumulate) c.set(line, start);
    else for (let j = 0; j < columns; j++) c[start + j] += line[j];
  }
}

async function nearest(crew: Crew, task: NearestTask): Promise<void> {
  const { points, rows, dim, centerCount, origin, labels, distances } = task;
  const { secondLabels, secondDistances, rescanned } = task;
  const centers = task.centers.subarray(0, centerCount * dim);
  const work = rows * centerCount * dim;
  const pieces = Math.max(crew.pieces(rows, work), Math.ceil((rows * dim) / PIECE_ENTRIES));
  const perPiece = Math.max(1, Math.ceil(rows / pieces));
  if (rescanned) rescanned[0] = 0n;
  const piece = (i: number) => {
    const start = i * perPiece;
    const count = Math.min(perPiece, rows - start);
    return {
      points: points.subarray(start * dim, (start + count) * dim),
      rows: count,
      dim,
      centers,
      centerCount,
      origin: origin?.subarray(0, dim),
      wantsSecond: secondLabels !== undefined,
    };
  };
  await crew.run('nearestPiece', Math.ceil(rows / perPiece), work, piece, (i, result) => {
    labels.set(result.labels, i * perPiece);
    distances.set(result.distances, i * perPiece);
    if (result.secondLabels) secondLabels?.set(result.secondLabels, i * perPiece);
    if (result.secondDistances) secondDistances?.set(result.secondDistances, i * perPiece);
    if (rescanned) rescanned[0] += result.rescanned;
  });
}

// Sums stay in WASM from the first piece to the last, so there is no looking at the event loop between pieces: another
// call would find the memory taken. A pass takes about a second per GiB.
async function labelSums(wasm: WasmModule, task: LabelSumsTask): Promise<void> {
  const { points, rows, dim, labels, centerCount, weights } = task;
  const sums = task.sums.subarray(0, centerCount * dim);
  const counts = task.counts.subarray(0, centerCount);
  wasm.scope(() => {
    const [sumsAt, countsAt] = [wasm.put(sums), wasm.put(counts)];
    for (const [start, end] of rowPieces(rows, dim)) {
      wasm.scope(() => {
        const pointsAt = wasm.put(points.subarray(start * dim, end * dim));
        const labelsAt = wasm.put(labels.subarray(start, end));
        const weightsAt = wasm.put(weights?.subarray(start, end));
        wasm.call.labelSums(pointsAt, end - start, dim, labelsAt, weightsAt, sumsAt, countsAt);
      });
    }
    wasm.get(sumsAt, sums);
    wasm.get(countsAt, counts);
  });
}

async function rowNorms(wasm: WasmModule, { points, rows, dim, origin, norms }: RowNormsTask): Promise<void> {
  for (const [start, end] of rowPieces(rows, dim)) {
    if (start > 0) await yieldToEventLoop();
    wasm.scope(() => {
      const pointsAt = wasm.put(points.subarray(start * dim, end * dim));
      const originAt = wasm.put(origin?.subarray(0, dim));
      const normsAt = wasm.call.allocate(8 * (end - start));
      wasm.call.rowNorms(pointsAt, end - start, dim, originAt, normsAt);
      wasm.get(normsAt, norms.subarray(start, end));
    });
  }
}

async function xxh64(wasm: WasmModule, { values, seeds, hashes }: HashTask): Promise<void> {
  for (const [start, end] of rowPieces(values.length, 8)) {
    if (start > 0) await yieldToEventLoop();
    wasm.scope(() => {
      const valuesAt = wasm.put(values.subarray(start, end));
      const seedsAt = typeof seeds === 'bigint' ? 0 : wasm.put(seeds.subarray(start, end));
      const hashesAt = wasm.call.allocate(8 * (end - start));
      wasm.call.xxh64(end - start, valuesAt, seedsAt, typeof seeds === 'bigint' ? seeds : 0n, hashesAt);
      wasm.get(hashesAt, hashes.subarray(start, end));
    });
  }
}

async function uniform(wasm: WasmModule, { key, start: first, out }: UniformTask): Promise<void> {
  for (const [start, end] of rowPieces(out.length, 8)) {
    if (start > 0) await yieldToEventLoop();
    wasm.scope(() => {
      const at = wasm.call.allocate(8 * (end - start));
      wasm.call.uniform(end - start, key[0], key[1], first + start, at);
      wasm.get(at, out.subarray(start, end));
    });
  }
}

/** Ranges [start, end) of rows of `dim` entries that fill a piece each. */
function* rowPieces(rows: number, dim: number): Generator<[number, number]> {
  const perPiece = Math.max(1, Math.floor(PIECE_ENTRIES / Math.max(1, dim)));
  for (let start = 0; start < rows; start += perPiece) yield [start, Math.min(rows, start + perPiece)];
}
