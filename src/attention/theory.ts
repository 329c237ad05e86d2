// HyperAttention as its theorem has it: the normaliser with a cap and a floor (arXiv 2310.05869, Algorithm 2), the numerator from columns sampled by ‖v‖²
// (Algorithm 3), causal masking by halves (Algorithm 4). For study: the practical form of hyper.ts is faster and nearer.

import type { Certified } from '../core/certificate.ts';
import { requireInteger, requirePositive } from '../core/check.ts';
import { UnsupportedError } from '../core/errors.ts';
import { yieldToEventLoop } from '../core/progress.ts';
import { createRng, type Rng, sampleIndices } from '../core/rng.ts';
import { type AttentionTiles, type Kernels, loadKernels } from '../kernels/index.ts';
import { hashHeads } from './head-hashes.ts';
import { completeOptions, type HyperOptions, type HyperSettings } from './options.ts';
import { PlanBuilder, range } from './plan-builder.ts';
import { buildPlans, type Rectangle, rectanglesOf } from './plans.ts';
import { checkProblem, emptyResult, headRows, type Problem } from './problem.ts';
import type { AttentionInput, AttentionResult } from './types.ts';

export interface TheoryOptions
  extends Pick<
    HyperOptions,
    'blockSize' | 'hashBits' | 'minSequence' | 'blocks' | 'bucketOrder' | 'seed' | 'signal'
  > {
  /** Rows whose residual is summed exactly for τ, and keys sampled for the normaliser, m ≥ 1. Default 256. */
  sampleSize?: number;
  /** Columns sampled for the numerator, m′ ≥ 1. Default 256. */
  valueSamples?: number;
  /** ε > 0 of the theorem. Default 0.5. */
  epsilon?: number;
  /** κ > 0: residual row sums are at least τ / κ. Default 10. */
  kappa?: number;
  /** Θ-constant of the cap, > 0. Default 1. */
  capConstant?: number;
  /** Cut sampled entries at C_i. Default true. */
  cap?: boolean;
  /** Let no residual fall below τ / κ. Default true. */
  floor?: boolean;
}

type Settings = HyperSettings & Required<Omit<TheoryOptions, keyof HyperOptions>>;

/**
 * d̃_i = h_i + max(ρ_i, τ/κ) with h_i the heavy entries exactly, ρ_i = (n/m) Σ_t min(e^{s_{i,ℓ_t}}, C_i) over sampled keys outside the block and
 * C_i = c ε² m (h_i + τ/κ) / (n ln n); then õ_i = Σ_t e^{s_{i,j_t}} v_{j_t} / (m′ p_{j_t} d̃_i), columns drawn with p_j = ‖v_j‖² / ‖V‖_F².
 *
 * The blocks serve the normaliser alone; the numerator samples all columns, so that rows are no averages of values.
 *
 * @param input - float32, without key mask, bias and slopes
 * @returns õ, and ln d̃ as lse; the certificate quotes the theorem with its constants taken as 1
 * @throws {UnsupportedError} a mask, bias, slopes or half-precision keys are given
 * @throws {ShapeError} {InvalidArgumentError} as `hyperAttention`
 *
 * Time O(n (b + m + m′) d) and m exact rows a rectangle; memory O(n m). Source: arXiv 2310.05869, Algorithms 2, 3 and 4.
 */
export async function theoryAttention(
  input: AttentionInput,
  options: TheoryOptions = {},
): Promise<Certified<AttentionResult>> {
  const name = 'theoryAttention';
  const {
    valueSamples = 256,
    epsilon = 0.5,
    kappa = 10,
    capConstant = 1,
    cap = true,
    floor = true,
    signal,
  } = options;
  const { sampleSize = 256, ...blocks } = options;
  requireInteger(`${name}: sampleSize`, sampleSize, 1);
  requireInteger(`${name}: valueSamples`, valueSamples, 1);
  requirePositive(`${name}: epsilon`, epsilon);
  requirePositive(`${name}: kappa`, kappa);
  requirePositive(`${name}: capConstant`, capConstant);
  if (input.keyMask || input.bias || input.slopes || (input.keys.storage ?? 'float32') !== 'float32') {
    throw new UnsupportedError(
      `${name}: a key mask, bias, slopes or half-precision keys are given; expected none. Use hyperAttention.`,
    );
  }
  const settings: Settings = {
    ...completeOptions(name, blocks, input.causal ?? false),
    ...{ sampleSize, valueSamples, epsilon, kappa, capConstant, cap, floor },
  };
  const kernels = await loadKernels();
  const problem = await checkProblem(name, input, kernels);
  const rng = createRng(settings.seed).fork('theory');
  const result = emptyResult(problem, kernels);
  // The blocks alone: no samples of the practical form.
  const blocksOnly = { ...settings, sampleSize: 0 };
  const hashes = await hashHeads(problem, blocksOnly, rng.fork('directions'), kernels, yieldToEventLoop);
  const { plans } = await buildPlans(problem, blocksOnly, hashes, rng.fork('plans'), yieldToEventLoop);
  const levels = rectanglesOf(problem, blocksOnly);
  const leaves = plans.length - levels.length;
  const normaliser = new Float64Array(result.lse.length).fill(-Infinity);
  for (const [i, plan] of plans.entries()) {
    signal?.throwIfAborted();
    const part =
      i < leaves
        ? await heavySums(problem, plan, kernels)
        : await approximateSums(problem, plan, levels[i - leaves], settings, rng.fork(`level ${i}`), kernels);
    part.forEach((value, row) => {
      normaliser[row] = logAdd(normaliser[row], value);
    });
  }
  await numerator(problem, settings, rng.fork('columns'), result, kernels);
  const { valueDim } = problem.logits;
  result.output.data.forEach((x, i) => {
    const row = Math.floor(i / valueDim);
    result.output.data[i] =
      normaliser[row] === -Infinity ? 0 : x * Math.exp(result.lse[row] - normaliser[row]);
  });
  result.lse.set(normaliser);
  const needed = kappa ** 7 * epsilon ** -6 * Math.log(Math.max(2, problem.logits.keyRows));
  return {
    value: result,
    certificate: {
      statement: '‖Õ − O‖_op / (‖P‖_op ‖V‖_op)',
      source: 'arXiv 2310.05869, main theorem, its hidden constants taken as 1',
      assumptions: [
        { statement: 'κ is at least the spread of the residual row sums', status: 'assumed' },
        {
          statement: 'm ≥ κ⁷ α² ε⁻⁶ ln n, with α = 1',
          status: sampleSize >= needed ? 'checked' : 'violated',
          ...{ measured: sampleSize / needed, measure: 'm ÷ what the theorem asks for' },
        },
      ],
      bound: { value: epsilon, unit: 'dimensionless', failureProbability: 0.02, scale: 1 },
      seed: settings.seed,
      backend: result.backend,
      warnings: ['A study of the theorem: hyperAttention has a certificate that is measured.'],
    },
  };
}

/** ln h_i of every row over the keys its tile lists; −∞ for rows of no tile. */
async function heavySums(
  { logits }: Problem,
  tiles: AttentionTiles,
  kernels: Kernels,
): Promise<Float64Array> {
  const lse = new Float64Array(logits.heads * logits.queryRows);
  const out = new Float32Array(lse.length);
  const ones = new Float32Array(logits.keyHeads * logits.keyRows);
  await kernels.attention({ ...logits, values: ones, valueDim: 1, storage: 'float32', tiles, out, lse });
  return lse;
}

/** ln d̃_i of the rows of one level (Algorithm 2), −∞ elsewhere. */
async function approximateSums(
  problem: Problem,
  plan: AttentionTiles,
  rectangles: readonly Rectangle[],
  settings: Settings,
  rng: Rng,
  kernels: Kernels,
): Promise<Float64Array> {
  const { logits } = problem;
  const heavy = await heavySums(problem, plan, kernels);
  const sums = new Float64Array(heavy.length).fill(-Infinity);
  for (let head = 0; head < logits.heads; head++)
    for (const [r, rectangle] of rectangles.entries()) {
      const own = rng.fork(`head ${head}, rectangle ${r}`);
      await approximateRectangle(problem, plan, head, rectangle, heavy, sums, settings, own, kernels);
    }
  return sums;
}

async function approximateRectangle(
  problem: Problem,
  plan: AttentionTiles,
  head: number,
  { queryStart, queryEnd, keyStart, keyEnd }: Rectangle,
  heavy: Float64Array,
  sums: Float64Array,
  settings: Settings,
  rng: Rng,
  kernels: Kernels,
): Promise<void> {
  const { heads, keyHeads, queryRows, keyRows, dim, scale } = problem.logits;
  const { sampleSize, epsilon, kappa, capConstant, cap, floor } = settings;
  const [rows, keys] = [queryEnd - queryStart, keyEnd - keyStart];
  const first = head * queryRows;
  // Step 1: τ from rows whose residual is summed exactly.
  const chosen = sampleIndices(rows, Math.min(sampleSize, rows), rng.fork('rows'))
    .map((i) => queryStart + i)
    .sort();
  const whole = new PlanBuilder();
  const at = whole.addKeys(range(keyStart, keyEnd));
  whole.addTile(head, chosen, [{ start: at, end: at + keys, logWeight: 0 }]);
  const full = await heavySums(problem, whole.build(), kernels);
  let logTau = -Infinity;
  for (const row of chosen) logTau = Math.max(logTau, logSubtract(full[first + row], heavy[first + row]));
  const logFloor = floor ? logTau - Math.log(kappa) : -Infinity;
  // Steps 2 and 3: one set of sampled keys for all rows.
  const draws = rng.fork('keys');
  const samples = Uint32Array.from({ length: sampleSize }, () => keyStart + draws.integer(keys));
  const keyHead = Math.floor((head * keyHeads) / heads);
  const stored = headRows({ data: problem.logits.keys }, keyHead, keyRows, dim);
  const gathered = new Float32Array(sampleSize * dim);
  samples.forEach((key, t) => {
    gathered.set(stored.subarray(key * dim, (key + 1) * dim), t * dim);
  });
  const queries = headRows({ data: problem.logits.queries }, head, queryRows, dim).subarray(
    queryStart * dim,
    queryEnd * dim,
  );
  const products = new Float32Array(rows * sampleSize);
  await kernels.gemm({
    m: rows,
    n: sampleSize,
    k: dim,
    a: queries,
    b: gathered,
    c: products,
    transposeB: true,
  });
  const logCapFactor = Math.log(
    (capConstant * epsilon ** 2 * sampleSize) / (keys * Math.log(Math.max(2, keys))),
  );
  const logShare = Math.log(keys / sampleSize);
  const isHeavy = new Uint8Array(keyRows);
  plan.heads.forEach((tileHead, t) => {
    const tileRows = plan.rows.subarray(plan.rowStart[t], plan.rowStart[t + 1]);
    if (tileHead !== head || tileRows[0] < queryStart || tileRows[0] >= queryEnd) return;
    const own = segmentsOf(plan, t);
    for (const key of own) isHeavy[key] = 1;
    for (const row of tileRows) {
      const logHeavy = heavy[first + row];
      const logCap = cap ? logCapFactor + logAdd(logHeavy, logTau - Math.log(kappa)) : Infinity;
      let logRho = -Infinity;
      samples.forEach((key, i) => {
        if (isHeavy[key] === 1) return;
        const logit = scale * products[(row - queryStart) * sampleSize + i];
        logRho = logAdd(logRho, Math.min(logit, logCap) + logShare);
      });
      sums[first + row] = logAdd(logHeavy, Math.max(logRho, own.length === keys ? -Infinity : logFloor));
    }
    for (const key of own) isHeavy[key] = 0;
  });
}

/** Algorithm 3: Σ_t e^{s_{i,j_t}} v_{j_t} / (m′ p_{j_t}) as an output and its log-normaliser, into `result`. */
async function numerator(
  { logits }: Problem,
  { valueSamples }: Settings,
  rng: Rng,
  result: AttentionResult,
  kernels: Kernels,
): Promise<void> {
  const { heads, keyHeads, queryRows, keyRows, valueDim, values } = logits;
  const plan = new PlanBuilder();
  for (let head = 0; head < heads; head++) {
    const own = headRows({ data: values }, Math.floor((head * keyHeads) / heads), keyRows, valueDim);
    const cumulative = new Float64Array(keyRows);
    let total = 0;
    for (let j = 0; j < keyRows; j++) {
      for (let c = j * valueDim; c < (j + 1) * valueDim; c++) total += own[c] ** 2;
      cumulative[j] = total;
    }
    if (total === 0) continue;
    const draws = rng.fork(head);
    const columns = Uint32Array.from({ length: valueSamples }, () =>
      firstAbove(cumulative, draws.next() * total),
    );
    const start = plan.addKeys(columns);
    const segments = Array.from(columns, (j, t) => {
      const square = cumulative[j] - (j > 0 ? cumulative[j - 1] : 0);
      return { start: start + t, end: start + t + 1, logWeight: Math.log(total / (valueSamples * square)) };
    });
    plan.addTile(head, range(0, queryRows), segments);
  }
  await kernels.attention({ ...logits, tiles: plan.build(), out: result.output.data, lse: result.lse });
}

/** All keys a tile lists. */
function segmentsOf(plan: AttentionTiles, tile: number): number[] {
  const keys: number[] = [];
  for (let s = plan.segmentStart[tile]; s < plan.segmentStart[tile + 1]; s++)
    keys.push(...plan.keys.subarray(plan.keyStart[s], plan.keyEnd[s]));
  return keys;
}

/** Index of the first entry > value in ascending `sums`. */
function firstAbove(sums: Float64Array, value: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** ln(e^a + e^b). */
function logAdd(a: number, b: number): number {
  const most = Math.max(a, b);
  return most === -Infinity ? most : most + Math.log1p(Math.exp(Math.min(a, b) - most));
}

/** ln(e^a − e^b), −∞ where rounding leaves nothing. */
function logSubtract(a: number, b: number): number {
  return a > b ? a + Math.log(-Math.expm1(b - a)) : -Infinity;
}
