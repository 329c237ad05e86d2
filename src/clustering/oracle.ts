// Exact, slow, obvious: what the tests hold the rest of this folder against.

import type { Matrix32 } from '../core/matrix.ts';

export interface OracleClustering {
  /** Shape (k, d), rounded to float32. */
  centers: Float32Array;
  labels: number[];
  /** Σ weight · squared distance to the own center. */
  inertia: number;
  /** At each iteration. */
  inertias: number[];
}

/** ‖row i − center j‖² in float64, summed in order. */
function oracleDistance({ data, cols }: Matrix32, i: number, centers: Float32Array, j: number): number {
  let sum = 0;
  for (let p = 0; p < cols; p++) sum += (data[i * cols + p] - centers[j * cols + p]) ** 2;
  return sum;
}

/** Nearest center of each row, ties to the lowest index. */
export function oracleAssign(
  points: Matrix32,
  centers: Float32Array,
): { labels: number[]; distances: number[] } {
  const k = centers.length / points.cols;
  const labels: number[] = [];
  const distances: number[] = [];
  for (let i = 0; i < points.rows; i++) {
    let best = 0;
    for (let j = 1; j < k; j++) {
      if (oracleDistance(points, i, centers, j) < oracleDistance(points, i, centers, best)) best = j;
    }
    labels.push(best);
    distances.push(oracleDistance(points, i, centers, best));
  }
  return { labels, distances };
}

/** Plain Lloyd from given centers until no label changes; a cluster without rows moves to the row farthest from its center, no two to one place. */
export function oracleLloyd(points: Matrix32, start: Float32Array, weights?: Float64Array): OracleClustering {
  const { data, rows, cols } = points;
  const k = start.length / cols;
  const weight = (i: number) => (weights ? weights[i] : 1);
  let centers = start.slice();
  let last: number[] = [];
  const inertias: number[] = [];
  for (;;) {
    const { labels, distances } = oracleAssign(points, centers);
    const inertia = distances.reduce((sum, distance, i) => sum + weight(i) * distance, 0);
    inertias.push(inertia);
    if (labels.every((label, i) => label === last[i])) return { centers, labels, inertia, inertias };
    last = labels;
    const next = centers.slice();
    const candidates = [...labels.keys()].filter((i) => weight(i) > 0 && distances[i] > 0);
    candidates.sort((a, b) => distances[b] - distances[a] || a - b);
    const place = (i: number) => data.slice(i * cols, (i + 1) * cols).map((x) => x + 0);
    const places = new Map(candidates.reverse().map((i) => [place(i).join(), i]));
    const farthest = candidates.reverse().filter((i) => places.get(place(i).join()) === i);
    for (let j = 0; j < k; j++) {
      const count = labels.reduce((sum, label, i) => sum + (label === j ? weight(i) : 0), 0);
      if (count > 0) {
        for (let p = 0; p < cols; p++) {
          let sum = 0;
          for (let i = 0; i < rows; i++) if (labels[i] === j) sum += weight(i) * data[i * cols + p];
          next[j * cols + p] = sum / count;
        }
      } else {
        const far = farthest.shift();
        if (far !== undefined) next.set(data.subarray(far * cols, (far + 1) * cols), j * cols);
      }
    }
    centers = next;
  }
}

/** Least possible Σ squared distance to means, over all partitions of n ≤ 12 rows into at most k parts. */
export function oracleOptimalInertia(points: Matrix32, k: number): number {
  const { data, rows, cols } = points;
  const labels = new Array<number>(rows).fill(0);
  let best = Infinity;
  const visit = (i: number, used: number): void => {
    if (i < rows) {
      // A new part is always numbered next, so that each partition comes once.
      for (let label = 0; label < Math.min(used + 1, k); label++) {
        labels[i] = label;
        visit(i + 1, Math.max(used, label + 1));
      }
      return;
    }
    let inertia = 0;
    for (let label = 0; label < used; label++) {
      const members = [...labels.keys()].filter((r) => labels[r] === label);
      for (let p = 0; p < cols; p++) {
        const mean = members.reduce((sum, r) => sum + data[r * cols + p], 0) / members.length;
        for (const r of members) inertia += (data[r * cols + p] - mean) ** 2;
      }
    }
    best = Math.min(best, inertia);
  };
  visit(0, 0);
  return best;
}

/** Least possible radius with k rows as centers, over all choices of k of n ≤ 15 rows. */
export function oracleOptimalRadius(points: Matrix32, k: number): number {
  let best = Infinity;
  const visit = (from: number, chosen: number[]): void => {
    if (chosen.length === k) {
      const centers = new Float32Array(k * points.cols);
      chosen.forEach((row, j) => {
        centers.set(points.data.subarray(row * points.cols, (row + 1) * points.cols), j * points.cols);
      });
      best = Math.min(best, Math.sqrt(Math.max(...oracleAssign(points, centers).distances)));
      return;
    }
    for (let row = from; row < points.rows; row++) visit(row + 1, [...chosen, row]);
  };
  visit(0, []);
  return best;
}
