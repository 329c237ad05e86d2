// From labels to the next centers: means, means on the sphere, or Weiszfeld steps towards medians.

import type { Kernels } from '../kernels/index.ts';
import type { RowTile } from './rows.ts';

/** Gathers one pass of labels, then moves the centers. */
export interface CenterUpdate {
  /** Weight of the rows of each cluster in this pass, shape (k,). */
  readonly counts: Float64Array;
  /** Forgets the last pass; `centers` are those the rows will be assigned to. */
  reset(centers: Float32Array): void;
  /** Adds a tile. @param distances - squared, to the own center; shape (tile.rows,); needed by medians only */
  add(tile: RowTile, labels: Uint32Array, distances: Float64Array | undefined): Promise<void>;
  /** The next centers, a new array; a cluster without weight keeps its center. */
  next(): Float32Array;
  /** Σ weight · squared distance to `centers`, from the sums; undefined when these do not tell. */
  inertia(): number | undefined;
}

export interface CenterUpdateOptions {
  kernels: Kernels;
  centerCount: number;
  cols: number;
  weights: Float64Array | undefined;
  /** Near the mean of the data, shape (d,). */
  origin: Float32Array;
  /** Σ weight · ‖x − origin‖². */
  scatter: number;
  spherical: boolean;
}

/** Weighted means, the minimisers of Σ weight · distance²; put back on the unit sphere when `spherical`. */
export class MeanUpdate implements CenterUpdate {
  readonly counts: Float64Array;
  private readonly sums: Float64Array;
  private centers: Float32Array = new Float32Array();
  private readonly options: CenterUpdateOptions;

  constructor(options: CenterUpdateOptions) {
    this.options = options;
    this.counts = new Float64Array(options.centerCount);
    this.sums = new Float64Array(options.centerCount * options.cols);
  }

  reset(centers: Float32Array): void {
    this.centers = centers;
    this.counts.fill(0);
    this.sums.fill(0);
  }

  async add(tile: RowTile, labels: Uint32Array): Promise<void> {
    const { kernels, centerCount, cols, weights } = this.options;
    const tileWeights = weights?.subarray(tile.start, tile.start + tile.rows);
    await kernels.labelSums({
      points: tile.data,
      rows: tile.rows,
      dim: cols,
      labels,
      centerCount,
      ...(tileWeights && { weights: tileWeights }),
      sums: this.sums,
      counts: this.counts,
    });
  }

  next(): Float32Array {
    const { centerCount, cols, spherical } = this.options;
    const next = this.centers.slice();
    for (let j = 0; j < centerCount; j++) {
      let divisor = this.counts[j];
      if (spherical) {
        // On the sphere Σ w‖x − c‖² = 2Σw − 2 c·Σwx is least at Σwx / ‖Σwx‖, and equal everywhere when that sum is 0.
        let square = 0;
        for (let p = j * cols; p < (j + 1) * cols; p++) square += this.sums[p] * this.sums[p];
        divisor = Math.sqrt(square);
      }
      if (!(divisor > 0)) continue;
      for (let p = j * cols; p < (j + 1) * cols; p++) next[p] = this.sums[p] / divisor;
    }
    return next;
  }

  inertia(): number {
    const { centerCount, cols, origin, scatter } = this.options;
    // Σw‖x − c‖² = Σw‖x − o‖² + Σⱼ [nⱼ‖cⱼ − o‖² − 2 (cⱼ − o)·(Sⱼ − nⱼ o)]: O(k d) instead of O(n d).
    let value = scatter;
    for (let j = 0; j < centerCount; j++) {
      for (let p = 0; p < cols; p++) {
        const c = this.centers[j * cols + p] - origin[p];
        value += c * (this.counts[j] * c - 2 * (this.sums[j * cols + p] - this.counts[j] * origin[p]));
      }
    }
    return Math.max(0, value);
  }
}

/**
 * One Weiszfeld step per pass towards the geometric medians, the minimisers of Σ weight · distance.
 *
 * Each step minimises a quadratic majorant of the objective at the present centers, so assigning and stepping in turn never
 * raises it; more steps per pass would need the distances again. A center that lies on a data point (where the majorant does not exist)
 * moves by the rule of Vardi and Zhang (PNAS 2000), which keeps the descent and stops there only at the median.
 */
export class MedianUpdate implements CenterUpdate {
  readonly counts: Float64Array;
  private readonly sums: Float64Array;
  private readonly pulls: Float64Array; // Σ w / d over the rows off the center
  private readonly resting: Float64Array; // Σ w of the rows on the center
  private tileWeights: Float64Array = new Float64Array();
  private centers: Float32Array = new Float32Array();
  private resolution: Float64Array = new Float64Array(); // squared distance below which a row is on its center
  private readonly options: CenterUpdateOptions;

  constructor(options: CenterUpdateOptions) {
    this.options = options;
    const { centerCount, cols } = options;
    this.counts = new Float64Array(centerCount);
    this.pulls = new Float64Array(centerCount);
    this.resting = new Float64Array(centerCount);
    this.sums = new Float64Array(centerCount * cols);
  }

  reset(centers: Float32Array): void {
    const { centerCount, cols } = this.options;
    this.centers = centers;
    for (const array of [this.counts, this.pulls, this.resting, this.sums]) array.fill(0);
    // Centers are float32: a row nearer than their rounding, 2⁻²⁴ of each coordinate, is on the center.
    this.resolution = new Float64Array(centerCount);
    for (let p = 0; p < centerCount * cols; p++) {
      this.resolution[Math.floor(p / cols)] += (centers[p] * 2 ** -23) ** 2;
    }
  }

  async add(tile: RowTile, labels: Uint32Array, distances: Float64Array): Promise<void> {
    const { kernels, centerCount, cols, weights } = this.options;
    if (this.tileWeights.length < tile.rows) this.tileWeights = new Float64Array(tile.rows);
    const pulls = this.tileWeights.subarray(0, tile.rows);
    for (let i = 0; i < tile.rows; i++) {
      const weight = weights ? weights[tile.start + i] : 1;
      const label = labels[i];
      this.counts[label] += weight;
      if (distances[i] > this.resolution[label]) {
        pulls[i] = weight / Math.sqrt(distances[i]);
      } else {
        pulls[i] = 0;
        this.resting[label] += weight;
      }
    }
    await kernels.labelSums({
      points: tile.data,
      rows: tile.rows,
      dim: cols,
      labels,
      centerCount,
      weights: pulls,
      sums: this.sums,
      counts: this.pulls,
    });
  }

  next(): Float32Array {
    const { centerCount, cols } = this.options;
    const next = this.centers.slice();
    for (let j = 0; j < centerCount; j++) {
      const pull = this.pulls[j];
      if (!(pull > 0)) continue;
      let square = 0; // of R = Σ w (x − c) / d, the force on the center
      for (let p = j * cols; p < (j + 1) * cols; p++) square += (this.sums[p] - pull * this.centers[p]) ** 2;
      // Rows resting on the center hold it with up to their weight.
      const share = square > 0 ? Math.max(0, 1 - this.resting[j] / Math.sqrt(square)) : 0;
      for (let p = j * cols; p < (j + 1) * cols; p++) {
        next[p] = this.centers[p] + share * (this.sums[p] / pull - this.centers[p]);
      }
    }
    return next;
  }

  inertia(): undefined {
    return undefined;
  }
}
