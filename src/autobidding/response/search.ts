// The exact search over one choice a bucket: dynamic programming over the buckets, cut by the relaxation's bound.

import { type SortMemory, sortMemory, sortThresholds } from '../landscape/sort-thresholds.ts';
import type { Choices } from './choices.ts';
import { type Goal, isWithin, ROUNDING_SLACK } from './goal.ts';
import type { Relaxation } from './relax.ts';
import { sumOf } from './top-up.ts';

/** Widths of the first passes: a narrow pass finds a good choice, which leaves the next ones less to look at. */
const FIRST_WIDTHS = [8, 64, 512];

/** Extensions of partial choices that a pass looks at a bucket, per partial choice it may keep. */
const EXTENSIONS_PER_STATE = 32;

/** Relative difference of gains that rounding makes. */
const ROUNDING = 1e-13;

/** The best choice a bucket that was found, and what none can exceed. */
export interface SearchResult {
  readonly picked: Int32Array;
  readonly gain: number;
  readonly bound: number;
}

/**
 * Improves a feasible choice a bucket until it is optimal, or until `width` partial choices are too few to tell.
 *
 * With s the slope at the relaxation's limit, every choice loses max (gain − s · cost) − (gain − s · cost) ≥ 0 in its bucket, and the gain of a
 * whole is at most the relaxation's bound less the losses. So choices and partial choices that lose more than the gap to the best known are
 * left out, as are partial ones that cost more and gain less than another. Where more than `width` remain, those that lose most are dropped,
 * and the bound is that of the best dropped. Derived; a variant of the core algorithm for multiple-choice knapsacks.
 *
 * @param start - feasible choice a bucket, left as it is
 * @param tolerance - relative gap between gain and bound at which to stop
 *
 * O(K · width · 32) a pass.
 */
export function searchChoices(
  choices: Choices,
  goal: Goal,
  relaxation: Relaxation,
  start: Int32Array,
  { width, tolerance }: { width: number; tolerance: number },
): SearchResult {
  const { gain, cost } = sumOf(choices, start);
  let best: Whole = { picked: start, gain, cost };
  let bound = Math.max(relaxation.bound, gain);
  if (relaxation.cutBucket < 0) return { ...best, bound: best.gain };
  const search: Search = {
    choices,
    goal,
    losses: lossesOf(choices, relaxation),
    bound: relaxation.bound,
    scratch: scratchOf(0),
  };
  for (const kept of [...FIRST_WIDTHS.filter((first) => first < width), width]) {
    if (kept < 1 || bound - best.gain <= tolerance * bound) break;
    const pass = searchOnce(search, best, kept);
    best = pass.best;
    bound = Math.max(best.gain, Math.min(bound, relaxation.bound - pass.leastDropped));
  }
  return { picked: best.picked, gain: best.gain, bound };
}

/** What each choice takes from the bound, ≥ 0. */
function lossesOf({ offsets, gain, cost }: Choices, { slope, targetLimits }: Relaxation): Float64Array {
  const losses = new Float64Array(gain.length);
  // Beside a budget the target reads cost ≤ gain, so that gain ≤ Σ (gain − slope · cost) ÷ (1 − slope).
  const scale = targetLimits ? 1 / (1 - slope) : 1;
  for (let k = 0; k < offsets.length - 1; k++) {
    let most = -Infinity;
    for (let a = offsets[k]; a < offsets[k + 1]; a++) most = Math.max(most, gain[a] - slope * cost[a]);
    for (let a = offsets[k]; a < offsets[k + 1]; a++)
      losses[a] = scale * (most - (gain[a] - slope * cost[a]));
  }
  return losses;
}

/** A feasible choice a bucket. */
interface Whole {
  picked: Int32Array;
  gain: number;
  cost: number;
}

/** Memory that stages use one after the other. */
interface Scratch {
  extended: Layer;
  shifted: Float64Array;
  kept: Uint32Array;
  sort: SortMemory;
}

interface Search {
  choices: Choices;
  goal: Goal;
  losses: Float64Array;
  /** The relaxation's. */
  bound: number;
  scratch: Scratch;
}

/** A bucket, its choices that may still be of use by rising loss, and what the buckets after it cost at least and bring at most. */
interface Stage {
  bucket: number;
  survivors: Uint32Array;
  restCost: number;
  restExcess: number;
  restGain: number;
}

/** Partial choices after a stage, each one of the stage before and a choice. */
interface Layer {
  count: number;
  gain: Float64Array;
  cost: Float64Array;
  loss: Float64Array;
  /** Place in the layer before. */
  parent: Uint32Array;
  choice: Uint32Array;
}

/** @returns the best known then, and the least loss of what was dropped without looking: Infinity when `best` is optimal */
function searchOnce(search: Search, best: Whole, width: number): { best: Whole; leastDropped: number } {
  const stages = stagesOf(search, best.gain);
  const layers: Layer[] = [emptyLayer(1)];
  layers[0].count = 1;
  let leastDropped = Infinity;
  for (const stage of stages) {
    const extended = extend(search, layers[layers.length - 1], stage, best.gain, width);
    const kept = prune(search.scratch, width);
    leastDropped = Math.min(leastDropped, extended, kept.leastDropped);
    layers.push(kept.layer);
  }
  const last = layers[layers.length - 1];
  let found = best;
  for (let i = 0; i < last.count; i++) {
    if (last.gain[i] < found.gain || (last.gain[i] === found.gain && last.cost[i] >= found.cost)) continue;
    const picked = traceBack(layers, stages, i);
    // Summed anew in the order of the buckets, as everywhere: the limit is met or missed by the same rounding.
    const { gain, cost } = sumOf(search.choices, picked);
    const better = gain > found.gain || (gain === found.gain && cost < found.cost);
    if (better && isWithin(search.goal, gain, cost)) found = { picked, gain, cost };
  }
  return { best: found, leastDropped };
}

/** Buckets with few choices first: what is left of the limit is filled best where there are many. */
function stagesOf({ choices, losses, bound }: Search, known: number): Stage[] {
  const { offsets, gain, cost } = choices;
  const allowed = bound - known + ROUNDING * bound;
  const stages: Stage[] = [];
  for (let bucket = 0; bucket < offsets.length - 1; bucket++) {
    const survivors: number[] = [];
    for (let a = offsets[bucket]; a < offsets[bucket + 1]; a++) if (losses[a] <= allowed) survivors.push(a);
    survivors.sort((a, b) => losses[a] - losses[b]);
    stages.push({ bucket, survivors: Uint32Array.from(survivors), restCost: 0, restExcess: 0, restGain: 0 });
  }
  stages.sort((a, b) => a.survivors.length - b.survivors.length || a.bucket - b.bucket);
  for (let i = stages.length - 2; i >= 0; i--) {
    const next = stages[i + 1];
    let [leastCost, leastExcess, mostGain] = [Infinity, Infinity, 0];
    for (const a of next.survivors) {
      leastCost = Math.min(leastCost, cost[a]);
      leastExcess = Math.min(leastExcess, cost[a] - gain[a]);
      mostGain = Math.max(mostGain, gain[a]);
    }
    stages[i].restCost = next.restCost + leastCost;
    stages[i].restExcess = next.restExcess + leastExcess;
    stages[i].restGain = next.restGain + mostGain;
  }
  return stages;
}

function emptyLayer(room: number): Layer {
  return {
    count: 0,
    gain: new Float64Array(room),
    cost: new Float64Array(room),
    loss: new Float64Array(room),
    parent: new Uint32Array(room),
    choice: new Uint32Array(room),
  };
}

function scratchOf(room: number): Scratch {
  return {
    extended: emptyLayer(room),
    shifted: new Float64Array(room),
    kept: new Uint32Array(room),
    sort: sortMemory(room),
  };
}

/**
 * Every partial choice with every choice of the stage, into the scratch layer, but for those that cannot become better than what is known.
 *
 * @returns the least loss of what was dropped for want of room
 */
function extend(
  search: Search,
  before: Layer,
  { survivors, restCost, restExcess, restGain }: Stage,
  known: number,
  width: number,
): number {
  const { choices, goal, losses, bound } = search;
  const rounding = ROUNDING * bound;
  const allowed = bound - known + rounding;
  const options = Math.min(
    survivors.length,
    Math.max(1, Math.floor((width * EXTENSIONS_PER_STATE) / before.count)),
  );
  const room = before.count * options;
  if (room > search.scratch.kept.length) search.scratch = scratchOf(2 * room);
  const { extended } = search.scratch;
  let leastDropped = Infinity;
  let count = 0;
  for (let i = 0; i < before.count; i++) {
    const loss = before.loss[i];
    if (options < survivors.length) leastDropped = Math.min(leastDropped, loss + losses[survivors[options]]);
    for (let o = 0; o < options; o++) {
      const a = survivors[o];
      if (loss + losses[a] > allowed) break;
      const gain = before.gain[i] + choices.gain[a];
      const cost = before.cost[i] + choices.cost[a];
      if (cost + restCost > goal.cap + rounding) continue;
      if (goal.target && cost - gain + restExcess > ROUNDING_SLACK * bound + rounding) continue;
      if (gain + restGain < known - rounding) continue;
      extended.gain[count] = gain;
      extended.cost[count] = cost;
      extended.loss[count] = loss + losses[a];
      extended.parent[count] = i;
      extended.choice[count++] = a;
    }
  }
  extended.count = count;
  return leastDropped;
}

/** Leaves out what costs more and gains less than another, and what loses most where more than `width` are left. */
function prune(
  { extended, shifted, kept, sort }: Scratch,
  width: number,
): { layer: Layer; leastDropped: number } {
  const { gain, cost, loss } = extended;
  let least = Infinity;
  for (let i = 0; i < extended.count; i++) least = Math.min(least, cost[i]);
  for (let i = 0; i < extended.count; i++) shifted[i] = cost[i] - least; // the sort takes numbers ≥ 0
  let count = 0;
  let most = -Infinity;
  for (const i of sortThresholds(shifted, 0, extended.count, sort)) {
    if (gain[i] <= most) continue;
    most = gain[i];
    kept[count++] = i;
  }
  const layer = emptyLayer(Math.min(count, width));
  layer.count = layer.gain.length;
  for (let r = 0; r < count; r++) shifted[r] = loss[kept[r]];
  const byLoss = sortThresholds(shifted, 0, count, sort);
  for (let r = 0; r < layer.count; r++) {
    const i = kept[byLoss[r]];
    layer.gain[r] = gain[i];
    layer.cost[r] = cost[i];
    layer.loss[r] = loss[i];
    layer.parent[r] = extended.parent[i];
    layer.choice[r] = extended.choice[i];
  }
  return { layer, leastDropped: count > width ? shifted[byLoss[width]] : Infinity };
}

function traceBack(layers: readonly Layer[], stages: readonly Stage[], last: number): Int32Array {
  const picked = new Int32Array(stages.length);
  let at = last;
  for (let t = stages.length; t > 0; t--) {
    picked[stages[t - 1].bucket] = layers[t].choice[at];
    at = layers[t].parent[at];
  }
  return picked;
}
