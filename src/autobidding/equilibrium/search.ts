// The search itself: iterations of a dynamic, rounds of the endgame, and the best profile on the way.

import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import type { Observation } from './dynamics/dynamic.ts';
import { DYNAMICS, type DynamicsName } from './dynamics/index.ts';
import { type Look, lookAt, observeAll, scoreOf } from './look.ts';
import { OVERSPEND_ALLOWED, objectiveOf } from './objective.ts';
import { lowerAll, polish, settleRound } from './settle.ts';
import { answer, play, playAll, rowOf, type Table, toRow, viewOf } from './table.ts';

/** One iteration, as seen by the dynamic; one round, as it ended. */
export interface IterationRecord extends Look {
  readonly phase: 'dynamics' | 'endgame';
}

export interface Search extends RunOptions {
  dynamics: DynamicsName;
  iterations: number;
  rounds: number;
  seed: number;
}

/** The dynamic has arrived when multipliers move less than this in logarithms and the regret is below the second. */
const STILL = 1e-3;
const SETTLED = 0.002;

/** Rounds of the endgame without a better profile after which it ends. */
const PATIENCE = 8;

/** Trials of the last step at most, and the regret from which an advertiser gets one. */
const TRIALS = 8;
const WORTH_A_TRIAL = 0.01;

/** Partial choices that its search for a best response keeps. */
const EXACT_WIDTH = 4096;

/** Sweeps of polishing at most, as each may disturb others a little. */
const SWEEPS = 40;

/** How often all bids are lowered at most, where bids by rule or reserves leave some overspend. */
const TIMES_LOWERED = 4;

/** Leaves the best profile found on the table. */
export async function searchFor(table: Table, search: Search, history: IterationRecord[]): Promise<void> {
  await runDynamic(table, search, history);
  if (search.rounds > 0) await runEndgame(table, search, history);
}

async function runDynamic(
  table: Table,
  { dynamics, iterations, seed, signal, onProgress }: Search,
  history: IterationRecord[],
): Promise<void> {
  const iterate = DYNAMICS[dynamics](table, seed);
  for (let t = 0; t < iterations; t++) {
    const before = table.profile.slice();
    const seen = await iterate(t);
    const look = lookAt(table, seen);
    history.push({ phase: 'dynamics', ...look });
    onProgress?.({ phase: dynamics, done: t + 1, total: iterations });
    await yieldToEventLoop();
    signal?.throwIfAborted();
    // Damping alone makes steps small, so stillness counts only together with little regret.
    if ((look.regret ?? Infinity) < SETTLED && largestMove(before, table.profile) < STILL) break;
  }
}

async function runEndgame(
  table: Table,
  { rounds, signal, onProgress }: Search,
  history: IterationRecord[],
): Promise<void> {
  const first = observeAll(table);
  const best = { score: scoreOf(table, first), profile: table.profile.slice(), round: 0 };
  const total = first.value.reduce((sum, value) => sum + value, 0);
  // The most valuable first: those after them hardly move them.
  const order = [...table.movers].sort((a, b) => first.value[b] - first.value[a] || a - b);
  for (let round = 0; round < rounds; round++) {
    const moved = settleRound(table, order, total, round);
    const seen = observeAll(table);
    const score = scoreOf(table, seen);
    if (score < best.score) {
      best.score = score;
      best.profile = table.profile.slice();
      best.round = round;
    }
    history.push({ phase: 'endgame', ...lookAt(table, seen) });
    onProgress?.({ phase: 'endgame', done: round + 1, total: rounds });
    await yieldToEventLoop();
    signal?.throwIfAborted();
    if (moved === 0 || round - best.round >= PATIENCE) break;
  }
  playAll(table, best.profile);
  keepLimits(table);
  await lowerWorst(table, { signal });
}

/** Whoever breaks a limit lowers its bids; where that does not end, all do. */
function keepLimits(table: Table): void {
  const overspend = () => lookAt(table, observeAll(table)).overspend;
  if (overspend() > OVERSPEND_ALLOWED) polish(table, SWEEPS);
  for (let time = 0; time < TIMES_LOWERED; time++) {
    const left = overspend();
    if (!(left > OVERSPEND_ALLOWED && left < Infinity)) return;
    lowerAll(table, left);
  }
}

/**
 * Lets the advertiser with the largest regret take its best response, if that makes things better altogether; then the next. Whoever is small is
 * hindered by whole auctions and helped by the exact search, and hardly moves the others.
 */
async function lowerWorst(table: Table, { signal }: RunOptions): Promise<void> {
  let seen = observeAll(table);
  let score = scoreOf(table, seen);
  const tried = new Set<number>();
  for (let trial = 0; trial < TRIALS; trial++) {
    const worst = worstOf(table, seen, tried);
    if (worst < 0) return;
    tried.add(worst);
    const before = table.profile.slice();
    const view = viewOf(table, worst);
    play(table, worst, toRow(table, view, answer(table, worst, view, EXACT_WIDTH), rowOf(table, worst)));
    const after = observeAll(table);
    const reached = scoreOf(table, after);
    if (reached < score) {
      seen = after;
      score = reached;
      tried.clear();
    } else {
      playAll(table, before);
    }
    await yieldToEventLoop();
    signal?.throwIfAborted();
  }
}

/** Who gains most by its best response, relative to what it has, of those not tried and above 1 %; −1: nobody. */
function worstOf(
  table: Table,
  { value, spend, best }: Required<Observation>,
  tried: ReadonlySet<number>,
): number {
  let worst = -1;
  let largest = WORTH_A_TRIAL;
  for (const i of table.movers) {
    const own = objectiveOf(table.bidders[i], value[i], spend[i]);
    const regret = own > 0 ? best[i] / own - 1 : best[i] > 0 ? Infinity : 0;
    if (regret <= largest || tried.has(i)) continue;
    worst = i;
    largest = regret;
  }
  return worst;
}

/** Largest |Δ ln μ|. */
function largestMove(before: Float64Array, after: Float64Array): number {
  let move = 0;
  for (let x = 0; x < before.length; x++) {
    if (before[x] > 0 && after[x] > 0) move = Math.max(move, Math.abs(Math.log(after[x] / before[x])));
  }
  return move;
}
