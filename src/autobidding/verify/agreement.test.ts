// The verifier against the code it verifies: two ways to the same numbers that share nothing.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomProfile, randomSetting, tiedProfile } from '../../../test/autobid-settings.ts';
import { runAuctions } from '../auction/run-auctions.ts';
import { equilibriumGap, findEquilibrium } from '../equilibrium/index.ts';
import { provablyGenerator } from '../generators/provably-generator.ts';
import { topicBuckets } from '../market/buckets.ts';
import { findMixedEquilibrium } from '../mixed/index.ts';
import { AUCTION_FORMATS, type Bidder, type Setting } from '../types.ts';
import { verifyProfile } from './verify-profile.ts';

const variants = {
  plain: {},
  'reserves, boosts, factors, hashed ties': { rich: true },
  'owners and several entries': { shared: true },
  'all kinds of bidders': { mixed: true, advertisers: 6 },
  'ties everywhere': { tied: true },
  'ties by hash, owners': { tied: true, shared: true },
  everything: { rich: true, shared: true, mixed: true, advertisers: 6 },
};

const close = (a: number, b: number, share: number) =>
  Math.abs(a - b) <= share * Math.max(Math.abs(a), Math.abs(b));

/** Objectives as their finder promises and as the verifier shows them; first-price bids stand 1e-9 above the infimum. */
async function compare(setting: Setting, profile: Float64Array, label: string, ties = false) {
  const gap = await equilibriumGap(setting, profile);
  const { value } = await verifyProfile(setting, profile);
  gap.advertisers.forEach((theirs, i) => {
    const ours = value.gap.advertisers[i];
    const name = `${label}, advertiser ${i}`;
    assert.ok(close(ours.value, theirs.value, 1e-9), `${name}: V ${ours.value} ${theirs.value}`);
    assert.ok(close(ours.spend, theirs.spend, 1e-9), `${name}: P ${ours.spend} ${theirs.spend}`);
    assert.ok(
      close(ours.overspend, theirs.overspend, 1e-6) || Math.abs(ours.overspend - theirs.overspend) < 1e-9,
    );
    const slack = 1e-8 * (1 + theirs.value);
    assert.ok(
      theirs.best <= ours.bestBound + slack,
      `${name}: they reach ${theirs.best}, we bound ${ours.bestBound}`,
    );
    // Landscapes list what bids above thresholds give, not what bids at them do: the verifier knows replies that hang on ties, too.
    assert.ok(
      ties || ours.best <= theirs.bestBound + slack,
      `${name}: we reach ${ours.best}, they bound ${theirs.bestBound}`,
    );
  });
  return { gap, value };
}

describe('verifier and finder', () => {
  for (const format of AUCTION_FORMATS) {
    for (const [name, variant] of Object.entries(variants)) {
      it(`agree on ${format} with ${name}`, async () => {
        for (let seed = 0; seed < 4; seed++) {
          const setting = randomSetting(seed, { format, auctions: 25, buckets: 1 + (seed % 3), ...variant });
          const profile = name.startsWith('ties') ? tiedProfile(setting, seed) : randomProfile(setting, seed);
          const { value } = await compare(setting, profile, `seed ${seed}`, name.startsWith('ties'));
          const outcome = await runAuctions(setting, profile);
          for (const figure of ['welfare', 'profit', 'optimum'] as const) {
            assert.ok(close(outcome[figure], value.outcome[figure], 1e-9), figure);
          }
          assert.deepEqual(value.outcome.totals.wins, outcome.totals.wins);
        }
      });
    }
  }

  it('agree that a market has been settled', async () => {
    const generated = provablyGenerator({
      advertisers: 6,
      auctions: 200,
      participants: 4,
      topics: 4,
      seed: 5,
    });
    for (const format of AUCTION_FORMATS) {
      const setting = { market: generated.market, buckets: topicBuckets(generated, 2), rules: { format } };
      const { value: found } = await findEquilibrium(setting, { seed: 1 });
      const { maxRegretBound: maxRegret, meanRegretBound: meanRegret, maxOverspend } = found.gap;
      const { welfare, profit, optimum, totals } = found.outcome;
      const claims = { maxRegret, meanRegret, maxOverspend, welfare, profit, optimum, ...totals };
      const limits = { maxRegret: maxRegret + 1e-8, meanRegret: meanRegret + 1e-8 };
      const { value } = await verifyProfile(setting, found.profile, { ...limits, claims });
      assert.equal(value.verdict, 'accepted', value.objections.map(({ message }) => message).join(' '));
    }
  });
});

describe('verifier and finder of mixed equilibria', () => {
  for (const format of AUCTION_FORMATS) {
    it(`agree on expectations and bounds, ${format}`, async () => {
      const generated = provablyGenerator({
        advertisers: 5,
        auctions: 60,
        participants: 4,
        topics: 4,
        seed: 3,
      });
      const setting = { market: generated.market, buckets: topicBuckets(generated, 2), rules: { format } };
      const { value: found } = await findMixedEquilibrium(setting, { iterations: 20, support: 5, seed: 1 });
      const { value } = await verifyProfile(setting, found.profile);
      found.gap.advertisers.forEach((theirs, i) => {
        const ours = value.gap.advertisers[i];
        assert.ok(
          close(ours.value, theirs.value, 1e-9) && close(ours.spend, theirs.spend, 1e-9),
          `advertiser ${i}`,
        );
        const slack = 1e-8 * (1 + theirs.value);
        assert.ok(theirs.best <= ours.bestBound + slack, `${theirs.best} above ${ours.bestBound}`);
        assert.ok(ours.best <= theirs.bestBound + slack, `${ours.best} above ${theirs.bestBound}`);
        // Both bounds are of the same relaxation; theirs rounds thresholds to 1e-4.
        assert.ok(ours.bestBound <= theirs.bestBound + slack, `${ours.bestBound} above ${theirs.bestBound}`);
      });
    });
  }

  it('stop on the way when told to', async () => {
    const setting = randomSetting(2, { format: 'gsp', auctions: 200 });
    const rows = [0, 1, 2].map((seed) => randomProfile(setting, seed));
    const mixed = Array.from({ length: 4 }, (_, i) => ({
      weights: Float64Array.of(0.5, 0.25, 0.25),
      multipliers: Float64Array.from(rows.flatMap((row) => [...row.slice(2 * i, 2 * i + 2)])),
    }));
    for (const profile of [mixed, rows[0]]) {
      const controller = new AbortController();
      const onProgress = () => controller.abort(new Error('enough'));
      await assert.rejects(
        verifyProfile(setting, profile, { signal: controller.signal, onProgress }),
        /enough/,
      );
    }
  });
});

describe('mixed populations', () => {
  it('live together: each has its own best reply, and manual bids are the same in every format', async () => {
    const base = randomSetting(9, { format: 'gsp', advertisers: 4, auctions: 60 });
    const bidders: Bidder[] = [
      { kind: 'value' },
      { kind: 'utility' },
      { kind: 'fixed', multiplier: 0.8 },
      { kind: 'manual', bid: 0.7 },
    ];
    for (const format of AUCTION_FORMATS) {
      const setting = { ...base, rules: { format }, bidders };
      const { value: found } = await findEquilibrium(setting, { seed: 2 });
      const { value } = await compare(setting, found.profile, format);
      const [, utility, fixed, manual] = value.gap.advertisers;
      assert.equal(fixed.regretBound, 0);
      assert.equal(manual.regretBound, 0);
      // Truthful bids are a best reply of a utility maximiser under VCG.
      if (format === 'vcg') {
        const truthful = found.profile.slice();
        truthful.fill(1, setting.buckets.count, 2 * setting.buckets.count);
        const { value: checked } = await verifyProfile(setting, truthful);
        assert.ok(checked.gap.advertisers[1].regretBound <= 1e-12);
      }
      assert.ok(utility.value - utility.spend >= 0);
    }
  });

  it('rank the same in every format at the same bids, and manual bidders pay their bid or less', async () => {
    const setting = randomSetting(4, { format: 'fpa', advertisers: 6, auctions: 60, mixed: true });
    const profile = randomProfile(setting, 4);
    const outcomes = [];
    for (const format of AUCTION_FORMATS) {
      outcomes.push((await verifyProfile({ ...setting, rules: { format } }, profile)).value.outcome.totals);
    }
    const [first, second, third] = outcomes;
    assert.deepEqual(second.value, first.value);
    assert.deepEqual(third.value, first.value);
    first.spend.forEach((spend, i) => {
      assert.ok(spend >= second.spend[i] - 1e-12 && second.spend[i] >= third.spend[i] - 1e-12);
    });
    const manual = setting.bidders?.[3];
    assert.ok(manual?.kind === 'manual' && first.wins[3] > 0);
    // In first price each slot costs δ · bid: other multipliers in the manual bidder's row change nothing.
    const other = profile.map((multiplier, at) =>
      Math.floor(at / setting.buckets.count) === 3 ? 3 : multiplier,
    );
    const again = (await verifyProfile(setting, other)).value.outcome.totals;
    assert.deepEqual(again, first);
    const { discounts } = setting.market;
    assert.ok(
      first.spend[3] <= manual.bid * first.wins[3] &&
        first.spend[3] >= manual.bid * discounts[2] * first.wins[3],
    );
  });
});
