// The verifier: takes a profile, believes nothing, and recomputes what everybody gets and could get.

import type { Assumption, Certified } from '../../core/certificate.ts';
import { requireInteger, requireNumber } from '../../core/check.ts';
import { yieldToEventLoop } from '../../core/progress.ts';
import { compensatedSum } from '../../core/sums.ts';
import type { AdvertiserTotals, MarketOutcome, MixedProfile, Profile, Setting } from '../types.ts';
import { SLACK } from './best-choice.ts';
import { budgetOf, requireSetting } from './check-setting.ts';
import { judge } from './judge.ts';
import { type Got, mixedPlayers, purePlayers } from './players.ts';
import { type Examined, examineAdvertiser, gapOf } from './regrets.ts';
import { bestWelfare } from './run-market.ts';
import { isPure, strategiesOf } from './strategies.ts';
import type { Verification, VerifyOptions } from './verification.ts';

const DEFAULT_COMBINATIONS = 4096;

/**
 * Checks whether a profile is an ε-equilibrium, without any of the code that found it.
 *
 * Runs all auctions by sorting, finds each advertiser's outcomes at every multiplier by running its auctions between all breakpoints, and
 * searches its best reply among them exactly (multiple-choice knapsack: Lagrangian bound, then enumeration). A better reply is shown, not
 * derived: every auction is run with it. First-price replies are suprema, bid 1e-9 above. In mixed profiles everybody's own row is drawn
 * independently, all figures are expectations, and `bestBound` covers lotteries over rows too.
 *
 * @param profile - multipliers, shape (advertisers · K,), or one mix for each advertiser
 * @returns the verdict with all objections; the certificate bounds the largest regret
 * @throws {InvalidArgumentError} a number of setting, profile or options leaves its domain; an advertiser's entries in one auction lie in
 *   different buckets
 * @throws {ShapeError} arrays do not fit each other
 *
 * O(n E P² log P + searches) for n advertisers of E entries; mixed O(n E A² P S) for A atoms of rivals in an auction.
 * Reference: ε-equilibrium of value maximisers as in arXiv 2311.10679; method derived.
 */
export async function verifyProfile(
  setting: Setting,
  profile: Profile | MixedProfile,
  options: VerifyOptions = {},
): Promise<Certified<Verification>> {
  requireSetting('verifyProfile', setting);
  requireOptions(options);
  const strategies = strategiesOf('verifyProfile', setting, profile);
  const players = isPure(strategies)
    ? await purePlayers(setting, strategies, options)
    : mixedPlayers(setting, strategies, options.maxCombinations ?? DEFAULT_COMBINATIONS, options);
  const { advertisers } = setting.market;
  const examined: Examined[] = [];
  for (let i = 0; i < advertisers; i++) {
    options.signal?.throwIfAborted();
    options.onProgress?.({ phase: 'deviations of advertisers', done: i, total: advertisers });
    await yieldToEventLoop();
    const row = strategies[i].multipliers.slice(0, setting.buckets.count);
    examined.push(await examineAdvertiser(setting, players, i, row));
  }
  options.onProgress?.({ phase: 'deviations of advertisers', done: advertisers, total: advertisers });
  const gap = gapOf(
    examined.map(({ regret }) => regret),
    setting,
  );
  const outcome = outcomeOf(
    setting,
    examined.map(({ own }) => own),
  );
  const shown = examined.map((advertiser) => advertiser.shown);
  const judged = judge(setting, strategies, gap, outcome, shown, options);
  const deviationsRun = shown.filter((reply) => reply !== undefined).length;
  return certify({ ...judged, gap, outcome, deviationsRun }, options);
}

function outcomeOf(setting: Setting, advertisers: readonly Got[]): MarketOutcome {
  const column = (key: keyof Got) => Float64Array.from(advertisers, (got) => got[key]);
  const totals: AdvertiserTotals = { value: column('value'), spend: column('spend'), wins: column('wins') };
  return {
    totals,
    welfare: compensatedSum(totals.value.map((v, i) => Math.min(v, budgetOf(setting.bidders?.[i])))),
    profit: compensatedSum(totals.spend),
    optimum: bestWelfare(setting),
  };
}

function certify(
  value: Verification,
  { maxRegret = 1e-6, maxOverspend = 1e-4 }: VerifyOptions,
): Certified<Verification> {
  const { gap, verdict, objections } = value;
  const assumptions: Assumption[] = [
    { statement: 'market, rules and bidders are as stated', status: 'assumed' },
    {
      statement: `spend ≤ (1 + ${maxOverspend}) · value for every value maximiser`,
      status: gap.maxOverspend <= maxOverspend ? 'checked' : 'violated',
      measured: gap.maxOverspend,
      measure: 'largest overspend',
    },
    {
      statement: `spend may pass value and budget by ${SLACK}, for rounding`,
      status: 'proved',
    },
  ];
  const warnings = objections.map(({ message }) => message);
  if (verdict === 'undecided') {
    warnings.push(
      `No better reply was found, but gains up to ${gap.maxRegretBound} are not excluded; ${maxRegret} was stated.`,
    );
  }
  return {
    value,
    certificate: {
      statement: 'no advertiser raises its objective by a larger share, others fixed',
      source:
        'derived: all outcomes listed by running the auctions, best reply by Lagrangian bound and enumeration',
      assumptions,
      bound: {
        value: gap.maxRegretBound,
        unit: 'share of the own objective',
        failureProbability: 0,
        scale: 1,
      },
      seed: 0,
      backend: 'none',
      warnings,
    },
  };
}

function requireOptions({ maxRegret, meanRegret, maxOverspend, maxCombinations }: VerifyOptions): void {
  for (const [name, limit] of Object.entries({ maxRegret, meanRegret, maxOverspend })) {
    if (limit !== undefined && limit !== Infinity) requireNumber(`verifyProfile: ${name}`, limit, 0);
  }
  if (maxCombinations !== undefined) requireInteger('verifyProfile: maxCombinations', maxCombinations, 1);
}
