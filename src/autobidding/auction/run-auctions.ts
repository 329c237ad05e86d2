// All auctions of a market at given bids: who gets what for how much.

import type { RunOptions } from '../../core/progress.ts';
import { AUCTIONS_PER_CHUNK, loadKernels } from '../../kernels/index.ts';
import { checkSetting } from '../market/check-setting.ts';
import { budgetOf, liquidOptimumBound, optimalWelfare } from '../market/optimal-welfare.ts';
import type { AdvertiserTotals, MarketOutcome, Profile, Setting } from '../types.ts';
import { auctionBids, bidsOf, type EntryBids, soldDiscounts } from './auction-bids.ts';

/** Auctions of one call of the kernel, so that a run can be cancelled: about 50 ms of the native ones. */
const AUCTIONS_PER_CALL = 32 * AUCTIONS_PER_CHUNK;

/** Share of auctions with ties from which the tie rule shapes the outcome. */
const MANY_TIES = 0.01;

export interface RunAuctionsOptions extends RunOptions {
  /** Threads, ≥ 1; the outcome is the same for any number. Default: all cores. */
  threads?: number | undefined;
  /** W* of the market where it is known. Default: computed. */
  optimum?: number | undefined;
}

/** The outcome, and what is worth knowing about how it came about. */
export interface AuctionsOutcome extends MarketOutcome {
  /** Auctions where equal scores of different owners decided a slot or its price. */
  readonly ties: number;
  /** Slots sold. */
  readonly sold: number;
  /** What to beware of, in sentences. */
  readonly warnings: readonly string[];
}

/**
 * Runs every auction of the market once.
 *
 * @param strategy - a profile of multipliers, or `{ bids }`: one bid for each entry, shape (entries,)
 * @returns totals of each advertiser; welfare (liquid where there are budgets), profit and the optimum. The same bits for any number of
 *   threads and any backend. Totals are sums in the order of auctions by chunks of 8192: off by at most (8192 + auctions / 8192) 2⁻⁵³ relative
 * @throws {InvalidArgumentError} a part of the setting, a multiplier or a bid out of its range, naming it @throws {ShapeError} sizes that do not fit
 *
 * O(entries · slots) time at worst, about O(entries).
 * Source: derived; position auctions with separable discounts, arXiv 2311.10679 §2.
 */
export async function runAuctions(
  setting: Setting,
  strategy: Profile | EntryBids,
  { signal, onProgress, threads, optimum }: RunAuctionsOptions = {},
): Promise<AuctionsOutcome> {
  checkSetting('runAuctions', setting);
  const bids = bidsOf('runAuctions', setting, strategy);
  const { market, bidders } = setting;
  const { totals, ties, sold } = await auctionTotals(setting, bids, { signal, onProgress, threads });
  return {
    ...outcomeOf(setting, totals, liquidOptimumBound(market, bidders, optimum ?? optimalWelfare(market))),
    ties,
    sold,
    warnings: tieWarnings(ties, market.auctions),
  };
}

/** What `runAuctions` adds up, of a setting and bids that were checked. */
export async function auctionTotals(
  setting: Setting,
  bids: Float64Array,
  { signal, onProgress, threads }: RunAuctionsOptions = {},
): Promise<{ totals: AdvertiserTotals; ties: number; sold: number }> {
  const { market, rules } = setting;
  const { auctions, advertisers, values } = market;
  const kernels = await loadKernels(threads === undefined ? {} : { threads });
  const totals = {
    value: new Float64Array(advertisers),
    spend: new Float64Array(advertisers),
    wins: new Float64Array(advertisers),
  };
  const counts = new Float64Array(2);
  const task = {
    ...auctionBids(setting, bids),
    format: rules.format,
    discounts: soldDiscounts(market),
    values,
    advertisers,
  };
  for (let first = 0; first < auctions; first += AUCTIONS_PER_CALL) {
    signal?.throwIfAborted();
    const end = Math.min(auctions, first + AUCTIONS_PER_CALL);
    await kernels.runAuctions({ ...task, first, end, ...totals, counts });
    onProgress?.({ phase: 'auctions', done: end, total: auctions });
  }
  signal?.throwIfAborted();
  return { totals, ties: counts[0], sold: counts[1] };
}

/** Welfare (liquid where there are budgets) and profit of totals. */
export function outcomeOf({ bidders }: Setting, totals: AdvertiserTotals, optimum: number): MarketOutcome {
  return { totals, welfare: welfareOf(totals, bidders), profit: sum(totals.spend), optimum };
}

/** Σ V, or liquid welfare Σ min(V, budget) where there are budgets. */
export function welfareOf({ value }: AdvertiserTotals, bidders: Setting['bidders']): number {
  return sum(bidders ? value.map((v, i) => Math.min(v, budgetOf(bidders[i]))) : value);
}

export function tieWarnings(ties: number, auctions: number): string[] {
  if (ties <= MANY_TIES * auctions) return [];
  return [
    `${((100 * ties) / auctions).toFixed(1)} % of auctions tie, so the tie rule shapes the outcome. Compare it with another rule or seed of ties.`,
  ];
}

function sum(terms: Float64Array): number {
  return terms.reduce((total, term) => total + term, 0);
}
