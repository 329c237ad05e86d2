// The tasks behind optimal bags of one-dimensional values: a stable order, and the rows of the programme that cuts it.

/** The stable ascending order of float64 numbers; equal everywhere. −0 counts as 0 and comes out as 0. */
export interface ArgsortTask {
  /** Shape (n,), without NaN, n < 2³². */
  values: Float64Array;
  /** Receives the positions in ascending order of their values, shape (n,). */
  order: Uint32Array;
  /** Receives the values in that order, shape (n,). May not be `values`. */
  sorted: Float64Array;
  /** Memory that may be overwritten, shape (n,) each. Default: the kernel's own, which native ones keep for the next task. */
  spare?: { keys: Float64Array; order: Uint32Array } | undefined;
}

/** The cuts of the first 0, 1, 2, … values, counted from one end. */
export interface SliceProgramme {
  /** Count from the last value down. */
  reversed: boolean;
  /** Rows the programme has, ≤ count: row i is about i values. */
  rows: number;
  /**
   * Least cost of cutting i values into bags of allowed sizes, less an offset that is common to the last `maxSize` rows done; Infinity where
   * it cannot be done. Shape (rows + 1,); costs[0] = 0 before the first call.
   */
  costs: Float64Array;
  /** Size of the last bag of that cut; 0 where there is none. Shape (rows + 1,). */
  sizes: Uint32Array;
}

/**
 * Rows first + 1 … end of one or two programmes: costs[i] = min over j of costs[j] + cost of the bag of values j … i − 1.
 *
 * A bag costs Σ w (v − v̄)² + the mean of its `noise` + `penalty`. Rows come in blocks of minSize, and all sums of a block start from its
 * boundary, which lies inside every bag it looks at: what a bag costs is off by at most (3 m + 10) 2⁻⁵³ Σ w (v − v_b)², v_b a value of
 * that very bag and m its size, however far away the other values are. The same bits from every backend, whatever `first` and `end`.
 */
export interface SliceRowsTask {
  /** Ascending, finite, differences below 2⁵⁰⁰, shape (count,). */
  values: Float64Array;
  count: number;
  /** > 0, shape (count,). Default: ones. */
  weights?: Float64Array | undefined;
  /** Shape (count,). Default: zeros. */
  noise?: Float64Array | undefined;
  /** Sizes allowed, 1 ≤ minSize ≤ maxSize ≤ count. */
  minSize: number;
  maxSize: number;
  /** Added for each bag, ≥ 0. */
  penalty: number;
  /**
   * Search a block's rows by halves: where the best last bag of one row starts bounds where its neighbours' do. It holds where there is no
   * `noise`. Else every size is tried.
   */
  monotone: boolean;
  /** Rows done before, a multiple of minSize. */
  first: number;
  /** Rows to be done after; programmes of fewer rows end sooner. */
  end: number;
  /** One or two; two are done side by side where there are threads. */
  programmes: readonly SliceProgramme[];
}

export interface SliceKernels {
  /** O(n). */
  argsort(task: ArgsortTask): Promise<void>;
  /** O(rows · log minSize) when `monotone` and maxSize = O(minSize), else O(rows · (maxSize − minSize + 1)). */
  sliceRows(task: SliceRowsTask): Promise<void>;
}
