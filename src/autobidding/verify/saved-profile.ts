// A profile as JSON: everything but the market itself, which is named and fingerprinted.

import { requireInteger, requireLength } from '../../core/check.ts';
import type { AuctionFormat, Bidder, MixedProfile, Profile, Setting } from '../types.ts';
import { CAP } from './check-setting.ts';
import { type Fingerprint, fingerprintOf } from './fingerprint.ts';
import type { Claims } from './verification.ts';

/** What `format` of a saved profile says. */
export const SAVED_PROFILE_FORMAT = 'provably-autobid-profile';

/** Raised when files of older versions read differently. */
export const SAVED_PROFILE_VERSION = 1;

/** Plain JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Where the market comes from, so that it can be brought again: not read by the verifier, which compares fingerprints. */
export type MarketSource =
  /** A generator's record: its name, version, seed and parameters; and how auctions were put into buckets. */
  | { readonly kind: 'generator'; readonly record: Json; readonly bucketing: Json }
  /** A file, and the options of its import. */
  | { readonly kind: 'file'; readonly name: string; readonly options: Json }
  /** Made in a program: whoever verifies must have it. */
  | { readonly kind: 'given'; readonly note: string };

/** One advertiser's strategy; null where the bucket holds no entry of it. */
export interface SavedStrategy {
  /** Shape (support,). */
  readonly weights: readonly number[];
  /** Shape (support · K,). */
  readonly multipliers: readonly (number | null)[];
}

/** Claims as JSON; figures that are not finite are left out. */
export interface SavedClaims {
  readonly maxRegret?: number;
  readonly meanRegret?: number;
  readonly maxOverspend?: number;
  readonly welfare?: number;
  readonly profit?: number;
  readonly optimum?: number;
  readonly value?: readonly number[];
  readonly spend?: readonly number[];
}

export interface SavedProfile {
  readonly format: typeof SAVED_PROFILE_FORMAT;
  readonly version: typeof SAVED_PROFILE_VERSION;
  readonly source: MarketSource;
  readonly fingerprint: Fingerprint;
  readonly rules: {
    readonly format: AuctionFormat;
    /** One reserve for all; 0 where each auction has its own, which the fingerprint holds. */
    readonly reserve: number;
    /** Shape (advertisers,). */
    readonly owners?: readonly number[];
    readonly ties: 'index' | { readonly seed: number };
  };
  readonly maxMultiplier: number;
  /** Shape (advertisers,); left out: all value maximisers without budget. */
  readonly bidders?: readonly Bidder[];
  /** One strategy each; pure profiles have support 1. */
  readonly strategies: readonly SavedStrategy[];
  readonly claims: SavedClaims;
}

/**
 * A profile for a file: `JSON.stringify` of it loses nothing.
 *
 * @param profile - multipliers, shape (advertisers · K,), or one mix for each advertiser
 * @param source - where the market comes from
 * @param claims - figures that the verifier is to check: regrets as certified bounds
 * @throws {ShapeError} the profile does not fit the setting @throws {UnsupportedError} there is no `crypto.subtle`
 *
 * O(bytes of the market) for its hashes.
 */
export async function saveProfile(
  setting: Setting,
  profile: Profile | MixedProfile,
  source: MarketSource,
  claims: Claims = {},
): Promise<SavedProfile> {
  const { rules, bidders, maxMultiplier = CAP } = setting;
  const { reserve = 0, owners, ties = 'index' } = rules;
  return {
    format: SAVED_PROFILE_FORMAT,
    version: SAVED_PROFILE_VERSION,
    source,
    fingerprint: await fingerprintOf(setting),
    rules: {
      format: rules.format,
      reserve: typeof reserve === 'number' ? reserve : 0,
      ...(owners && { owners: [...owners] }),
      ties,
    },
    maxMultiplier,
    ...(bidders && { bidders: bidders.map(withoutInfinity) }),
    strategies: savedStrategies(setting, profile),
    claims: savedClaims(claims),
  };
}

function savedStrategies({ market, buckets }: Setting, profile: Profile | MixedProfile): SavedStrategy[] {
  const { count } = buckets;
  const saved = (multipliers: Float64Array) => Array.from(multipliers, (m) => (Number.isNaN(m) ? null : m));
  if (profile instanceof Float64Array) {
    requireLength('saveProfile: profile', profile, market.advertisers * count);
    return Array.from({ length: market.advertisers }, (_, i) => ({
      weights: [1],
      multipliers: saved(profile.subarray(i * count, (i + 1) * count)),
    }));
  }
  requireInteger('saveProfile: profile.length', profile.length, market.advertisers, market.advertisers);
  return profile.map(({ weights, multipliers }, i) => {
    requireLength(`saveProfile: profile[${i}].multipliers`, multipliers, weights.length * count);
    return { weights: [...weights], multipliers: saved(multipliers) };
  });
}

function savedClaims({ value, spend, ...figures }: Claims): SavedClaims {
  const finite = Object.entries(figures).filter(([, figure]) => Number.isFinite(figure));
  return {
    ...Object.fromEntries(finite),
    ...(value && { value: [...value] }),
    ...(spend && { spend: [...spend] }),
  };
}

/** JSON knows no Infinity: a budget without limit is none. */
function withoutInfinity(bidder: Bidder): Bidder {
  return 'budget' in bidder && !(bidder.budget! < Infinity) ? { kind: bidder.kind } : bidder;
}
