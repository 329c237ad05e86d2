// Auction by auction: who won, what it cost, and what it would have taken.

import type { RunOptions } from '../../core/progress.ts';
import { AUCTIONS_PER_CHUNK, loadKernels } from '../../kernels/index.ts';
import { checkSetting } from '../market/check-setting.ts';
import type { Profile, Setting } from '../types.ts';
import { auctionBids, bidsOf, type EntryBids, soldDiscounts } from './auction-bids.ts';

export interface AuctionDetailsOptions extends RunOptions {
  /** Threads, ≥ 1; the details are the same for any number. Default: all cores. */
  threads?: number | undefined;
  /** Ask for `minimumBids`. Default false. */
  minimumBids?: boolean | undefined;
}

/** What happened in auctions first … end − 1. */
export interface AuctionDetails {
  readonly first: number;
  readonly end: number;
  /** Slots that are sold at all: those of discount > 0. */
  readonly slots: number;
  /** Entry that won each slot, 2³² − 1 where it stayed empty, shape (end − first, slots) row-major. */
  readonly winners: Uint32Array;
  /** What each slot was sold for, shape (end − first, slots). */
  readonly payments: Float64Array;
  /**
   * The least bid with which each entry takes slot s or a better one, all other owners' bids fixed: the entry's own bid never matters, nor its
   * owner's. From the first entry of auction `first`, shape (entries, slots) row-major; column 0 is the minimum bid to win the best slot. A
   * bid equal to a rival's may still lose by the tie rule.
   */
  readonly minimumBids?: Float64Array | undefined;
  /** Auctions where equal scores of different owners decided a slot or its price. */
  readonly ties: number;
  /** Slots sold. */
  readonly sold: number;
}

/**
 * Winners, payments and minimum bids of all auctions at once: 12 bytes a slot and auction, with `minimumBids` 8 bytes an entry and slot.
 *
 * @param strategy - a profile of multipliers, or `{ bids }`: one bid for each entry
 * @throws {InvalidArgumentError, ShapeError} as `runAuctions`
 *
 * O(entries · slots).
 */
export async function auctionDetails(
  setting: Setting,
  strategy: Profile | EntryBids,
  options: AuctionDetailsOptions = {},
): Promise<AuctionDetails> {
  checkSetting('auctionDetails', setting);
  const bids = bidsOf('auctionDetails', setting, strategy);
  return detailsOf(setting, bids, 0, setting.market.auctions, options);
}

/**
 * The same by batches of 8192 auctions, for markets whose details do not fit in memory.
 *
 * @throws {InvalidArgumentError, ShapeError} as `runAuctions`, at the first batch
 */
export async function* auctionBatches(
  setting: Setting,
  strategy: Profile | EntryBids,
  options: AuctionDetailsOptions = {},
): AsyncGenerator<AuctionDetails> {
  checkSetting('auctionBatches', setting);
  const bids = bidsOf('auctionBatches', setting, strategy);
  const { auctions } = setting.market;
  for (let first = 0; first < auctions; first += AUCTIONS_PER_CHUNK) {
    options.signal?.throwIfAborted();
    const end = Math.min(auctions, first + AUCTIONS_PER_CHUNK);
    yield await detailsOf(setting, bids, first, end, options);
    options.onProgress?.({ phase: 'auctions', done: end, total: auctions });
  }
}

async function detailsOf(
  setting: Setting,
  bids: Float64Array,
  first: number,
  end: number,
  { signal, threads, minimumBids = false }: AuctionDetailsOptions,
): Promise<AuctionDetails> {
  const { market, rules } = setting;
  const { advertisers, offsets, values } = market;
  const kernels = await loadKernels(threads === undefined ? {} : { threads });
  signal?.throwIfAborted();
  const shared = auctionBids(setting, bids);
  const discounts = soldDiscounts(market);
  const slots = discounts.length;
  const winners = new Uint32Array((end - first) * slots);
  const payments = new Float64Array((end - first) * slots);
  const counts = new Float64Array(2);
  const [value, spend, wins] = [0, 1, 2].map(() => new Float64Array(advertisers));
  const totals = { value, spend, wins, counts };
  const { format } = rules;
  await kernels.runAuctions({
    ...shared,
    format,
    discounts,
    values,
    advertisers,
    first,
    end,
    ...totals,
    winners,
    payments,
  });
  signal?.throwIfAborted();
  let thresholds: Float64Array | undefined;
  if (minimumBids) {
    thresholds = new Float64Array((offsets[end] - offsets[first]) * slots);
    await kernels.bidThresholds({ ...shared, slots, first, end, thresholds });
    signal?.throwIfAborted();
  }
  return { first, end, slots, winners, payments, minimumBids: thresholds, ties: counts[0], sold: counts[1] };
}
