// Fictitious play: everybody answers the average of what the others have played, and the answers' average is the strategy.

import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import type { Rng } from '../../core/rng.ts';
import { DEFAULT_MAX_MULTIPLIER } from '../market/check-setting.ts';
import type { AuctionFormat, Bidder, Profile, Setting } from '../types.ts';
import { BinnedCurves, LEARNING_WIDTH } from './binned-curves.ts';
import { logScales } from './marginals.ts';
import { mixedResponse } from './relaxed-response.ts';
import { logByRule, SampledCurves } from './sampled-curves.ts';

/** Iterations between two turns of the event loop: some 50 ms. */
const ITERATIONS_PER_TURN = 4;

/** By how much of its value a response may miss the target to make up for past ones. */
const LARGEST_SLACK = 0.05;

export interface PlayOptions extends RunOptions {
  iterations: number;
  /** Iterations after which the average is looked at on the way, each > 0. */
  looks: readonly number[];
  /** Profiles drawn an iteration from what is played. */
  draws: number;
  /** Multipliers are played within ± this of the response, in ln: smooths everybody's landscape. */
  spread: number;
  /** Weight of the t-th iteration in averages is memory / (memory + t): 1 averages evenly, more forgets the beginning faster. */
  memory: number;
}

/** The average of play: for each cell a histogram of ln of the multiplier over the bins of `curves`. */
export interface AveragePlay {
  readonly curves: BinnedCurves;
  /** Shape (cells · bins,): share played within half a bin of the bin's upper edge. */
  readonly shares: Float64Array;
  /** Share of no bid, shape (cells,). */
  readonly idle: Float64Array;
}

/** What one cell plays now: a bin with some weight, another with the rest; −1: no bid. */
interface Play {
  bin: number;
  weight: number;
  other: number;
  /** Bins on either side of these that are played as well. */
  reach: number;
}

/**
 * Plays from a pure profile. Each iteration draws a few joint profiles from what is played, adds their landscapes to a fading average, and
 * responds to it by the linear programme over mixtures.
 *
 * @yields the average at each look and after the last iteration: one object, that goes on to change
 *
 * O(iterations · (draws · entries · slots + cells · bins)). Source: Brown's fictitious play with smoothed actions; the form is derived.
 */
export async function* fictitiousPlay(
  setting: Setting,
  start: Profile,
  rng: Rng,
  { iterations, looks, draws, spread, memory, signal, onProgress }: PlayOptions,
): AsyncGenerator<AveragePlay> {
  const { market, buckets, bidders, rules, maxMultiplier = DEFAULT_MAX_MULTIPLIER } = setting;
  const cells = market.advertisers * buckets.count;
  const curves = new BinnedCurves(cells, LEARNING_WIDTH, maxMultiplier);
  const average = { curves, shares: new Float64Array(cells * curves.bins), idle: new Float64Array(cells) };
  const sampled = new SampledCurves(setting, logScales(setting));
  const entries = countEntries(setting);
  const plays = startPlays(setting, start, curves, spread);
  const logs = new Float64Array(cells);
  for (let t = 0; t < iterations; t++) {
    if (looks.includes(t)) yield average;
    if (t % ITERATIONS_PER_TURN === 0) {
      signal?.throwIfAborted();
      onProgress?.({ phase: 'fictitious play', done: t, total: iterations });
      await yieldToEventLoop();
    }
    const step = memory / (memory + t);
    fade(average, 1 - step);
    for (const [cell, play] of plays.entries()) record(average, cell, play, step);
    for (let draw = 0; draw < draws; draw++) {
      drawLogs(setting, plays, curves, rng, logs);
      sampled.add(logs, step / draws, curves);
    }
    const totals = Array.from(entries, (_, i) =>
      averageTotals(average, i * buckets.count, buckets.count, rules.format),
    );
    const mean = totals.reduce((sum, { value }) => sum + value, 0) / market.advertisers;
    for (const [i, { value, spend }] of totals.entries()) {
      const bidder: Bidder = bidders?.[i] ?? { kind: 'value' };
      if (bidder.kind === 'fixed' || bidder.kind === 'manual') continue;
      const landscape = curves.landscape(i * buckets.count, entries[i], rules.format, { relaxed: false });
      // What makes the average with the response meet the target, within reason.
      const ahead = memory / (memory + t + 1);
      const slack = clamp((value - spend) * (1 / ahead - 1), LARGEST_SLACK * value);
      // Small advertisers need not be smooth for the others, and what they win comes in large steps.
      const reach = Math.round((spread / curves.width) * Math.min(1, value / mean));
      const { steps, bucket, other, weight } = mixedResponse(landscape, bidder, slack);
      const binAt = (at: number) => (at < 0 ? -1 : curves.binOf(Math.log(landscape.thresholds[at])));
      for (let k = 0; k < buckets.count; k++) {
        const mixes = k === bucket;
        plays[i * buckets.count + k] = {
          bin: binAt(steps[k]),
          weight: mixes ? 1 - weight : 1,
          other: mixes ? binAt(other) : -1,
          reach,
        };
      }
    }
  }
  yield average;
}

/** What the average play of an advertiser gets against the average landscape. */
function averageTotals(
  { curves, shares }: AveragePlay,
  first: number,
  buckets: number,
  format: AuctionFormat,
): { value: number; spend: number } {
  let [value, spend] = [0, 0];
  for (let cell = first; cell < first + buckets; cell++) {
    let [won, paid] = [0, 0];
    for (let x = cell * curves.bins, bin = 0; bin < curves.bins; x++, bin++) {
      won += curves.value[x];
      paid += curves.spend[x];
      if (shares[x] === 0) continue;
      value += shares[x] * won;
      spend += shares[x] * (format === 'fpa' ? won * curves.edges[bin] : paid);
    }
  }
  return { value, spend };
}

function clamp(x: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, x));
}

function startPlays(
  { market, buckets, bidders }: Setting,
  start: Profile,
  curves: BinnedCurves,
  spread: number,
): Play[] {
  return Array.from({ length: market.advertisers * buckets.count }, (_, cell) => {
    const bidder = bidders?.[Math.floor(cell / buckets.count)];
    const multiplier = bidder?.kind === 'fixed' ? bidder.multiplier : start[cell];
    const bin = multiplier > 0 ? Math.min(curves.bins - 1, curves.binOf(Math.log(multiplier))) : -1;
    return { bin, weight: 1, other: -1, reach: Math.round(spread / curves.width) };
  });
}

function fade({ curves, shares, idle }: AveragePlay, factor: number): void {
  for (const numbers of [curves.value, curves.spend, shares, idle]) {
    for (let x = 0; x < numbers.length; x++) numbers[x] *= factor;
  }
}

function record(
  { curves, shares, idle }: AveragePlay,
  cell: number,
  { bin, weight, other, reach }: Play,
  step: number,
): void {
  for (const [center, share] of [
    [bin, weight],
    [other, 1 - weight],
  ]) {
    if (!(share > 0)) continue;
    if (center < 0) {
      idle[cell] += step * share;
      continue;
    }
    for (let x = center - reach; x <= center + reach; x++) {
      const kept = Math.max(0, Math.min(curves.bins - 1, x));
      shares[cell * curves.bins + kept] += (step * share) / (2 * reach + 1);
    }
  }
}

function drawLogs(
  { market, buckets, bidders }: Setting,
  plays: readonly Play[],
  curves: BinnedCurves,
  rng: Rng,
  logs: Float64Array,
): void {
  const cap = curves.edge(curves.bins - 1);
  for (let i = 0; i < market.advertisers; i++) {
    const byRule = logByRule(bidders?.[i]);
    for (let k = 0; k < buckets.count; k++) {
      const cell = i * buckets.count + k;
      if (byRule !== undefined) logs[cell] = byRule;
      else {
        const { bin, weight, other, reach } = plays[cell];
        const center = weight === 1 || rng.next() < weight ? bin : other;
        const jitter = (2 * rng.next() - 1) * (reach + 0.5) * curves.width;
        logs[cell] = center < 0 ? -Infinity : Math.min(cap, curves.edge(center) + jitter);
      }
    }
  }
}

function countEntries({ market, buckets }: Setting): Uint32Array[] {
  const counts = Array.from({ length: market.advertisers }, () => new Uint32Array(buckets.count));
  for (const [e, advertiser] of market.advertiserOf.entries()) counts[advertiser][buckets.ofEntry[e]]++;
  return counts;
}
