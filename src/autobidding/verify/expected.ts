// What one advertiser gets in expectation when all others mix independently: exact, by counting where nothing but ranks matters.

import { InvalidArgumentError } from '../../core/errors.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { CompensatedSum } from '../../core/sums.ts';
import type { MixedProfile, Setting } from '../types.ts';
import { type Change, type Choices, changesOfAuction, choicesOfChanges, ownEntries } from './choices.ts';
import { levelsOf, meetsRanksOnly } from './levels.ts';
import { bidOfEntry } from './run-market.ts';
import {
  bidOfScore,
  emptyOutcomes,
  reserveAt,
  runSortedAuction,
  scoreOf,
  tieOrder,
} from './sorted-auction.ts';

/** Auctions between two looks at the event loop: some ten milliseconds, with few atoms. */
const AUCTIONS_PER_TURN = 16;

/** Expectations of one advertiser. */
export interface Expected {
  /** E V and E P of its own mix. */
  readonly value: number;
  readonly spend: number;
  /** Expected number of slots won. */
  readonly wins: number;
  /** What each multiplier of each bucket would give instead, in expectation; empty lists unless asked for. */
  readonly choices: readonly Choices[];
}

export interface ExpectedOptions extends RunOptions {
  /** Largest multiplier of the choices. */
  readonly cap: number;
  /** Whether the choices are wanted. */
  readonly withChoices: boolean;
  /** Combinations of rows that may be run in one auction that counting does not cover. */
  readonly maxCombinations: number;
}

/**
 * Expectations of `advertiser` over everybody's independent draws.
 *
 * Totals are sums over auctions, so only the joint law of the bids within each auction matters. Where every advertiser has one entry and an
 * owner of its own, the number of rivals above and the best one below are counted exactly; elsewhere all combinations of rows are run.
 *
 * @throws {InvalidArgumentError} an auction that must be enumerated has more than `maxCombinations` combinations
 *
 * O(E A² P S) for E entries against A atoms of rivals each.
 */
export async function expectedOf(
  setting: Setting,
  advertiser: number,
  strategies: MixedProfile,
  { cap, withChoices, maxCombinations, signal }: ExpectedOptions,
): Promise<Expected> {
  const { buckets, rules } = setting;
  const [value, spend] = [new CompensatedSum(), new CompensatedSum()];
  let wins = 0;
  const changes: Change[][] = Array.from({ length: buckets.count }, () => []);
  let turn = 0;
  for (const own of ownEntries(setting, advertiser)) {
    if (++turn % AUCTIONS_PER_TURN === 0) await yieldToEventLoop();
    signal?.throwIfAborted();
    const parts = meetsRanksOnly(setting, own.auction)
      ? countAuction(setting, own.auction, own.start, strategies, withChoices ? cap : 0)
      : enumerateAuction(setting, own, strategies, withChoices ? cap : 0, maxCombinations);
    value.add(parts.value);
    spend.add(parts.spend);
    wins += parts.wins;
    for (const change of parts.changes) changes[buckets.ofEntry[own.start]].push(change);
  }
  return {
    value: value.value,
    spend: spend.value,
    wins,
    choices: changes.map((list) => choicesOfChanges(list, rules.format === 'fpa')),
  };
}

interface AuctionParts {
  value: number;
  spend: number;
  wins: number;
  changes: Change[];
}

function countAuction(
  setting: Setting,
  j: number,
  e: number,
  strategies: MixedProfile,
  cap: number,
): AuctionParts {
  const { market, buckets, rules } = setting;
  const unit = market.values[e];
  const reserve = reserveAt(rules, j);
  const levels = levelsOf(setting, j, e, strategies);
  const { atoms, share } = levels;
  const parts: AuctionParts = { value: 0, spend: 0, wins: 0, changes: [] };
  const tie = tieOrder(market, rules, j);
  const levelOf = (score: number) => {
    let level = 0;
    while (level < atoms.length && (atoms[level].score - score || tie(e, atoms[level].entry)) > 0) level++;
    return level;
  };
  const { weights, multipliers } = strategies[market.advertiserOf[e]];
  weights.forEach((weight, row) => {
    const bid = bidOfEntry(setting, e, multipliers[row * buckets.count + buckets.ofEntry[e]]);
    if (!(bid > 0 && bid >= reserve)) return;
    const level = levelOf(scoreOf(rules, e, bid));
    parts.value += weight * share[level] * unit;
    parts.wins += weight * levels.chanceAt(level);
    parts.spend += weight * (rules.format === 'fpa' ? bid * share[level] : levels.spendAt(level));
  });
  let last = { value: 0, spend: 0 };
  const moveTo = (level: number, threshold: number, above: boolean) => {
    const next = { value: share[level] * unit, spend: rules.format === 'fpa' ? 0 : levels.spendAt(level) };
    if (next.value !== last.value || next.spend !== last.spend) {
      parts.changes.push({
        threshold,
        above,
        value: next.value - last.value,
        spend: next.spend - last.spend,
      });
    }
    last = next;
  };
  for (let level = atoms.length; cap > 0; ) {
    // The price of being just above all atoms from `level` on; those that the reserve beats are passed with it.
    const price =
      level === atoms.length ? reserve : Math.max(reserve, bidOfScore(rules, e, atoms[level].score));
    while (level > 0 && bidOfScore(rules, e, atoms[level - 1].score) <= price) level--;
    if (price / unit >= cap) break;
    // At the price itself the tie rule decides which of the atoms there are passed; above it, all are.
    if (price > 0) moveTo(levelOf(scoreOf(rules, e, price)), price / unit, false);
    moveTo(level, price / unit, true);
    if (level === 0) break;
    level--;
  }
  return parts;
}

function enumerateAuction(
  setting: Setting,
  { auction, start, end }: { auction: number; start: number; end: number },
  strategies: MixedProfile,
  cap: number,
  maxCombinations: number,
): AuctionParts {
  const { market, buckets } = setting;
  const { offsets, advertiserOf } = market;
  const entries = Array.from(
    { length: offsets[auction + 1] - offsets[auction] },
    (_, p) => offsets[auction] + p,
  );
  const advertisers = [...new Set(entries.map((e) => advertiserOf[e]))];
  const combinations = advertisers.reduce((product, q) => product * strategies[q].weights.length, 1);
  if (combinations > maxCombinations) {
    throw new InvalidArgumentError(
      `verifyProfile: auction ${auction} has owners or several entries of one advertiser, and ${combinations} combinations of mixed rows; ` +
        `expected at most ${maxCombinations}. Raise maxCombinations, or verify a profile of smaller supports.`,
    );
  }
  const self = advertiserOf[start];
  const bids = new Float64Array(market.values.length);
  const scratch = emptyOutcomes(market.values.length);
  const parts: AuctionParts = { value: 0, spend: 0, wins: 0, changes: [] };
  const visit = (at: number, weight: number, firstOfOwn: boolean) => {
    if (at === advertisers.length) {
      runSortedAuction(market, setting.rules, auction, bids, scratch);
      for (let e = start; e < end; e++) {
        parts.value += weight * scratch.discount[e] * market.values[e];
        parts.spend += weight * scratch.payment[e];
        if (scratch.discount[e] > 0) parts.wins += weight;
      }
      if (!firstOfOwn || cap === 0) return;
      // Rivals' bids do not depend on the own row: one look for all own rows, with their total weight.
      const rivals = weight / strategies[self].weights[0];
      const kept = bids.slice(start, end);
      for (const change of changesOfAuction(setting, auction, start, end, cap, bids, scratch)) {
        parts.changes.push({ ...change, value: rivals * change.value, spend: rivals * change.spend });
      }
      bids.set(kept, start);
      return;
    }
    const { weights, multipliers } = strategies[advertisers[at]];
    weights.forEach((share, row) => {
      for (const e of entries) {
        if (advertiserOf[e] !== advertisers[at]) continue;
        bids[e] = bidOfEntry(setting, e, multipliers[row * buckets.count + buckets.ofEntry[e]]);
      }
      visit(at + 1, weight * share, firstOfOwn && (advertisers[at] !== self || row === 0));
    });
  };
  visit(0, 1, true);
  return parts;
}
