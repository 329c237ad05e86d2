// What an auction sees of mixed strategies: for each advertiser and bucket the distribution of one multiplier.

import { requireLength } from '../../core/check.ts';
import { InvalidArgumentError, ShapeError, UnsupportedError } from '../../core/errors.ts';
import type { MixedProfile, MixedStrategy, Setting } from '../types.ts';

/** How far weights may sum from 1. */
const WEIGHT_TOLERANCE = 1e-9;

/**
 * Distributions of single multipliers. The others' rows are independent of one's own, and an auction is bid in with one bucket an
 * advertiser, so expected value and spend of an auction depend on these alone, not on how a row couples its buckets.
 *
 * Cell c = advertiser · K + bucket has the atoms offsets[c] … offsets[c + 1] − 1.
 */
export interface Marginals {
  /** Shape (cells + 1,). */
  readonly offsets: Uint32Array;
  /** ln of the multiplier (of the bid for `manual` bidders), strictly ascending within a cell. */
  readonly logs: Float64Array;
  readonly weights: Float64Array;
  /** Probability of this atom or a lower one, or of no bid; 1 at a cell's last. */
  readonly below: Float64Array;
  /** Probability that nothing is bid, shape (cells,). */
  readonly idle: Float64Array;
}

/**
 * The marginals of a mixed profile; bidders by rule bid as their rule says, whatever the profile says of them.
 *
 * @param where - the public function that asks, for messages
 * @throws {ShapeError} a strategy's shape does not fit @throws {InvalidArgumentError} weights or multipliers out of their range
 */
export function marginalsOf(where: string, setting: Setting, profile: MixedProfile): Marginals {
  const { market, buckets, bidders } = setting;
  if (profile.length !== market.advertisers) {
    throw new ShapeError(
      `${where}: profile has ${profile.length} strategies; expected one for each of ${market.advertisers} advertisers.`,
    );
  }
  const cells: { atoms: [log: number, weight: number][]; idle: number }[] = [];
  for (let i = 0; i < market.advertisers; i++) {
    const bidder = bidders?.[i];
    if (bidder?.kind === 'fixed' || bidder?.kind === 'manual') {
      const level = bidder.kind === 'fixed' ? bidder.multiplier : bidder.bid;
      for (let k = 0; k < buckets.count; k++) cells.push(cellOf([level], [1]));
      continue;
    }
    checkStrategy(`${where}: profile[${i}]`, profile[i], buckets.count);
    const { weights, multipliers } = profile[i];
    for (let k = 0; k < buckets.count; k++) {
      cells.push(
        cellOf(
          Array.from(weights, (_, row) => multipliers[row * buckets.count + k]),
          weights,
        ),
      );
    }
  }
  return packCells(cells);
}

/** @throws {UnsupportedError} rules under which mixed strategies are not computed */
export function requirePlainRules(where: string, { rules, market }: Setting): void {
  for (const name of ['boosts', 'factors', 'owners'] as const) {
    if (rules[name]) {
      throw new UnsupportedError(
        `${where}: rules.${name} is given; mixed strategies are computed for scores that are bids, each advertiser its own owner. Leave it out, or use a pure profile.`,
      );
    }
  }
  const { offsets, advertiserOf } = market;
  for (let j = 0; j < market.auctions; j++) {
    for (let e = offsets[j] + 1; e < offsets[j + 1]; e++) {
      if (advertiserOf[e] === advertiserOf[e - 1]) {
        throw new UnsupportedError(
          `${where}: auction ${j} has several entries of advertiser ${advertiserOf[e]}; mixed strategies are computed for one. Use a pure profile.`,
        );
      }
    }
  }
}

/** ln of what one unit of multiplier bids on each entry: ln v, or 0 for `manual` bidders, shape (entries,). */
export function logScales({ market, bidders }: Setting): Float64Array {
  return market.values.map((value, e) =>
    bidders?.[market.advertiserOf[e]].kind === 'manual' ? 0 : Math.log(value),
  );
}

function checkStrategy(name: string, { weights, multipliers }: MixedStrategy, buckets: number): void {
  if (weights.length === 0 || multipliers.length !== weights.length * buckets) {
    throw new ShapeError(
      `${name} has ${weights.length} weights and ${multipliers.length} multipliers; expected at least one row of ${buckets} multipliers, and a weight for each.`,
    );
  }
  checkWeights(name, weights, weights.length);
  for (const [at, multiplier] of multipliers.entries()) {
    if (!(multiplier >= 0 && multiplier < Infinity) && !Number.isNaN(multiplier)) {
      throw new InvalidArgumentError(
        `${name}.multipliers[${at}] is ${multiplier}; expected a finite number ≥ 0, or NaN where the bucket holds no entry.`,
      );
    }
  }
}

/** @throws {ShapeError} not `count` weights @throws {InvalidArgumentError} a weight not > 0, or a sum that is not 1 */
export function checkWeights(name: string, weights: Float64Array, count: number): void {
  requireLength(`${name}.weights`, weights, count);
  let sum = 0;
  for (const [row, weight] of weights.entries()) {
    if (!(weight > 0)) {
      throw new InvalidArgumentError(`${name}.weights[${row}] is ${weight}; expected a number > 0.`);
    }
    sum += weight;
  }
  if (!(Math.abs(sum - 1) <= WEIGHT_TOLERANCE)) {
    throw new InvalidArgumentError(`${name}.weights sum to ${sum}; expected 1. Divide them by their sum.`);
  }
}

function cellOf(
  multipliers: readonly number[],
  weights: ArrayLike<number>,
): { atoms: [number, number][]; idle: number } {
  const atoms: [number, number][] = [];
  let idle = 0;
  const order = multipliers.map((_, row) => row).sort((a, b) => multipliers[a] - multipliers[b]);
  for (const row of order) {
    if (!(multipliers[row] > 0)) {
      idle += weights[row];
      continue;
    }
    const log = Math.log(multipliers[row]);
    const last = atoms.at(-1);
    if (last && last[0] === log) last[1] += weights[row];
    else atoms.push([log, weights[row]]);
  }
  return { atoms, idle };
}

function packCells(cells: readonly { atoms: [number, number][]; idle: number }[]): Marginals {
  const offsets = new Uint32Array(cells.length + 1);
  for (const [c, { atoms }] of cells.entries()) offsets[c + 1] = offsets[c] + atoms.length;
  const count = offsets[cells.length];
  const [logs, weights, below] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  const idle = Float64Array.from(cells, (cell) => cell.idle);
  for (const [c, cell] of cells.entries()) {
    let sum = cell.idle;
    for (const [a, [log, weight]] of cell.atoms.entries()) {
      sum += weight;
      logs[offsets[c] + a] = log;
      weights[offsets[c] + a] = weight;
      // The last atom's is 1 whatever rounding says: above it nobody bids.
      below[offsets[c] + a] = a === cell.atoms.length - 1 ? 1 : sum;
    }
  }
  return { offsets, logs, weights, below, idle };
}
