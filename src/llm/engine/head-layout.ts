// Rows as layers make them, (rows, heads · dim), and as attention takes them, (heads, rows, dim).

/**
 * Copies rows into a head-major array of `height` rows a head, from row `start` on.
 *
 * @param from - shape (rows, heads · dim)
 * @param to - shape (heads, height, dim)
 */
export function toHeads(
  from: Float32Array,
  to: Float32Array,
  { rows, heads, dim, height, start }: HeadLayout,
): void {
  for (let row = 0; row < rows; row++)
    for (let head = 0; head < heads; head++) {
      const at = (row * heads + head) * dim;
      to.set(from.subarray(at, at + dim), (head * height + start + row) * dim);
    }
}

/** The other way round: rows `start` … `start + rows − 1` of every head. */
export function fromHeads(
  from: Float32Array,
  to: Float32Array,
  { rows, heads, dim, height, start }: HeadLayout,
): void {
  for (let row = 0; row < rows; row++)
    for (let head = 0; head < heads; head++) {
      const at = (head * height + start + row) * dim;
      to.set(from.subarray(at, at + dim), (row * heads + head) * dim);
    }
}

export interface HeadLayout {
  rows: number;
  heads: number;
  dim: number;
  /** Rows of a head in the head-major array. */
  height: number;
  /** The first of them. */
  start: number;
}
