// How far every row is from the centers chosen so far, and draws in proportion to it.

import { prefixSum, searchPrefix } from '../../core/prefix-sum.ts';
import type { Rng } from '../../core/rng.ts';
import type { Kernels } from '../../kernels/index.ts';
import type { Rows } from '../rows.ts';

export interface SeedingContext {
  rows: Rows;
  kernels: Kernels;
  /** Shape (n,). */
  weights: Float64Array | undefined;
  /** Exponent z > 0 of the objective Σ weight · distance^z. */
  power: number;
  /** Near the mean of the data, shape (d,). */
  origin: Float32Array;
}

/** The state of D^z seeding. */
export class SeedPotential {
  /** Squared distance to the nearest center, shape (n,); Infinity before the first. */
  readonly distances: Float64Array;
  /** Index of the nearest center, in the order they were added, shape (n,). */
  readonly nearest: Uint32Array;
  private added = 0;
  private prefix: Float64Array | undefined;
  private readonly context: SeedingContext;

  constructor(context: SeedingContext) {
    this.context = context;
    this.distances = new Float64Array(context.rows.rows).fill(Infinity);
    this.nearest = new Uint32Array(context.rows.rows);
  }

  /** Takes in further centers, shape (count, d): one pass. */
  async add(centers: Float32Array): Promise<void> {
    const { rows, kernels, origin } = this.context;
    const { cols } = rows;
    const labels = new Uint32Array(Math.min(rows.tileRows, rows.rows));
    const squares = new Float64Array(labels.length);
    for await (const tile of rows.tiles()) {
      await kernels.nearest({
        points: tile.data,
        rows: tile.rows,
        dim: cols,
        centers,
        centerCount: centers.length / cols,
        origin,
        labels,
        distances: squares,
      });
      for (let i = 0, row = tile.start; i < tile.rows; i++, row++) {
        if (squares[i] < this.distances[row]) {
          this.distances[row] = squares[i];
          this.nearest[row] = this.added + labels[i];
        }
      }
    }
    this.added += centers.length / cols;
    this.prefix = undefined;
  }

  /** weight · D^z of a row. */
  mass(row: number): number {
    const { weights, power } = this.context;
    return (weights ? weights[row] : 1) * distanceToPower(this.distances[row], power);
  }

  /** Σ weight · D^z; 0 when every row of positive weight is a center. */
  get total(): number {
    return this.cumulated().at(-1)!;
  }

  /** A row drawn with probability mass / total. @param u - uniform in [0, 1) */
  draw(u: number): number {
    const prefix = this.cumulated();
    return searchPrefix(prefix, u * prefix[prefix.length - 1]);
  }

  private cumulated(): Float64Array {
    if (!this.prefix) {
      const masses = new Float64Array(this.distances.length);
      for (let i = 0; i < masses.length; i++) masses[i] = this.mass(i);
      this.prefix = prefixSum(masses);
    }
    return this.prefix;
  }
}

/** distance^z of a squared distance. */
export function distanceToPower(square: number, power: number): number {
  return power === 2 ? square : square ** (power / 2);
}

/** A row drawn in proportion to its weight. */
export function drawByWeight({ rows, weights }: SeedingContext, rng: Rng): number {
  if (!weights) return rng.integer(rows.rows);
  const prefix = prefixSum(weights);
  return searchPrefix(prefix, rng.next() * prefix[prefix.length - 1]);
}
