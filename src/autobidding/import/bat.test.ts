import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bestResponse } from '../response/best-response.ts';
import { type BatLandscapeOptions, type BatStatistics, batCampaign, batLandscape } from './bat.ts';

const HOUR = 3600;
/** Made by hand in the layout of the data set: campaign 17 in hours 0, 1 and 24; rows of another campaign; rows the filter leaves out. */
const statistics = {
  campaign_id: [17, 17, 17, 17, 99, 17, 17, 17],
  period: [0, 0, HOUR, 24 * HOUR, 0, HOUR, HOUR, HOUR],
  contact_price_bin: [5, 2, 3, 5, 1, null, 4, 30],
  AuctionContactsSurplus: [1, 2, 4, 3, 7, 1, 0, 1],
  AuctionWinBidSurplus: [2, 2.5, 6, 7, 9, 1, 1, 50],
} satisfies BatStatistics;

const options: BatLandscapeOptions = { campaign: 17, format: 'vcg', valuePerContact: 2 };

describe('batLandscape', () => {
  it('adds the surpluses up, hour by hour', () => {
    const { landscape, labels, hours, rows, dropped } = batLandscape(statistics, options);
    assert.deepEqual(labels, [0, HOUR, 24 * HOUR]);
    assert.deepEqual([...landscape.bucketOffsets], [0, 2, 3, 4]);
    assert.deepEqual(
      [...landscape.thresholds],
      [2, 5, 3, 5].map((bin) => 1.2 ** bin / 2),
    );
    assert.deepEqual([...landscape.value], [4, 6, 8, 6]);
    assert.deepEqual([...landscape.spend], [2.5, 4.5, 6, 7]);
    assert.deepEqual([hours, rows], [3, 4]);
    assert.deepEqual(
      dropped.map(({ reason, examples }) => [reason, examples[0].row]),
      [
        ['no contact_price_bin', 5],
        ['no contacts gained', 6],
        ['bid above the cap', 7],
      ],
    );
  });

  it('lets hours share a bid, and sums what they gain at the same level', () => {
    const byDay = batLandscape(statistics, { ...options, buckets: 'hour-of-day' });
    assert.deepEqual(byDay.labels, [0, 1]);
    assert.deepEqual([...byDay.landscape.value], [4, 12, 8]);
    const one = batLandscape(statistics, { ...options, buckets: 'campaign' });
    assert.deepEqual(one.labels, ['campaign']);
    assert.deepEqual([...one.landscape.value], [4, 12, 20]);
    assert.deepEqual([...one.landscape.spend], [2.5, 8.5, 17.5]);
  });

  it('pays the bid in first price', () => {
    const { landscape } = batLandscape(statistics, { ...options, format: 'fpa', buckets: 'campaign' });
    for (const [t, threshold] of landscape.thresholds.entries()) {
      assert.equal(landscape.spend[t], threshold * landscape.value[t]);
    }
  });

  it('takes the hours asked for', () => {
    const { labels } = batLandscape(statistics, { ...options, from: HOUR, to: 2 * HOUR });
    assert.deepEqual(labels, [HOUR]);
    assert.equal(batLandscape(statistics, { ...options, campaign: '99' }).rows, 1);
  });

  it('answers how the campaign should have bid, others frozen', () => {
    const { landscape } = batLandscape(statistics, { ...options, valuePerContact: 1.2 });
    // Contacts 2 + 1, 4, 3 in the three hours, worth 1.2 each, for 2.5 + 2, 6, 7 money. Alone, each step loses money (the best is 2.4 for
    // 2.5), so with the target nothing may be bid.
    const targeted = bestResponse(landscape, { kind: 'value' }, { format: 'vcg' });
    assert.deepEqual([...targeted.multipliers], [0, 0, 0]);
    // At 2 a contact: 4 for 2.5, 2 for 2, 8 for 6, 6 for 7. All of it: 20 for 17.5.
    const rich = batLandscape(statistics, options).landscape;
    const all = bestResponse(rich, { kind: 'value' }, { format: 'vcg' });
    assert.deepEqual([all.value, all.spend], [20, 17.5]);
    // With a budget of 11: hours 0 and 1 in full.
    const bounded = bestResponse(rich, { kind: 'value', budget: 11 }, { format: 'vcg' });
    assert.deepEqual([bounded.value, bounded.spend, bounded.multipliers[2]], [14, 10.5, 0]);
  });

  it('refuses a campaign without rows, cells that are no numbers and columns of different lengths', () => {
    assert.throws(
      () => batLandscape(statistics, { ...options, campaign: 5 }),
      /campaign 5 has no usable rows/,
    );
    assert.throws(
      () => batLandscape({ ...statistics, AuctionContactsSurplus: Array(8).fill('x') }, options),
      /AuctionContactsSurplus of row 0 is "x"/,
    );
    assert.throws(() => batLandscape({ ...statistics, period: [1] }, options), /column period has 1 rows/);
    assert.throws(() => batLandscape(statistics, { ...options, valuePerContact: 0 }), /valuePerContact is 0/);
  });
});

describe('batCampaign', () => {
  const campaigns = {
    campaign_id: [16, 17, 18, 18],
    auction_budget: [1, 250, 3, 4],
    campaign_start: [0, 10, 0, 0],
    campaign_end: [9, 7 * 24 * HOUR, 9, 9],
  };

  it('finds budget and life', () => {
    assert.deepEqual(batCampaign(campaigns, 17), { budget: 250, start: 10, end: 7 * 24 * HOUR });
  });

  it('refuses a campaign that is missing or there twice', () => {
    assert.throws(() => batCampaign(campaigns, 5), /campaign 5 has 0 rows/);
    assert.throws(() => batCampaign(campaigns, 18), /campaign 18 has 2 rows/);
  });
});
