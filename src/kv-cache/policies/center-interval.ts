// What the rows of a center cache let one say for certain of exact attention over all tokens.

import { clusterInterval, type GroupView, type HeadInterval } from '../cluster-interval.ts';
import type { Slab } from '../slab.ts';
import type { CenterRows } from './center-rows.ts';

export interface CenterIntervalInput {
  slab: Slab;
  keyHead: number;
  /** 'merge' ones, if there are any yet. */
  centers: CenterRows | undefined;
  scale: number;
  /** Shape (dim,). */
  query: Float32Array;
  /** What the cache answers, shape (valueDim,). */
  output: Float32Array;
  /** What is added to the logit of a center. */
  bend(center: number): number;
}

/**
 * Every row in use is a group: tokens by themselves, or the n of a center with mean key μ, mean value y, representative x and radius ρ:
 * s_i ≤ ⟨q, x⟩ + ‖q‖ρ (Cauchy–Schwarz), likewise below, and within ‖q‖ · max ‖k_i − μ‖ of ⟨q, μ⟩, whichever is less; the mean of (s_i − ⟨q, μ⟩)² is at most
 * ‖q‖² Σ‖k_i − μ‖² / n. `clusterInterval` does the rest. Tokens that came in as halves are off by half a unit of the last place from what was
 * given, which widens all of these. O(rows · (dim + valueDim)) in float64.
 */
export function centerInterval(input: CenterIntervalInput): HeadInterval {
  const { slab, keyHead, centers, output } = input;
  const { valueDim } = slab.shape;
  const first = centers?.layout.first ?? 0;
  const views: { group: Omit<GroupView, 'distance'>; value: Float32Array }[] = [];
  for (let row = 0; row < slab.length(keyHead); row++) {
    const center = centers ? row - first : -1;
    const isCenter = centers !== undefined && center >= 0 && center < centers.layout.k;
    if (isCenter && center >= centers.keys.size) continue;
    const at = keyHead * slab.capacity + row;
    const value = slab.numbers('values', at);
    views.push({
      value,
      group: isCenter ? centerView(input, at, center, value) : tokenView(input, at, value),
    });
  }
  // The answer in float64: what the kernel's rounding did to it is added to the bound as it is.
  const most = views.reduce((a, { group }) => Math.max(a, group.logMass), -Infinity);
  const answer = new Float64Array(valueDim);
  let total = 0;
  for (const { value, group } of views) {
    const mass = Math.exp(group.logMass - most);
    total += mass;
    for (let c = 0; c < valueDim; c++) answer[c] += mass * value[c];
  }
  for (let c = 0; c < valueDim; c++) answer[c] /= total;
  const interval = clusterInterval(
    views.map(({ value, group }) => ({ ...group, distance: distanceOf(value, answer) })),
  );
  const largest = views.reduce((a, { value }) => Math.max(a, norm(value)), 0);
  const rounding = (views.length + 8) * Number.EPSILON * largest;
  return { ...interval, outputError: interval.outputError + distanceOf(output, answer) + rounding };
}

/** What float64 may lose of a logit: a sum of dim products, and an exponential of its difference to another. */
function logitRounding(size: number, key: Float32Array, logit: number): number {
  return Number.EPSILON * ((key.length + 2) * size * norm(key) + 4 * (Math.abs(logit) + 1));
}

/** Largest relative rounding of a number that was stored; 0 where it came as it is stored. */
function roundingOf({ shape }: Slab): number {
  return shape.storage === 'float32' ? 0 : shape.storage === 'float16' ? 2 ** -11 : 2 ** -8;
}

/** Halves smaller than 2⁻¹⁴ have a fixed unit. */
const SUBNORMAL = 2 ** -25;

function tokenView(input: CenterIntervalInput, at: number, value: Float32Array): Omit<GroupView, 'distance'> {
  const { slab, scale, query } = input;
  const { dim, valueDim } = slab.shape;
  const key = slab.numbers('keys', at);
  const size = scale * norm(query);
  const logit = scale * dot(query, key);
  const unit = roundingOf(slab);
  const off = (vector: Float32Array, width: number) =>
    unit === 0 ? 0 : 2 * unit * norm(vector) + Math.sqrt(width) * SUBNORMAL;
  return {
    ...{ count: 1, logit, logMass: logit, above: 0, below: 0, variance: 0 },
    logitError: size * off(key, dim) + logitRounding(size, key, logit),
    ...{ valueError: off(value, valueDim), valueVariance: 0, valueRadius: off(value, valueDim) },
  };
}

function centerView(
  { slab, centers, scale, query, bend }: CenterIntervalInput,
  at: number,
  center: number,
  value: Float32Array,
): Omit<GroupView, 'distance'> {
  const { keys, keyMeans, valueMeans } = centers as CenterRows;
  const { dim, valueDim } = slab.shape;
  if (!keyMeans || !valueMeans) throw new TypeError('centerInterval: centers keep no means');
  const count = keys.counts[center];
  const size = scale * norm(query);
  const mean = keyMeans.means.subarray(center * dim, (center + 1) * dim);
  const logit = scale * dot(query, mean);
  const representative = keys.representatives.subarray(center * dim, (center + 1) * dim);
  const toFirst = scale * dot(query, representative) - logit;
  const key = keyMeans.bounds(center);
  const valueBounds = valueMeans.bounds(center);
  const meanValue = valueMeans.means.subarray(center * valueDim, (center + 1) * valueDim);
  // In halves: tokens were rounded on their way in, and the row is the mean rounded once more.
  const unit = roundingOf(slab);
  const tokenOff = (vector: Float32Array, radius: number) =>
    unit === 0 ? 0 : 2 * unit * (norm(vector) + radius) + Math.sqrt(vector.length) * SUBNORMAL;
  const keyOff = size * tokenOff(mean, key.radius);
  const valueOff = tokenOff(meanValue, valueBounds.radius) + distanceOf(value, meanValue);
  const spread = Math.sqrt(valueBounds.scatter / count);
  const rowKey = slab.numbers('keys', at);
  return {
    ...{ count, logit },
    logMass: Math.log(count) + scale * dot(query, rowKey) + bend(center),
    logitError: size * key.error + keyOff + logitRounding(size, mean, logit),
    above: Math.min(toFirst + size * keys.radii[center], size * key.radius) + keyOff,
    below: Math.min(size * keys.radii[center] - toFirst, size * key.radius) + keyOff,
    variance: (size * Math.sqrt(key.scatter / count) + keyOff) ** 2,
    valueError: valueBounds.error + valueOff,
    valueVariance: (spread + valueOff) ** 2,
    valueRadius: valueBounds.radius + valueOff,
  };
}

function dot(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let p = 0; p < x.length; p++) sum += x[p] * y[p];
  return sum;
}

function norm(x: ArrayLike<number>): number {
  return Math.sqrt(dot(x, x));
}

function distanceOf(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let p = 0; p < x.length; p++) sum += (x[p] - y[p]) ** 2;
  return Math.sqrt(sum);
}
