// The two ends: everybody in one bag, and everybody alone.

import type { Bags } from './bags.ts';
import { type PartOptions, requirePart } from './part.ts';

/** One bag of all samples: only the overall mean is answered. @throws {InvalidArgumentError} there are none. O(n) */
export function globalBag(options: PartOptions): Bags {
  const { count, members, samples } = requirePart('globalBag', options);
  return { samples, members: members?.slice() ?? upTo(count), offsets: Uint32Array.of(0, count) };
}

/** A bag for each sample: individual labels, the lower reference of every comparison. @throws {InvalidArgumentError} there are none. O(n) */
export function singletonBags(options: PartOptions): Bags {
  const { count, members, samples } = requirePart('singletonBags', options);
  return { samples, members: members?.slice() ?? upTo(count), offsets: upTo(count + 1) };
}

function upTo(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => i);
}
