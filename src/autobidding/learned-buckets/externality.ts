// What an advertiser's finer buckets do to the others.

import type { RunOptions } from '../../core/progress.ts';
import { auctionTotals } from '../auction/run-auctions.ts';
import { indexEntries, landscapeOf } from '../landscape/index.ts';
import { bestResponse } from '../response/index.ts';
import type { AdvertiserTotals, Buckets, Response, Setting } from '../types.ts';
import { optimiserOf } from './learn-buckets.ts';

/** Bids are made above thresholds by this share, so that ties are won. */
const ABOVE_TIE = 1e-9;

export interface BucketExternality {
  /** Everybody's totals with the advertiser's best response in the setting's buckets. */
  readonly before: AdvertiserTotals;
  /** The same in the other buckets. */
  readonly after: AdvertiserTotals;
  /** Change of value over all but the advertiser, money: Σ (after − before). */
  readonly othersValue: number;
  /** Change of spend over all but the advertiser, money. */
  readonly othersSpend: number;
  /** Change of Σ V and Σ P over all. */
  readonly welfare: number;
  readonly profit: number;
}

/**
 * Runs the auctions with an advertiser's best response in two bucketings, everybody else's bids fixed.
 *
 * @param bids - one for each entry, shape (entries,); the advertiser's own do not matter
 * @param buckets - the other bucketing, e.g. of `learnBuckets`; only the advertiser's entries count
 * @throws as `learnBuckets`
 *
 * O(entries · slots).
 */
export async function bucketExternality(
  setting: Setting,
  bids: Float64Array,
  advertiser: number,
  buckets: Buckets,
  { signal }: RunOptions = {},
): Promise<BucketExternality> {
  const bidder = optimiserOf('bucketExternality', setting, advertiser);
  const index = indexEntries(setting.market);
  const respond = (to: Setting): Response =>
    bestResponse(landscapeOf(to, bids, advertiser, index), bidder, { format: setting.rules.format });
  const totalsWith = async (to: Setting): Promise<AdvertiserTotals> => {
    const { multipliers } = respond(to);
    const own = bids.slice();
    for (let at = index.starts[advertiser]; at < index.starts[advertiser + 1]; at++) {
      const e = index.entries[at];
      own[e] = multipliers[to.buckets.ofEntry[e]] * setting.market.values[e] * (1 + ABOVE_TIE);
    }
    return (await auctionTotals(setting, own, { signal })).totals;
  };
  const before = await totalsWith(setting);
  const after = await totalsWith({ ...setting, buckets });
  const change = (of: 'value' | 'spend', but: number): number =>
    after[of].reduce((sum, x, i) => (i === but ? sum : sum + (x - before[of][i])), 0);
  return {
    before,
    after,
    othersValue: change('value', advertiser),
    othersSpend: change('spend', advertiser),
    welfare: change('value', -1),
    profit: change('spend', -1),
  };
}
