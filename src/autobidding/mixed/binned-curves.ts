// Landscapes with thresholds rounded up to a fine logarithmic grid: sums of many steps without sorting them.

import type { AuctionFormat, Landscape } from '../types.ts';

/** ln of the lowest edge below the cap: everything cheaper goes to the first bin. */
const LOG_RANGE = 8.5;

/**
 * Value and spend added by bidding up to each edge of a grid, for some cells of K buckets.
 *
 * Bin x holds the steps with edge(x − 1) < threshold ≤ edge(x), edge(x) = cap · e^(−width · (bins − 1 − x)); bin 0 all below. Steps beyond
 * the cap are left out.
 */
export class BinnedCurves {
  readonly cells: number;
  readonly bins: number;
  /** Ratio of neighbouring edges, in logarithms. */
  readonly width: number;
  /** Added by each bin, shape (cells · bins,). */
  readonly value: Float64Array;
  readonly spend: Float64Array;
  readonly logCap: number;
  /** Upper edges of the bins, shape (bins,). */
  readonly edges: Float64Array;

  constructor(cells: number, width: number, cap: number) {
    this.cells = cells;
    this.width = width;
    this.logCap = Math.log(cap);
    this.bins = Math.ceil(LOG_RANGE / width);
    this.edges = Float64Array.from({ length: this.bins }, (_, bin) => Math.exp(this.edge(bin)));
    this.value = new Float64Array(cells * this.bins);
    this.spend = new Float64Array(cells * this.bins);
  }

  clear(): void {
    this.value.fill(0);
    this.spend.fill(0);
  }

  /** Bin of a threshold's logarithm; `bins` where it is beyond the cap. */
  binOf(log: number): number {
    // The least bit of rounding up, so that a threshold on an edge is never taken to be below it.
    const bin = Math.ceil((log - this.logCap) / this.width + 1e-9) + this.bins - 1;
    return bin < 0 ? 0 : bin < this.bins ? bin : this.bins;
  }

  add(cell: number, log: number, value: number, spend: number): void {
    const bin = this.binOf(log);
    if (bin === this.bins) return;
    this.value[cell * this.bins + bin] += value;
    this.spend[cell * this.bins + bin] += spend;
  }

  /** ln of the upper edge of a bin. */
  edge(bin: number): number {
    return this.logCap - this.width * (this.bins - 1 - bin);
  }

  /**
   * The landscape of the buckets in cells first … first + buckets − 1, with a step for each bin that holds any.
   *
   * Without `relaxed` its steps are what bidding the bins' upper edges gives, all of which can be had. With it no multiplier, nor any mixture,
   * is better than mixtures of its steps: a bid within a bin takes part of the bin's value, and pays at least the lower edge times that
   * beyond what all below costs (in first price: times all its value), so it lies on or below the segment from a step to the one before.
   */
  landscape(
    first: number,
    entries: Uint32Array,
    format: AuctionFormat,
    { relaxed }: { relaxed: boolean },
  ): Landscape {
    const { edges } = this;
    const buckets = entries.length;
    const bucketOffsets = new Uint32Array(buckets + 1);
    let steps = 0;
    for (let at = first * this.bins; at < (first + buckets) * this.bins; at++)
      if (this.value[at] > 0) steps++;
    const [thresholds, values, spends] = [
      new Float64Array(steps),
      new Float64Array(steps),
      new Float64Array(steps),
    ];
    let count = 0;
    for (let k = 0; k < buckets; k++) {
      let value = 0;
      let spend = 0;
      for (let bin = 0; bin < this.bins; bin++) {
        const at = (first + k) * this.bins + bin;
        const added = this.value[at];
        if (!(added > 0)) continue;
        value += added;
        const upper = edges[bin];
        const lower = bin === 0 ? 0 : edges[bin - 1];
        thresholds[count] = upper;
        values[count] = value;
        if (format === 'fpa') spends[count] = (relaxed ? lower : upper) * value;
        else {
          spends[count] = relaxed ? spend + Math.min(lower * added, this.spend[at]) : spend + this.spend[at];
          spend += this.spend[at];
        }
        count++;
      }
      bucketOffsets[k + 1] = count;
    }
    return { bucketOffsets, thresholds, value: values, spend: spends, entries };
  }

  /** Totals of bidding e^log in a cell, steps at or below whole bins only: at most a bin's width below the truth. */
  cumulate(cell: number): { value: Float64Array; spend: Float64Array } {
    const value = this.value.slice(cell * this.bins, (cell + 1) * this.bins);
    const spend = this.spend.slice(cell * this.bins, (cell + 1) * this.bins);
    for (let bin = 1; bin < this.bins; bin++) {
      value[bin] += value[bin - 1];
      spend[bin] += spend[bin - 1];
    }
    return { value, spend };
  }
}

/** Width of bins in ln of the multiplier while learning: fine against the spread of play. */
export const LEARNING_WIDTH = 0.005;

/** Width of bins where the certificate is made, in ln of the multiplier: bounds are loose by about that, relative to prices. */
export const FINE_WIDTH = 1e-4;
