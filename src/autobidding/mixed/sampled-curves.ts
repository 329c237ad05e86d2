// Landscapes against one drawn profile, added to binned curves: the cheap step of learning.

import type { Bidder, Setting } from '../types.ts';
import type { BinnedCurves } from './binned-curves.ts';

/** ln of the multiplier (`manual`: of the bid) of a bidder by rule; undefined for others. */
export function logByRule(bidder: Bidder | undefined): number | undefined {
  if (bidder?.kind === 'fixed') return Math.log(bidder.multiplier);
  return bidder?.kind === 'manual' ? Math.log(bidder.bid) : undefined;
}

/**
 * Adds `weight` times the landscapes of all advertisers against the bids e^(logBids) of one draw to `curves`, whose cells are
 * advertiser · K + bucket.
 */
export class SampledCurves {
  private readonly setting: Setting;
  private readonly scales: Float64Array;
  private readonly topLogs: Float64Array;
  private readonly topBids: Float64Array;
  private readonly topEntries: Int32Array;

  constructor(setting: Setting, scales: Float64Array) {
    const slots = setting.market.discounts.length;
    this.setting = setting;
    this.scales = scales;
    // One place for the entry itself, one for the price below the last slot, one for the guard.
    this.topLogs = new Float64Array(slots + 2);
    this.topBids = new Float64Array(slots + 2);
    this.topEntries = new Int32Array(slots + 2);
  }

  /** @param logs - ln of each cell's multiplier; −Infinity: no bid. O(entries · slots) */
  add(logs: Float64Array, weight: number, curves: BinnedCurves): void {
    const { market, buckets, rules } = this.setting;
    const { auctions, offsets, advertiserOf, values, discounts } = market;
    const { topLogs, topBids, topEntries, scales } = this;
    const { bins, value: valueAdded, spend: spendAdded } = curves;
    const slots = discounts.length;
    const firstPrice = rules.format === 'fpa';
    const vickrey = rules.format === 'vcg';
    for (let j = 0; j < auctions; j++) {
      const reserve = typeof rules.reserve === 'object' ? rules.reserve[j] : (rules.reserve ?? 0);
      const floor = Math.log(reserve);
      let kept = 0;
      for (let e = offsets[j]; e < offsets[j + 1]; e++) {
        const log = scales[e] + logs[advertiserOf[e] * buckets.count + buckets.ofEntry[e]];
        if (log === -Infinity || log < floor) continue;
        if (kept === slots + 1 && log <= topLogs[slots]) continue;
        let s = kept <= slots ? kept++ : slots;
        for (; s > 0 && topLogs[s - 1] < log; s--) {
          topLogs[s] = topLogs[s - 1];
          topEntries[s] = topEntries[s - 1];
        }
        topLogs[s] = log;
        topEntries[s] = e;
      }
      if (!firstPrice) for (let s = 0; s < kept; s++) topBids[s] = Math.exp(topLogs[s]);
      for (let e = offsets[j]; e < offsets[j + 1]; e++) {
        const cell = advertiserOf[e] * buckets.count + buckets.ofEntry[e];
        let own = kept;
        for (let s = 0; s < kept; s++) if (topEntries[s] === e) own = s;
        for (let s = 0; s < slots; s++) {
          const at = s < own ? s : s + 1;
          const rival = at < kept;
          const drop = discounts[s] - (s + 1 < slots ? discounts[s + 1] : 0);
          let spend = 0;
          if (!firstPrice) {
            const price = rival ? topBids[at] : reserve;
            const after = s + 1 < own ? s + 1 : s + 2;
            spend = vickrey
              ? drop * price
              : discounts[s] * price -
                (s + 1 < slots ? discounts[s + 1] * (after < kept ? topBids[after] : reserve) : 0);
          }
          const bin = curves.binOf((rival ? topLogs[at] : floor) - scales[e]);
          if (bin === bins) continue;
          valueAdded[cell * bins + bin] += weight * drop * values[e];
          if (!firstPrice) spendAdded[cell * bins + bin] += weight * spend;
        }
      }
    }
  }
}
