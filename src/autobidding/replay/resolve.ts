// Equilibria on other draws of the auctions: bidders that adapt to each draw, instead of holding their multipliers.

import { createRng } from '../../core/rng.ts';
import { optimalWelfare } from '../market/optimal-welfare.ts';
import { sumColumns } from './group-sums.ts';
import type { AuctionGroups } from './groups.ts';
import { type SolvedWorld, type SolveOptions, solveWorld } from './solve-world.ts';
import { takeAuctions, takeEntries } from './take-auctions.ts';
import type { WorldOutcome } from './types.ts';

/**
 * Draws the groups with replacement and finds the bids of both worlds on that log anew, `resamples` times. Recorded bids stay as recorded.
 *
 * @returns what `resampleSums` gives, of bidders that adapt: shape (resamples, columns of `sumColumns`), row-major
 */
export async function resolveSums(
  worlds: readonly [SolvedWorld, SolvedWorld],
  groups: AuctionGroups,
  resamples: number,
  options: SolveOptions,
): Promise<Float64Array> {
  const { seed = 0, signal, onProgress } = options;
  const columns = sumColumns(worlds[0].setting.market.advertisers, 2);
  const members = membersOf(groups);
  const stream = createRng(seed).fork('resolve');
  const sums = new Float64Array(resamples * columns.width);
  for (let r = 0; r < resamples; r++) {
    onProgress?.({ phase: 'equilibria of other draws', done: r, total: resamples });
    const picks = drawMembers(members, stream.fork(r));
    const row = sums.subarray(r * columns.width, (r + 1) * columns.width);
    for (const [w, world] of worlds.entries()) {
      const { totals, optimum } = await solveAgain(world, picks, {
        ...options,
        signal,
        onProgress: undefined,
      });
      row.set(totals.value, columns.value(w, 0));
      row.set(totals.spend, columns.spend(w, 0));
      row[columns.optimum] = optimum;
    }
  }
  return sums;
}

async function solveAgain(
  world: SolvedWorld,
  picks: Uint32Array,
  options: SolveOptions,
): Promise<WorldOutcome> {
  const { setting, entryOf } = takeAuctions(world.setting, picks);
  const { market, buckets, rules } = setting;
  const bids = world.replayed.origin === 'recorded' ? takeEntries(world.draws.bids(0), entryOf) : undefined;
  const { replayed } = await solveWorld(market, { rules, buckets, bids }, 'draw', options);
  // With budgets the optimum of an outcome is that of liquid welfare; efficiency is against that of the log.
  return { ...replayed.outcome, optimum: optimalWelfare(market) };
}

function drawMembers(members: readonly Uint32Array[], rng: { integer(n: number): number }): Uint32Array {
  const drawn = Array.from(members, () => members[rng.integer(members.length)]);
  const picks = new Uint32Array(drawn.reduce((sum, { length }) => sum + length, 0));
  let next = 0;
  for (const group of drawn) {
    picks.set(group, next);
    next += group.length;
  }
  return picks;
}

function membersOf({ count, of }: AuctionGroups): Uint32Array[] {
  const sizes = new Uint32Array(count);
  for (const group of of) sizes[group]++;
  const members = Array.from(sizes, (size) => new Uint32Array(size));
  for (let j = of.length - 1; j >= 0; j--) members[of[j]][--sizes[of[j]]] = j;
  return members;
}
