// Sums of weighted outer products of rows that come one at a time.

import type { Kernels } from '../../kernels/index.ts';

/** Rows that wait for the kernel: enough that a call costs little beside its work. */
const ROWS = 1024;
const FIRST_ROWS = 32;

/** Adds up Σ w·z zᵀ, in the order of the rows: equal input gives equal bits. Memory O(1024 d + d²). */
export class GramBuffer {
  private readonly kernels: Kernels;
  private readonly columns: number;
  private rows: Float64Array;
  private weights: Float64Array;
  private filled = 0;
  private readonly sums: Float64Array;
  private readonly gram: Float64Array;

  constructor(kernels: Kernels, columns: number) {
    this.kernels = kernels;
    this.columns = columns;
    this.rows = new Float64Array(FIRST_ROWS * columns);
    this.weights = new Float64Array(FIRST_ROWS);
    this.sums = new Float64Array(columns);
    this.gram = new Float64Array(columns * columns);
  }

  /** True when `flush` is due; adding more is possible. */
  get full(): boolean {
    return this.filled >= ROWS;
  }

  /** Adds w·z zᵀ. @param values - holds z at `start` … `start + columns − 1` */
  add(values: Float64Array, start: number, weight: number): void {
    if (this.filled === this.weights.length) this.grow();
    const { rows, columns } = this;
    const to = this.filled * columns;
    for (let j = 0; j < columns; j++) rows[to + j] = values[start + j];
    this.weights[this.filled++] = weight;
  }

  async flush(): Promise<void> {
    const { rows: features, columns: cols, filled: count, weights, sums, gram } = this;
    this.filled = 0;
    if (count > 0) await this.kernels.rowMoments({ features, cols, count, weights, sums, gram });
  }

  /** The sum of all rows so far, symmetric row-major, shape (columns, columns). */
  async total(): Promise<Float64Array> {
    await this.flush();
    return this.gram;
  }

  private grow(): void {
    const rows = new Float64Array(2 * this.rows.length);
    rows.set(this.rows);
    const weights = new Float64Array(2 * this.weights.length);
    weights.set(this.weights);
    this.rows = rows;
    this.weights = weights;
  }
}
