// Samples under constraints: quotas per class or source, rows that must or must not be in, rows of unequal cost.

import { requireInteger, requireLength, requirePositive } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { createRng } from '../core/rng.ts';
import { drawWith } from './sampling/draw-sample.ts';
import { mixWithUniform } from './sensitivity.ts';
import type { WeightedSample } from './types.ts';

export interface ConstraintOptions {
  /** Rows in the sample, those of `include` counted. With `quotas` their sum, or left out. */
  size?: number | undefined;
  /** Class or source of each row, shape (n,): required with `quotas`. */
  groups?: ArrayLike<number> | undefined;
  /** Rows per group, those of `include` counted; groups not named get none. */
  quotas?: ReadonlyMap<number, number> | undefined;
  /** Rows that must be in the sample; weight 1. */
  include?: ArrayLike<number> | undefined;
  /** Rows that must not be; they leave the population. */
  exclude?: ArrayLike<number> | undefined;
  /** Cost of each row, > 0, shape (n,): rows are drawn in proportion to σ/√cost, which is best for a fixed expected cost. */
  costs?: ArrayLike<number> | undefined;
  /** Uniform floor α within each group. Default 0.2. */
  alpha?: number;
  /** Default 0. */
  seed?: number;
}

/**
 * Draws without repeats, exactly s rows or exactly the quota of each group, by score.
 *
 * Unbiased for sums over the rows that may be drawn: excluded rows, and rows of groups without a quota, are not in the population.
 *
 * @param scores - σ ≥ 0, shape (n,)
 * @throws {InvalidArgumentError} a row is both included and excluded; more rows must be in than fit; neither or both of size and quotas
 *
 * Time O(n + s log s) per group.
 */
export function drawConstrained(
  scores: ArrayLike<number>,
  { size, groups, quotas, include = [], exclude = [], costs, alpha = 0.2, seed = 0 }: ConstraintOptions,
): WeightedSample {
  const n = scores.length;
  if ((size === undefined) === (quotas === undefined)) {
    throw new InvalidArgumentError('drawConstrained: expected exactly one of size and quotas.');
  }
  if (quotas && !groups)
    throw new InvalidArgumentError(
      'drawConstrained: quotas are given without groups; expected the group of each row.',
    );
  if (groups) requireLength('drawConstrained: groups', groups, n);
  if (costs) requireLength('drawConstrained: costs', costs, n);
  const state = markRows(n, include, exclude);

  const wanted: [number | undefined, number][] = quotas ? [...quotas] : [[undefined, size!]];
  const rng = createRng(seed).fork('constrained');
  const parts: WeightedSample[] = [];
  let population = 0;
  for (const [group, quota] of wanted) {
    requireInteger(
      `drawConstrained: ${group === undefined ? 'size' : `quota of group ${group}`}`,
      quota,
      group === undefined ? 1 : 0,
    );
    const rows: number[] = [];
    let fixed = 0;
    for (let e = 0; e < n; e++) {
      if (group !== undefined && groups![e] !== group) continue;
      if (state[e] === FREE) rows.push(e);
      else if (state[e] === INCLUDED) fixed++;
    }
    if (fixed > quota) {
      throw new InvalidArgumentError(
        `drawConstrained: ${fixed} rows must be included${group === undefined ? '' : ` in group ${group}`}, but only ${quota} fit. Raise the number or include fewer.`,
      );
    }
    population += rows.length + fixed;
    const room = Math.min(rows.length, quota - fixed);
    if (room === 0) {
      // Rows that can never be drawn are not part of what the sample estimates.
      population -= rows.length;
      continue;
    }
    const base = mixWithUniform(
      rows.map((e) => scores[e]),
      alpha,
    );
    const p = base.map((value, j) => {
      if (!costs) return value;
      requirePositive(`drawConstrained: costs[${rows[j]}]`, costs[rows[j]]);
      return value / Math.sqrt(costs[rows[j]]);
    });
    const part = drawWith(p, { size: room, scheme: 'fixed-size', keys: rows, rng: rng.fork(group ?? 'all') });
    parts.push({ ...part, ids: part.ids.map((j) => rows[j]) });
  }
  return mergeParts(parts, wantedIncluded(state, groups, quotas), population);
}

const FREE = 0;
const INCLUDED = 1;
const EXCLUDED = 2;

function markRows(n: number, include: ArrayLike<number>, exclude: ArrayLike<number>): Uint8Array {
  const state = new Uint8Array(n);
  for (let j = 0; j < exclude.length; j++) {
    requireInteger(`drawConstrained: exclude[${j}]`, exclude[j], 0, n - 1);
    state[exclude[j]] = EXCLUDED;
  }
  for (let j = 0; j < include.length; j++) {
    requireInteger(`drawConstrained: include[${j}]`, include[j], 0, n - 1);
    if (state[include[j]] === EXCLUDED) {
      throw new InvalidArgumentError(
        `drawConstrained: row ${include[j]} is both in include and in exclude; expected one of them.`,
      );
    }
    state[include[j]] = INCLUDED;
  }
  return state;
}

function wantedIncluded(
  state: Uint8Array,
  groups: ArrayLike<number> | undefined,
  quotas: ReadonlyMap<number, number> | undefined,
): number[] {
  const rows: number[] = [];
  for (let e = 0; e < state.length; e++) {
    if (state[e] !== INCLUDED) continue;
    if (quotas && !quotas.has(groups![e])) {
      throw new InvalidArgumentError(
        `drawConstrained: row ${e} must be included, but its group ${groups![e]} has no quota; expected one ≥ 1.`,
      );
    }
    rows.push(e);
  }
  return rows;
}

function mergeParts(parts: WeightedSample[], included: number[], population: number): WeightedSample {
  const rows = [
    ...included.map((id) => ({ id, weight: 1, inclusion: 1 })),
    ...parts.flatMap(({ ids, weights, inclusion }) =>
      Array.from(ids, (id, j) => ({ id, weight: weights[j], inclusion: inclusion[j] })),
    ),
  ].sort((a, b) => a.id - b.id);
  return {
    scheme: 'fixed-size',
    ids: Uint32Array.from(rows, ({ id }) => id),
    counts: new Uint32Array(rows.length).fill(1),
    weights: Float64Array.from(rows, ({ weight }) => weight),
    inclusion: Float64Array.from(rows, ({ inclusion }) => inclusion),
    draws: rows.length,
    population,
  };
}
