// From the average of play to strategies that keep their targets, with no large regret left.

import type { RunOptions } from '../../core/progress.ts';
import { isAtRest } from '../equilibrium/at-rest.ts';
import { OVERSPEND_ALLOWED, spendingLimit } from '../equilibrium/objective.ts';
import { multiplierAt } from '../response/multipliers.ts';
import type {
  AuctionFormat,
  Bidder,
  EquilibriumGap,
  Landscape,
  MixedProfile,
  MixedStrategy,
  Setting,
} from '../types.ts';
import type { BinnedCurves } from './binned-curves.ts';
import { examine } from './mixed-gap.ts';
import { type MixedResponse, mixedResponse } from './relaxed-response.ts';

/** Spend is brought to this much below the target, so that the others' moves do not break it at once. */
const MARGIN = 2e-5;
/** Bounds are loose by a fiftieth of a percent; deviations found are short of the best by next to nothing. */
const FINENESS = { binWidth: 2e-4, searchWidth: 64 };
/** Largest change of ln of the multipliers in one pass. */
const MAX_SHIFT = 0.1;
const HALVINGS = 24;
/** Passes at most, after the others, that only bring spend below the targets. */
const MENDING = 8;

/** Regret from which an advertiser's strategy takes in its best response. */
const LARGE_REGRET = 0.015;
/** Weight of the response then. In the first pass, and of advertisers with less than 1 % of all value, whom the others hardly notice: all. */
const RESPONSE_WEIGHT = 0.4;
const SMALL = 0.01;

export interface SettleOptions extends RunOptions {
  /** Regret at which it ends. Left out: it goes on while there is anything to mend. */
  tolerance: number | undefined;
  /** Changes at most. */
  passes: number;
  /** W*, to tell who is small. */
  optimum: number;
}

/** A mixed profile and how near to an equilibrium it is. */
export interface Settled {
  readonly profile: MixedProfile;
  readonly gap: EquilibriumGap;
}

/**
 * Passes over all advertisers until the profile is at rest, or nobody overspends by more than 10⁻⁴ nor could gain 1.5 %. In a pass, all at once and each
 * against the others as they are, bidders that could gain much mix their best response in, and those that overspend scale all their
 * multipliers by one factor, so that expected spend is just below target and budget.
 *
 * @returns of the profiles whose targets hold the one with least mean regret among those with the largest below 1.5 %, else the one with the
 *   least largest regret
 */
export async function settle(
  setting: Setting,
  rows: MixedProfile,
  { tolerance, passes, optimum, ...options }: SettleOptions,
): Promise<Settled> {
  const { buckets, bidders, rules } = setting;
  let profile = rows;
  let best: Settled | undefined;
  for (let pass = 0; ; pass++) {
    // Responses to large regrets can break others' targets for ever; scaling down eases everybody's.
    const onlyTargets = pass >= passes;
    const next: MixedStrategy[] = [...profile];
    const gap = await examine(
      'settle',
      setting,
      profile,
      { ...options, ...FINENESS },
      (i, regret, own, curves) => {
        const bidder: Bidder = bidders?.[i] ?? { kind: 'value' };
        if (bidder.kind === 'fixed' || bidder.kind === 'manual') return;
        const limit = spendingLimit(bidder, own.value);
        const small = own.value < SMALL * optimum;
        const large = regret.regretBound > LARGE_REGRET;
        const broken = own.spend > limit * (1 + OVERSPEND_ALLOWED);
        const turns = large && (small || pass === 0);
        if (broken && (onlyTargets || !turns)) {
          const ratio = own.spend / limit;
          next[i] = shifted(
            profile[i],
            shiftTo(profile[i], ratio, curves, buckets.count, bidder, rules.format),
          );
        } else if (!onlyTargets && (broken || large)) {
          const landscape = curves.landscape(0, own.entries, rules.format, { relaxed: false });
          next[i] = mixedWith(
            profile[i],
            landscape,
            mixedResponse(landscape, bidder, -MARGIN * own.value),
            turns ? 1 : RESPONSE_WEIGHT,
          );
        }
      },
    );
    if (!best || isBetter(gap, best.gap)) best = { profile, gap };
    const ends =
      (pass >= passes && (keepsLimits(best.gap) || pass === passes + MENDING)) ||
      (tolerance !== undefined && isAtRest(best.gap, tolerance));
    if (ends || next.every((strategy, i) => strategy === profile[i])) return best;
    profile = next;
  }
}

function keepsLimits({ maxOverspend }: EquilibriumGap): boolean {
  return maxOverspend <= OVERSPEND_ALLOWED;
}

/** Targets first; then the largest regret as far as it is above what is called large; then the mean. */
export function isBetter(gap: EquilibriumGap, than: EquilibriumGap): boolean {
  if (keepsLimits(gap) !== keepsLimits(than)) return keepsLimits(gap);
  if (!keepsLimits(gap)) return gap.maxOverspend < than.maxOverspend;
  const [large, thanLarge] = [gap, than].map((g) => Math.max(LARGE_REGRET, g.maxRegretBound));
  return large < thanLarge || (large === thanLarge && gap.meanRegretBound < than.meanRegretBound);
}

/** The strategy with `share` of its weight on its best mixture: one row, or two that differ in one bucket. */
function mixedWith(
  { weights, multipliers }: MixedStrategy,
  landscape: Landscape,
  { steps, bucket, other, weight }: MixedResponse,
  share: number,
): MixedStrategy {
  const row = Array.from(steps, (step, k) => multiplierAt(landscape, k, step));
  const rows = [{ row, weight: share * (bucket < 0 ? 1 : 1 - weight) }];
  if (bucket >= 0 && weight > 0) {
    const alternative = row.with(bucket, multiplierAt(landscape, bucket, other));
    rows.push({ row: alternative, weight: share * weight });
  }
  const kept = share < 1 ? { weights, multipliers } : { weights: [], multipliers: [] };
  return {
    weights: Float64Array.of(...kept.weights.map((w) => w * (1 - share)), ...rows.map((r) => r.weight)),
    multipliers: Float64Array.of(...kept.multipliers, ...rows.flatMap((r) => r.row)),
  };
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
    return spend / spendingLimit(bidder, value);
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
