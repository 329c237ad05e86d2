// Sums of outer products of many short rows, by panels: the inner loop of every fit.

/** Rows gathered before they are multiplied: the panel of 50 columns then fits into a first-level cache. */
const PANEL_ROWS = 64;

/**
 * Adds up Σ s·z zᵀ over rows z that come one at a time.
 *
 * Rows wait in a column-major panel; a full one is multiplied in tiles of 4 × 2 columns, whose eight sums stay in registers. Sums run in
 * the order of the rows, so equal input gives equal bits. O(d²/2) multiplications a row, memory O(d²).
 */
export class GramPanel {
  private readonly columns: number;
  /** Columns rounded up to whole tiles; the extra ones stay 0. */
  private readonly padded: number;
  private readonly panel: Float64Array;
  private readonly sums: Float64Array;
  private filled = 0;

  constructor(columns: number) {
    this.columns = columns;
    this.padded = 4 * Math.ceil(columns / 4);
    this.panel = new Float64Array(this.padded * PANEL_ROWS);
    this.sums = new Float64Array(this.padded * this.padded);
  }

  /** Adds s·z zᵀ. @param values - holds z at `start` … `start + columns − 1` @param scale - √s */
  add(values: Float64Array, start: number, scale: number): void {
    const { panel, columns, filled } = this;
    for (let j = 0; j < columns; j++) panel[j * PANEL_ROWS + filled] = scale * values[start + j];
    this.filled++;
    if (this.filled === PANEL_ROWS) this.flush();
  }

  /** The sum so far, row-major symmetric, shape (columns, columns): a copy. */
  total(): Float64Array {
    this.flush();
    const { columns, padded, sums } = this;
    const full = new Float64Array(columns * columns);
    for (let i = 0; i < columns; i++) {
      for (let j = i; j < columns; j++) {
        full[i * columns + j] = sums[i * padded + j];
        full[j * columns + i] = sums[i * padded + j];
      }
    }
    return full;
  }

  private flush(): void {
    const { panel, sums, padded, filled } = this;
    for (let i = 0; i < padded; i += 4) {
      const a = i * PANEL_ROWS;
      // From the diagonal on; what a tile has below it is never read.
      for (let j = i; j < padded; j += 2) {
        const b = j * PANEL_ROWS;
        let s00 = 0;
        let s01 = 0;
        let s10 = 0;
        let s11 = 0;
        let s20 = 0;
        let s21 = 0;
        let s30 = 0;
        let s31 = 0;
        for (let r = 0; r < filled; r++) {
          const b0 = panel[b + r];
          const b1 = panel[b + PANEL_ROWS + r];
          const a0 = panel[a + r];
          const a1 = panel[a + PANEL_ROWS + r];
          const a2 = panel[a + 2 * PANEL_ROWS + r];
          const a3 = panel[a + 3 * PANEL_ROWS + r];
          s00 += a0 * b0;
          s01 += a0 * b1;
          s10 += a1 * b0;
          s11 += a1 * b1;
          s20 += a2 * b0;
          s21 += a2 * b1;
          s30 += a3 * b0;
          s31 += a3 * b1;
        }
        const at = i * padded + j;
        sums[at] += s00;
        sums[at + 1] += s01;
        sums[at + padded] += s10;
        sums[at + padded + 1] += s11;
        sums[at + 2 * padded] += s20;
        sums[at + 2 * padded + 1] += s21;
        sums[at + 3 * padded] += s30;
        sums[at + 3 * padded + 1] += s31;
      }
    }
    this.filled = 0;
  }
}
