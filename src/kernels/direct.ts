// Float64 squared distances in the one order of summation that all backends share (native/direct.h).

/**
 * ‖x − y‖² of the rows that start at `xStart` and `yStart`.
 *
 * Eight partial sums, over p ≡ 0 … 7 (mod 8), keep additions independent for SIMD; their tree of additions is fixed, so that
 * native, WASM and TypeScript agree to the last bit. Relative error ≤ (⌈dim / 8⌉ + 6) · 2⁻⁵³.
 */
export function directDistance(
  x: Float32Array,
  xStart: number,
  y: Float32Array,
  yStart: number,
  dim: number,
): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let s4 = 0;
  let s5 = 0;
  let s6 = 0;
  let s7 = 0;
  const square = (p: number): number => {
    const difference = x[xStart + p] - y[yStart + p];
    return difference * difference;
  };
  let p = 0;
  for (; p + 8 <= dim; p += 8) {
    s0 += square(p);
    s1 += square(p + 1);
    s2 += square(p + 2);
    s3 += square(p + 3);
    s4 += square(p + 4);
    s5 += square(p + 5);
    s6 += square(p + 6);
    s7 += square(p + 7);
  }
  if (p < dim) s0 += square(p);
  if (p + 1 < dim) s1 += square(p + 1);
  if (p + 2 < dim) s2 += square(p + 2);
  if (p + 3 < dim) s3 += square(p + 3);
  if (p + 4 < dim) s4 += square(p + 4);
  if (p + 5 < dim) s5 += square(p + 5);
  if (p + 6 < dim) s6 += square(p + 6);
  return s0 + s4 + (s2 + s6) + (s1 + s5 + (s3 + s7));
}
