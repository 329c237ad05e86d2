// Means of growing groups of rows, with what is certain of the rows that went into each.

import { growArray } from './grow-array.ts';

/** What is known of the n ≥ 1 rows behind a mean m. */
export interface MeanStatistics {
  count: number;
  /** ‖m − true mean‖ ≤ this: the rounding of all updates so far. */
  error: number;
  /** Σ‖x − m‖² ≤ this. */
  scatter: number;
  /** max ‖x − m‖ ≤ this. */
  radius: number;
  /** max ‖x‖ ≤ this. */
  norm: number;
}

/** Scalars kept for each group, in the order of `MeanStatistics`. */
const SCALARS = 5;

/**
 * Rows of float32 means, each with float64 bounds on its rows that hold for certain, rounding of the means included (that of the bounds
 * themselves, a few 2⁻⁵² relative an update, is left to the reader's margin).
 *
 * When a mean moves from m to m′, by s = ‖m′ − m‖, then Σ‖x − m′‖² = Σ‖x − m‖² + 2n⟨x̄ − m, m − m′⟩ + n s², and ⟨x̄ − m, m − m′⟩ ≤ error · s:
 * all bounds are updated from scalars, without the rows. Derived.
 */
export class RunningMeans {
  readonly dim: number;
  /** Keep Σ(x_p − m_p)² of every coordinate too. */
  readonly diagonal: boolean;
  /** Shape (·, dim). */
  means: Float32Array;
  /** Shape (·, dim) with `diagonal`, else empty: Σ(x_p − m_p)² as float32 has it (an estimate, no bound). */
  squares: Float32Array;
  /** Shape (·, 5). */
  scalars: Float64Array;

  constructor(
    dim: number,
    { diagonal = false, capacity = 1 }: { diagonal?: boolean; capacity?: number } = {},
  ) {
    this.dim = dim;
    this.diagonal = diagonal;
    this.means = new Float32Array(capacity * dim);
    this.squares = new Float32Array(diagonal ? capacity * dim : 0);
    this.scalars = new Float64Array(capacity * SCALARS);
  }

  /** Makes group `at` consist of one row. */
  open(at: number, points: Float32Array, start = 0): void {
    const { dim } = this;
    this.means = growArray(this.means, (at + 1) * dim);
    this.scalars = growArray(this.scalars, (at + 1) * SCALARS);
    if (this.diagonal)
      this.squares = growArray(this.squares, (at + 1) * dim).fill(0, at * dim, (at + 1) * dim);
    this.means.set(points.subarray(start, start + dim), at * dim);
    this.write(at, { count: 1, error: 0, scatter: 0, radius: 0, norm: rowNorm(points, start, dim) });
  }

  /** Adds one row to group `at`. */
  add(at: number, points: Float32Array, start = 0): void {
    const { dim } = this;
    const one = { count: 1, error: 0, scatter: 0, radius: 0, norm: rowNorm(points, start, dim) };
    this.absorb(at, points, start, one, undefined, 0);
  }

  /** Adds the rows of group `from` to those of group `into`; `from` is left as it is. */
  merge(into: number, from: number): void {
    this.absorb(into, this.means, from * this.dim, this.statistics(from), this.squares, from * this.dim);
  }

  /** Copies group `from` over group `to`. */
  move(from: number, to: number): void {
    const { dim } = this;
    if (from === to) return;
    this.means.copyWithin(to * dim, from * dim, (from + 1) * dim);
    this.scalars.copyWithin(to * SCALARS, from * SCALARS, (from + 1) * SCALARS);
    if (this.diagonal) this.squares.copyWithin(to * dim, from * dim, (from + 1) * dim);
  }

  statistics(at: number): MeanStatistics {
    const [count, error, scatter, radius, norm] = this.scalars.subarray(at * SCALARS, (at + 1) * SCALARS);
    return { count, error, scatter, radius, norm };
  }

  count(at: number): number {
    return this.scalars[at * SCALARS];
  }

  copy(): RunningMeans {
    const copy = new RunningMeans(this.dim, { diagonal: this.diagonal, capacity: 0 });
    copy.means = this.means.slice();
    copy.squares = this.squares.slice();
    copy.scalars = this.scalars.slice();
    return copy;
  }

  private write(at: number, { count, error, scatter, radius, norm }: MeanStatistics): void {
    this.scalars.set([count, error, scatter, radius, norm], at * SCALARS);
  }

  private absorb(
    at: number,
    others: Float32Array,
    start: number,
    theirs: MeanStatistics,
    squares: Float32Array | undefined,
    squaresStart: number,
  ): void {
    const { dim, means } = this;
    const ours = this.statistics(at);
    const count = ours.count + theirs.count;
    const share = theirs.count / count;
    let rounding = 0; // ‖stored − computed mean‖²
    let ourShift = 0; // ‖new mean − ours‖²
    let theirShift = 0;
    for (let p = 0; p < dim; p++) {
      const our = means[at * dim + p];
      const their = others[start + p];
      const mean = our + share * (their - our);
      means[at * dim + p] = mean;
      const stored = means[at * dim + p];
      rounding += (stored - mean) ** 2;
      ourShift += (stored - our) ** 2;
      theirShift += (stored - their) ** 2;
      if (this.diagonal)
        this.squares[at * dim + p] +=
          (squares ? squares[squaresStart + p] : 0) + ours.count * share * (their - our) ** 2;
    }
    const moved = ({ count: n, error, scatter }: MeanStatistics, squaredShift: number) =>
      scatter + 2 * n * error * Math.sqrt(squaredShift) + n * squaredShift;
    this.write(at, {
      count,
      error: (1 - share) * ours.error + share * theirs.error + Math.sqrt(rounding),
      scatter: moved(ours, ourShift) + moved(theirs, theirShift),
      radius: Math.max(ours.radius + Math.sqrt(ourShift), theirs.radius + Math.sqrt(theirShift)),
      norm: Math.max(ours.norm, theirs.norm),
    });
  }
}

function rowNorm(points: Float32Array, start: number, dim: number): number {
  let sum = 0;
  for (let p = 0; p < dim; p++) sum += points[start + p] ** 2;
  return Math.sqrt(sum);
}
