import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { NO_ENTRY } from '../../kernels/index.ts';
import { createMarket } from '../market/create-market.ts';
import { AUCTION_FORMATS, type AuctionFormat, type AuctionRules, type Setting } from '../types.ts';
import { auctionBatches, auctionDetails } from './auction-details.ts';
import { oracleAuction, oracleMinimumBid } from './oracle.ts';
import { runAuctions } from './run-auctions.ts';

interface Shape {
  auctions: number;
  discounts: number[];
  multiEntry?: boolean;
  extras?: boolean;
  owners?: boolean;
}

/** Random auctions of 0 to 9 entries, bids with many ties and zeros, and rules of every kind. */
function randomCase(
  format: AuctionFormat,
  seed: number,
  shape: Shape,
): { setting: Setting; bids: Float64Array } {
  const rng = createRng(seed).fork(format);
  const [auction, advertiser, value]: number[][] = [[], [], []];
  const advertisers = 12;
  for (let j = 0; j < shape.auctions; j++) {
    const present = shape.multiEntry ? rng.integer(10) : 0;
    for (let p = 0; p < present; p++) {
      auction.push(j);
      advertiser.push(rng.integer(5));
      value.push(1 + rng.next());
    }
    for (let i = 0; i < advertisers && !shape.multiEntry; i++) {
      if (rng.next() > 0.4) continue;
      auction.push(j);
      advertiser.push(i);
      value.push(1 + rng.next());
    }
  }
  const { auctions, discounts, multiEntry } = shape;
  const market = createMarket(
    { auction, advertiser, value },
    { discounts, auctions, advertisers, multiEntry },
  );
  const entries = market.values.length;
  const each = (make: () => number) => Float64Array.from({ length: entries }, make);
  // Whole numbers tie often, the others hardly ever.
  const bids = each(() => (rng.next() < 0.6 ? rng.integer(6) : 6 * rng.next()));
  const rules: AuctionRules = {
    format,
    ties: seed % 2 === 0 ? 'index' : { seed },
    reserve:
      seed % 3 === 0
        ? undefined
        : seed % 3 === 1
          ? 1.5
          : Float64Array.from({ length: auctions }, () => rng.integer(3)),
    boosts: shape.extras ? each(() => rng.integer(3)) : undefined,
    factors: shape.extras ? each(() => 2 ** (rng.integer(3) - 1)) : undefined,
    owners: shape.owners ? Uint32Array.from({ length: advertisers }, (_, i) => i % 4) : undefined,
  };
  return { setting: { market, buckets: { count: 1, ofEntry: new Uint16Array(entries) }, rules }, bids };
}

const shapes: Record<string, Shape> = {
  plain: { auctions: 1500, discounts: [1, 0.7, 0.5, 0.35] },
  'one slot': { auctions: 300, discounts: [1] },
  'a slot of discount 0': { auctions: 300, discounts: [1, 0.5, 0] },
  'more slots than entries': {
    auctions: 300,
    discounts: [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.4, 0.4, 0.3, 0.2, 0.1],
  },
  'boosts and factors': { auctions: 500, discounts: [1, 0.6, 0.3], extras: true },
  owners: { auctions: 400, discounts: [1, 0.6, 0.3], owners: true },
  'several entries': { auctions: 400, discounts: [1, 0.6, 0.3], multiEntry: true },
  'several entries of owners with boosts': {
    auctions: 400,
    discounts: [1, 0.6, 0.3],
    multiEntry: true,
    extras: true,
    owners: true,
  },
};

async function compareWithOracle(setting: Setting, bids: Float64Array): Promise<void> {
  const { auctions } = setting.market;
  const { winners, payments, slots, ties, sold } = await auctionDetails(setting, { bids });
  let [tied, soldThere] = [0, 0];
  for (let j = 0; j < auctions; j++) {
    const expected = oracleAuction(setting, bids, j);
    const row = winners.subarray(j * slots, (j + 1) * slots);
    assert.deepEqual(
      [...row].filter((entry) => entry !== NO_ENTRY),
      expected.winners,
    );
    expected.payments.forEach((payment, s) => {
      const paid = payments[j * slots + s];
      assert.ok(
        Math.abs(paid - payment) <= 1e-12 * payment,
        `auction ${j}, slot ${s}: ${paid}, not ${payment}`,
      );
    });
    if (expected.tied) tied++;
    soldThere += expected.winners.length;
  }
  assert.deepEqual([ties, sold], [tied, soldThere]);
}

describe('auctionDetails', () => {
  // 6 seeds × 3 formats × 4100 auctions in eight shapes, and 36 000 more of the plain one: over 10⁵ in all.
  for (const [name, shape] of Object.entries(shapes)) {
    it(`equals the oracle: ${name}`, async () => {
      for (const format of AUCTION_FORMATS) {
        for (let seed = 0; seed < 6; seed++) {
          const { setting, bids } = randomCase(format, seed, shape);
          await compareWithOracle(setting, bids);
        }
      }
    });
  }

  it('equals the oracle in 36 000 more auctions', async () => {
    for (const format of AUCTION_FORMATS) {
      const { setting, bids } = randomCase(format, 7, { ...shapes.plain, auctions: 12_000 });
      await compareWithOracle(setting, bids);
    }
  });

  it('gives the minimum bid of every entry for every slot, which its own bid never sets', async () => {
    for (const [name, shape] of Object.entries(shapes)) {
      const { setting, bids } = randomCase('gsp', 5, { ...shape, auctions: 60 });
      const { minimumBids, slots } = await auctionDetails(setting, { bids }, { minimumBids: true });
      assert.ok(minimumBids);
      const { offsets } = setting.market;
      for (let j = 0; j < 60; j++) {
        for (let e = offsets[j]; e < offsets[j + 1]; e++) {
          for (let s = 0; s < slots; s++) {
            assert.equal(minimumBids[e * slots + s], oracleMinimumBid(setting, bids, j, e, s), name);
          }
        }
      }
    }
  });

  it('wins the slot with a little more than the minimum bid, and not with less', async () => {
    const { setting, bids } = randomCase('gsp', 2, { ...shapes['boosts and factors'], auctions: 40 });
    const { minimumBids, slots } = await auctionDetails(setting, { bids }, { minimumBids: true });
    assert.ok(minimumBids);
    const { offsets } = setting.market;
    for (let j = 0; j < 40; j++) {
      for (let e = offsets[j]; e < offsets[j + 1]; e++) {
        for (let s = 0; s < slots; s++) {
          const rank = (bid: number) => {
            const { winners } = oracleAuction(setting, bids.with(e, bid), j);
            return winners.includes(e) ? winners.indexOf(e) : Infinity;
          };
          const least = minimumBids[e * slots + s];
          assert.ok(rank(least * (1 + 1e-9) + 1e-9) <= s);
          if (least > 0) assert.ok(rank(least * (1 - 1e-9)) > s);
        }
      }
    }
  });

  it('says the same by batches, by range and in totals', async () => {
    const { setting, bids } = randomCase('vcg', 3, { ...shapes.plain, auctions: 20_000 });
    const whole = await auctionDetails(setting, { bids }, { minimumBids: true });
    assert.ok(whole.minimumBids);
    const { offsets, advertiserOf, advertisers } = setting.market;
    const spend = new Float64Array(advertisers);
    let ties = 0;
    for await (const batch of auctionBatches(setting, { bids }, { minimumBids: true })) {
      const { first, end, slots } = batch;
      assert.deepEqual(batch.winners, whole.winners.slice(first * slots, end * slots));
      assert.deepEqual(batch.payments, whole.payments.slice(first * slots, end * slots));
      assert.deepEqual(
        batch.minimumBids,
        whole.minimumBids.slice(offsets[first] * slots, offsets[end] * slots),
      );
      ties += batch.ties;
      batch.winners.forEach((entry, to) => {
        if (entry !== NO_ENTRY) spend[advertiserOf[entry]] += batch.payments[to];
      });
    }
    const outcome = await runAuctions(setting, { bids });
    assert.equal(outcome.ties, ties);
    // Sums of at most 20 000 payments in another order.
    spend.forEach((sum, i) => {
      assert.ok(Math.abs(sum - outcome.totals.spend[i]) <= 20_000 * Number.EPSILON * sum);
    });
  });

  it('gives the same bits for any number of threads', async () => {
    const { setting, bids } = randomCase('gsp', 1, { ...shapes['boosts and factors'], auctions: 30_000 });
    const one = await runAuctions(setting, { bids }, { threads: 1 });
    for (const threads of [2, 3]) assert.deepEqual(await runAuctions(setting, { bids }, { threads }), one);
  });
});
