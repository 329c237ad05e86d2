// Means of growing groups of rows, with what is certain of the rows that went into each.

/** What is known of the rows behind a mean m. */
export interface MeanBounds {
  /** ‖m − true mean‖ ≤ this: the rounding of all updates so far. */
  error: number;
  /** Σ‖x − m‖² ≤ this. */
  scatter: number;
  /** max ‖x − m‖ ≤ this. */
  radius: number;
}

/** A mean, what is known of it and how many rows are behind it. */
interface Group extends MeanBounds {
  count: number;
  /** Holds the mean from entry `start` on; and Σ(x_p − m_p)², undefined for a single row. */
  mean: Float32Array;
  squares: Float32Array | undefined;
  start: number;
}

/** Scalars kept for each group: error, scatter, radius. */
const SCALARS = 3;

/**
 * Rows of float32 means, each with float64 bounds on its rows that hold for certain, rounding of the means included (that of the bounds
 * themselves, a few 2⁻⁵² relative an update, is left to the reader's margin). How many rows each group has, its owner knows.
 *
 * When a mean moves from m to m′, by s = ‖m′ − m‖, then Σ‖x − m′‖² = Σ‖x − m‖² + 2n⟨x̄ − m, m − m′⟩ + n s², and ⟨x̄ − m, m − m′⟩ ≤ error · s:
 * all bounds are updated from scalars, without the rows. A radius is at most the root of the scatter, too. Derived.
 */
export class RunningMeans {
  readonly dim: number;
  /** Shape (groups, dim). */
  means: Float32Array;
  /** Σ(x_p − m_p)² of every coordinate as float32 has it (an estimate, no bound), shape (groups, dim); undefined unless asked for. */
  readonly squares: Float32Array | undefined;
  /** Shape (groups, 3). */
  readonly scalars: Float64Array;

  /** @param means - memory to keep the means in, shape (groups, dim). Default: its own */
  constructor(
    dim: number,
    groups: number,
    {
      diagonal = false,
      means = new Float32Array(groups * dim),
    }: { diagonal?: boolean; means?: Float32Array } = {},
  ) {
    this.dim = dim;
    this.means = means;
    this.squares = diagonal ? new Float32Array(groups * dim) : undefined;
    this.scalars = new Float64Array(groups * SCALARS);
  }

  /** Makes group `at` consist of the one row that starts at entry `start` of `points`. */
  open(at: number, points: Float32Array, start = 0): void {
    const { dim } = this;
    this.means.set(points.subarray(start, start + dim), at * dim);
    this.squares?.fill(0, at * dim, (at + 1) * dim);
    this.scalars.fill(0, at * SCALARS, (at + 1) * SCALARS);
  }

  /** Adds one row to group `at`, which has `count` ones. */
  add(at: number, count: number, points: Float32Array, start = 0): void {
    const row = { count: 1, error: 0, scatter: 0, radius: 0, mean: points, squares: undefined, start };
    this.absorb(at, count, row);
  }

  /** Adds the rows of group `from` to those of group `into`; `from` is left as it is. */
  merge(into: number, count: number, from: number, fromCount: number): void {
    const { means: mean, squares, dim } = this;
    this.absorb(into, count, {
      ...{ count: fromCount, ...this.bounds(from) },
      ...{ mean, squares, start: from * dim },
    });
  }

  /** Copies group `from` over group `to`. */
  move(from: number, to: number): void {
    const { dim } = this;
    this.means.copyWithin(to * dim, from * dim, (from + 1) * dim);
    this.squares?.copyWithin(to * dim, from * dim, (from + 1) * dim);
    this.scalars.copyWithin(to * SCALARS, from * SCALARS, (from + 1) * SCALARS);
  }

  bounds(at: number): MeanBounds {
    const [error, scatter, radius] = this.scalars.subarray(at * SCALARS, (at + 1) * SCALARS);
    return { error, scatter, radius: Math.min(radius, Math.sqrt(scatter)) };
  }

  /** Bytes of the arrays held. */
  get bytes(): number {
    return this.means.byteLength + (this.squares?.byteLength ?? 0) + this.scalars.byteLength;
  }

  private absorb(at: number, count: number, theirs: Group): void {
    const { dim, means, squares } = this;
    const ours = this.bounds(at);
    const share = theirs.count / (count + theirs.count);
    let rounding = 0; // ‖stored − computed mean‖²
    let ourShift = 0; // ‖new mean − ours‖²
    let theirShift = 0;
    for (let p = 0; p < dim; p++) {
      const our = means[at * dim + p];
      const their = theirs.mean[theirs.start + p];
      const mean = our + share * (their - our);
      means[at * dim + p] = mean;
      const stored = means[at * dim + p];
      rounding += (stored - mean) ** 2;
      ourShift += (stored - our) ** 2;
      theirShift += (stored - their) ** 2;
      if (squares)
        squares[at * dim + p] +=
          (theirs.squares ? theirs.squares[theirs.start + p] : 0) + count * share * (their - our) ** 2;
    }
    const moved = (n: number, { error, scatter }: MeanBounds, squaredShift: number) =>
      scatter + 2 * n * error * Math.sqrt(squaredShift) + n * squaredShift;
    this.scalars.set(
      [
        (1 - share) * ours.error + share * theirs.error + Math.sqrt(rounding),
        moved(count, ours, ourShift) + moved(theirs.count, theirs, theirShift),
        Math.max(ours.radius + Math.sqrt(ourShift), theirs.radius + Math.sqrt(theirShift)),
      ],
      at * SCALARS,
    );
  }
}
