// How far each row may be off, from the very samples that made it.

import type { AttentionTiles, Kernels } from '../kernels/index.ts';
import { PlanBuilder, range } from './plan-builder.ts';
import { headRows, type Problem } from './problem.ts';
import type { AttentionResult, HyperTrace, ResidualSampling } from './types.ts';

/**
 * Estimated standard error of ‖õ_i − o_i‖₂ for every row, given the hash: 0 where nothing was sampled.
 *
 * With a_t = e^{s_t} n/m of the sampled keys and the total mass D, the variance of õ_i is about Σ a_t² ‖v_t − õ_i‖² / D². Σ a_t² (·) is attention at half the
 * temperature: the sampled keys again, with logits and log-weights doubled, give ln Σ a_t² and the means of v and ‖v‖² under a_t². Samples without
 * replacement vary less by 1 − m/n, for the keys that none is left of. Stratified ones vary less by what the strata differ in, which one sample a stratum cannot tell:
 * there it is an upper value, as it is, a little, beside blocks, whose part of Σ a (v − o) = 0 is not taken off. Derived.
 *
 * @returns shape (heads, n_q), in the unit of the values
 *
 * Time m / (b + m) of HyperAttention's own; memory for one copy of the values.
 */
export async function rowStandardErrors(
  problem: Problem,
  { output, lse, trace }: AttentionResult & { trace: HyperTrace },
  sampling: ResidualSampling,
  kernels: Kernels,
): Promise<Float64Array> {
  const { logits } = problem;
  const { heads, queryRows, valueDim } = logits;
  const rows = heads * queryRows;
  const width = valueDim + 1;
  const means = new Float32Array(rows * width);
  const logSquares = new Float64Array(rows).fill(-Infinity);
  const doubled = (values: Float32Array | undefined) => values?.map((x) => 2 * x);
  const task = {
    ...logits,
    ...withSquaredNorms(problem),
    scale: 2 * logits.scale,
    keyLogWeights: doubled(logits.keyLogWeights),
    bias: doubled(logits.bias),
    slopes: doubled(logits.slopes),
  };
  for (const plan of trace.plans) {
    const tiles = sampledPart(plan, sampling);
    if (tiles.heads.length > 0)
      await kernels.attention({ ...task, tiles, out: means, lse: logSquares, merge: true });
  }
  return logSquares.map((logSquare, i) => {
    if (logSquare === -Infinity) return 0;
    let [product, square] = [0, 0];
    for (let c = 0; c < valueDim; c++) {
      const o = output.data[i * valueDim + c];
      product += means[i * width + c] * o;
      square += o * o;
    }
    const spread = Math.max(0, means[i * width + valueDim] - 2 * product + square);
    return Math.sqrt(spread) * Math.exp(logSquare / 2 - lse[i]);
  });
}

/**
 * Does rows again exactly, in place, and takes them out of the trace's plans.
 *
 * @param isBad - by index of a row among all heads' rows @returns how many there were
 */
export async function redoExactly(
  problem: Problem,
  { output, lse, trace }: AttentionResult & { trace: HyperTrace },
  isBad: (index: number) => boolean,
  kernels: Kernels,
): Promise<number> {
  const { heads, queryRows, keyRows, valueDim } = problem.logits;
  const plan = new PlanBuilder();
  const start = plan.addKeys(range(0, keyRows));
  let [count, pairs] = [0, 0];
  for (let head = 0; head < heads; head++) {
    const bad = range(0, queryRows).filter((row) => isBad(head * queryRows + row));
    plan.addTile(head, bad, [{ start, end: start + keyRows, logWeight: 0 }]);
    count += bad.length;
    for (const row of bad) {
      pairs += problem.causal ? row + 1 : keyRows;
      const at = head * queryRows + row;
      // Merged with nothing, a row is overwritten; rows of no tile stay as they are.
      lse[at] = -Infinity;
      output.data.fill(0, at * valueDim, (at + 1) * valueDim);
    }
  }
  if (count === 0) return 0;
  const tiles = plan.build();
  await kernels.attention({ ...problem.logits, tiles, out: output.data, lse, merge: true });
  trace.plans = [
    ...trace.plans.map((old) => withoutRows(old, (head, row) => isBad(head * queryRows + row))),
    tiles,
  ];
  trace.pairs += pairs;
  return count;
}

/** The values of all key heads with a column ‖v‖² beside them, as float32 keys and values. */
function withSquaredNorms({ logits }: Problem) {
  const { keyHeads, keyRows, dim, valueDim, storage = 'float32' } = logits;
  const values = new Float32Array(keyHeads * keyRows * (valueDim + 1));
  for (let head = 0; head < keyHeads; head++) {
    const own = headRows({ data: logits.values, storage }, head, keyRows, valueDim);
    for (let j = 0; j < keyRows; j++) {
      const at = (head * keyRows + j) * (valueDim + 1);
      let square = 0;
      for (let c = 0; c < valueDim; c++) {
        const v = own[j * valueDim + c];
        values[at + c] = v;
        square += v * v;
      }
      values[at + valueDim] = square;
    }
  }
  const keys = headRows({ data: logits.keys, storage }, 0, keyHeads * keyRows, dim);
  return { keys, values, storage: 'float32' as const, valueDim: valueDim + 1 };
}

/** A plan's sampled segments alone, with the log-weights of squares: 2 ln(n/m), and ln(1 − m/n) more without replacement. */
function sampledPart(plan: AttentionTiles, sampling: ResidualSampling): AttentionTiles {
  return rebuilt(
    plan,
    (segment) => plan.logWeights[segment] !== 0,
    () => true,
    (logWeight) =>
      2 * logWeight + (sampling === 'without-replacement' ? Math.log(-Math.expm1(-logWeight)) : 0),
  );
}

function withoutRows(plan: AttentionTiles, drop: (head: number, row: number) => boolean): AttentionTiles {
  return rebuilt(
    plan,
    () => true,
    (head, row) => !drop(head, row),
    (logWeight) => logWeight,
  );
}

function rebuilt(
  plan: AttentionTiles,
  keepSegment: (segment: number) => boolean,
  keepRow: (head: number, row: number) => boolean,
  weigh: (logWeight: number) => number,
): AttentionTiles {
  const builder = new PlanBuilder();
  builder.addKeys(plan.keys);
  plan.heads.forEach((head, t) => {
    const rows = plan.rows
      .subarray(plan.rowStart[t], plan.rowStart[t + 1])
      .filter((row) => keepRow(head, row));
    const segments = range(plan.segmentStart[t], plan.segmentStart[t + 1]).filter(keepSegment);
    builder.addTile(
      head,
      rows,
      Array.from(segments, (s) => ({
        start: plan.keyStart[s],
        end: plan.keyEnd[s],
        logWeight: weigh(plan.logWeights[s]),
      })),
    );
  });
  return builder.build();
}
