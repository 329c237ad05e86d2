// What a profile of multipliers bids: one number for each entry.

import { requireLength } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import type { Profile, Setting } from '../types.ts';

/**
 * The bid of each entry: μ of its advertiser's bucket times its value; `fixed` bidders bid their own multiplier times the value,
 * `manual` ones always the same.
 *
 * @param profile - shape (advertisers · K,); NaN only where the bucket holds no entry of the advertiser. Rows of bidders that bid by rule
 *   are not read
 * @param out - receives the bids, shape (entries,). Default: a new array
 * @throws {InvalidArgumentError} a multiplier that is used is negative, infinite or NaN, or so large that the bid overflows
 * @throws {ShapeError} `profile` or `out` does not fit
 *
 * O(entries).
 */
export function profileBids(
  { market, buckets, bidders }: Setting,
  profile: Profile,
  out: Float64Array = new Float64Array(market.values.length),
): Float64Array {
  const { advertisers, advertiserOf, values } = market;
  const { count, ofEntry } = buckets;
  requireLength('profileBids: profile', profile, advertisers * count);
  requireLength('profileBids: out', out, values.length);
  for (let e = 0; e < values.length; e++) {
    out[e] = profile[advertiserOf[e] * count + ofEntry[e]] * values[e];
  }
  if (bidders?.some(({ kind }) => kind === 'fixed' || kind === 'manual')) {
    for (let e = 0; e < values.length; e++) {
      const bidder = bidders[advertiserOf[e]];
      if (bidder.kind === 'fixed') out[e] = bidder.multiplier * values[e];
      else if (bidder.kind === 'manual') out[e] = bidder.bid;
    }
  }
  for (let e = 0; e < values.length; e++) {
    if (!(out[e] >= 0 && out[e] < Infinity)) {
      const [i, k] = [advertiserOf[e], ofEntry[e]];
      throw new InvalidArgumentError(
        `profileBids: the multiplier of advertiser ${i} in bucket ${k} is ${profile[i * count + k]}; expected a finite number ≥ 0, ` +
          `since entry ${e} is bid with it.`,
      );
    }
  }
  return out;
}
