import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { summarize } from '../../core/statistics/index.ts';
import { auctionDetails } from '../auction/auction-details.ts';
import { runAuctions } from '../auction/run-auctions.ts';
import { provablyGenerator } from '../generators/provably-generator.ts';
import { exactLandscapes } from '../landscape/exact-landscapes.ts';
import { topicBuckets } from '../market/buckets.ts';
import { optimalWelfare } from '../market/optimal-welfare.ts';
import { profileBids } from '../market/profile-bids.ts';
import { uniformBuckets } from '../market/uniform-buckets.ts';
import { bestResponse } from '../response/best-response.ts';
import type { Market, Setting } from '../types.ts';
import { sumByGroup, sumColumns } from './group-sums.ts';
import { groupAuctions } from './groups.ts';
import { recordedGap } from './recorded-gap.ts';
import { replay } from './replay.ts';
import type { EquilibriumSolver } from './solve-world.ts';
import { takeAuctions } from './take-auctions.ts';
import type { Replay } from './types.ts';
import { simultaneousHalfWidths } from './winners.ts';

/** Twenty rounds of best responses, one after the other: enough for markets of this size, and independent of the real search. */
const solve: EquilibriumSolver = async (setting, { seed }) => {
  const { market, buckets, rules } = setting;
  const profile = new Float64Array(market.advertisers * buckets.count).fill(1);
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < market.advertisers; i++) {
      const landscape = exactLandscapes(setting, profileBids(setting, profile))[i];
      const bidder = setting.bidders?.[i] ?? { kind: 'value' };
      const { multipliers } = bestResponse(landscape, bidder, { format: rules.format });
      // Ties count as won in a landscape: bid a hair above.
      multipliers.forEach((mu, k) => {
        profile[i * buckets.count + k] = mu === 1 ? 1 : mu * (1 + 1e-9);
      });
    }
  }
  const outcome = await runAuctions(setting, profile);
  const gap = await recordedGap(setting, profileBids(setting, profile), outcome);
  const bound = { value: gap.meanRegretBound, unit: 'share', failureProbability: 0 };
  const certificate = {
    ...{ statement: 'test', source: 'test', assumptions: [], bound, seed, backend: 'none', warnings: [] },
  };
  return { value: { profile, outcome, gap }, certificate };
};

const generated = provablyGenerator({ advertisers: 6, auctions: 300, participants: 4, topics: 4, seed: 1 });
const { market } = generated;
const uniform = uniformBuckets(market);
const near = (actual: number, expected: number, relative = 1e-9): void =>
  assert.ok(Math.abs(actual - expected) <= relative * Math.abs(expected), `${actual}; expected ${expected}`);

describe('sumByGroup', () => {
  it('adds up to the totals and the optimum, and keeps groups apart', async () => {
    const setting: Setting = { market, buckets: uniform, rules: { format: 'gsp' } };
    const groups = groupAuctions(market.auctions, {
      clusters: Array.from({ length: market.auctions }, (_, j) => `day ${j % 3}`),
      ...{ width: 1, seed: 0 },
    });
    assert.equal(groups.count, 3);
    const bids = market.values.slice();
    const sums = await sumByGroup(market, [{ setting, draws: { count: 1, bids: () => bids } }], groups);
    const columns = sumColumns(market.advertisers, 1);
    const total = (column: number): number =>
      [0, 1, 2].reduce((sum, g) => sum + sums.data[g * sums.width + column], 0);
    const { totals } = await runAuctions(setting, { bids });
    for (let i = 0; i < market.advertisers; i++) {
      near(total(columns.value(0, i)), totals.value[i]);
      near(total(columns.spend(0, i)), totals.spend[i]);
    }
    near(total(columns.optimum), optimalWelfare(market));
    const { payments, slots } = await auctionDetails(setting, { bids });
    const day = payments.reduce((sum, paid, at) => sum + (Math.floor(at / slots) % 3 === 1 ? paid : 0), 0);
    const spent = market.advertisers;
    near(
      Array.from({ length: spent }, (_, i) => sums.data[sums.width + columns.spend(0, i)]).reduce(
        (sum, x) => sum + x,
        0,
      ),
      day,
    );
  });
});

describe('groupAuctions', () => {
  it('takes auctions one by one while they are few, else random groups of equal size', () => {
    assert.equal(groupAuctions(500, { width: 10, seed: 0 }).count, 500);
    const many = groupAuctions(10_000, { width: 10, seed: 0 });
    assert.equal(many.count, 2000);
    const sizes = new Uint32Array(many.count);
    for (const group of many.of) sizes[group]++;
    assert.deepEqual([...new Set(sizes)], [5]);
    assert.notDeepEqual(many.of, groupAuctions(10_000, { width: 10, seed: 1 }).of);
    assert.equal(groupAuctions(10_000, { width: 1e6, seed: 0 }).count, 100);
  });
});

describe('takeAuctions', () => {
  it('repeats auctions with everything that belongs to them', async () => {
    const rng = createRng(3);
    const draw = (length: number) => Float64Array.from({ length }, () => rng.next());
    const rules = {
      ...{ format: 'vcg' as const, reserve: draw(market.auctions), boosts: draw(market.values.length) },
      factors: draw(market.values.length).map((x) => 0.5 + x),
    };
    const setting: Setting = { market, buckets: topicBuckets(generated, 4), rules };
    const picks = Uint32Array.of(7, 7, 12);
    const taken = takeAuctions(setting, picks);
    const profile = draw(market.advertisers * 4).map((x) => 0.5 + x);
    const whole = await auctionDetails(setting, profile);
    const part = await auctionDetails(taken.setting, profile);
    const { slots } = whole;
    const expected = [...picks].flatMap((j) => [...whole.payments.subarray(j * slots, (j + 1) * slots)]);
    assert.deepEqual([...part.payments], expected);
    assert.ok(expected.some((paid) => paid > 0));
  });
});

describe('recordedGap', () => {
  it('gives what a best response promises, and nothing to bidders by rule', async () => {
    const bidders = Array.from({ length: market.advertisers }, (_, i) =>
      i === 0 ? { kind: 'fixed' as const, multiplier: 0.5 } : { kind: 'value' as const },
    );
    const setting: Setting = { market, buckets: uniform, rules: { format: 'gsp' }, bidders };
    const bids = market.values.map((v) => 0.5 * v);
    const outcome = await runAuctions(setting, { bids });
    const gap = await recordedGap(setting, bids, outcome);
    assert.equal(gap.advertisers[0].regret, 0);
    const landscape = exactLandscapes(setting, bids)[2];
    const { value } = bestResponse(landscape, { kind: 'value' }, { format: 'gsp' });
    near(gap.advertisers[2].best, value);
    near(gap.advertisers[2].regret, value / outcome.totals.value[2] - 1);
    const gained = gap.advertisers.reduce((sum, { best, value: own }) => sum + best - own, 0);
    near(gap.meanRegret, gained / outcome.welfare);
    assert.ok(gap.meanRegretBound >= gap.meanRegret && gap.maxRegretBound >= gap.maxRegret);
  });
});

describe('simultaneousHalfWidths', () => {
  it('covers all estimates at once as often as it says', () => {
    const [count, resamples] = [8, 400];
    const rng = createRng(9);
    let covered = 0;
    const runs = 300;
    for (let run = 0; run < runs; run++) {
      // Estimates of 0 with standard errors 1 … 8, and resamples that vary about them by as much.
      const estimates = Float64Array.from({ length: count }, (_, i) => (i + 1) * rng.normal());
      const resampled = Float64Array.from(
        { length: resamples * count },
        (_, at) => estimates[at % count] + ((at % count) + 1) * rng.normal(),
      );
      const widths = simultaneousHalfWidths(estimates, resampled, {
        ...{ resamples, groups: 10_000, confidence: 0.9 },
      });
      if (estimates.every((estimate, i) => Math.abs(estimate) <= widths[i])) covered++;
    }
    // Binomial of 300 at 0.9: standard deviation 1.7 %, 5 of them fail less than once in 10⁶; quantiles of 400 resamples add 1.5 %.
    assert.ok(covered / runs > 0.79, `covered ${covered / runs}`);
    assert.ok(covered / runs < 0.985, `covered ${covered / runs}`);
  });
});

describe('replay', () => {
  let answer: Replay;
  const worlds = {
    from: { rules: { format: 'vcg' as const }, buckets: uniform },
    to: { rules: { format: 'fpa' as const }, buckets: uniform },
  };
  before(async () => {
    ({ value: answer } = await replay(market, { ...worlds, solve, resamples: 200 }));
  });

  it('finds that uniform first price takes all the welfare there is', () => {
    const { welfare, profit, efficiency } = answer;
    near(welfare.after, optimalWelfare(market));
    near(profit.after, welfare.after);
    near(efficiency.after, 1);
    assert.ok(welfare.before < welfare.after && profit.before < profit.after);
    assert.ok(profit.interval.low < profit.difference && profit.interval.high > profit.difference);
    near(profit.difference, profit.after - profit.before);
  });

  it('adds up over advertisers, and calls those winners who gain beyond doubt', () => {
    const { advertisers, welfare, profit } = answer;
    near(
      advertisers.reduce((sum, { value }) => sum + value.difference, 0),
      welfare.difference,
      1e-6,
    );
    near(
      advertisers.reduce((sum, { spend }) => sum + spend.after, 0),
      profit.after,
    );
    for (const { gain, gainHalfWidth, verdict, value, roas } of advertisers) {
      near(gain, value.difference, 1e-6);
      if (verdict === 'wins') assert.ok(gain > gainHalfWidth && gain > value.regret);
      if (verdict === 'loses') assert.ok(-gain > gainHalfWidth && -gain > value.regret);
      near(roas[1], 1); // first price, μ = 1: all value is paid
    }
  });

  it('sees no change where nothing changes, exactly', async () => {
    const { value, certificate } = await replay(market, {
      ...{ from: worlds.from, to: worlds.from, solve, resamples: 50 },
    });
    assert.equal(value.welfare.difference, 0);
    assert.deepEqual(value.welfare.interval, { low: 0, high: 0, confidence: 0.95 });
    assert.equal(value.welfare.verdict, 'within interval');
    assert.ok(value.advertisers.every(({ verdict }) => verdict === 'not separated'));
    assert.equal(certificate.bound.value, 0);
  });

  it('starts from recorded bids, and says that the comparison is of two things then', async () => {
    const bids = market.values.map((v) => 0.9 * v);
    const { value, certificate } = await replay(market, {
      ...{ from: { ...worlds.from, bids }, to: worlds.to, solve, resamples: 50 },
    });
    assert.equal(value.from.origin, 'recorded');
    near(
      value.welfare.before,
      (await runAuctions({ market, buckets: uniform, rules: { format: 'vcg' } }, { bids })).welfare,
    );
    assert.ok(certificate.warnings.some((warning) => warning.includes('recorded bids')));
  });

  it('has intervals as wide as differences vary between logs of one source', async () => {
    const [logs, length] = [12, 80];
    const { market: big } = provablyGenerator({
      ...{ advertisers: 5, auctions: logs * length, participants: 4, topics: 4, seed: 8 },
    });
    const setting: Setting = { market: big, buckets: uniformBuckets(big), rules: { format: 'fpa' } };
    const differences: number[] = [];
    const errors: number[] = [];
    for (let log = 0; log < logs; log++) {
      const picks = Uint32Array.from({ length }, (_, j) => log * length + j);
      const { market: own, buckets } = takeAuctions(setting, picks).setting;
      const bids = own.values;
      const { value } = await replay(own, {
        from: { rules: { format: 'vcg' }, buckets, bids },
        to: { rules: { format: 'fpa' }, buckets, bids },
        ...{ solve, resamples: 100 },
      });
      const { difference, interval } = value.profit;
      differences.push(difference);
      errors.push((interval.high - interval.low) / 2 / 1.96);
    }
    const ratio = Math.sqrt(summarize(differences).variance) / summarize(errors).mean;
    // 11 s²/σ² is χ² of 11 degrees of freedom: s/σ leaves [0.17, 2.2] less than once in 10⁶; the rest is for tails that are no normal ones.
    assert.ok(ratio > 0.15 && ratio < 2.5, `spread between logs ÷ standard error: ${ratio}`);
  });

  it('mixes strategies where pure ones find no rest, and keeps their exact expectations', async () => {
    const buckets = topicBuckets(generated, 4);
    const to = { rules: { format: 'fpa' as const }, buckets };
    const own = {
      from: worlds.from,
      to,
      resamples: 50,
      search: { iterations: 10, rounds: 5, tolerance: 1e-4 },
    };
    const { value } = await replay(market, own);
    const never = await replay(market, { ...own, mixed: 'never' });
    assert.equal(never.value.to.origin, 'equilibrium');
    assert.equal(value.to.origin, 'mixed equilibrium');
    assert.ok(value.to.gap.meanRegretBound < never.value.to.gap.meanRegretBound);
    const { value: values, spend } = value.to.outcome.totals;
    value.advertisers.forEach((one, i) => {
      near(one.value.after, values[i]);
      near(one.spend.after, spend[i]);
    });
    near(value.welfare.after, value.to.outcome.welfare);
  });

  it('solves again on other draws when asked', async () => {
    const small: Market = takeAuctions(
      { market, buckets: uniform, rules: { format: 'vcg' } },
      Uint32Array.from({ length: 60 }, (_, j) => j),
    ).setting.market;
    const buckets = uniformBuckets(small);
    const found = { from: { ...worlds.from, buckets }, to: { ...worlds.to, buckets }, solve };
    const { value, certificate } = await replay(small, { ...found, resolve: 8 });
    const held = await replay(small, { ...found, resamples: 300 });
    assert.deepEqual(value.bootstrap, {
      ...{ groups: 60, groupName: 'auctions', resamples: 8, multipliers: 'found anew' },
    });
    assert.equal(value.profit.difference, held.value.profit.difference);
    const width = ({ profit: { interval } }: Replay): number => interval.high - interval.low;
    // Under VCG with binding targets spend follows value on every draw only if bidders adapt: then there is little left to vary.
    assert.ok(
      width(value) > 0 && width(value) < 0.7 * width(held.value),
      `${width(value)} of ${width(held.value)}`,
    );
    assert.ok(
      certificate.assumptions.every(({ statement }) => !/do not change from one draw/.test(statement)),
    );
    assert.ok(
      held.certificate.assumptions.some(({ statement }) => /do not change from one draw/.test(statement)),
    );
  });

  it('gives the same bits again', async () => {
    const again = await replay(market, { ...worlds, solve, resamples: 200 });
    assert.deepEqual(again.value, answer);
  });

  it('refuses options out of range, and markets without auctions', async () => {
    const wrong = [{ resamples: 10 }, { confidence: 1 }, { resolve: 2 }, { seed: -1 }];
    for (const options of wrong) {
      await assert.rejects(replay(market, { ...worlds, solve, ...options }), { code: 'INVALID_ARGUMENT' });
    }
    const none = { ...market, auctions: 0, offsets: new Uint32Array(1) };
    await assert.rejects(replay(none, { ...worlds, solve }), { message: /no auction/ });
    await assert.rejects(replay(market, { ...worlds, solve, clusters: [1] }), { code: 'SHAPE' });
  });
});
