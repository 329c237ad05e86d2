// A saved profile read back: checked by hand, field by field, and held against the market it is said to be for.

import { DataError } from '../../core/errors.ts';
import {
  AUCTION_FORMATS,
  type AuctionRules,
  type Bidder,
  type Buckets,
  type Market,
  type MixedProfile,
  type Profile,
  type Setting,
} from '../types.ts';
import { differences, fingerprintOf } from './fingerprint.ts';
import {
  type Json,
  type MarketSource,
  SAVED_PROFILE_FORMAT,
  SAVED_PROFILE_VERSION,
  type SavedClaims,
  type SavedProfile,
  type SavedStrategy,
} from './saved-profile.ts';
import type { Claims } from './verification.ts';

/** What the file does not hold and whoever verifies must bring. */
export interface SavedMarket {
  readonly market: Market;
  readonly buckets: Buckets;
  /** Shape (auctions,), where each auction has its own. */
  readonly reserves?: Float64Array | undefined;
  readonly boosts?: Float64Array | undefined;
  readonly factors?: Float64Array | undefined;
}

/** Ready for `verifyProfile(setting, profile, { claims })`. */
export interface RestoredProfile {
  readonly setting: Setting;
  readonly profile: Profile | MixedProfile;
  readonly claims: Claims;
}

/**
 * Checks that parsed JSON is a saved profile.
 *
 * @param json - what `JSON.parse` gave
 * @throws {DataError} naming the first field that is not what the format says
 */
export function parseSavedProfile(json: unknown): SavedProfile {
  const file = objectAt('the file', json);
  if (file.format !== SAVED_PROFILE_FORMAT) {
    fail('format', file.format, `"${SAVED_PROFILE_FORMAT}"`);
  }
  if (file.version !== SAVED_PROFILE_VERSION) fail('version', file.version, String(SAVED_PROFILE_VERSION));
  const fingerprint = objectAt('fingerprint', file.fingerprint);
  const sizes = objectAt('fingerprint.sizes', fingerprint.sizes);
  for (const size of ['advertisers', 'buckets']) numberAt(`fingerprint.sizes.${size}`, sizes[size], 0);
  const sha256 = objectAt('fingerprint.sha256', fingerprint.sha256);
  for (const [name, hash] of Object.entries(sha256)) {
    if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) {
      fail(`fingerprint.sha256.${name}`, hash, '64 hexadecimal digits');
    }
  }
  const advertisers = sizes.advertisers as number;
  const count = sizes.buckets as number;
  return {
    format: SAVED_PROFILE_FORMAT,
    version: SAVED_PROFILE_VERSION,
    source: sourceAt(file.source),
    fingerprint: fingerprint as unknown as SavedProfile['fingerprint'],
    rules: rulesAt(file.rules, advertisers),
    maxMultiplier: numberAt('maxMultiplier', file.maxMultiplier, 1),
    ...(file.bidders !== undefined && {
      bidders: listAt('bidders', file.bidders, advertisers).map((bidder, i) =>
        bidderAt(`bidders[${i}]`, bidder),
      ),
    }),
    strategies: listAt('strategies', file.strategies, advertisers).map((strategy, i) =>
      strategyAt(`strategies[${i}]`, strategy, count),
    ),
    claims: claimsAt(file.claims, advertisers),
  };
}

/**
 * Puts a saved profile and its market together again.
 *
 * @param saved - from `parseSavedProfile` or `saveProfile`
 * @throws {DataError} the market is not the one that was saved: the message says which arrays differ
 */
export async function restoreProfile(
  saved: SavedProfile,
  { market, buckets, reserves, boosts, factors }: SavedMarket,
): Promise<RestoredProfile> {
  const { format, reserve, owners, ties } = saved.rules;
  const rules: AuctionRules = {
    ...{ format, ties, boosts, factors },
    reserve: reserves ?? reserve,
    owners: owners && Uint32Array.from(owners),
  };
  const { bidders, maxMultiplier } = saved;
  const setting: Setting = { market, buckets, rules, bidders, maxMultiplier };
  const different = differences(saved.fingerprint, await fingerprintOf(setting));
  if (different.length > 0) {
    throw new DataError(
      `restoreProfile: this is not the market of the saved profile: ${different.join('; ')}. Bring the one it was saved with.`,
    );
  }
  const strategies: MixedProfile = saved.strategies.map(({ weights, multipliers }) => ({
    weights: Float64Array.from(weights),
    multipliers: Float64Array.from(multipliers, (multiplier) => multiplier ?? Number.NaN),
  }));
  const pure = strategies.every(({ weights }) => weights.length === 1);
  const { value, spend, ...figures } = saved.claims;
  return {
    setting,
    profile: pure ? Float64Array.from(strategies.flatMap(({ multipliers }) => [...multipliers])) : strategies,
    claims: {
      ...figures,
      value: value && Float64Array.from(value),
      spend: spend && Float64Array.from(spend),
    },
  };
}

function sourceAt(json: unknown): MarketSource {
  const { kind, ...rest } = objectAt('source', json) as Record<string, Json>;
  if (kind === 'generator') {
    return { kind, record: rest.record ?? null, bucketing: rest.bucketing ?? null };
  }
  if (kind === 'file') {
    return { kind, name: textAt('source.name', rest.name), options: rest.options ?? null };
  }
  if (kind === 'given') return { kind, note: textAt('source.note', rest.note) };
  return fail('source.kind', kind, 'generator, file or given');
}

function rulesAt(json: unknown, advertisers: number): SavedProfile['rules'] {
  const { format, reserve, owners, ties } = objectAt('rules', json);
  const known = AUCTION_FORMATS.find((name) => name === format);
  if (!known) return fail('rules.format', format, AUCTION_FORMATS.join(', '));
  return {
    format: known,
    reserve: numberAt('rules.reserve', reserve, 0),
    ...(owners !== undefined && {
      owners: listAt('rules.owners', owners, advertisers).map((owner, i) =>
        numberAt(`rules.owners[${i}]`, owner, 0),
      ),
    }),
    ties:
      ties === 'index'
        ? 'index'
        : { seed: numberAt('rules.ties.seed', objectAt('rules.ties', ties).seed, 0) },
  };
}

function bidderAt(name: string, json: unknown): Bidder {
  const { kind, budget, multiplier, bid } = objectAt(name, json);
  if (kind === 'value' || kind === 'utility') {
    return budget === undefined ? { kind } : { kind, budget: numberAt(`${name}.budget`, budget, 0) };
  }
  if (kind === 'fixed') return { kind, multiplier: numberAt(`${name}.multiplier`, multiplier, 0) };
  if (kind === 'manual') return { kind, bid: numberAt(`${name}.bid`, bid, 0) };
  return fail(`${name}.kind`, kind, 'value, utility, fixed or manual');
}

function strategyAt(name: string, json: unknown, count: number): SavedStrategy {
  const { weights, multipliers } = objectAt(name, json);
  const list = listAt(`${name}.weights`, weights).map((weight, r) =>
    numberAt(`${name}.weights[${r}]`, weight, 0),
  );
  return {
    weights: list,
    multipliers: listAt(`${name}.multipliers`, multipliers, list.length * count).map((multiplier, t) =>
      multiplier === null ? null : numberAt(`${name}.multipliers[${t}]`, multiplier, 0),
    ),
  };
}

function claimsAt(json: unknown, advertisers: number): SavedClaims {
  const claims: Record<string, number | number[]> = {};
  for (const [name, claim] of Object.entries(objectAt('claims', json))) {
    if (name === 'value' || name === 'spend') {
      claims[name] = listAt(`claims.${name}`, claim, advertisers).map((x, i) =>
        numberAt(`claims.${name}[${i}]`, x),
      );
    } else if (['maxRegret', 'meanRegret', 'maxOverspend', 'welfare', 'profit', 'optimum'].includes(name)) {
      claims[name] = numberAt(`claims.${name}`, claim);
    } else {
      fail(`claims.${name}`, claim, 'no such figure');
    }
  }
  return claims as SavedClaims;
}

function objectAt(name: string, json: unknown): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return fail(name, json, 'an object');
  return json as Record<string, unknown>;
}

function listAt(name: string, json: unknown, length?: number): unknown[] {
  if (!Array.isArray(json)) return fail(name, json, 'a list');
  if (length !== undefined && json.length !== length)
    return fail(`length of ${name}`, json.length, String(length));
  return json;
}

function numberAt(name: string, json: unknown, least = -Infinity): number {
  if (typeof json !== 'number' || !(json >= least)) {
    return fail(name, json, least === -Infinity ? 'a number' : `a number ≥ ${least}`);
  }
  return json;
}

function textAt(name: string, json: unknown): string {
  return typeof json === 'string' ? json : fail(name, json, 'text');
}

function fail(name: string, found: unknown, expected: string): never {
  const text = found === undefined ? 'missing' : JSON.stringify(found);
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  throw new DataError(
    `parseSavedProfile: ${name} is ${shown}; expected ${expected}. Save the profile again with saveProfile.`,
  );
}
