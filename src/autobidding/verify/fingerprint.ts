// What a market's arrays hash to, one by one, so that a mismatch says what differs.

import { UnsupportedError } from '../../core/errors.ts';
import type { Setting } from '../types.ts';

/** Sizes, and SHA-256 in hex of each array there is (of its little-endian bytes). */
export interface Fingerprint {
  readonly sizes: Readonly<Record<string, number>>;
  readonly sha256: Readonly<Record<string, string>>;
}

/**
 * Fingerprint of everything in a setting that is an array over auctions, entries or slots: market, buckets, and the rules' reserves, boosts and
 * factors. Names are left out.
 *
 * @throws {UnsupportedError} there is no `crypto.subtle`: in browsers it needs https or localhost. O(bytes)
 */
export async function fingerprintOf({ market, buckets, rules }: Setting): Promise<Fingerprint> {
  const { offsets, advertiserOf, values, discounts, targets } = market;
  const reserves = typeof rules.reserve === 'object' ? rules.reserve : undefined;
  const arrays = {
    ...{ offsets, advertiserOf, values, discounts, targets },
    buckets: buckets.ofEntry,
    ...{ reserves, boosts: rules.boosts, factors: rules.factors },
  };
  const sha256: Record<string, string> = {};
  for (const [name, array] of Object.entries(arrays)) if (array) sha256[name] = await hashOf(array);
  const sizes = {
    auctions: market.auctions,
    advertisers: market.advertisers,
    entries: values.length,
    slots: discounts.length,
    buckets: buckets.count,
  };
  return { sizes, sha256 };
}

/** What differs between two fingerprints, in words; empty when nothing. */
export function differences(saved: Fingerprint, given: Fingerprint): string[] {
  const found: string[] = [];
  for (const name of namesOf(saved.sizes, given.sizes)) {
    const [was, is] = [saved.sizes[name], given.sizes[name]];
    if (was !== is) found.push(`${name}: ${was ?? 'none'} saved, ${is ?? 'none'} given`);
  }
  for (const name of namesOf(saved.sha256, given.sha256)) {
    const [was, is] = [saved.sha256[name], given.sha256[name]];
    if (was !== is) {
      found.push(
        `${name}: SHA-256 ${was?.slice(0, 12) ?? 'none'}… saved, ${is?.slice(0, 12) ?? 'none'}… given`,
      );
    }
  }
  return found;
}

function namesOf(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])];
}

async function hashOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) {
    throw new UnsupportedError(
      'saveProfile: there is no crypto.subtle here; expected Node, or a page over https or on localhost.',
    );
  }
  // A copy, because digests refuse memory shared between threads.
  const bytes = new Uint8Array(byteLength);
  bytes.set(new Uint8Array(buffer, byteOffset, byteLength));
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
