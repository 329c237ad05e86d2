// Two results over disjoint keys into one.

import { ShapeError } from '../core/errors.ts';
import type { AttentionResult } from './types.ts';

/**
 * The result over the keys of both: with M = max(l₁, l₂), a = e^{l₁ − M} and c = e^{l₂ − M},
 * O = (a O₁ + c O₂) / (a + c) and lse = M + ln(a + c). Associative and commutative, for any split of the keys.
 *
 * @param a, b - over disjoint lists of keys; left as they are
 * @throws {ShapeError} their shapes differ
 *
 * Time O(rows · d_v). Source: arXiv 2310.05869, the step that joins blocks and residual.
 */
export function mergeAttention(a: AttentionResult, b: AttentionResult): AttentionResult {
  const { cols } = a.output;
  if (a.lse.length !== b.lse.length || cols !== b.output.cols) {
    throw new ShapeError(
      `mergeAttention: a has ${a.lse.length} rows of ${cols}, b ${b.lse.length} of ${b.output.cols}; expected the same.`,
    );
  }
  const data = new Float32Array(a.output.data.length);
  const lse = new Float64Array(a.lse.length);
  for (let i = 0; i < lse.length; i++) {
    const most = Math.max(a.lse[i], b.lse[i]);
    if (most === -Infinity) {
      lse[i] = -Infinity;
      continue;
    }
    const [first, second] = [Math.exp(a.lse[i] - most), Math.exp(b.lse[i] - most)];
    const total = first + second;
    lse[i] = most + Math.log(total);
    for (let c = i * cols; c < (i + 1) * cols; c++)
      data[c] = (first * a.output.data[c] + second * b.output.data[c]) / total;
  }
  return { output: { ...a.output, data }, lse, backend: a.backend };
}
