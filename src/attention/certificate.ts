// What HyperAttention promises: ‖Õ − O‖_op ≤ ε ‖P‖_op ‖V‖_op, with ε from exact answers on a few rows drawn at random.

import type { Certificate } from '../core/certificate.ts';
import { createRng } from '../core/rng.ts';
import { chernoffUpperLimit } from '../core/statistics/index.ts';
import type { Kernels } from '../kernels/index.ts';
import { operatorNormAbove } from './operator-norm.ts';
import type { HyperOptions, HyperSettings } from './options.ts';
import { range } from './plan-builder.ts';
import type { Problem } from './problem.ts';
import { type ExactRows, errorRows, exactRows, rowErrors } from './row-sample.ts';
import type { AttentionResult, HyperTrace } from './types.ts';
import { largestDistance, probabilityFloor, type ValueNorms, valueNorms } from './value-norms.ts';

/**
 * The bound, for the worst head. With e_i = õ_i − o_i the error of row i, ρ the largest ‖v_j − v̄‖ of live keys and R = ρ + max_i ‖õ_i − v̄‖, ‖e_i‖ ≤ R
 * always: o_i is an average of values, so it is no farther from v̄ than ρ, and õ_i is known. Let u be the direction in which E = Õ − O is largest: ‖E‖²_op is the sum of ⟨e_i, u⟩², each in [0, R²]. Of t rows drawn without
 * replacement the mean of ⟨e_i, u⟩² is at most λ, the largest eigenvalue of the mean of e_i e_iᵀ, whatever u is. So with probability 1 − δ / heads
 * ‖E‖_op ≤ R √(n_q μ), μ Chernoff's limit for a mean of λ / R². And ‖P‖_op ≥ √(rows that see a key / live keys), as P maps ones to ones there
 * (derived). Masked keys are no part of P and V.
 */
export async function hyperCertificate(
  problem: Problem,
  settings: HyperSettings,
  result: AttentionResult & { trace: HyperTrace },
  kernels: Kernels,
  { signal }: HyperOptions,
): Promise<Certificate> {
  const { certifyRows, failureProbability, seed } = settings;
  const statement = '‖Õ − O‖_op / (‖P‖_op ‖V‖_op) of the worst head';
  const common = { statement, seed, backend: result.backend, warnings: [] as string[] };
  const unit = 'dimensionless';
  if (metAllKeys(result.trace)) {
    return {
      ...common,
      source: 'arXiv 2310.05869, below n₀: exact attention, rounding aside',
      assumptions: [{ statement: 'all keys were met', status: 'proved' }],
      bound: { value: 0, unit, failureProbability: 0, scale: 1 },
    };
  }
  if (certifyRows === 0) {
    return {
      ...common,
      source: 'arXiv 2310.05869, main theorem; its constants are not known',
      assumptions: [
        { statement: 'α, κ and srank are n^o(1) and m is large enough', status: 'assumed' },
        { statement: 'the blocks hold the heavy entries', status: 'assumed' },
      ],
      bound: { value: Infinity, unit, failureProbability, scale: 1 },
      warnings: ['No rows were checked (certifyRows is 0): nothing is promised.'],
    };
  }
  const exact = await exactRows(problem, certifyRows, createRng(seed).fork('certificate'), kernels);
  signal?.throwIfAborted();
  const { heads, keyHeads } = problem.logits;
  let worst: HeadBound = { epsilon: 0, relative: 0 };
  for (let keyHead = 0; keyHead < keyHeads; keyHead++) {
    const norms = await valueNorms(problem, keyHead, kernels);
    for (let head = (keyHead * heads) / keyHeads; head < ((keyHead + 1) * heads) / keyHeads; head++) {
      const bound = await headBound(problem, exact, result, head, norms, failureProbability / heads, kernels);
      if (bound.epsilon >= worst.epsilon) worst = bound;
    }
    signal?.throwIfAborted();
  }
  const all = exact.rows.length === problem.logits.queryRows;
  return {
    ...common,
    source: 'derived: Chernoff limit on sampled exact rows; form of arXiv 2310.05869, main theorem',
    assumptions: [
      { statement: 'rows checked are a uniform sample', status: 'proved' },
      {
        statement: 'exact outputs are averages of values, so no row is off by more than R',
        status: 'proved',
      },
      {
        statement: 'the blocks and samples fit this input',
        status: 'checked',
        measured: worst.relative,
        measure: `√(Σ‖õ − o‖² / Σ‖o‖²) of ${exact.rows.length} rows of the worst head`,
      },
    ],
    bound: { value: worst.epsilon, unit, failureProbability: all ? 0 : failureProbability, scale: 1 },
  };
}

/** Exact keys only, and as many pairs as there are: blocks too small to be approximated. */
function metAllKeys({ plans, pairs, exactPairs }: HyperTrace): boolean {
  return (
    plans.length === 0 ||
    (pairs === exactPairs && plans.every(({ logWeights }) => logWeights.every((weight) => weight === 0)))
  );
}

interface HeadBound {
  /** Of ‖Õ − O‖_op / (‖P‖_op ‖V‖_op). */
  epsilon: number;
  /** Relative error of the rows looked at. */
  relative: number;
}

async function headBound(
  problem: Problem,
  exact: ExactRows,
  result: AttentionResult,
  head: number,
  norms: ValueNorms,
  failureProbability: number,
  kernels: Kernels,
): Promise<HeadBound> {
  const { queryRows, valueDim } = problem.logits;
  const reach = norms.deviation + (await outputDistance(problem, result, head, norms.center, kernels));
  const t = exact.rows.length;
  const errors = errorRows(problem, exact, result, head);
  const eigenvalue = (await operatorNormAbove(errors, t, valueDim, kernels)) ** 2 / t;
  const mean = reach === 0 ? 0 : Math.min(1, eigenvalue / reach ** 2);
  const limit = t === queryRows ? mean : chernoffUpperLimit(mean, t, failureProbability);
  const size = probabilityFloor(problem, head, result.lse, norms.live) * norms.operator;
  const error = reach * Math.sqrt(queryRows * limit);
  return {
    epsilon: error === 0 ? 0 : error / size,
    relative: rowErrors(problem, exact, result, head).relative,
  };
}

/** max ‖õ_i − v̄‖ over the rows of a head that may be off. */
async function outputDistance(
  { logits: { queryRows, valueDim, bias } }: Problem,
  { output, lse }: AttentionResult,
  head: number,
  center: Float32Array,
  kernels: Kernels,
): Promise<number> {
  const first = head * queryRows;
  const own = output.data.subarray(first * valueDim, (first + queryRows) * valueDim);
  // A bias of −∞ may hide all the keys that an approximate row meets: its output is then 0 and no average. Without one, a row that meets none sees none.
  if (bias || !lse.subarray(first, first + queryRows).includes(-Infinity))
    return largestDistance(own, center, kernels);
  const rows = range(0, queryRows).filter((row) => lse[first + row] > -Infinity);
  const seeing = new Float32Array(rows.length * valueDim);
  rows.forEach((row, i) => {
    seeing.set(own.subarray(row * valueDim, (row + 1) * valueDim), i * valueDim);
  });
  return largestDistance(seeing, center, kernels);
}
