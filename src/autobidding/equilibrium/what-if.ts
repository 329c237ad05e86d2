// One advertiser's question: what would I get at other bids, if nobody else moved?

import { requireInteger, requireNumber } from '../../core/check.ts';
import { checkSetting } from '../market/check-setting.ts';
import { profileBids } from '../market/profile-bids.ts';
import { outcomeAt } from '../response/index.ts';
import type { Bidder, Profile, Response, Setting } from '../types.ts';
import { overspendOf } from './objective.ts';
import { answer, rowOf, setTable, toRow, viewOf } from './table.ts';

/** 41 from 0.5 to 2, evenly in logarithms. */
export const DEFAULT_FACTORS: readonly number[] = Array.from({ length: 41 }, (_, x) => 2 ** ((x - 20) / 20));

export interface WhatIfOptions {
  /** Factors on all of the advertiser's multipliers to look at, each > 0. Default: 41 from 0.5 to 2, evenly in logarithms. */
  factors?: readonly number[] | undefined;
  /** What the advertiser is after instead. Default: as the setting says. */
  bidder?: Bidder | undefined;
}

/** What one way of bidding gives, ties won. */
export interface WhatIfPoint {
  readonly factor: number;
  readonly value: number;
  readonly spend: number;
  /** By how much target or budget is missed, relative. */
  readonly overspend: number;
}

export interface WhatIf {
  /** At the profile as it is. */
  readonly now: WhatIfPoint;
  /** At each factor. */
  readonly curve: readonly WhatIfPoint[];
  /** The best response, its multipliers ready to bid. */
  readonly best: Response;
}

/**
 * What an advertiser would get with others frozen: along its multipliers scaled together, and at its best response.
 *
 * @param profile - what all bid, shape (advertisers · K,)
 * @param advertiser - its number
 * @throws {InvalidArgumentError} there is no such advertiser, a factor is not > 0, or the setting leaves its range
 * @throws {ShapeError} sizes that do not fit
 *
 * O(own auctions · (participants + slots)). Source: derived; others frozen as in the benchmarks of bidding that replay logs.
 */
export function whatIf(
  setting: Setting,
  profile: Profile,
  advertiser: number,
  { factors = DEFAULT_FACTORS, bidder }: WhatIfOptions = {},
): WhatIf {
  checkSetting('whatIf', setting);
  requireInteger('whatIf: advertiser', advertiser, 0, setting.market.advertisers - 1);
  for (const [at, factor] of factors.entries())
    requireNumber(`whatIf: factors[${at}]`, factor, Number.MIN_VALUE);
  const bids = profileBids(setting, profile);
  const standing = setTable(setting);
  const bidders = standing.bidders.map((own, i) => (i === advertiser && bidder ? bidder : own));
  const table = { ...standing, bidders, profile: profile.slice(), bids };
  const landscape = viewOf(table, advertiser);
  const row = rowOf(table, advertiser);
  const manual = standing.bidders[advertiser].kind === 'manual';
  const at = (factor: number): WhatIfPoint => {
    const { value, spend } = outcomeAt(
      landscape,
      row.map((multiplier) => factor * (manual ? 1 : multiplier)),
      table.format,
    );
    return { factor, value, spend, overspend: overspendOf(bidders[advertiser], value, spend) };
  };
  const response = answer(table, advertiser, landscape, EXACT_WIDTH);
  return {
    now: at(1),
    curve: factors.map(at),
    best: { ...response, multipliers: toRow(table, landscape, response, row) },
  };
}

/** Partial choices kept by the search for the best response: enough to prove it, as a rule. */
const EXACT_WIDTH = 4096;
