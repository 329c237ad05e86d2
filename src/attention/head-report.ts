// What attention looks like, head by head, and where HyperAttention fits.

import { requireInteger } from '../core/check.ts';
import { yieldToEventLoop } from '../core/progress.ts';
import { createRng } from '../core/rng.ts';
import { loadKernels } from '../kernels/index.ts';
import { hyperAttention } from './hyper.ts';
import { operatorNorm } from './operator-norm.ts';
import type { HyperOptions } from './options.ts';
import { oracleProbabilities } from './oracle.ts';
import { checkProblem, headRows } from './problem.ts';
import { exactRows, rowErrors } from './row-sample.ts';
import type { AttentionInput, HyperTrace } from './types.ts';

export interface HeadReport {
  batch: number;
  head: number;
  /** n_k · max_j ‖P e_j‖² over the keys that are not skipped, from the sampled rows: n_q / n_k for uniform attention, n_q n_k where one key takes all of all rows. */
  alpha: number;
  /** The theorem's κ of the sampled rows: the largest Σ_j e^{s_ij} over keys that row i does not meet exactly ÷ the smallest; rows that meet all are left out, 1: all do. */
  kappa: number;
  /** ‖V‖_F² / ‖V‖_op². */
  valueRank: number;
  /** Share of a row's exact mass that is met exactly (blocks, leaves), mean over the rows. */
  recall: number;
  /** Entropy of a row of P in nats, mean over the rows; ln n for uniform attention. */
  entropy: number;
  /** √(Σ‖õ − o‖² / Σ‖o‖²) on the rows. */
  relativeError: number;
  /** Query rows looked at. */
  rows: number;
}

export interface HeadReportOptions extends HyperOptions {
  /** Query rows per head done exactly, ≥ 1. Default 64. */
  rows?: number;
  /** First keys that α leaves out: those of a causal model take much of all rows, whatever they say. Default 0. */
  skippedKeys?: number;
}

/**
 * Statistics of every head that decide whether HyperAttention fits it: the quantities of its theorem, and the error that it makes with these options.
 *
 * @throws {ShapeError} {InvalidArgumentError} as `hyperAttention`
 *
 * Time O(rows · n_k · d) per head in TypeScript, besides one HyperAttention. α, κ, srank: arXiv 2310.05869, main theorem; the estimates are derived.
 */
export async function headReport(
  input: AttentionInput,
  options: HeadReportOptions = {},
): Promise<HeadReport[]> {
  const { rows = 64, skippedKeys = 0, signal, onProgress, ...hyper } = options;
  requireInteger('headReport: rows', rows, 1);
  requireInteger('headReport: skippedKeys', skippedKeys, 0);
  const { value } = await hyperAttention(input, { ...hyper, signal, certifyRows: 0 });
  const kernels = await loadKernels();
  const problem = await checkProblem('headReport', input, kernels);
  const exact = await exactRows(problem, rows, createRng(options.seed ?? 0).fork('head report'), kernels);
  const { heads, keyHeads, queryRows, keyRows, valueDim, values, storage = 'float32' } = problem.logits;
  const reports: HeadReport[] = [];
  for (let head = 0; head < heads; head++) {
    signal?.throwIfAborted();
    onProgress?.({ phase: 'head report', done: head, total: heads });
    const [batch, own] = [Math.floor(head / problem.headsPerBatch), head % problem.headsPerBatch];
    const columns = new Float64Array(keyRows);
    let [largest, smallest] = [-Infinity, Infinity];
    let [recall, entropy] = [0, 0];
    for (const row of exact.rows) {
      await yieldToEventLoop(); // a row of a long sequence takes milliseconds here
      signal?.throwIfAborted();
      const { values: p, lse } = oracleProbabilities(input, batch, own, row);
      const heavy = exactKeys(value.trace, head, row, keyRows);
      let residual = 0;
      for (let j = 0; j < keyRows; j++) {
        columns[j] += p[j] * p[j];
        if (heavy[j]) recall += p[j];
        else residual += p[j];
        if (p[j] > 0) entropy -= p[j] * Math.log(p[j]);
      }
      if (residual > 0) {
        largest = Math.max(largest, lse + Math.log(residual));
        smallest = Math.min(smallest, lse + Math.log(residual));
      }
    }
    const t = exact.rows.length;
    const v = headRows({ data: values, storage }, Math.floor((head * keyHeads) / heads), keyRows, valueDim);
    const norm = await operatorNorm(v, keyRows, valueDim, kernels);
    const square = v.reduce((sum, x) => sum + x * x, 0);
    reports.push({
      ...{ batch, head: own, rows: t },
      // ‖P e_j‖² is the sum of a column's squares, of which the sample holds t / n_q.
      alpha: keyRows * (queryRows / t) * columns.subarray(skippedKeys).reduce((a, x) => Math.max(a, x), 0),
      kappa: largest === -Infinity ? 1 : Math.exp(largest - smallest),
      valueRank: norm === 0 ? 0 : square / norm ** 2,
      recall: recall / t,
      entropy: entropy / t,
      relativeError: rowErrors(problem, exact, value, head).relative,
    });
  }
  return reports;
}

/** 1 for keys that a query row meets with weight 1; all of them where attention was exact. */
function exactKeys({ plans }: HyperTrace, head: number, row: number, keyRows: number): Uint8Array {
  const met = new Uint8Array(keyRows);
  if (plans.length === 0) return met.fill(1);
  for (const plan of plans)
    for (let t = 0; t < plan.heads.length; t++) {
      if (plan.heads[t] !== head || !plan.rows.subarray(plan.rowStart[t], plan.rowStart[t + 1]).includes(row))
        continue;
      for (let s = plan.segmentStart[t]; s < plan.segmentStart[t + 1]; s++)
        if (plan.logWeights[s] === 0)
          for (const key of plan.keys.subarray(plan.keyStart[s], plan.keyEnd[s])) met[key] = 1;
    }
  return met;
}
