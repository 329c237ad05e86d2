// Noise pools of the ε in use: one that is always full for the usual ε, a few for others.

import { discreteLaplaceVariance, type NoiseScale, noiseScale } from '../privacy/discrete-laplace.ts';
import { unitsToEpsilon } from '../privacy/epsilon.ts';
import type { LabelGrid } from '../privacy/label-grid.ts';
import { NoisePool } from '../privacy/noise-pool.ts';

/** Pools kept for unusual ε; the one unused longest goes first. */
const OTHER_POOLS = 8;
const OTHER_SIZE = 1024;

export class NoiseStock {
  private readonly grid: LabelGrid;
  private readonly usual: NoisePool;
  private readonly others = new Map<number, NoisePool>();
  private readonly variances = new Map<number, number>(); // of sums, by ε

  /**
   * @param usualUnits - the ε of most queries, in units of 10⁻⁹
   * @param usualSize - values of it to hold
   * @throws {InvalidArgumentError} noise at `leastUnits` would have a scale above 2⁴⁰ steps
   */
  constructor(grid: LabelGrid, leastUnits: number, usualUnits: number, usualSize: number) {
    this.grid = grid;
    this.scaleOf(leastUnits);
    this.usual = new NoisePool(this.scaleOf(usualUnits), usualSize);
    this.others.set(usualUnits, this.usual);
    this.refill();
  }

  /** The pool of an ε. */
  of(units: number): NoisePool {
    const pool = this.others.get(units) ?? new NoisePool(this.scaleOf(units), OTHER_SIZE);
    // A map keeps its order: what was used last is at the end.
    this.others.delete(units);
    this.others.set(units, pool);
    for (const [key, old] of this.others) {
      if (this.others.size <= OTHER_POOLS) break;
      if (old !== this.usual) this.others.delete(key);
    }
    return pool;
  }

  /** Fills every pool: to be called while no answer waits for it. */
  refill(): void {
    for (const pool of this.others.values()) pool.fill();
  }

  /** Variance of the noise in the mean of a bag. */
  varianceOf(units: number, size: number): number {
    let ofSum = this.variances.get(units);
    if (ofSum === undefined) {
      ofSum = discreteLaplaceVariance(this.scaleOf(units));
      this.variances.set(units, ofSum);
    }
    return ofSum * (this.grid.step / size) ** 2;
  }

  private scaleOf(units: number): NoiseScale {
    return noiseScale('openAggregator', this.grid.sensitivity, unitsToEpsilon(units));
  }
}
