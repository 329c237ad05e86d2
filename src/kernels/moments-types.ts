// The tasks behind least squares and its generalisations: what is asked of many float64 rows at once.

/** Float64 rows of a matrix, minus a centre: z_i = features[rows[i]] − center. */
export interface CenteredRows {
  /** Shape (stored rows, cols) row-major. */
  features: Float64Array;
  cols: number;
  /** Which stored rows, shape (count,). Default: the first `count`. */
  rows?: Uint32Array | undefined;
  count: number;
  /** Subtracted from each, shape (cols,): data far from 0 keep their digits. Default: zeros. */
  center?: Float64Array | undefined;
}

/** out[i] = bias + ⟨z_i, coefficients⟩. */
export interface RowProductsTask extends CenteredRows {
  /** Shape (cols,). */
  coefficients: Float64Array;
  bias: number;
  /** Receives the products, shape (count,). */
  out: Float64Array;
}

/** sums += Σ w_i z_i and gram += Σ w_i z_i z_iᵀ. The same bits for any number of threads. */
export interface RowMomentsTask extends CenteredRows {
  /** w, of any sign, shape (count,). */
  weights: Float64Array;
  /** Added to, shape (cols,). */
  sums: Float64Array;
  /** Added to, shape (cols, cols), symmetric. Left out: not asked for. */
  gram?: Float64Array | undefined;
}

export interface MomentKernels {
  /** O(count · cols). Error ≤ (cols + 2) 2⁻⁵³ Σ|z β|, beside the rounding of z. */
  rowProducts(task: RowProductsTask): Promise<void>;
  /** O(count · cols), with `gram` O(count · cols²). Error of an entry ≤ (2051 + count / 2048) 2⁻⁵³ Σ|w z z|. */
  rowMoments(task: RowMomentsTask): Promise<void>;
}
