// Caches by the share of a full cache's bytes that they may hold.

import { InvalidArgumentError } from '../../core/errors.ts';
import type { KeyValueStorage } from '../../kernels/index.ts';
import { type CacheOptions, type ComparedPolicy, withinBytes } from '../../kv-cache/index.ts';
import type { LanguageModel } from '../engine/language-model.ts';
import { cacheBytesPerToken } from '../model/model-config.ts';

export interface CacheSize {
  /** In (0, 1), of what the keys and values of `tokens` tokens take in this storage. */
  share: number;
  tokens: number;
  storage: KeyValueStorage;
}

/**
 * The policy with the largest budget whose bytes are within the share.
 *
 * @throws {InvalidArgumentError} the share is too small for the policy
 *
 * Time: a dozen caches of one layer are filled.
 */
export async function sizedCache(
  { config }: LanguageModel,
  policy: ComparedPolicy,
  { share, tokens, storage }: CacheSize,
): Promise<CacheOptions> {
  const { heads, keyHeads, headDim, layers } = config;
  const shape = { heads, keyHeads, dim: headDim, valueDim: headDim, storage };
  const bytes = Math.floor(
    (share * tokens * cacheBytesPerToken(config, storage === 'float32' ? 4 : 2)) / layers,
  );
  const options = await withinBytes(shape, policy, bytes);
  if ('budget' in options && options.budget === 0) {
    throw new InvalidArgumentError(
      `sizedCache: ${bytes} bytes a layer are too few for policy "${policy.policy}"; expected a larger share, or more tokens.`,
    );
  }
  return options;
}
