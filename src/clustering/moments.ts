// Mean and scatter of the data in one pass, which also proves every entry finite.

import type { Kernels } from '../kernels/index.ts';
import type { Rows } from './rows.ts';

export interface Moments {
  /** Σ weights, or n. */
  weight: number;
  /** Weighted mean rounded to float32, shape (d,): the origin handed to the kernels. */
  origin: Float32Array;
  /** Σ weight · ‖x − origin‖². */
  scatter: number;
  /** Mean over the columns of the weighted variance. */
  meanVariance: number;
}

/**
 * @param weights - shape (n,), ≥ 0, of positive sum
 * @throws {InvalidArgumentError} naming the first row that is NaN or infinite. O(n d), one pass
 */
export async function measureMoments(
  rows: Rows,
  kernels: Kernels,
  weights: Float64Array | undefined,
): Promise<Moments> {
  const { cols } = rows;
  const sums = new Float64Array(cols);
  const counts = new Float64Array(1);
  const labels = new Uint32Array(Math.min(rows.tileRows, rows.rows));
  const norms = new Float64Array(labels.length);
  let pivot: Float32Array | undefined;
  let aroundPivot = 0;
  for await (const tile of rows.tiles()) {
    const tileWeights = weights?.subarray(tile.start, tile.start + tile.rows);
    await kernels.labelSums({
      points: tile.data,
      rows: tile.rows,
      dim: cols,
      labels: labels.subarray(0, tile.rows),
      centerCount: 1,
      ...(tileWeights && { weights: tileWeights }),
      sums,
      counts,
    });
    // A float64 sum of float32 numbers cannot overflow: it is finite if and only if all of them are (0 · ∞ is NaN).
    if (!sums.every(Number.isFinite)) rows.requireFinite(tile);
    // Any row is near enough to the data that a common offset costs no digits.
    pivot ??= tile.data.slice(0, cols);
    await kernels.rowNorms({ points: tile.data, rows: tile.rows, dim: cols, origin: pivot, norms });
    for (let i = 0; i < tile.rows; i++) aroundPivot += (tileWeights ? tileWeights[i] : 1) * norms[i];
  }
  const weight = counts[0];
  const mean = sums.map((sum) => sum / weight);
  const origin = Float32Array.from(mean);
  let pivotShift = 0;
  let originShift = 0;
  for (let p = 0; p < cols; p++) {
    pivotShift += (mean[p] - pivot![p]) ** 2;
    originShift += (mean[p] - origin[p]) ** 2;
  }
  const aroundMean = Math.max(0, aroundPivot - weight * pivotShift);
  return {
    weight,
    origin,
    scatter: aroundMean + weight * originShift,
    meanVariance: aroundMean / (weight * cols),
  };
}
