// Learning while bidding: every few auctions the price of the target is adjusted to how it was just met.

import { loadKernels } from '../../../kernels/index.ts';
import { auctionBids, soldDiscounts } from '../../auction/auction-bids.ts';
import { playAll, rowOf, type Table } from '../table.ts';
import { type Dynamic, LN_LEAST } from './dynamic.ts';

/** Auctions between two adjustments. */
const BATCH = 16;

/** Step of ln λ for slack worth the mean value of a batch. */
const RATE = 0.05;

/**
 * Online dual mirror descent: an advertiser bids μ = 1 + 1/λ times its value, which is the best response in every truthful auction, and after each
 * batch of 16 auctions takes λ ← λ exp(−η (V − P) / V̄), V̄ being its mean value a batch. One iteration is one pass over the auctions in their
 * order; η falls with 1/√(passes). The row it ends a pass with is the mean of ln μ over the pass.
 *
 * One multiplier for all buckets. Budgets are paced the same way, by the share of the budget that a batch may spend; utility bidders bid at most
 * their value. Sources: mirror descent on the dual as in arXiv 2009.00930 (Balseiro, Lu, Mirrokni: online allocation), bids of value maximisers as in
 * Aggarwal, Badanidiyuru, Mehta (WINE 2019); their combination derived.
 */
export const dualDescent: Dynamic = (table) => {
  const n = table.bidders.length;
  const lnPrice = new Float64Array(n).fill(2); // λ = e²: the first bids are 1.14 times the value
  const volume = new Float64Array(n); // Σ over batches of value, to scale steps by
  let batches = 0;
  return async (iteration) => {
    const kernels = await loadKernels();
    const { market, rules } = table.setting;
    const task = {
      ...auctionBids(table.setting, table.bids),
      format: rules.format,
      discounts: soldDiscounts(market),
      values: market.values,
      advertisers: n,
    };
    const pass = { value: new Float64Array(n), spend: new Float64Array(n) };
    const lnMultipliers = new Float64Array(n);
    const rate = RATE / Math.sqrt(1 + iteration);
    let steps = 0;
    for (let first = 0; first < market.auctions; first += BATCH, steps++) {
      const end = Math.min(market.auctions, first + BATCH);
      const multipliers = lnPrice.map((ln, i) => multiplierOf(table, i, ln));
      bidBatch(table, multipliers, first, end);
      const got = {
        value: new Float64Array(n),
        spend: new Float64Array(n),
        wins: new Float64Array(n),
        counts: new Float64Array(2),
      };
      const { reserve } = task;
      await kernels.runAuctions({
        ...task,
        // The kernel's chunks start at multiples of their size, so the batch is handed over as a market of its own.
        offsets: market.offsets.subarray(first, end + 1),
        reserve: typeof reserve === 'number' ? reserve : reserve.subarray(first, end),
        first: 0,
        end: end - first,
        ...got,
      });
      batches++;
      for (const i of table.movers) {
        pass.value[i] += got.value[i];
        pass.spend[i] += got.spend[i];
        volume[i] += got.value[i];
        lnMultipliers[i] += Math.log(multipliers[i]);
        const scale = volume[i] / batches;
        if (scale > 0) lnPrice[i] = clamp(lnPrice[i] - rate * (slackOf(table, i, got, end - first) / scale));
      }
    }
    const next = table.profile.slice();
    for (const i of table.movers) {
      const mean = Math.exp(lnMultipliers[i] / Math.max(1, steps));
      next.set(
        rowOf(table, i).map((multiplier) => (Number.isNaN(multiplier) ? NaN : mean)),
        i * table.buckets,
      );
    }
    playAll(table, next);
    return pass;
  };
};

/** With a target alone 1 + 1/λ; with a budget 1/λ, at most 1 for utility bidders: their bids are shaded, not raised. */
function multiplierOf(table: Table, i: number, lnPrice: number): number {
  const bidder = table.bidders[i];
  if (bidder.kind === 'utility') return Math.min(1, Math.exp(-lnPrice));
  const budgeted = bidder.kind === 'value' && (bidder.budget ?? Infinity) < Infinity;
  return Math.min(table.cap, (budgeted ? 0 : 1) + Math.exp(-lnPrice));
}

/** What the batch left of target and budget. */
function slackOf(
  table: Table,
  i: number,
  { value, spend }: { value: Float64Array; spend: Float64Array },
  auctions: number,
): number {
  const bidder = table.bidders[i];
  const budget = 'budget' in bidder ? (bidder.budget ?? Infinity) : Infinity;
  const share = budget * (auctions / table.setting.market.auctions);
  return bidder.kind === 'utility'
    ? Math.min(value[i], share - spend[i])
    : Math.min(value[i], share) - spend[i];
}

/** ln λ so that multipliers stay within e⁻⁴ … 1 + e⁴, and below any cap. */
function clamp(lnPrice: number): number {
  return Math.max(LN_LEAST, Math.min(10, lnPrice));
}

function bidBatch(table: Table, multipliers: Float64Array, first: number, end: number): void {
  const { market } = table.setting;
  const moving = new Set(table.movers);
  for (let e = market.offsets[first]; e < market.offsets[end]; e++) {
    const i = market.advertiserOf[e];
    if (moving.has(i)) table.bids[e] = multipliers[i] * market.values[e];
  }
}
