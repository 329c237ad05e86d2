// Data with known clusters, for tests, examples and benchmarks.

import { requireInteger, requireNumber } from '../core/check.ts';
import type { Matrix32 } from '../core/matrix.ts';
import { createRng } from '../core/rng.ts';

export interface GaussianMixtureOptions {
  rows: number;
  cols: number;
  /** Number of normal distributions, ≥ 1. */
  components: number;
  /** Standard deviation of the components' means, per column; that of the rows about their mean is 1. Default 10. */
  spread?: number;
  /** Default 0. */
  seed?: number;
}

export interface GaussianMixture {
  /** Shape (rows, cols). */
  points: Matrix32;
  /** Component of each row, shape (rows,). */
  labels: Uint32Array;
  /** Shape (components, cols). */
  means: Matrix32;
}

/** Rows drawn from equally likely normal distributions around random means (mixture G1 of the sensitivity sampling spec). O(n d). */
export function gaussianMixture({
  rows,
  cols,
  components,
  spread = 10,
  seed = 0,
}: GaussianMixtureOptions): GaussianMixture {
  requireInteger('gaussianMixture: rows', rows, 0);
  requireInteger('gaussianMixture: cols', cols, 1);
  requireInteger('gaussianMixture: components', components, 1);
  requireNumber('gaussianMixture: spread', spread, 0);
  const rng = createRng(seed);
  const [ofMeans, ofLabels, ofRows] = ['means', 'labels', 'rows'].map((stage) => rng.fork(stage));
  const means = Float32Array.from({ length: components * cols }, () => spread * ofMeans.normal());
  const labels = Uint32Array.from({ length: rows }, () => ofLabels.integer(components));
  const data = new Float32Array(rows * cols);
  for (let i = 0; i < data.length; i++) {
    data[i] = means[labels[Math.floor(i / cols)] * cols + (i % cols)] + ofRows.normal();
  }
  return {
    points: { data, rows, cols },
    labels,
    means: { data: means, rows: components, cols },
  };
}
