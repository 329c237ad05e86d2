// What the server needs of an aggregator.

import type { AggregatorAnswer, AggregatorInfo, AggregatorQuery } from '../../aggregate/index.ts';

/** An aggregator as the server sees it. */
export interface ServedAggregator {
  info(): AggregatorInfo;
  /** @throws {RefusedError} */
  query(actor: string, query: AggregatorQuery): Promise<AggregatorAnswer>;
  /** Last entry of the audit log. */
  readonly head: { entry: number; hash: string };
  /** Entries of the audit log from number `from` on, at most `limit`. */
  entries(from: number, limit: number): readonly object[];
}
