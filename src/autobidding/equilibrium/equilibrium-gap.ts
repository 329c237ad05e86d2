// How far a profile is from an equilibrium: each advertiser's best deviation, from exact landscapes.

import type { RunOptions } from '../../core/progress.ts';
import { yieldToEventLoop } from '../../core/progress.ts';
import { auctionTotals } from '../auction/run-auctions.ts';
import { landscapeOf } from '../landscape/index.ts';
import { checkSetting } from '../market/check-setting.ts';
import { profileBids } from '../market/profile-bids.ts';
import { bestResponse } from '../response/index.ts';
import type { AdvertiserRegret, AdvertiserTotals, EquilibriumGap, Profile, Setting } from '../types.ts';
import { objectiveOf, overspendOf } from './objective.ts';
import { rowOf, setTable, type Table, toRow } from './table.ts';

/**
 * ε of the ε-equilibrium that a profile is.
 *
 * Values and spends come from running the auctions. Each advertiser's landscape is exact, so that `bestBound`, the optimum of the linear
 * relaxation of its best response, holds against every deviation in its multipliers but those that bid exactly at thresholds which several
 * steps share (`sharedThresholds`); `best` is reached by the deviation that is given.
 *
 * @param profile - shape (advertisers · K,); NaN only where a bucket holds no entry of the advertiser
 * @throws {InvalidArgumentError} the setting or a multiplier leaves its range @throws {ShapeError} sizes that do not fit
 * @throws `signal.reason` when cancelled
 *
 * O(entries · (participants + slots)) time; one advertiser's landscape at a time in memory.
 * Source: derived; ε-equilibria of autobidding as in arXiv 2311.10679.
 */
export async function equilibriumGap(
  setting: Setting,
  profile: Profile,
  { signal, onProgress }: RunOptions = {},
): Promise<EquilibriumGap> {
  checkSetting('equilibriumGap', setting);
  const bids = profileBids(setting, profile);
  const { totals } = await auctionTotals(setting, bids, { signal });
  const table = { ...setTable(setting), profile: profile.slice(), bids };
  const advertisers: AdvertiserRegret[] = [];
  let sharedThresholds = 0;
  for (let i = 0; i < table.bidders.length; i++) {
    const { regret, shared } = regretOf(table, totals, i);
    advertisers.push(regret);
    sharedThresholds += shared;
    onProgress?.({ phase: 'best deviations', done: i + 1, total: table.bidders.length });
    await yieldToEventLoop();
    signal?.throwIfAborted();
  }
  return { ...summariseGap(table, advertisers), sharedThresholds };
}

/** What the best deviation of advertiser i gains on what it has, and how many steps of its landscape share their threshold. */
function regretOf(
  table: Table,
  { value, spend }: AdvertiserTotals,
  i: number,
): { regret: AdvertiserRegret; shared: number } {
  const { setting, bids, index, format } = table;
  const bidder = table.bidders[i];
  const row = rowOf(table, i);
  const own = objectiveOf(bidder, value[i], spend[i]);
  const common = { value: value[i], spend: spend[i], overspend: overspendOf(bidder, value[i], spend[i]) };
  if (bidder.kind === 'fixed' || bidder.kind === 'manual') {
    const regret = {
      ...common,
      best: own,
      bestBound: own,
      regret: 0,
      regretBound: 0,
      deviation: row.slice(),
    };
    return { regret, shared: 0 };
  }
  const landscape = landscapeOf(setting, bids, i, index);
  const response = bestResponse(landscape, bidder, { format });
  const reached = objectiveOf(bidder, response.value, response.spend);
  const best = Math.max(own, reached);
  const bestBound = Math.max(best, response.upperBound);
  const regret = {
    ...common,
    best,
    bestBound,
    regret: relativeGain(best, own),
    regretBound: relativeGain(bestBound, own),
    deviation: reached > own ? toRow(table, landscape, response, row) : row.slice(),
  };
  return { regret, shared: landscape.shared ?? 0 };
}

/** By how much `best` is above `own`, relative; 0 where both are 0. */
export function relativeGain(best: number, own: number): number {
  return shareOf(best - own, own);
}

function shareOf(gain: number, own: number): number {
  if (gain <= 0) return 0;
  return own > 0 ? gain / own : Infinity;
}

/** Largest and value-weighted mean regrets. */
export function summariseGap(
  { bidders }: Pick<Table, 'bidders'>,
  advertisers: readonly AdvertiserRegret[],
): EquilibriumGap {
  let [own, gain, gainBound] = [0, 0, 0];
  let [maxRegret, maxRegretBound, maxOverspend] = [0, 0, 0];
  advertisers.forEach((a, i) => {
    const objective = objectiveOf(bidders[i], a.value, a.spend);
    own += objective;
    gain += a.best - objective;
    gainBound += a.bestBound - objective;
    maxRegret = Math.max(maxRegret, a.regret);
    maxRegretBound = Math.max(maxRegretBound, a.regretBound);
    maxOverspend = Math.max(maxOverspend, a.overspend);
  });
  return {
    advertisers,
    maxRegret,
    meanRegret: shareOf(gain, own),
    maxRegretBound,
    meanRegretBound: shareOf(gainBound, own),
    maxOverspend,
  };
}
