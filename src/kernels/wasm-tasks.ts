// Pieces of the heavy kernels, each small enough for one call: run by workers, or here when there are none.

import { wasmModule } from './wasm-module.ts';

export { attentionPiece } from './wasm-attention.ts';
export { backwardPiece } from './wasm-attention-backward.ts';
export { linearPiece } from './wasm-linear.ts';

/** Some rows of a `nearest` task. */
export interface NearestPiece {
  /** Shape (rows, dim). */
  points: Float32Array;
  rows: number;
  dim: number;
  centers: Float32Array;
  centerCount: number;
  origin: Float32Array | undefined;
  wantsSecond: boolean;
}

export interface NearestPieceResult {
  labels: Uint32Array;
  distances: Float64Array;
  secondLabels: Uint32Array | undefined;
  secondDistances: Float64Array | undefined;
  rescanned: bigint;
}

export async function nearestPiece(piece: NearestPiece): Promise<NearestPieceResult> {
  const { points, rows, dim, centers, centerCount, origin, wantsSecond } = piece;
  const wasm = await wasmModule();
  return wasm.scope(() => {
    const inputs = [wasm.put(points), wasm.put(centers), wasm.put(origin)] as const;
    const count = wasm.call.allocate(8);
    const labels = wasm.call.allocate(4 * rows);
    const distances = wasm.call.allocate(8 * rows);
    const secondLabels = wantsSecond ? wasm.call.allocate(4 * rows) : 0;
    const secondDistances = wantsSecond ? wasm.call.allocate(8 * rows) : 0;
    wasm.call.nearest(
      inputs[0],
      rows,
      dim,
      inputs[1],
      centerCount,
      inputs[2],
      labels,
      distances,
      secondLabels,
      secondDistances,
      count,
    );
    return {
      labels: wasm.get(labels, new Uint32Array(rows)),
      distances: wasm.get(distances, new Float64Array(rows)),
      secondLabels: wantsSecond ? wasm.get(secondLabels, new Uint32Array(rows)) : undefined,
      secondDistances: wantsSecond ? wasm.get(secondDistances, new Float64Array(rows)) : undefined,
      rescanned: wasm.get(count, new BigUint64Array(1))[0],
    };
  });
}

/** op(A) · op(B) of matrices stored without gaps. */
export interface ProductPiece {
  m: number;
  n: number;
  k: number;
  a: Float32Array;
  b: Float32Array;
  transposeA: boolean;
  transposeB: boolean;
}

/** @returns the product, shape (m, n) */
export async function productPiece(piece: ProductPiece): Promise<Float32Array> {
  const { m, n, k, a, b, transposeA, transposeB } = piece;
  const wasm = await wasmModule();
  return wasm.scope(() => {
    const [left, right] = [wasm.put(a), wasm.put(b)];
    const c = wasm.call.allocate(4 * m * n);
    const [strideA, strideB] = [transposeA ? m : k, transposeB ? k : n];
    wasm.call.gemm(m, n, k, left, right, c, strideA, strideB, n, Number(transposeA), Number(transposeB), 0);
    return wasm.get(c, new Float32Array(m * n));
  });
}
