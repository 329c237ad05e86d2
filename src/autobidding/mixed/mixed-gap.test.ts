import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng, type Rng } from '../../core/rng.ts';
import { runAuctions } from '../auction/run-auctions.ts';
import { createMarket } from '../market/create-market.ts';
import {
  AUCTION_FORMATS,
  type Bidder,
  type MixedProfile,
  type MixedStrategy,
  type Setting,
} from '../types.ts';
import { expectedLandscape } from './expected-landscape.ts';
import { mixedGap } from './mixed-gap.ts';

const BUCKETS = 2;

/** A few auctions of three advertisers, two slots. */
function smallSetting(
  format: Setting['rules']['format'],
  seed: number,
  more: Partial<Setting> = {},
): Setting {
  const rng = createRng(seed).fork('market');
  const [auction, advertiser, value]: number[][] = [[], [], []];
  for (let j = 0; j < 7; j++) {
    for (let i = 0; i < 3; i++) {
      if (rng.next() < 0.15) continue;
      auction.push(j);
      advertiser.push(i);
      value.push(Math.exp(0.5 * rng.normal()));
    }
  }
  const market = createMarket(
    { auction, advertiser, value },
    { discounts: [1, 0.6], auctions: 7, advertisers: 3 },
  );
  const ofEntry = Uint16Array.from(market.values, () => rng.integer(BUCKETS));
  return { market, buckets: { count: BUCKETS, ofEntry }, rules: { format }, ...more };
}

function randomStrategy(rng: Rng): MixedStrategy {
  const rows = 1 + rng.integer(3);
  const raw = Array.from({ length: rows }, () => 0.2 + rng.next());
  const sum = raw.reduce((a, b) => a + b);
  const multipliers = Float64Array.from({ length: rows * BUCKETS }, () =>
    rng.next() < 0.15 ? 0 : Math.exp(0.5 * rng.normal()),
  );
  return { weights: Float64Array.from(raw, (w) => w / sum), multipliers };
}

/** Expected totals by running every combination of rows. */
async function enumerate(
  setting: Setting,
  profile: MixedProfile,
): Promise<{ value: number[]; spend: number[] }> {
  const [value, spend] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  const visit = async (rows: number[], chance: number): Promise<void> => {
    if (rows.length < profile.length) {
      for (const [row, weight] of profile[rows.length].weights.entries()) {
        await visit([...rows, row], chance * weight);
      }
      return;
    }
    const pure = Float64Array.from(
      rows.flatMap((row, i) => [...profile[i].multipliers.subarray(row * BUCKETS, (row + 1) * BUCKETS)]),
    );
    const { totals } = await runAuctions(setting, pure, { threads: 1 });
    for (let i = 0; i < 3; i++) {
      value[i] += chance * totals.value[i];
      spend[i] += chance * totals.spend[i];
    }
  };
  await visit([], 1);
  return { value, spend };
}

function withPure(profile: MixedProfile, i: number, row: ArrayLike<number>): MixedProfile {
  return profile.map((strategy, at) =>
    at === i ? { weights: Float64Array.of(1), multipliers: Float64Array.from(row) } : strategy,
  );
}

/** Sums of a few dozen products: rounding stays below this, relative. */
const ROUNDING = 1e-12;

function assertClose(actual: number, expected: number, what: string): void {
  assert.ok(
    Math.abs(actual - expected) <= ROUNDING * (1 + Math.abs(expected)),
    `${what}: ${actual}, not ${expected}`,
  );
}

for (const format of AUCTION_FORMATS) {
  describe(`mixedGap, ${format}`, () => {
    it('has the expectations of all combinations of rows', async () => {
      for (let seed = 0; seed < 12; seed++) {
        const rng = createRng(seed).fork('profile');
        const profile = [randomStrategy(rng), randomStrategy(rng), randomStrategy(rng)];
        const bidders: Bidder[] = [{ kind: 'value' }, { kind: 'utility' }, { kind: 'value', budget: 2 }];
        if (seed % 4 === 1) bidders[1] = { kind: 'fixed', multiplier: 0.9 };
        if (seed % 4 === 2) bidders[2] = { kind: 'manual', bid: 0.8 };
        const rules = { format, reserve: seed % 3 === 0 ? 0 : 0.4 };
        const setting = smallSetting(format, seed, { bidders, rules });
        const { advertisers } = await mixedGap(setting, profile);
        const rowsOf = profile.map((strategy, i) => {
          const bidder = bidders[i];
          return bidder.kind === 'fixed' || bidder.kind === 'manual'
            ? withPure(
                profile,
                i,
                new Float64Array(BUCKETS).fill(bidder.kind === 'fixed' ? bidder.multiplier : 1),
              )[i]
            : strategy;
        });
        const expected = await enumerate(setting, rowsOf);
        for (const [i, { value, spend }] of advertisers.entries()) {
          assertClose(value, expected.value[i], `seed ${seed}: value of ${i}`);
          assertClose(spend, expected.spend[i], `seed ${seed}: spend of ${i}`);
        }
      }
    });

    it('has landscapes that promise what bidding their thresholds gives', async () => {
      for (let seed = 40; seed < 44; seed++) {
        const rng = createRng(seed).fork('profile');
        const profile = [randomStrategy(rng), randomStrategy(rng), randomStrategy(rng)];
        const setting = smallSetting(format, seed, {
          rules: { format, reserve: seed % 2 === 0 ? 0 : 0.5 },
        });
        const { bucketOffsets, thresholds, value, spend } = expectedLandscape(setting, profile, 1);
        assert.ok(thresholds.length > 10);
        for (let k = 0; k < BUCKETS; k++) {
          for (let t = bucketOffsets[k]; t < bucketOffsets[k + 1]; t += 3) {
            if (thresholds[t] === thresholds[t + 1]) continue;
            const row = new Float64Array(BUCKETS);
            row[k] = Math.max(1e-9, thresholds[t] * (1 + 1e-11));
            const got = await enumerate(setting, withPure(profile, 1, row));
            assertClose(got.value[1], value[t], `seed ${seed}: value of step ${t}`);
            // Bidding 10⁻¹¹ more to win the tie costs that much more in first price; at threshold 0 up to 10⁻⁹.
            const tolerance = thresholds[t] > 0 ? 1e-10 : 1e-8;
            assert.ok(Math.abs(got.spend[1] - spend[t]) <= tolerance * (1 + value[t]), `spend of step ${t}`);
          }
        }
      }
    });

    it('bounds every deviation, and finds one as good as all that keep the target', async () => {
      for (let seed = 20; seed < 26; seed++) {
        const rng = createRng(seed).fork('profile');
        const profile = [randomStrategy(rng), randomStrategy(rng), randomStrategy(rng)];
        const setting = smallSetting(format, seed);
        const { advertisers } = await mixedGap(setting, profile);
        const found = advertisers[0];
        const deviation = found.deviation.map((multiplier) => multiplier * (1 + 1e-9));
        const reached = await enumerate(setting, withPure(profile, 0, deviation));
        if (found.best > found.value) {
          assert.ok(
            reached.value[0] >= found.best * (1 - ROUNDING),
            `seed ${seed}: ${reached.value[0]} < ${found.best}`,
          );
          // The deviation is made to win ties by bidding 10⁻⁹ more.
          assert.ok(reached.spend[0] <= reached.value[0] * (1 + 2e-9));
        }
        // All rows of a coarse grid: none that keeps the target is above the bound.
        for (let a = 0; a < 14; a++) {
          for (let b = 0; b < 14; b++) {
            const row = [a, b].map((step) => (step === 0 ? 0 : Math.exp(-1.2 + 0.2 * step)));
            const { value, spend } = await enumerate(setting, withPure(profile, 0, row));
            if (spend[0] <= value[0]) assert.ok(value[0] <= found.bestBound * (1 + ROUNDING));
          }
        }
        assert.ok(found.bestBound >= found.best && found.best >= found.value);
      }
    });
  });
}

describe('mixedGap', () => {
  it('knows the literal mixed case: two bidders of value 1 and 2, one mixing', async () => {
    const market = createMarket({ auction: [0, 0], advertiser: [0, 1], value: [1, 2] }, { discounts: [1] });
    const setting: Setting = {
      market,
      buckets: { count: 1, ofEntry: new Uint16Array(2) },
      rules: { format: 'fpa' },
    };
    const { advertisers } = await mixedGap(setting, [
      { weights: Float64Array.of(0.25, 0.75), multipliers: Float64Array.of(0.5, 0.9) },
      { weights: Float64Array.of(1), multipliers: Float64Array.of(0.4) },
    ]);
    // Bids .5 or .9 against .8: the second wins when it is .5, at .8; its value is 2.
    assertClose(advertisers[0].value, 0.75, 'value of 0');
    assertClose(advertisers[0].spend, 0.75 * 0.9, 'spend of 0');
    assertClose(advertisers[1].value, 0.5, 'value of 1');
    assertClose(advertisers[1].spend, 0.2, 'spend of 1');
    // It could win always, bidding .9 or more: a multiplier from .45 up, whose value is 2.
    assertClose(advertisers[1].best, 2, 'best of 1');
    assertClose(advertisers[1].bestBound, 2, 'bound of 1');
    assert.ok(advertisers[1].deviation[0] >= 0.45);
  });

  it('refuses what it does not compute and profiles that do not fit', async () => {
    const setting = smallSetting('fpa', 1);
    const one: MixedStrategy = { weights: Float64Array.of(1), multipliers: Float64Array.of(1, 1) };
    const profile = [one, one, one];
    const owners = { ...setting, rules: { format: 'fpa' as const, owners: new Uint32Array(3) } };
    await assert.rejects(mixedGap(owners, profile), { code: 'UNSUPPORTED', message: /owners/ });
    await assert.rejects(mixedGap(setting, [one, one]), { code: 'SHAPE', message: /2 strategies/ });
    const heavy = { weights: Float64Array.of(0.5, 0.6), multipliers: new Float64Array(4).fill(1) };
    await assert.rejects(mixedGap(setting, [one, heavy, one]), {
      code: 'INVALID_ARGUMENT',
      message: /sum to 1.1/,
    });
    const negative = { weights: Float64Array.of(1), multipliers: Float64Array.of(1, -1) };
    await assert.rejects(mixedGap(setting, [one, one, negative]), { message: /multipliers\[1\] is -1/ });
    const short = { weights: Float64Array.of(1), multipliers: Float64Array.of(1) };
    await assert.rejects(mixedGap(setting, [short, one, one]), { code: 'SHAPE', message: /profile\[0\]/ });
  });

  it('stops at a signal', async () => {
    const one: MixedStrategy = { weights: Float64Array.of(1), multipliers: Float64Array.of(1, 1) };
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(mixedGap(smallSetting('gsp', 1), [one, one, one], { signal }), /enough/);
  });
});
