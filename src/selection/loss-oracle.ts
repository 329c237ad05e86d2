// The border to the user's model: losses are asked in batches, each id once, checked, cached and counted.

import { requireInteger, requireNumber } from '../core/check.ts';
import { DataError, InvalidArgumentError } from '../core/errors.ts';
import type { RunOptions } from '../core/progress.ts';
import type { LossOracle } from './types.ts';

/**
 * Losses kept between runs, so that a run that was stopped goes on where it was. Keyed by model and row: losses of another
 * model must never be taken for this one's.
 */
export interface LossCache {
  /** Losses known for these rows under this model; NaN where not known. Shape (ids.length,). */
  read(model: string, ids: Uint32Array): ArrayLike<number> | Promise<ArrayLike<number>>;
  /** Keeps losses that were just computed; called after every batch. */
  write(model: string, ids: Uint32Array, losses: Float64Array): void | Promise<void>;
}

export interface OracleOptions extends RunOptions {
  /** Rows per call. Default 1024. */
  batchSize?: number | undefined;
  /** How often a call that throws is tried again, ≥ 0. Wrong answers are not retried. Default 2. */
  retries?: number | undefined;
  /** Wait before the first retry, in milliseconds; doubles each time. Default 100. */
  retryDelay?: number | undefined;
  /** Default: none. */
  cache?: LossCache | undefined;
  /** Version of the model the losses come from; part of the cache key and of the report. Default "model". */
  modelId?: string | undefined;
  /** What to do with NaN and infinite losses: an error, or NaN in the answer. Default `reject`. */
  onInvalid?: 'reject' | 'drop' | undefined;
  /** Negative answers are legal, e.g. targets of a regression. Default false. */
  signed?: boolean | undefined;
  /** What the oracle answers, for messages. Default "loss". */
  quantity?: string | undefined;
}

/** An oracle that remembers: every id reaches the user's function at most once. */
export interface CountedOracle {
  /** Losses of rows in the order asked; ids may repeat. NaN only for rows that `onInvalid: "drop"` let pass. */
  ask(ids: Uint32Array, phase: string): Promise<Float64Array>;
  /** Rows the user's function was asked for so far. */
  readonly queries: number;
  /** Rows answered by the cache so far. */
  readonly cacheHits: number;
  /** Losses known by now. */
  readonly known: ReadonlyMap<number, number>;
}

/**
 * Wraps a loss oracle with batches, memory, checks, retries and a count.
 *
 * @throws {InvalidArgumentError} an option leaves its range; when asked: a loss is negative
 * @throws {DataError} when asked: the oracle returns another number of losses than ids, NaN or an infinity, or fails after all retries
 */
export function countedOracle(
  loss: LossOracle,
  {
    batchSize = 1024,
    retries = 2,
    retryDelay = 100,
    cache,
    modelId = 'model',
    onInvalid = 'reject',
    signed = false,
    quantity = 'loss',
    signal,
    onProgress,
  }: OracleOptions = {},
): CountedOracle {
  requireInteger('loss oracle: batchSize', batchSize, 1);
  requireInteger('loss oracle: retries', retries, 0);
  requireNumber('loss oracle: retryDelay', retryDelay, 0);
  const known = new Map<number, number>();
  let queries = 0;
  let cacheHits = 0;

  const check = (ids: Uint32Array, losses: ArrayLike<number>): void => {
    if (losses?.length !== ids.length) {
      throw new DataError(
        `loss oracle: it returned ${losses?.length ?? typeof losses} values for ${ids.length} ids; expected one ${quantity} per id, in the order of the ids.`,
      );
    }
    for (let j = 0; j < ids.length; j++) {
      if (!signed && losses[j] < 0 && losses[j] > -Infinity) {
        throw new InvalidArgumentError(
          `loss oracle: the ${quantity} of row ${ids[j]} is ${losses[j]}; expected a number ≥ 0. ` +
            'Shift the losses by a constant, or sample by an absolute value or a gradient norm (selectByGradient).',
        );
      }
      if (!Number.isFinite(losses[j]) && onInvalid === 'reject') {
        throw new DataError(
          `loss oracle: the ${quantity} of row ${ids[j]} is ${losses[j]}; expected a finite number ≥ 0. ` +
            'Repair the row, or pass onInvalid: "drop" to leave such rows out.',
        );
      }
    }
  };

  const call = async (ids: Uint32Array): Promise<ArrayLike<number>> => {
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      try {
        // A copy: the callee may transfer or change what it is given.
        return await loss(ids.slice());
      } catch (cause) {
        signal?.throwIfAborted();
        if (attempt >= retries) {
          throw new DataError(
            `loss oracle: it failed ${attempt + 1} times on rows ${ids[0]} … ${ids[ids.length - 1]}: ${cause instanceof Error ? cause.message : String(cause)}. ` +
              'Raise retries, or pass a cache so that a second run goes on from here.',
            { cause },
          );
        }
        await pause(retryDelay * 2 ** attempt, signal);
      }
    }
  };

  return {
    known,
    get queries() {
      return queries;
    },
    get cacheHits() {
      return cacheHits;
    },
    async ask(ids, phase) {
      const unknown = Uint32Array.from(new Set(Array.from(ids).filter((id) => !known.has(id))));
      for (let start = 0; start < unknown.length; start += batchSize) {
        signal?.throwIfAborted();
        let batch = unknown.subarray(start, start + batchSize);
        if (cache) {
          const kept = await cache.read(modelId, batch.slice());
          const found = batch.filter((_, j) => Number.isFinite(kept[j]));
          const values = Float64Array.from(Array.from(kept).filter((value) => Number.isFinite(value)));
          check(found, values);
          found.forEach((id, j) => {
            known.set(id, values[j]);
          });
          cacheHits += found.length;
          batch = batch.filter((id) => !known.has(id));
        }
        if (batch.length > 0) {
          const losses = await call(batch);
          check(batch, losses);
          queries += batch.length;
          for (let j = 0; j < batch.length; j++) {
            known.set(batch[j], Number.isFinite(losses[j]) ? losses[j] : Number.NaN);
          }
          await cache?.write(modelId, batch.slice(), Float64Array.from(losses));
        }
        onProgress?.({ phase, done: Math.min(start + batchSize, unknown.length), total: unknown.length });
      }
      return Float64Array.from(ids, (id) => known.get(id)!);
    },
  };
}

/** A cache in memory, for one process or as a model of how to write one. */
export function memoryLossCache(): LossCache {
  const models = new Map<string, Map<number, number>>();
  return {
    read: (model, ids) => {
      const losses = models.get(model);
      return Float64Array.from(ids, (id) => losses?.get(id) ?? Number.NaN);
    },
    write: (model, ids, losses) => {
      const kept = models.get(model) ?? new Map<number, number>();
      models.set(model, kept);
      ids.forEach((id, j) => {
        kept.set(id, losses[j]);
      });
    },
  };
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
