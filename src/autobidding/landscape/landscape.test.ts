import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng, type Rng } from '../../core/rng.ts';
import { runAuctions } from '../auction/run-auctions.ts';
import { outcomeAt } from '../response/multipliers.ts';
import { AUCTION_FORMATS, type AuctionFormat, type Bidder, type Market, type Setting } from '../types.ts';
import { exactLandscapes, indexEntries, landscapeOf } from './exact-landscapes.ts';
import { gridLandscapes } from './grid-landscapes.ts';
import { multiplierGrid } from './multiplier-grid.ts';
import { outcomeByAuctions } from './oracle.ts';

interface Variety {
  format: AuctionFormat;
  buckets?: number;
  reserve?: boolean;
  boosts?: boolean;
  owners?: boolean;
  several?: boolean;
  bidders?: readonly Bidder[];
}

/** A small random market with bids; values on a coarse grid tie often. */
function randomSetting(rng: Rng, variety: Variety): { setting: Setting; bids: Float64Array } {
  const { format, buckets = 2, reserve, boosts, owners, several, bidders } = variety;
  const advertisers = 4;
  const offsets = [0];
  const advertiserOf: number[] = [];
  const values: number[] = [];
  const ofEntry: number[] = [];
  for (let j = 0; j < 6; j++) {
    for (let i = 0; i < advertisers; i++) {
      const bucket = rng.integer(buckets);
      const copies = several ? rng.integer(3) : Number(rng.next() < 0.8);
      for (let c = 0; c < copies; c++) {
        advertiserOf.push(i);
        values.push((1 + rng.integer(8)) / 4);
        ofEntry.push(bucket);
      }
    }
    offsets.push(values.length);
  }
  const market: Market = {
    auctions: 6,
    advertisers,
    offsets: Uint32Array.from(offsets),
    advertiserOf: Uint32Array.from(advertiserOf),
    values: Float64Array.from(values),
    discounts: [Float64Array.of(1, 0.6, 0.3), Float64Array.of(1, 1, 0.5, 0), Float64Array.of(1)][
      rng.integer(3)
    ],
  };
  const setting: Setting = {
    market,
    buckets: { count: buckets, ofEntry: Uint16Array.from(ofEntry) },
    rules: {
      format,
      reserve: reserve ? Float64Array.from({ length: 6 }, () => rng.integer(3) / 4) : 0,
      boosts: boosts ? market.values.map(() => rng.integer(4) / 4) : undefined,
      factors: boosts ? market.values.map(() => 0.5 + rng.next()) : undefined,
      owners: owners ? Uint32Array.of(0, 1, 0, 1) : undefined,
    },
    bidders,
  };
  return { setting, bids: market.values.map((v) => v * (rng.integer(5) / 2)) };
}

/** The landscape of every advertiser against auctions run just above, just below and between its thresholds. */
function compareWithAuctions(setting: Setting, bids: Float64Array): void {
  const { format } = setting.rules;
  const landscapes = exactLandscapes(setting, bids);
  landscapes.forEach((landscape, advertiser) => {
    const { bucketOffsets, thresholds } = landscape;
    for (let k = 0; k < setting.buckets.count; k++) {
      const steps = [...thresholds.subarray(bucketOffsets[k], bucketOffsets[k + 1])];
      assert.deepEqual(
        steps,
        [...new Set(steps)].sort((a, b) => a - b),
        'ascending, each once',
      );
      assert.ok(steps.every((threshold) => threshold >= 0 && threshold <= 10));
      const tried = [0, ...steps, 10].flatMap((mu) => [mu * (1 - 1e-9), mu * (1 + 1e-9), mu + 1e-7]);
      for (const mu of tried.filter((multiplier) => multiplier > 1e-100 && multiplier < 10)) {
        const row = new Float64Array(setting.buckets.count);
        row[k] = mu;
        const promised = outcomeAt(landscape, row, format);
        const got = outcomeByAuctions(setting, bids, advertiser, row);
        // A few dozen additions of numbers below 20, in another order.
        assert.ok(Math.abs(promised.value - got.value) < 1e-12, `value at ${mu}`);
        assert.ok(
          Math.abs(promised.spend - got.spend) < 1e-12,
          `spend at ${mu}: ${promised.spend} ${got.spend}`,
        );
      }
    }
    assert.deepEqual(landscapeOf(setting, bids, advertiser), landscape);
  });
}

const varieties: Record<string, Omit<Variety, 'format'>> = {
  'plain auctions': {},
  reserves: { reserve: true },
  'boosts and factors': { boosts: true, reserve: true },
  'owners of several advertisers': { owners: true },
  'several entries of an advertiser': { several: true },
  'all of it, with bidders by rule': {
    reserve: true,
    boosts: true,
    owners: true,
    several: true,
    bidders: [
      { kind: 'manual', bid: 0.75 },
      { kind: 'value' },
      { kind: 'utility' },
      { kind: 'fixed', multiplier: 1 },
    ],
  },
};

describe('exactLandscapes', () => {
  for (const format of AUCTION_FORMATS) {
    for (const [name, variety] of Object.entries(varieties)) {
      it(`promises what the auctions then give: ${format}, ${name}`, () => {
        const rng = createRng(1).fork(`${format} ${name}`);
        for (let run = 0; run < 20; run++) {
          const { setting, bids } = randomSetting(rng.fork(run), { format, ...variety });
          compareWithAuctions(setting, bids);
        }
      });
    }
  }

  it('agrees with the auction kernel, whatever the rules', async () => {
    const rng = createRng(7);
    for (const format of AUCTION_FORMATS) {
      for (const [name, variety] of Object.entries(varieties)) {
        for (let run = 0; run < 4; run++) {
          const draws = rng.fork(`${format} ${name} ${run}`);
          const { setting, bids } = randomSetting(draws, { format, ...variety });
          const advertiser = draws.integer(4);
          const bidder = setting.bidders?.[advertiser];
          const row = Float64Array.from({ length: 2 }, () => 2 * draws.next()); // ties nobody
          const { advertiserOf, values } = setting.market;
          const own = bids.map((bid, e) => {
            if (advertiserOf[e] !== advertiser) return bid;
            return row[setting.buckets.ofEntry[e]] * (bidder?.kind === 'manual' ? bidder.bid : values[e]);
          });
          const { totals } = await runAuctions(setting, { bids: own });
          const promised = outcomeAt(landscapeOf(setting, bids, advertiser), row, format);
          // A few dozen additions of numbers below 20, in another order.
          assert.ok(Math.abs(totals.value[advertiser] - promised.value) < 1e-12, `${name}: value`);
          assert.ok(Math.abs(totals.spend[advertiser] - promised.spend) < 1e-12, `${name}: spend`);
        }
      }
    }
  });

  it('has the thresholds, gains and prices of a hand-made auction', () => {
    const market: Market = {
      auctions: 1,
      advertisers: 3,
      offsets: Uint32Array.of(0, 3),
      advertiserOf: Uint32Array.of(0, 1, 2),
      values: Float64Array.of(2, 4, 3),
      discounts: Float64Array.of(1, 0.5),
    };
    const buckets = { count: 1, ofEntry: new Uint16Array(3) };
    const of = (format: AuctionFormat) =>
      landscapeOf({ market, buckets, rules: { format } }, Float64Array.of(0, 4, 1), 0);
    // Passing the bid of 1 wins slot 2, passing 4 wins slot 1.
    for (const format of AUCTION_FORMATS) {
      assert.deepEqual([...of(format).thresholds], [0.5, 2]);
      assert.deepEqual([...of(format).value], [1, 2]);
    }
    assert.deepEqual([...of('fpa').spend], [0.5, 4]);
    assert.deepEqual([...of('gsp').spend], [0.5, 4]);
    assert.deepEqual([...of('vcg').spend], [0.5, 2.5]);
  });

  it('tells buckets without entries from those without steps below the cap', () => {
    const market: Market = {
      auctions: 1,
      advertisers: 2,
      offsets: Uint32Array.of(0, 2),
      advertiserOf: Uint32Array.of(0, 1),
      values: Float64Array.of(1, 1),
      discounts: Float64Array.of(1),
    };
    const buckets = { count: 2, ofEntry: Uint16Array.of(1, 0) };
    const landscape = landscapeOf({ market, buckets, rules: { format: 'gsp' } }, Float64Array.of(1, 11), 0);
    assert.deepEqual([...landscape.entries!], [0, 1]);
    assert.deepEqual([...landscape.bucketOffsets], [0, 0, 0]);
  });

  it('finds one advertiser with an index as without', () => {
    const { setting, bids } = randomSetting(createRng(2), { format: 'vcg', several: true });
    const index = indexEntries(setting.market);
    for (let i = 0; i < 4; i++) {
      assert.deepEqual(landscapeOf(setting, bids, i, index), landscapeOf(setting, bids, i));
    }
  });

  it('names what is wrong with its input', () => {
    const { setting, bids } = randomSetting(createRng(3), { format: 'gsp', several: true });
    const call =
      (change: Partial<Setting>, changed = bids) =>
      () =>
        exactLandscapes({ ...setting, ...change }, changed);
    const { market, rules } = setting;
    for (const bid of [NaN, -1, Infinity]) {
      const wrong = bids.slice();
      wrong[3] = bid;
      assert.throws(call({}, wrong), { code: 'INVALID_ARGUMENT', message: /bids\[3\] is/ });
    }
    assert.throws(call({}, bids.subarray(1)), { code: 'SHAPE', message: /bids has length/ });
    assert.throws(call({ maxMultiplier: 0.5 }), {
      code: 'INVALID_ARGUMENT',
      message: /maxMultiplier is 0.5/,
    });
    assert.throws(
      call({ buckets: { count: 1, ofEntry: setting.buckets.ofEntry.map(() => 1) } }),
      /ofEntry\[0\] is 1/,
    );
    const split = market.advertiserOf.findIndex((i, e) => e > 0 && i === market.advertiserOf[e - 1]);
    const ofEntry = new Uint16Array(bids.length);
    ofEntry[split] = 1;
    assert.throws(call({ buckets: { count: 2, ofEntry } }), /the same advertiser in auction/);
    assert.throws(call({ rules: { ...rules, reserve: NaN } }), /reserve is NaN/);
    assert.throws(call({ rules: { ...rules, factors: bids.map(() => 0) } }), /factors\[0\] is 0/);
    assert.throws(call({ rules: { ...rules, boosts: bids.map(() => -1) } }), /boosts\[0\] is -1/);
    assert.throws(call({ bidders: [{ kind: 'value' }] }), { code: 'SHAPE' });
    assert.throws(() => landscapeOf(setting, bids, 4), /advertiser is 4/);
  });
});

describe('gridLandscapes', () => {
  for (const format of AUCTION_FORMATS) {
    it(`equals the exact landscapes at every point of the grid: ${format}`, () => {
      const rng = createRng(4).fork(format);
      for (const [name, variety] of Object.entries(varieties)) {
        for (let run = 0; run < 3; run++) {
          const { setting, bids } = randomSetting(rng.fork(`${name} ${run}`), { format, ...variety });
          const grid = multiplierGrid(setting, { size: 40 });
          const exact = exactLandscapes(setting, bids);
          gridLandscapes(setting, bids, grid).forEach((landscape, i) => {
            assert.deepEqual(landscape.entries, exact[i].entries);
            for (let k = 0; k < setting.buckets.count; k++) {
              // But for the cap, where a competitor cannot be passed by bidding more: the grid still counts it.
              for (const mu of grid.multipliers.subarray(0, -1)) {
                const row = new Float64Array(setting.buckets.count);
                row[k] = mu;
                const got = outcomeAt(landscape, row, format);
                row[k] *= 1 + 1e-10; // thresholds that a rounding put above the point count as at it
                const wanted = outcomeAt(exact[i], row, format);
                // A few dozen additions of numbers below 20, in another order; first price pays 10⁻¹⁰ of at most 200 more.
                assert.ok(Math.abs(got.value - wanted.value) < 1e-12, `${name}: value at ${mu}`);
                assert.ok(Math.abs(got.spend - wanted.spend) < 1e-7, `${name}: spend at ${mu}`);
              }
            }
          });
        }
      }
    });
  }

  it('counts steps that share a threshold, and passes nobody at the cap', () => {
    // Advertiser 0, of value 1 everywhere, meets rivals who bid 2, 2 and 4 in three auctions of one slot.
    const market: Market = {
      auctions: 3,
      advertisers: 2,
      offsets: Uint32Array.of(0, 2, 4, 6),
      advertiserOf: Uint32Array.of(0, 1, 0, 1, 0, 1),
      values: Float64Array.of(1, 2, 1, 2, 1, 4),
      discounts: Float64Array.of(1),
    };
    const setting: Setting = {
      market,
      buckets: { count: 1, ofEntry: new Uint16Array(6) },
      rules: { format: 'gsp' },
      maxMultiplier: 4,
    };
    const [own, rival] = exactLandscapes(setting, market.values);
    assert.deepEqual([...own.thresholds, ...own.value, ...own.spend], [2, 2, 4]);
    assert.deepEqual([own.shared, rival.shared], [1, 1]);
    const higher = exactLandscapes({ ...setting, maxMultiplier: 4.1 }, market.values)[0];
    assert.deepEqual([...higher.thresholds], [2, 4]);
  });

  it('has 1 and the cap exactly on the grid, whatever the cap and the size', () => {
    const { setting } = randomSetting(createRng(5), { format: 'gsp' });
    for (const maxMultiplier of [1, 1.01, 2, 10, 1000]) {
      for (const size of [2, 3, 40, 481]) {
        const { multipliers, first, step } = multiplierGrid({ ...setting, maxMultiplier }, { size });
        assert.equal(multipliers.length, size);
        assert.equal(multipliers[-first], 1);
        assert.equal(multipliers[size - 1], maxMultiplier);
        assert.ok(step > 0 && multipliers.every((mu, g) => g === 0 || mu > multipliers[g - 1]));
      }
    }
    assert.equal(multiplierGrid(setting).multipliers.length, 481);
  });

  it('counts a tie at multiplier 1 as won, and pays exactly the value for it in first price', () => {
    const market: Market = {
      auctions: 3,
      advertisers: 2,
      offsets: Uint32Array.of(0, 2, 4, 6),
      advertiserOf: Uint32Array.of(0, 1, 0, 1, 0, 1),
      values: Float64Array.of(0.1, 0.1, 0.7, 0.7, 1 / 3, 1 / 3),
      discounts: Float64Array.of(1),
    };
    const setting: Setting = {
      market,
      buckets: { count: 1, ofEntry: new Uint16Array(6) },
      rules: { format: 'fpa' },
    };
    const [landscape] = gridLandscapes(setting, market.values, multiplierGrid(setting));
    assert.deepEqual([...landscape.thresholds], [1]);
    assert.equal(landscape.value[0], landscape.spend[0]);
  });

  it('refuses a grid of another market and options out of range', () => {
    const { setting, bids } = randomSetting(createRng(6), { format: 'gsp' });
    const other = { ...multiplierGrid(setting), logUnits: new Float64Array(1) };
    assert.throws(() => gridLandscapes(setting, bids, other), /grid is of 1 entries/);
    assert.throws(() => multiplierGrid(setting, { size: 1 }), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => multiplierGrid(setting, { least: 1 }), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => multiplierGrid({ ...setting, maxMultiplier: 0 }), { code: 'INVALID_ARGUMENT' });
  });
});
