// Counterfactual replay: a log of auctions under the rules of the day, and under other ones.

import type { Assumption, Certified } from '../../core/certificate.ts';
import { requireInteger, requireProbability, requireSeed } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { Market } from '../types.ts';
import { resampleSums } from './bootstrap.ts';
import { sumByGroup, sumColumns, totalSums } from './group-sums.ts';
import { groupAuctions } from './groups.ts';
import { resolveSums } from './resolve.ts';
import { type SolvedWorld, type SolveOptions, solveWorld } from './solve-world.ts';
import { changesOf } from './statistics.ts';
import type { Replay, ReplayedWorld, ReplayWorld } from './types.ts';

export interface ReplayOptions extends SolveOptions {
  /** The rules of the day. */
  from: ReplayWorld;
  /** The rules in question. */
  to: ReplayWorld;
  /** What is drawn together in the bootstrap: a label of each auction (day, user), shape (auctions,). Default: auctions one by one. */
  clusters?: ArrayLike<number | string> | undefined;
  /** Draws of the bootstrap, ≥ 50. Default 1000. */
  resamples?: number | undefined;
  /**
   * Find equilibria anew on so many draws, instead of holding multipliers on `resamples`: 0, or ≥ 5; 40 give intervals 3 % wider than
   * infinitely many would. Bidders that adapt keep their targets on every
   * draw, so that intervals of profit are far narrower as a rule; those of welfare may be wider. Default 0.
   */
  resolve?: number | undefined;
  /** Of every interval. Default 0.95. */
  confidence?: number | undefined;
}

/**
 * What other rules would have made of a log of auctions.
 *
 * Before: the recorded bids where `from` has them, else an equilibrium of the rules of the day. After: an equilibrium of the rules in question
 * (or bids given). Welfare, profit and every advertiser's value, spend and ROAS in both, with intervals by bootstrap over auctions: both
 * worlds are drawn with the same auctions, multipliers held fixed. A difference is `separated` only when its interval has one sign and it
 * exceeds what advertisers could still gain by deviating.
 *
 * @param market - the log
 * @returns the changes; the certificate bounds how far the change of welfare is from that over all auctions which these were drawn from.
 *   Equilibria come with certificates of their own
 * @throws {InvalidArgumentError} an option leaves its range, or the market has no auction @throws {ShapeError} an array does not fit the market
 *
 * Time: two equilibria, and O(resamples · min(auctions, 2000) · advertisers). Source: derived; auctions of arXiv 2311.10679.
 */
export async function replay(market: Market, options: ReplayOptions): Promise<Certified<Replay>> {
  const { bidders, clusters, resamples = 1000, resolve = 0, confidence = 0.95, seed = 0, signal } = options;
  requireInteger('replay: resamples', resamples, 50);
  requireInteger('replay: resolve', resolve, 0);
  if (resolve > 0) requireInteger('replay: resolve', resolve, 5);
  requireProbability('replay: confidence', confidence);
  requireSeed('replay: seed', seed);
  if (market.auctions === 0) {
    throw new InvalidArgumentError('replay: the market has no auction; expected at least one.');
  }
  const { width } = sumColumns(market.advertisers, 2);
  const groups = groupAuctions(market.auctions, { clusters, width, seed });

  const from = await solveWorld(market, options.from, 'before', options);
  const to = await solveWorld(market, options.to, 'after', options);
  const sums = await sumByGroup(market, [from, to], groups, { signal });
  const resampled =
    resolve > 0
      ? await resolveSums([from, to], groups, resolve, options)
      : await resampleSums(sums, { resamples, seed, signal, onProgress: options.onProgress });
  const gaps = [from, to].map(({ replayed }) =>
    replayed.origin === 'recorded' ? undefined : replayed.gap,
  ) as [ReplayedWorld['gap'] | undefined, ReplayedWorld['gap'] | undefined];
  const changes = changesOf(market, totalSums(sums), resampled, {
    ...{ groups: groups.count, confidence, bidders, gaps },
  });
  const value: Replay = {
    ...{ from: from.replayed, to: to.replayed, ...changes },
    bootstrap: {
      ...{ groups: groups.count, groupName: groups.name, resamples: resolve || resamples },
      multipliers: resolve > 0 ? 'found anew' : 'held',
    },
  };
  return { value, certificate: certify(value, [from, to], { confidence, seed }) };
}

function certify(
  { welfare, profit, from, to, bootstrap }: Replay,
  worlds: readonly SolvedWorld[],
  { confidence, seed }: { confidence: number; seed: number },
): Certified<Replay>['certificate'] {
  const { difference, interval } = welfare;
  const bound = Math.max(interval.high - difference, difference - interval.low);
  const warnings = worlds.flatMap((world, w) =>
    world.warnings.map((warning) => `${w === 0 ? 'before' : 'after'}: ${warning}`),
  );
  if (from.origin === 'recorded' && to.origin !== 'recorded') {
    warnings.push(
      'before are recorded bids, after is an equilibrium: the change is of rules and of bidding together. For the rules alone compare two equilibria.',
    );
  }
  for (const [name, change] of [
    ['welfare', welfare],
    ['profit', profit],
  ] as const) {
    if (change.verdict !== 'separated') {
      const held =
        name === 'profit' && change.verdict === 'within interval' && bootstrap.multipliers === 'held';
      warnings.push(
        `the change of ${name} is ${change.verdict}: do not read a sign into it.` +
          (held ? ' Where bidders adapt to each draw (resolve) its interval is narrower as a rule.' : ''),
      );
    }
  }
  return {
    statement:
      'the change of welfare, as a sum over as many auctions from where these came, is this far from the one shown at most',
    source:
      'derived: paired bootstrap over auctions; equilibria certified by best deviations (arXiv 2311.10679)',
    assumptions: [
      { statement: `${bootstrap.groupName} are independent draws from those of interest`, status: 'assumed' },
      { statement: 'values and participation do not change with the rules', status: 'assumed' },
      bootstrap.multipliers === 'held'
        ? { statement: 'multipliers do not change from one draw of auctions to another', status: 'assumed' }
        : { statement: 'bidders find an equilibrium on each draw of auctions', status: 'proved' },
      ...[from, to].map((world, w) => restAssumption(world, w === 0 ? 'before' : 'after')),
    ],
    bound: {
      value: bound,
      unit: 'money',
      failureProbability: 1 - confidence,
      scale: Math.abs(difference),
    },
    ...{ seed, backend: worlds[1].replayed.certificate?.backend ?? 'none', warnings },
  };
}

/** How near to rest the bidders of a world are. */
function restAssumption({ origin, gap }: ReplayedWorld, when: string): Assumption {
  const statement =
    origin === 'recorded'
      ? `bids ${when} are those recorded, at rest or not`
      : `bidders ${when} are at rest: no deviation gains much`;
  return {
    statement,
    status: 'checked',
    measured: gap.meanRegretBound,
    measure: 'what all could gain by deviating ÷ value',
  };
}
