// Caches by policy, new or from what `save` returned.

import { requireOneOf } from '../core/check.ts';
import { DataError, InvalidArgumentError } from '../core/errors.ts';
import { completeShape } from './check-tokens.ts';
import { HeadCaches } from './head-caches.ts';
import { type BalanceOptions, balanceCache } from './policies/balance.ts';
import { type FullOptions, fullCache } from './policies/full.ts';
import { type H2oOptions, h2oCache } from './policies/h2o.ts';
import { type HybridOptions, hybridCache } from './policies/hybrid.ts';
import { type KCenterCacheOptions, kCenterCache } from './policies/k-center.ts';
import { type KeyDiffOptions, keyDiffCache } from './policies/keydiff.ts';
import { type SinkWindowOptions, sinkWindowCache } from './policies/sink-window.ts';
import { type SnapKvOptions, snapKvCache } from './policies/snapkv.ts';
import { type SubGenOptions, subGenCache } from './policies/subgen.ts';
import { type UniformOptions, uniformCache } from './policies/uniform.ts';
import { damaged, SavedState } from './saved-state.ts';
import { decodeState } from './serialize.ts';
import type { CacheShape, KeyValueCache } from './types.ts';

export type CacheOptions =
  | FullOptions
  | SinkWindowOptions
  | UniformOptions
  | H2oOptions
  | SnapKvOptions
  | KeyDiffOptions
  | SubGenOptions
  | KCenterCacheOptions
  | HybridOptions
  | BalanceOptions;

/** A cache that can take over a saved state, made with the same options. */
export interface RestorableCache extends KeyValueCache {
  restore(saved: SavedState): void;
}

interface Policy {
  create(shape: Required<CacheShape>, options: never): RestorableCache;
  /** Options it takes, besides `policy`. */
  options: readonly string[];
}

const shared = ['budget', 'sinks', 'recent'];

/** To add a policy: a file in policies/ and a line here. */
const POLICIES: Record<CacheOptions['policy'], Policy> = {
  full: { create: fullCache, options: [] },
  'sink-window': { create: sinkWindowCache, options: ['budget', 'sinks'] },
  uniform: { create: uniformCache, options: [...shared, 'weighted', 'seed'] },
  h2o: { create: h2oCache, options: shared },
  snapkv: { create: snapKvCache, options: [...shared, 'observe', 'neighbours'] },
  keydiff: { create: keyDiffCache, options: shared },
  balance: { create: balanceCache, options: [...shared, 'seed'] },
  'k-center': { create: kCenterCache, options: [...shared, 'mode', 'prefill'] },
  hybrid: { create: hybridCache, options: [...shared, 'secondOrder', 'prefill'] },
  subgen: {
    create: subGenCache,
    options: ['delta', 'clusterSamples', 'valueSamples', 'selfNormalised', 'seed'],
  },
};

export const CACHE_POLICIES: readonly CacheOptions['policy'][] = Object.keys(
  POLICIES,
) as CacheOptions['policy'][];

/**
 * An empty cache of one sequence in one layer.
 *
 * @param shape - sizes of the layer
 * @param options - the policy's own; see each policy. Or one for each key head, of the same policy with budgets of their own (`allocateBudgets`)
 * @throws {InvalidArgumentError} an unknown policy or option, a number out of range, a budget below sinks + 1
 *
 * Memory O(keyHeads · budget · (dim + valueDim)); of 'full' O(tokens …).
 */
export function createCache(
  shape: CacheShape,
  options: CacheOptions | readonly CacheOptions[],
): KeyValueCache {
  return create(shape, options);
}

/**
 * The cache that `save` described: it goes on as if it had never stopped. Bytes are copied; a Node `Buffer` will do.
 *
 * @throws {DataError} the bytes are no saved cache of this version, cut off, or damaged: what a checksum finds, and what no cache could hold
 *
 * Time O(bytes), about 3 ns each.
 */
export function restoreCache(bytes: Uint8Array): KeyValueCache {
  const state = decodeState(bytes);
  const { shape, options } = state.header as unknown as {
    shape: CacheShape;
    options: CacheOptions | CacheOptions[];
  };
  try {
    if (!Array.isArray(options)) requireRoom(options, state.arrays.positions?.length ?? 0);
    const cache = create(shape, options);
    cache.restore(new SavedState(state));
    return cache;
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`restoreCache: the header is damaged: ${(cause as Error).message}`, { cause });
  }
}

/** A budget beyond the rows that were saved is no reason to ask for memory. */
function requireRoom(options: CacheOptions, rows: number): void {
  if ('budget' in options && !(options.budget <= rows))
    throw damaged(`the budget is ${options.budget} with ${rows} rows saved; expected at most as many`);
}

function create(shape: CacheShape, options: CacheOptions | readonly CacheOptions[]): RestorableCache {
  if (isList(options)) {
    return new HeadCaches(completeShape('createCache', shape), options, {
      create: (single, head) => create(single, options[head]),
      restore: restoreCache,
    });
  }
  requireOneOf('createCache: policy', options.policy, CACHE_POLICIES);
  const policy = POLICIES[options.policy];
  const unknown = Object.keys(options).find((name) => name !== 'policy' && !policy.options.includes(name));
  if (unknown) {
    throw new InvalidArgumentError(
      `createCache: policy "${options.policy}" has no option "${unknown}"; expected ${policy.options.join(', ') || 'none'}.`,
    );
  }
  return policy.create(completeShape('createCache', shape), options as never);
}

function isList(options: CacheOptions | readonly CacheOptions[]): options is readonly CacheOptions[] {
  return Array.isArray(options);
}

/** Whether a policy keeps to a number of rows that is given; the others grow with the stream or its clusters. */
export function takesBudget(policy: CacheOptions['policy']): boolean {
  return POLICIES[policy].options.includes('budget');
}
