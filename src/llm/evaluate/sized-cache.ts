// Caches by the share of a full cache's bytes that they may hold.

import { InvalidArgumentError } from '../../core/errors.ts';
import type { KeyValueStorage } from '../../kernels/index.ts';
import { type CacheOptions, type ComparedPolicy, withinBytes } from '../../kv-cache/index.ts';
import type { LanguageModel } from '../engine/language-model.ts';

/** A policy with the storage of its rows, and the most that it may take. */
export interface SizedEntrant {
  policy: ComparedPolicy;
  storage: KeyValueStorage;
  /** Of a full cache's bytes. */
  share: number;
}

/**
 * The policy with the largest budget whose bytes are within its share; one without a budget stays as it is.
 *
 * @param whole - bytes of a full cache, all layers
 * @throws {InvalidArgumentError} the share is too small for the policy
 *
 * Time: a dozen caches of one layer are filled.
 */
export async function sizedCache(
  { config }: LanguageModel,
  { policy, storage, share }: SizedEntrant,
  whole: number,
): Promise<CacheOptions> {
  const { heads, keyHeads, headDim, layers } = config;
  const shape = { heads, keyHeads, dim: headDim, valueDim: headDim, storage };
  const bytes = Math.floor((share * whole) / layers);
  const options = await withinBytes(shape, policy, bytes);
  if ('budget' in options && options.budget === 0) {
    throw new InvalidArgumentError(
      `sizedCache: ${bytes} bytes a layer are too few for policy "${policy.policy}"; expected a larger share, or more tokens.`,
    );
  }
  return options;
}
