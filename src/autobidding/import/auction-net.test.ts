import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runAuctions } from '../auction/run-auctions.ts';
import { labelBuckets } from '../market/buckets.ts';
import { uniformBuckets } from '../market/uniform-buckets.ts';
import { type AuctionNetColumns, importAuctionNet } from './auction-net.ts';

/** Made by hand in the layout of the data set: five advertisers in impression 7, two in impression 8, of which one bids the reserve. */
const columns = {
  deliveryPeriodIndex: [3, 3, 3, 3, 3, 3, 3],
  advertiserNumber: [31, 22, 15, 39, 43, 31, 22],
  budget: [6500, 7000, 7000, 6000, 7500, 6500, 7000],
  CPAConstraint: [27, 38, 42, 30, 25, 27, 38],
  timeStepIndex: [5, 5, 5, 5, 5, 6, 6],
  pvIndex: [7, 7, 7, 7, 7, 8, 8],
  pValue: [0.01, 0.007, 0.005, 0.006, 0.0045, 0.01, 0.002],
  bid: [0.2845, 0.2702, 0.2154, 0.1832, 0.1099, 0.3, 0.01],
  adSlot: [1, 2, 3, 0, 0, 0, 0],
  cost: [0.2702, 0.2154, 0.1832, 0, 0, 0, 0],
  isExposed: [1, 1, 0, 0, 0, 0, 0],
} satisfies AuctionNetColumns;

describe('importAuctionNet', () => {
  const log = importAuctionNet(columns);

  it('reads values at the target cost of a conversion, budgets, segments and recorded bids', () => {
    const { market, bidders, rules, bucketLabels, recorded, period } = log;
    assert.equal(period, 3);
    assert.deepEqual(market.names, ['15', '22', '31', '39', '43']);
    assert.deepEqual([...market.values.subarray(0, 3)], [0.005 * 42, 0.007 * 38, 0.01 * 27]);
    assert.deepEqual([...market.discounts], [1, 0.8, 0.6]);
    assert.deepEqual(bidders[1], { kind: 'value', budget: 7000 });
    assert.deepEqual(rules, { format: 'gsp', reserve: 0.01 });
    assert.equal(labelBuckets(market, bucketLabels ?? []).buckets.count, 2);
    assert.deepEqual([...(recorded.bids ?? [])].slice(0, 3), [0.2154, 0.2702, 0.2845]);
  });

  it('repeats the recorded prices from the recorded bids', async () => {
    const { market, rules, recorded } = log;
    const first = { ...market, auctions: 1, offsets: Uint32Array.of(0, 5) };
    const entries = { advertiserOf: market.advertiserOf.slice(0, 5), values: market.values.slice(0, 5) };
    const one = { ...first, ...entries };
    const bids = (recorded.bids ?? new Float64Array()).slice(0, 5);
    const { totals } = await runAuctions({ market: one, buckets: uniformBuckets(one), rules }, { bids });
    // The cost of the data set is for being shown; expected spend is the discount times it.
    const paid = [...totals.spend].map((spend) => Number(spend.toFixed(12)));
    assert.deepEqual(
      paid,
      [0.6 * 0.1832, 0.8 * 0.2154, 0.2702, 0, 0].map((p) => Number(p.toFixed(12))),
    );
  });

  it('says how often slots were shown, and finds the sales that the simulator erases', () => {
    assert.deepEqual(
      log.exposure.map(({ won }) => won),
      [1, 1, 1],
    );
    assert.deepEqual(
      log.exposure.map(({ shownShare }) => shownShare),
      [1, 1, 0],
    );
    // In impression 8 both bids reach the reserve, and nobody has a slot.
    assert.equal(log.erasedSales, 2);
  });

  it('refuses several periods, unknown slots and budgets or targets that differ', () => {
    const bad = (changed: Partial<AuctionNetColumns>) => () => importAuctionNet({ ...columns, ...changed });
    assert.throws(bad({ deliveryPeriodIndex: [3, 3, 3, 3, 3, 3, 4] }), /values 3, 4; expected one period/);
    assert.throws(bad({ adSlot: [1, 2, 4, 0, 0, 0, 0] }), /adSlot of row 2 is 4/);
    assert.throws(
      bad({ budget: [1, 2, 3, 4, 5, 1, 3] }),
      /budget of row 6 is 3; expected 2, .*advertiser 22/,
    );
    assert.throws(bad({ CPAConstraint: [27, 38, 42, 30, 25, 28, 38] }), /CPAConstraint of row 5 is 28/);
    assert.throws(bad({ pValue: [0.01, 0.007, null, 0.006, 0.0045, 0.01, 0.002] }), /row 2 has value NaN/);
    assert.throws(bad({ cost: [1] }), /column cost has length 1; expected 7/);
  });
});
