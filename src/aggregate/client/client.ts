// An aggregator at an address, as an analyst or an auditor uses it: in a browser or in Node.

import { requireInteger } from '../../core/check.ts';
import { ShapeError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import type { AuditEntry, LogHead } from '../audit-entry.ts';
import { type Bags, bagCount, bagMembers, requireBags } from '../bags/bags.ts';
import type { AggregatorAnswer, AggregatorInfo, AggregatorQuery, SampleId } from '../protocol.ts';
import type { BagQuery } from '../types.ts';
import { AggregatorConnection, type ConnectionOptions } from './connection.ts';
import { requireAnswer, requireHead, requireInfo, requirePage } from './replies.ts';
import { type LogReport, verifyLog } from './verify-log.ts';

export interface AggregatorClientOptions extends ConnectionOptions {
  /** Bags in one query of `bagQuery`, at most. Default: what the aggregator takes, and 500. */
  maxBags?: number | undefined;
  /** Bytes of ids in one query of `bagQuery`, at most; a single larger bag is sent alone. Default 512 KiB. */
  maxBytes?: number | undefined;
}

export interface AggregatorClient {
  info(options?: RunOptions): Promise<AggregatorInfo>;
  /** One query, one request; for analysts. @throws {RefusedError} with the reason; nothing was charged */
  query(query: AggregatorQuery, options?: RunOptions): Promise<AggregatorAnswer>;
  /** The audit log from entry `from` on, page by page; for auditors. Default: from its beginning. */
  log(from?: number, options?: RunOptions): AsyncGenerator<AuditEntry>;
  /** Checks the chain of the whole log, and that a hash that was kept is still in it; for auditors. Spending is checked by `provably aggregate verify`. */
  verify(head?: string, options?: RunOptions): Promise<LogReport>;
  /** The last entry; for auditors. Who keeps its hash can prove that the log was not rewritten. */
  head(options?: RunOptions): Promise<LogHead>;
  /**
   * The way to labels for PriorBoost and every other learner here.
   *
   * A stage of many bags becomes several queries, one after the other. When one is refused, those before it are answered
   * and charged; asking for the same bags again repeats their answers for nothing.
   *
   * @param ids - id of each sample of the analyst's table, shape (samples,)
   * @param epsilon - ε of each release. Default: what the aggregator allows
   */
  bagQuery(ids: readonly SampleId[], epsilon?: number): BagQuery;
}

/**
 * A client of an aggregator, that is, of `provably serve --labels` (arXiv 2402.04987, two-phase use of PriorBoost).
 *
 * Calls that fail for now are tried again. That is safe: an aggregator repeats the answer to a bag that it has answered
 * before, and charges it once.
 *
 * @throws {InvalidArgumentError} the address is none, or neither encrypted nor of this machine
 *
 * @example
 * const client = createAggregatorClient({ url: 'https://labels.example.org', apiKey });
 * const { minBag } = await client.info();
 * const { means, noiseVariance } = await client.bagQuery(ids)(bags, 'stage-1');
 */
export function createAggregatorClient({
  maxBags,
  maxBytes = 2 ** 19,
  ...options
}: AggregatorClientOptions): AggregatorClient {
  if (maxBags !== undefined) requireInteger('createAggregatorClient: maxBags', maxBags, 1);
  requireInteger('createAggregatorClient: maxBytes', maxBytes, 1);
  const connection = new AggregatorConnection(options);
  const query = async (asked: AggregatorQuery, { signal }: RunOptions = {}): Promise<AggregatorAnswer> =>
    requireAnswer(await connection.request('/v1/aggregator/query', asked, signal), asked);
  const log: AggregatorClient['log'] = async function* (from = 0, { signal } = {}) {
    requireInteger('aggregator client: from', from, 0);
    for (let next = from; ; ) {
      const page = requirePage(
        await connection.request(`/v1/aggregator/log?from=${next}`, undefined, signal),
      );
      if (page.length === 0) return;
      yield* page;
      next += page.length;
    }
  };
  const info = async ({ signal }: RunOptions = {}): Promise<AggregatorInfo> =>
    requireInfo(await connection.request('/v1/aggregator', undefined, signal));
  return {
    ...{ info, query },
    log,
    verify: (head, runOptions = {}) => verifyLog(log(0, runOptions), head),
    async head({ signal } = {}) {
      return requireHead(await connection.request('/v1/aggregator/head', undefined, signal));
    },
    bagQuery:
      (ids, epsilon) =>
      async (bags, stage, runOptions = {}) => {
        requireBags('bagQuery: bags', bags);
        if (bags.samples !== ids.length) {
          throw new ShapeError(
            `bagQuery: bags are of ${bags.samples} samples, there are ${ids.length} ids; expected an id for each sample.`,
          );
        }
        const count = bagCount(bags);
        const means = new Float64Array(count);
        const noiseVariance = new Float64Array(count);
        const most = maxBags ?? Math.min(500, (await info(runOptions)).maxBags);
        for (const { first, lists } of queriesOf(ids, bags, most, maxBytes)) {
          const asked = { stage, bags: lists, ...(epsilon === undefined ? {} : { epsilon }) };
          const answer = await query(asked, runOptions);
          answer.bags.forEach((bag, a) => {
            means[first + a] = bag.mean;
            noiseVariance[first + a] = bag.noiseVariance;
          });
          runOptions.onProgress?.({
            phase: 'asking the aggregator',
            done: first + lists.length,
            total: count,
          });
        }
        return { means, noiseVariance };
      },
  };
}

/** Bags in runs that fit into one query each. */
function* queriesOf(
  ids: readonly SampleId[],
  bags: Bags,
  maxBags: number,
  maxBytes: number,
): Generator<{ first: number; lists: SampleId[][] }> {
  let lists: SampleId[][] = [];
  let bytes = 0;
  for (let a = 0; a < bagCount(bags); a++) {
    const list = Array.from(bagMembers(bags, a), (i) => ids[i]);
    // UTF-8 has at most three bytes for each unit of a text, quotes and comma beside them.
    const size = list.reduce<number>((sum, id) => sum + 3 * String(id).length + 3, 0);
    if (lists.length > 0 && (lists.length === maxBags || bytes + size > maxBytes)) {
      yield { first: a - lists.length, lists };
      [lists, bytes] = [[], 0];
    }
    lists.push(list);
    bytes += size;
  }
  yield { first: bagCount(bags) - lists.length, lists };
}
