// The bags of least spread: exact size-constrained one-dimensional k-means.

import type { Certificate, Certified } from '../../core/certificate.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { yieldToEventLoop } from '../../core/progress.ts';
import { CompensatedSum } from '../../core/sums.ts';
import { type Kernels, loadKernels } from '../../kernels/index.ts';
import type { Bags } from './bags.ts';
import { chunkOffsets, randomBags } from './chunks.ts';
import { type CutMemory, cutMemory, optimalCuts } from './cuts.ts';
import { dequeCuts } from './deque.ts';
import { toSamples } from './part.ts';
import {
  firstBadValue,
  onCostScale,
  resolveSlice,
  type SliceOptions,
  type SliceRequest,
} from './slice-options.ts';
import { tieShuffles } from './sorted-order.ts';

/** Bags and what they cost. */
export interface SlicedBags {
  /** In ascending order of their values. */
  bags: Bags;
  /** Σ over bags of Σ w (v − v̄)² + penalty + noisePenalty · mean b″, from the bags themselves by compensated sums; NaN for a bad prior. */
  cost: number;
}

const SOURCE =
  'arXiv 2402.04987 (bags as size-constrained one-dimensional k-means); derived: the programme and its rounding';

/**
 * Bags of least cost: samples with similar predicted means together, at least `minSize` each.
 *
 * Minimises Σ Σ w (v − v̄)² over all partitions into bags of allowed sizes. Some optimum is made of runs of the sorted values (with weights or
 * noise that need not be so; then runs are what is optimised over); it is found by a dynamic programme over the runs' ends, from both ends at once. With a penalty and no largest size, by a queue of starts.
 *
 * @param values - predicted means, shape (n,), finite; any finite scale and offset
 * @returns the bags and their cost; the certificate bounds the cost above the least one, in squared units of the cost scale
 * @throws {InvalidArgumentError} n < minSize, sizes that n samples cannot be cut into, values that are not finite (unless `onBadPrior` is
 * 'random') or outside the family's domain, weights outside their range, or options that exclude each other @throws {ShapeError} lengths do not fit
 *
 * O(n log k) time in general, O(n · maxSize) with `noisePenalty`; at most 40 bytes a sample, 80 with a penalty and no `maxSize`. Equal seeds give equal
 * bags on every backend and in the browser.
 * Source: arXiv 2402.04987, which reduces the choice of bags to this problem; programme, bound and error analysis are derived here.
 *
 * @example
 * const { value } = await sliceBags(model.predict(features), { minSize: 50, seed: 1 });
 */
export async function sliceBags(values: Float64Array, options: SliceOptions): Promise<Certified<SlicedBags>> {
  const { seed, signal, onProgress } = options;
  signal?.throwIfAborted();
  const raw = resolveSlice(values, options);
  const bad = firstBadValue(values);
  if (bad >= 0) return badPrior(raw, options, bad);
  const request = onCostScale(raw, options);
  const kernels = await loadKernels();
  const { count } = request.part;
  onProgress?.({ phase: 'sorting', done: 0, total: 1 });
  const order = new Uint32Array(count);
  const sorted = new Float64Array(count);
  // Sorting ends before cutting begins, so both write to the same memory.
  const memory = usesQueue(request) ? undefined : cutMemory(count, request.maxSize);
  const spare = memory && { keys: memory.costs, order: memory.sizes };
  await kernels.argsort({ values: request.values, order, sorted, spare });
  signal?.throwIfAborted();
  for (const _ of tieShuffles(order, sorted, seed)) {
    await yieldToEventLoop();
    signal?.throwIfAborted();
  }
  const scale = rescale(sorted);
  const weights = request.weights && takeAt(request.weights, order);
  const noise = request.noise && takeAt(request.noise, order);
  const ordered = { ...request, weights, noise };
  const offsets = await cut(sorted, scale, ordered, kernels, options, memory);
  signal?.throwIfAborted();
  const squares = squaresOf(sorted, offsets, weights) / scale[0] ** 2 / scale[1] ** 2;
  const cost = squares + penaltiesOf(offsets, ordered);
  const bags: Bags = { samples: request.part.samples, members: toSamples(order, request.part), offsets };
  const backend = `${kernels.backend} ${kernels.simd}`;
  const bound = boundOf(sorted, scale, offsets, ordered, cost);
  return {
    value: { bags, cost },
    certificate: certificateOf(ordered, offsets, { cost, bound, seed, backend }),
  };
}

/** Two powers of two whose product the values were multiplied by: 2^1074 is no number. */
type Scale = readonly [number, number];

function cut(
  sorted: Float64Array,
  [a, b]: Scale,
  request: SliceRequest,
  kernels: Kernels,
  run: SliceOptions,
  memory: CutMemory | undefined,
): Promise<Uint32Array> | Uint32Array {
  // Above 2⁹⁰⁰ a penalty outweighs any squares of values of this scale as it is.
  const scaled = (cost: number) => Math.min(2 ** 900, cost * a * a * b * b);
  const rules = { ...request, penalty: scaled(request.penalty), noise: request.noise?.map(scaled) };
  if (request.exact) return chunkOffsets(sorted.length, request.minSize);
  if (usesQueue(request)) return dequeCuts(sorted, rules, run);
  return optimalCuts(sorted, rules, kernels, run, memory);
}

/** There is no largest size, and no noise, which the queue cannot do. */
function usesQueue({ isUnbounded, noise }: SliceRequest): boolean {
  return isUnbounded && !noise;
}

/** Multiplies values whose squares would overflow or vanish by a power of two, in place: that loses nothing. @returns 1 · 1 for usual values */
function rescale(sorted: Float64Array): Scale {
  const half = sorted[sorted.length - 1] / 2 - sorted[0] / 2;
  if (half === 0 || (half > 2 ** -400 && half < 2 ** 400)) return [1, 1];
  const exponent = -Math.floor(Math.log2(half));
  const scale = [2 ** Math.trunc(exponent / 2), 2 ** (exponent - Math.trunc(exponent / 2))] as const;
  for (let i = 0; i < sorted.length; i++) sorted[i] = sorted[i] * scale[0] * scale[1];
  return scale;
}

function takeAt(values: Float64Array, order: Uint32Array): Float64Array {
  return Float64Array.from(order, (i) => values[i]);
}

/** Σ Σ w (v − v̄)² from the bags themselves: each by two passes around a value of its own, all by a compensated sum. */
function squaresOf(sorted: Float64Array, offsets: Uint32Array, weights: Float64Array | undefined): number {
  const total = new CompensatedSum();
  for (let a = 0; a + 1 < offsets.length; a++) {
    const [start, end] = [offsets[a], offsets[a + 1]];
    const anchor = sorted[start];
    let weight = 0;
    let sum = 0;
    for (let i = start; i < end; i++) {
      const w = weights ? weights[i] : 1;
      weight += w;
      sum += w * (sorted[i] - anchor);
    }
    const mean = sum / weight;
    let squares = 0;
    let rest = 0; // what rounding left of the mean: corrects the squares to second order
    for (let i = start; i < end; i++) {
      const w = weights ? weights[i] : 1;
      const difference = sorted[i] - anchor - mean;
      squares += w * difference * difference;
      rest += w * difference;
    }
    total.add(Math.max(0, squares - (rest * rest) / weight));
  }
  return total.value;
}

function penaltiesOf(offsets: Uint32Array, { penalty, noise }: SliceRequest): number {
  const total = new CompensatedSum();
  for (let a = 0; a + 1 < offsets.length; a++) {
    total.add(penalty);
    if (noise) total.add(mean(noise.subarray(offsets[a], offsets[a + 1])));
  }
  return total.value;
}

/** How far above the least cost rounding may have left these bags, by the error analysis of the programme that cut them. */
function boundOf(
  sorted: Float64Array,
  [a, b]: Scale,
  offsets: Uint32Array,
  request: SliceRequest,
  cost: number,
): number {
  const { exact, maxSize, weights } = request;
  if (exact) return Infinity; // chunks are what was asked for, not an optimum
  if (cost === 0) return 0;
  if (usesQueue(request)) {
    // 106 bits of prefix sums over everything, and the rounding of a few costs.
    const anchor = sorted[sorted.length >>> 1];
    const scatter = sorted.reduce((sum, v, i) => sum + (weights ? weights[i] : 1) * (v - anchor) ** 2, 0);
    return 2 ** -49 * cost + (offsets.length * sorted.length * 2 ** -100 * scatter) / a ** 2 / b ** 2;
  }
  // (3 m + 10) u Σ w d² a bag, d from a value of its own; Σ w d² ≤ m w_max R² ≤ 2 m (w_max / w_min) · its cost, for the two ends of its
  // range R alone cost w_min R² / 2. Once for these bags and once for the best ones.
  const ratio = weights ? largestOf(weights) / smallestOf(weights) : 1;
  return (4 * maxSize * (3 * maxSize + 10) * ratio + 32) * 2 ** -53 * cost;
}

function certificateOf(
  { exact, minSize, weights, noise }: SliceRequest,
  offsets: Uint32Array,
  { cost, bound, seed, backend }: { cost: number; bound: number; seed: number; backend: string },
): Certificate {
  // Exchanging two samples between bags moves no cost up where all count the same; with weights or noise it may.
  const byRuns = weights !== undefined || noise !== undefined;
  const smallest = smallestOf(offsets.subarray(1).map((end, a) => end - offsets[a]));
  return {
    statement: exact
      ? 'cost of these chunks above the least cost of any bags of this size or more'
      : `cost of these bags above the least cost of any partition into ${byRuns ? 'runs of the sorted values' : 'bags'} of the allowed sizes`,
    source: SOURCE,
    assumptions: [
      byRuns
        ? { statement: 'bags are runs of the sorted values', status: 'proved' }
        : {
            statement: 'some optimum over all partitions is made of runs of the sorted values',
            status: 'proved',
          },
      {
        statement: `every bag has at least ${minSize} samples`,
        status: smallest >= minSize ? 'checked' : 'violated',
        measured: smallest,
        measure: 'samples of the smallest bag',
      },
    ],
    bound: { value: bound, unit: 'squared units of the values', failureProbability: 0, scale: cost },
    seed,
    backend,
    warnings: exact
      ? ['exactSize: chunks of the sorted values, whose cost is not compared with other cuts.']
      : [],
  };
}

function badPrior(request: SliceRequest, options: SliceOptions, at: number): Certified<SlicedBags> {
  const { seed, onBadPrior = 'throw' } = options;
  const { part, values, minSize } = request;
  const what = `values[${at}] is ${values[at]}`;
  if (onBadPrior === 'throw') {
    throw new InvalidArgumentError(
      `sliceBags: ${what}; expected a finite number. The prior model has diverged: fit it again, or pass onBadPrior: "random".`,
    );
  }
  const { members = Uint32Array.from(values, (_, i) => i), samples } = part;
  const bags = randomBags({ members, samples, size: minSize, seed });
  return {
    value: { bags, cost: Number.NaN },
    certificate: {
      statement: 'cost of these bags above the least cost of any partition into bags of the allowed sizes',
      source: SOURCE,
      assumptions: [
        {
          statement: 'predictions are finite',
          status: 'violated',
          measured: at,
          measure: 'first that is not',
        },
      ],
      bound: { value: Infinity, unit: 'squared units of the values', failureProbability: 0 },
      seed,
      backend: 'none',
      warnings: [`The prior is of no use (${what}): these are random bags.`],
    },
  };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

function smallestOf(values: Float64Array | Uint32Array): number {
  let least = Infinity;
  for (let i = 0; i < values.length; i++) least = Math.min(least, values[i]);
  return least;
}

function largestOf(values: Float64Array): number {
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]);
  return most;
}
