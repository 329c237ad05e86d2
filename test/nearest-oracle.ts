// For tests of `nearest`: the obvious answer, data, and the comparison of a backend with it.

import assert from 'node:assert/strict';
import { createRng } from '../src/core/rng.ts';
import type { Kernels, NearestTask } from '../src/kernels/types.ts';
import { offsetView } from './each-backend.ts';

export interface NearestCase {
  points: Float32Array;
  rows: number;
  dim: number;
  centers: Float32Array;
  centerCount: number;
  origin?: Float32Array;
}

/** The obvious answer: the distance of every pair in the order of direct.ts, ties to the lowest index, NaN as infinite. */
function oracle({ points, rows, dim, centers, centerCount }: NearestCase) {
  const best = { label: new Uint32Array(rows), distance: new Float64Array(rows) };
  const second = { label: new Uint32Array(rows), distance: new Float64Array(rows) };
  for (let i = 0; i < rows; i++) {
    const pairs = Array.from({ length: centerCount }, (_, label) => {
      const sums = new Float64Array(8);
      for (let p = 0; p < dim; p++) sums[p % 8] += (points[i * dim + p] - centers[label * dim + p]) ** 2;
      const [a, b, c, d, e, f, g, h] = sums;
      const distance = a + e + (c + g) + (b + f + (d + h));
      return { label, distance: Number.isNaN(distance) ? Infinity : distance };
    });
    pairs.sort((x, y) => (x.distance === y.distance ? x.label - y.label : x.distance - y.distance));
    const [first, next = { label: first.label, distance: Infinity }] = pairs;
    best.label[i] = first.label;
    best.distance[i] = first.distance;
    second.label[i] = next.label;
    second.distance[i] = next.distance;
  }
  return { best, second };
}

export function normals(length: number, seed: number): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => rng.normal());
}

/** Compares a backend with the oracle, with and without second nearest centers. */
export async function checkNearest(kernels: Kernels, task: NearestCase): Promise<void> {
  const { rows } = task;
  const { best, second } = oracle(task);
  for (const wantsSecond of [false, true]) {
    const labels = offsetView(new Uint32Array(rows));
    const distances = offsetView(new Float64Array(rows));
    const full: NearestTask = {
      ...task,
      points: offsetView(task.points),
      centers: offsetView(task.centers),
      labels,
      distances,
    };
    if (wantsSecond) {
      full.secondLabels = offsetView(new Uint32Array(rows));
      full.secondDistances = offsetView(new Float64Array(rows));
    }
    await kernels.nearest(full);
    // Equality, not closeness: the contract fixes every bit.
    assert.deepEqual(distances, best.distance);
    assert.deepEqual(labels, best.label);
    if (!wantsSecond) continue;
    assert.deepEqual(full.secondDistances, second.distance);
    assert.deepEqual(full.secondLabels, secondLabelsWanted(task, second, best));
  }
}

/** Where no second distance is finite the label of the second says nothing: 0, or the only center. */
function secondLabelsWanted(
  { centerCount }: NearestCase,
  second: { label: Uint32Array; distance: Float64Array },
  best: { label: Uint32Array },
): Uint32Array {
  return second.label.map((label, i) =>
    second.distance[i] < Infinity ? label : centerCount === 1 ? best.label[i] : 0,
  );
}

export function concatenate(arrays: Float32Array[]): Float32Array {
  return Float32Array.from(arrays.flatMap((array) => [...array]));
}

export function gauss(rows: number, dim: number, centerCount: number): NearestCase {
  return { points: normals(rows * dim, 1), rows, dim, centers: normals(centerCount * dim, 2), centerCount };
}
