// Data whose losses obey the assumption of the theorem by construction, and a regression like that of a gas sensor array.

import type { Matrix32 } from '../core/matrix.ts';
import { createRng } from '../core/rng.ts';
import type { Partition } from './partition.ts';

export interface WellBehavedData {
  /** Shape (n, d). */
  points: Matrix32;
  /** Shape (n,), ≥ 0. */
  losses: Float64Array;
  /** The mixture's own parts, represented by the rows that sit on their centers. */
  partition: Partition;
  /** Λ with |ℓ(e) − ℓ(c)| ≤ Λ‖E(e) − E(c)‖ for every row and its representative, power 1. */
  lambda: number;
}

/**
 * Gaussian mixture around centers ~ N(0, 10²I) with losses base + Λ·distance·u, u uniform in [−1, 1], cut at 0.
 *
 * The first row of each part is its center itself, so that (1, Λ)-well-behavedness holds exactly with respect to the partition.
 */
export function wellBehavedMixture({
  rows,
  cols,
  parts,
  lambda = 0.5,
  seed = 0,
}: {
  rows: number;
  cols: number;
  parts: number;
  lambda?: number;
  seed?: number;
}): WellBehavedData {
  const rng = createRng(seed).fork('well-behaved mixture');
  const data = new Float32Array(rows * cols);
  const labels = new Uint32Array(rows);
  const distances = new Float64Array(rows);
  const losses = new Float64Array(rows);
  const bases = Float64Array.from({ length: parts }, () => 2 * rng.next() ** 2);
  for (let e = 0; e < rows; e++) {
    const part = e % parts;
    labels[e] = part;
    for (let j = 0; j < cols; j++) {
      data[e * cols + j] = e < parts ? 10 * rng.normal() : data[part * cols + j] + rng.normal();
      distances[e] += (data[e * cols + j] - data[part * cols + j]) ** 2;
    }
    losses[e] = Math.max(0, bases[part] + lambda * Math.sqrt(distances[e]) * (2 * rng.next() - 1));
  }
  for (let i = 0; i < parts; i++) losses[i] = bases[i];
  return {
    points: { data, rows, cols },
    losses,
    partition: { labels, representatives: Uint32Array.from({ length: parts }, (_, i) => i), distances },
    lambda,
  };
}

export interface RegressionData {
  /** Standardised columns and a column of ones, shape (n, d + 1). */
  points: Matrix32;
  /** Shape (n,). */
  targets: Float64Array;
}

/**
 * Regression with classes, drifting batches and 1 % rows of great norm: rows base[class] + |slope|[class]·L + drift[batch] + noise,
 * targets L + noise, after the UCI gas sensor array (13 910 rows, 128 columns).
 */
export function sensorRegression({
  rows = 13910,
  cols = 128,
  seed = 0,
}: {
  rows?: number;
  cols?: number;
  seed?: number;
} = {}): RegressionData {
  const rng = createRng(seed).fork('sensor regression');
  const classes = 6;
  const batches = 10;
  const normals = (count: number, deviation: number): Float64Array =>
    Float64Array.from({ length: count }, () => deviation * rng.normal());
  const base = normals(classes * cols, 1);
  const slope = normals(classes * cols, 1).map(Math.abs);
  const drift = normals(batches * cols, 0.25);
  const raw = new Float64Array(rows * cols);
  const targets = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const c = rng.integer(classes);
    const b = rng.integer(batches);
    const dose = rng.normal();
    const stretch = rng.next() < 0.01 ? 2 + 4 * rng.next() : 1;
    for (let j = 0; j < cols; j++) {
      const value =
        base[c * cols + j] + slope[c * cols + j] * dose + drift[b * cols + j] + 0.15 * rng.normal();
      raw[i * cols + j] = stretch * value;
    }
    targets[i] = dose + 0.1 * rng.normal();
  }
  const data = new Float32Array(rows * (cols + 1)).fill(1);
  for (let j = 0; j < cols; j++) {
    let mean = 0;
    for (let i = 0; i < rows; i++) mean += raw[i * cols + j] / rows;
    let variance = 0;
    for (let i = 0; i < rows; i++) variance += (raw[i * cols + j] - mean) ** 2 / rows;
    for (let i = 0; i < rows; i++)
      data[i * (cols + 1) + j] = (raw[i * cols + j] - mean) / Math.sqrt(variance);
  }
  return { points: { data, rows, cols: cols + 1 }, targets };
}
