// How far float32 alone can move an output of the attention kernels: what no bound of an algorithm covers.

import type { Kernels } from '../kernels/index.ts';
import { headRows, type Problem } from './problem.ts';
import { largestDistance } from './value-norms.ts';

const HALF_ULP = 2 ** -24;

/**
 * A share η with ‖computed o_i − o_i‖ ≤ η · max ‖v_j‖ for every row of a head: all weights are off by at most a factor 1 ± η/2.
 *
 * A logit is off by δ ≤ 2⁻²⁴ ((d + 3) |scale| ‖q‖ ‖k‖ + |bias| + |slope| n + |lse|), its weight by e^δ − 1 relatively; sums of n positive terms, exponentials and
 * joining add 2 (n + 4) 2⁻²⁴. Derived, to first order in 2⁻²⁴; the worst case, which sums of random errors stay far below.
 *
 * @param largestLse - largest |lse| of the head's rows, as it is rounded where P is turned
 */
export async function outputRounding(
  { logits }: Problem,
  head: number,
  largestLse: number,
  kernels: Kernels,
): Promise<number> {
  const { heads, keyHeads, queryRows, keyRows, dim, scale, bias, slopes, storage = 'float32' } = logits;
  const keyHead = Math.floor((head * keyHeads) / heads);
  const origin = new Float32Array(dim);
  const query = await largestDistance(
    headRows({ data: logits.queries }, head, queryRows, dim),
    origin,
    kernels,
  );
  const key = await largestDistance(
    headRows({ data: logits.keys, storage }, keyHead, keyRows, dim),
    origin,
    kernels,
  );
  const square = queryRows * keyRows;
  const added = bias?.subarray(bias.length > square ? head * square : 0).subarray(0, square);
  const most = added?.reduce((a, x) => (x === -Infinity ? a : Math.max(a, Math.abs(x))), 0) ?? 0;
  const slope = Math.abs(slopes?.[head] ?? 0) * Math.max(queryRows, keyRows);
  const logit = HALF_ULP * ((dim + 3) * Math.abs(scale) * query * key + most + slope + largestLse);
  return 2 * (Math.expm1(logit) + 2 * (keyRows + 4) * HALF_ULP);
}
