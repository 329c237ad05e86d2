// A market seen from its advertisers.

import type { Market } from '../types.ts';

/** The values of each advertiser's entries, in their order: new arrays. O(entries). */
export function valuesByAdvertiser({ advertisers, advertiserOf, values }: Market): Float64Array[] {
  const sizes = new Uint32Array(advertisers);
  for (const advertiser of advertiserOf) sizes[advertiser]++;
  const own = Array.from(sizes, (size) => new Float64Array(size));
  for (let e = values.length - 1; e >= 0; e--) own[advertiserOf[e]][--sizes[advertiserOf[e]]] = values[e];
  return own;
}
