// The verifier: takes a profile, believes nothing, and recomputes what everybody gets and could get.

import type { Assumption, Certified } from '../../core/certificate.ts';
import { requireInteger, requireNumber } from '../../core/check.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { compensatedSum } from '../../core/sums.ts';
import type {
  AdvertiserRegret,
  AdvertiserTotals,
  EquilibriumGap,
  MarketOutcome,
  MixedProfile,
  Profile,
  Setting,
} from '../types.ts';
import { type BestChoice, bestChoice, SLACK } from './best-choice.ts';
import { budgetOf, CAP, requireSetting } from './check-setting.ts';
import { type Choices, choicesOf, multiplierOfChoice } from './choices.ts';
import { expectedOf } from './expected.ts';
import { judge } from './judge.ts';
import { bestWelfare, bidsByRule, bidsOfRows, runMarket } from './run-market.ts';
import { isPure, strategiesOf } from './strategies.ts';
import type { Verification, VerifyOptions } from './verification.ts';

/** Share by which a reply that is shown may pass value and budget: first-price bids stand 1e-9 above the infimum. */
const SHOWN_SLACK = 2e-9;

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
    : mixedPlayers(setting, strategies, options);
  const { advertisers } = setting.market;
  const regrets: AdvertiserRegret[] = [];
  const demonstrations = new Map<number, { value: number; spend: number }>();
  const got: Got[] = [];
  let deviationsRun = 0;
  for (let i = 0; i < advertisers; i++) {
    options.signal?.throwIfAborted();
    options.onProgress?.({ phase: 'deviations of advertisers', done: i, total: advertisers });
    await yieldToEventLoop();
    const own = players.ownOf(i);
    got.push(own);
    const kind = setting.bidders?.[i]?.kind ?? 'value';
    const row = strategies[i].multipliers.slice(0, setting.buckets.count);
    if (bidsByRule(setting, i)) {
      regrets.push(regretOf(own, own.value, own.value, own.value, 0, row));
      continue;
    }
    const utility = kind === 'utility';
    const objectiveOf = ({ value, spend }: Got) => (utility ? value - spend : value);
    const objective = objectiveOf(own);
    const budget = budgetOf(setting.bidders?.[i]);
    const choices = players.choicesOf(i);
    const found = bestChoice({
      buckets: choices,
      objective: utility ? 'utility' : 'value',
      budget,
      incumbent: objective,
    });
    let best = objective;
    let deviation: Float64Array = row;
    if (found.picks && found.best > objective) {
      const tried = rowOfPicks(setting, choices, found, row);
      const reply = await players.deviate(i, tried);
      deviationsRun++;
      const allowed =
        (utility || reply.spend <= reply.value * (1 + SHOWN_SLACK)) &&
        reply.spend <= budget * (1 + SHOWN_SLACK);
      if (allowed && objectiveOf(reply) > objective) {
        best = objectiveOf(reply);
        deviation = tried;
        demonstrations.set(i, reply);
      }
    }
    const bound = Math.max(best, players.lotteries ? Math.max(found.bound, found.relaxed) : found.bound);
    const overspend = overspendOf(own.spend, utility ? budget : Math.min(budget, own.value));
    regrets.push(regretOf(own, objective, best, bound, overspend, deviation));
  }
  options.onProgress?.({ phase: 'deviations of advertisers', done: advertisers, total: advertisers });
  const gap = gapOf(regrets, setting);
  const outcome = outcomeOf(setting, got);
  const judged = judge(setting, strategies, gap, outcome, demonstrations, options);
  return certify({ ...judged, gap, outcome, deviationsRun }, options);
}

/** What one advertiser gets. */
interface Got {
  value: number;
  spend: number;
  wins: number;
}

/** What the verifier asks of a pure or a mixed profile. */
interface Players {
  ownOf(advertiser: number): Got;
  choicesOf(advertiser: number): readonly Choices[];
  /** Runs everything with another row of one advertiser. */
  deviate(advertiser: number, row: Float64Array): Promise<Got>;
  /** Whether deviations may be lotteries. */
  readonly lotteries: boolean;
}

async function purePlayers(
  setting: Setting,
  strategies: MixedProfile,
  options: RunOptions,
): Promise<Players> {
  const { maxMultiplier: cap = CAP } = setting;
  const bidsWith = (advertiser: number, row: Float64Array) =>
    bidsOfRows('verifyProfile', setting, (i) => (i === advertiser ? row : strategies[i].multipliers));
  const bids = bidsWith(-1, new Float64Array(0));
  const totals = await runMarket(setting, bids, options);
  return {
    ownOf: (i) => ({ value: totals.value[i], spend: totals.spend[i], wins: totals.wins[i] }),
    choicesOf: (i) => choicesOf(setting, i, bids, cap),
    async deviate(i, row) {
      const { value, spend, wins } = await runMarket(setting, bidsWith(i, row), options);
      return { value: value[i], spend: spend[i], wins: wins[i] };
    },
    lotteries: false,
  };
}

function mixedPlayers(setting: Setting, strategies: MixedProfile, options: VerifyOptions): Players {
  const { maxMultiplier: cap = CAP } = setting;
  const { maxCombinations = 4096 } = options;
  const asked = { cap, maxCombinations };
  const cache = new Map<number, ReturnType<typeof expectedOf>>();
  const expected = (i: number) => {
    const known = cache.get(i);
    if (known) return known;
    cache.clear(); // one advertiser at a time: the lists of choices are long
    const computed = expectedOf(setting, i, strategies, { ...asked, withChoices: !bidsByRule(setting, i) });
    cache.set(i, computed);
    return computed;
  };
  return {
    ownOf: expected,
    choicesOf: (i) => expected(i).choices,
    async deviate(i, row) {
      const mix = { weights: Float64Array.of(1), multipliers: row };
      const others = strategies.map((strategy, other) => (other === i ? mix : strategy));
      return expectedOf(setting, i, others, { ...asked, withChoices: false });
    },
    lotteries: true,
  };
}

function rowOfPicks(
  { rules, maxMultiplier = CAP }: Setting,
  choices: readonly Choices[],
  { picks }: BestChoice,
  row: Float64Array,
): Float64Array {
  return row.map((own, k) => {
    const choice = picks?.[k] ?? 0;
    if (choice === 0 && Number.isNaN(own)) return own; // a bucket without entries
    return multiplierOfChoice(choices[k], choice, maxMultiplier, rules.format === 'fpa');
  });
}

function regretOf(
  { value, spend }: Got,
  objective: number,
  best: number,
  bestBound: number,
  overspend: number,
  deviation: Float64Array,
): AdvertiserRegret {
  return {
    value,
    spend,
    best,
    bestBound,
    regret: gainOf(best, objective),
    regretBound: gainOf(bestBound, objective),
    overspend,
    deviation,
  };
}

/** best ÷ own − 1; 0 where there is no gain, Infinity where nothing (or a loss) turns into something. */
function gainOf(best: number, own: number): number {
  if (!(best > own)) return 0;
  return own > 0 ? best / own - 1 : Infinity;
}

/** By how much spend is above its limit. */
function overspendOf(spend: number, limit: number): number {
  if (!(spend > limit)) return 0;
  return limit > 0 ? spend / limit - 1 : Infinity;
}

function gapOf(advertisers: readonly AdvertiserRegret[], { bidders }: Setting): EquilibriumGap {
  const own = compensatedSum(
    advertisers.map(({ value, spend }, i) => (bidders?.[i]?.kind === 'utility' ? value - spend : value)),
  );
  const mean = (key: 'best' | 'bestBound') => gainOf(compensatedSum(advertisers.map((a) => a[key])), own);
  const most = (key: 'regret' | 'regretBound' | 'overspend') =>
    advertisers.reduce((largest, advertiser) => Math.max(largest, advertiser[key]), 0);
  return {
    advertisers,
    maxRegret: most('regret'),
    meanRegret: mean('best'),
    maxRegretBound: most('regretBound'),
    meanRegretBound: mean('bestBound'),
    maxOverspend: most('overspend'),
  };
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
