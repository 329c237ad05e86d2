// Scaling strategies until spend meets the targets.

import type { RunOptions } from '../../core/progress.ts';
import type {
  AuctionFormat,
  Bidder,
  EquilibriumGap,
  MixedProfile,
  MixedStrategy,
  Setting,
} from '../types.ts';
import type { BinnedCurves } from './binned-curves.ts';
import { examine } from './mixed-gap.ts';

/** Spend is brought to this much below the target, so that the others' moves do not break it at once. */
const MARGIN = 2e-5;
const LARGEST_OVERSPEND = 1e-4;
const MAX_PASSES = 12;
/** Largest change of ln of the multipliers in one pass. */
const MAX_SHIFT = 0.1;
const HALVINGS = 24;

/**
 * Scales each overspending value bidder's multipliers by one factor so that expected spend is just below its target (and budget), the
 * others as they are, all at once, until nobody overspends by more than 10⁻⁴ (at most 12 passes).
 *
 * @returns the profile and its gap
 */
export async function settleTargets(
  setting: Setting,
  rows: MixedProfile,
  options: RunOptions,
): Promise<{ profile: MixedProfile; gap: EquilibriumGap }> {
  const { buckets, bidders, rules } = setting;
  let profile = rows;
  for (let pass = 0; ; pass++) {
    const next: MixedStrategy[] = [...profile];
    const { gap } = await examine('settleTargets', setting, profile, options, (i, own, curves) => {
      const bidder: Bidder = bidders?.[i] ?? { kind: 'value' };
      const limit = limitOf(bidder, own.value);
      if (own.spend <= limit * (1 + LARGEST_OVERSPEND)) return;
      next[i] = shifted(
        profile[i],
        shiftTo(profile[i], own.spend / limit, curves, buckets.count, bidder, rules.format),
      );
    });
    if (pass === MAX_PASSES || next.every((strategy, i) => strategy === profile[i])) return { profile, gap };
    profile = next;
  }
}

/** The most a bidder may spend when it gets `value`. */
function limitOf(bidder: Bidder, value: number): number {
  if (bidder.kind !== 'value' && bidder.kind !== 'utility') return Infinity;
  const budget = bidder.budget ?? Infinity;
  return bidder.kind === 'value' ? Math.min(value, budget) : budget;
}

/** The largest change ≤ 0 of ln of all multipliers at which spend is within the limit. @param ratio - spend ÷ limit now */
function shiftTo(
  { weights, multipliers }: MixedStrategy,
  ratio: number,
  curves: BinnedCurves,
  buckets: number,
  bidder: Bidder,
  format: AuctionFormat,
): number {
  const cumulative = Array.from({ length: buckets }, (_, k) => curves.cumulate(k));
  const logs = multipliers.map(Math.log);
  const ratioAt = (shift: number): number => {
    let [value, spend] = [0, 0];
    for (let at = 0; at < logs.length; at++) {
      // Whole bins below the bid; NaN and −Infinity bid nothing.
      const bin = Math.floor((logs[at] + shift - curves.edge(0)) / curves.width);
      if (!(bin >= 0)) continue;
      const { value: won, spend: paid } = cumulative[at % buckets];
      const kept = Math.min(bin, curves.bins - 1);
      const weight = weights[Math.floor(at / buckets)];
      value += weight * won[kept];
      spend += weight * (format === 'fpa' ? won[kept] * Math.exp(logs[at] + shift) : paid[kept]);
    }
    return spend / limitOf(bidder, value);
  };
  // Bins round; what that does to the ratio here, it does nearby.
  const wanted = ((1 - MARGIN) / ratio) * ratioAt(0);
  let [low, high] = [-MAX_SHIFT, 0];
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if (ratioAt(middle) <= wanted) low = middle;
    else high = middle;
  }
  return low;
}

function shifted({ weights, multipliers }: MixedStrategy, shift: number): MixedStrategy {
  const factor = Math.exp(shift);
  return { weights, multipliers: multipliers.map((multiplier) => multiplier * factor) };
}
