// Angles of rotary position embedding, by their cosines and sines.

export interface RotaryTable {
  /** Shape (positions, pairs). */
  cos: Float32Array;
  sin: Float32Array;
}

/**
 * Cosine and sine of position · frequency, times `amplitude`, for the kernel `rotary`.
 *
 * @param positions - shape (rows,), finite
 * @param frequencies - shape (pairs,), radians a position: base^(−2i / dim), as a model's scaling changes them
 * @param into - receives the table, from its start; default: new arrays. Reuse it where steps were prepared with it.
 * @param amplitude - default 1; YaRN's attention factor
 *
 * Angles are formed and reduced in float64: off by at most |angle| · 2⁻⁵³, then rounded to float32. O(rows · pairs).
 * Reference: arXiv 2104.09864 (RoFormer) §3.2.2, equation 15.
 */
export function rotaryTable(
  positions: ArrayLike<number>,
  frequencies: ArrayLike<number>,
  into?: RotaryTable,
  amplitude = 1,
): RotaryTable {
  const pairs = frequencies.length;
  const size = positions.length * pairs;
  const { cos, sin } = into ?? { cos: new Float32Array(size), sin: new Float32Array(size) };
  for (let row = 0; row < positions.length; row++)
    for (let i = 0; i < pairs; i++) {
      const angle = positions[row] * frequencies[i];
      cos[row * pairs + i] = amplitude * Math.cos(angle);
      sin[row * pairs + i] = amplitude * Math.sin(angle);
    }
  return { cos, sin };
}
