// Regret matching with prices of targets: each bucket plays multipliers in proportion to what they would have gained so far.

import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import type { Rng } from '../../core/rng.ts';
import { DEFAULT_MAX_MULTIPLIER } from '../market/check-setting.ts';
import type { Bidder, Profile, Setting } from '../types.ts';
import { BinnedCurves, LEARNING_WIDTH } from './binned-curves.ts';
import type { AveragePlay } from './fictitious-play.ts';
import { logScales } from './marginals.ts';
import { logByRule, SampledCurves } from './sampled-curves.ts';

/** Iterations between two turns of the event loop: some 50 ms. */
const ITERATIONS_PER_TURN = 4;

/** Step of ln of the prices for spend off its limit by all of it, in the first iteration; falls as 1/√(1 + t/10). */
const PRICE_STEP = 2;

/** Prices are kept within e^±this. */
const MAX_LOG_PRICE = 6;

export interface MatchingOptions extends RunOptions {
  iterations: number;
  /** Iterations after which the average is looked at on the way, each > 0. */
  looks: readonly number[];
  /** Profiles drawn an iteration from what is played. */
  draws: number;
  /** Half the spacing of the grid of multipliers, in ln; each is played evenly within its half-spacings. */
  spread: number;
  /** Weight of the t-th iteration in averages is memory / (memory + t); 2 is linear averaging. */
  memory: number;
}

/** What the Lagrangian of an advertiser's programme counts a unit of value and of spend, both ≤ 1 and the larger of them 1. */
interface Weights {
  worth: number;
  cost: number;
}

/**
 * Regret matching⁺ in each bucket, no bid included, with linear averaging. Payoffs are V + λ (V − P) − β P (utility bidders: V − P − β P), scaled
 * to weights ≤ 1, against a few joint profiles drawn from what is played; ln λ and ln β move with what is spent beyond target and budget.
 *
 * Each advertiser's average regret against fixed prices vanishes, so joint play nears coarse correlated equilibria; that the product of
 * average strategies, which this yields, is near a Nash equilibrium is not implied. The certificate shows.
 *
 * @yields the average at each look and after the last iteration: one object, that goes on to change
 *
 * O(iterations · (draws · entries · slots + cells · bins)). Source: regret matching⁺, arXiv 1407.5042 (Tammelin); prices: derived.
 */
export async function* matchRegrets(
  setting: Setting,
  start: Profile,
  rng: Rng,
  { iterations, looks, draws, spread, memory, signal, onProgress }: MatchingOptions,
): AsyncGenerator<AveragePlay> {
  const { market, buckets, rules, bidders, maxMultiplier = DEFAULT_MAX_MULTIPLIER } = setting;
  const cells = market.advertisers * buckets.count;
  const curves = new BinnedCurves(cells, Math.max(LEARNING_WIDTH, 2 * spread), maxMultiplier);
  const average = { curves, shares: new Float64Array(cells * curves.bins), idle: new Float64Array(cells) };
  const matching = new Matching(setting, start, curves);
  const sampled = new SampledCurves(setting, logScales(setting));
  const prices = Array.from({ length: market.advertisers }, () => ({ target: 0, budget: 0 }));
  const logs = new Float64Array(cells);
  for (let t = 0; t < iterations; t++) {
    if (looks.includes(t)) yield average;
    if (t % ITERATIONS_PER_TURN === 0) {
      signal?.throwIfAborted();
      onProgress?.({ phase: 'regret matching', done: t, total: iterations });
      await yieldToEventLoop();
    }
    matching.record(average, memory / (memory + t));
    curves.clear();
    for (let draw = 0; draw < draws; draw++) {
      matching.draw(rng, logs);
      sampled.add(logs, 1 / draws, curves);
    }
    const step = PRICE_STEP / Math.sqrt(1 + t / 10);
    for (const [i, price] of prices.entries()) {
      const bidder: Bidder = bidders?.[i] ?? { kind: 'value' };
      if (bidder.kind === 'fixed' || bidder.kind === 'manual') continue;
      const weights = weightsOf(bidder, Math.exp(price.target), Math.exp(price.budget));
      let [value, spend] = [0, 0];
      for (let cell = i * buckets.count; cell < (i + 1) * buckets.count; cell++) {
        const got = matching.learn(cell, weights, rules.format === 'fpa');
        value += got.value;
        spend += got.spend;
      }
      price.target = movedPrice(price.target, step, spend, value);
      if (bidder.budget !== undefined) price.budget = movedPrice(price.budget, step, spend, bidder.budget);
    }
  }
  yield average;
}

function weightsOf(
  bidder: Extract<Bidder, { kind: 'value' | 'utility' }>,
  target: number,
  budget: number,
): Weights {
  const ofBudget = bidder.budget === undefined ? 0 : budget;
  const [worth, cost] = bidder.kind === 'value' ? [1 + target, target + ofBudget] : [1, 1 + ofBudget];
  const most = Math.max(worth, cost);
  return { worth: worth / most, cost: cost / most };
}

function movedPrice(log: number, step: number, spend: number, limit: number): number {
  const excess = limit > 0 ? Math.min(1, spend / limit - 1) : Math.sign(spend);
  return Math.max(-MAX_LOG_PRICE, Math.min(MAX_LOG_PRICE, log + step * excess));
}

/** Regrets and play of every cell: action 0 is no bid, action 1 + bin the bin's upper edge. */
class Matching {
  private readonly setting: Setting;
  private readonly curves: BinnedCurves;
  private readonly actions: number;
  /** Cumulative regrets, kept ≥ 0, and the shares they are played in, shape (cells · actions,). */
  private readonly regrets: Float64Array;
  private readonly shares: Float64Array;
  private readonly payoffs: Float64Array;

  constructor(setting: Setting, start: Profile, curves: BinnedCurves) {
    this.setting = setting;
    this.curves = curves;
    this.actions = curves.bins + 1;
    this.regrets = new Float64Array(start.length * this.actions);
    this.shares = new Float64Array(start.length * this.actions);
    this.payoffs = new Float64Array(this.actions);
    for (const [cell, multiplier] of start.entries()) {
      const bin = multiplier > 0 ? Math.min(curves.bins - 1, curves.binOf(Math.log(multiplier))) : -1;
      this.shares[cell * this.actions + 1 + bin] = 1;
    }
  }

  /** Adds what is played to the average with weight `step`. */
  record({ shares, idle, curves }: AveragePlay, step: number): void {
    const { bins } = curves;
    for (const [cell, before] of idle.entries()) {
      const first = cell * this.actions;
      idle[cell] = before + step * (this.shares[first] - before);
      for (let bin = 0; bin < bins; bin++) {
        const x = cell * bins + bin;
        shares[x] += step * (this.shares[first + 1 + bin] - shares[x]);
      }
    }
  }

  /** Draws ln of everybody's multiplier. */
  draw(rng: Rng, logs: Float64Array): void {
    const { buckets, bidders } = this.setting;
    const { curves, actions } = this;
    const cap = curves.edge(curves.bins - 1);
    for (let cell = 0; cell < logs.length; cell++) {
      const byRule = logByRule(bidders?.[Math.floor(cell / buckets.count)]);
      if (byRule !== undefined) {
        logs[cell] = byRule;
        continue;
      }
      let left = rng.next();
      let action = -1;
      let last = 0;
      while (left >= 0 && ++action < actions) {
        const share = this.shares[cell * actions + action];
        if (share > 0) last = action;
        left -= share;
      }
      const jitter = (rng.next() - 0.5) * curves.width;
      logs[cell] = last === 0 ? -Infinity : Math.min(cap, curves.edge(last - 1) + jitter);
    }
  }

  /** One step of regret matching⁺ in a cell against `curves`. @returns what was played gets there */
  learn(cell: number, { worth, cost }: Weights, firstPrice: boolean): { value: number; spend: number } {
    const { curves, actions, regrets, shares, payoffs } = this;
    const first = cell * actions;
    let [won, paid, value, spend] = [0, 0, 0, 0];
    for (let bin = 0; bin < curves.bins; bin++) {
      won += curves.value[cell * curves.bins + bin];
      paid = firstPrice ? won * curves.edges[bin] : paid + curves.spend[cell * curves.bins + bin];
      const share = shares[first + 1 + bin];
      value += share * won;
      spend += share * paid;
      payoffs[1 + bin] = worth * won - cost * paid;
    }
    const played = worth * value - cost * spend;
    let sum = 0;
    for (let action = 0; action < actions; action++) {
      const regret = Math.max(0, regrets[first + action] + payoffs[action] - played);
      regrets[first + action] = regret;
      sum += regret;
    }
    // Nothing regretted: what is played stays.
    if (sum > 0) for (let x = first; x < first + actions; x++) shares[x] = regrets[x] / sum;
    return { value, spend };
  }
}
