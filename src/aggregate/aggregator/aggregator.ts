// The aggregator: answers questions about bags of labels, and is the only one that sees a label.

import { DataError, InvalidArgumentError } from '../../core/errors.ts';
import type { RunOptions } from '../../core/progress.ts';
import type { AggregatorAnswer, AggregatorInfo, AggregatorQuery, RefusalReason } from '../protocol.ts';
import type { AuditEntry, LogHead } from './audit-chain.ts';
import { replay } from './books.ts';
import { createLabelStore } from './label-store.ts';
import { LedgerFile } from './ledger-file.ts';
import { LedgeredAggregator } from './ledgered-aggregator.ts';
import { NoiseStock } from './noise-stock.ts';
import { type AggregatorOptions, resolveAggregatorOptions } from './options.ts';
import { parametersOf } from './parameters.ts';

/** Answers bag queries under ε-label differential privacy, with a ledger that survives crashes. */
export interface Aggregator {
  /** What an analyst may know before asking. */
  info(): AggregatorInfo;
  /**
   * Answers the bags of a query, or refuses all of it.
   *
   * The charge, the answer and its entry in the audit log are on the disk before this resolves. Answers and refusals leave on the beat of `cadence`.
   * A bag that was answered in this stage before is answered as it was, for nothing (or refused, with `onRepeat: 'refuse'`).
   *
   * @param actor - who asks, for the log: 1 to 128 printable ASCII characters. To be established by the caller, not by the asker.
   * @throws {RefusedError} with the reason; it is in the log, and nothing was charged
   * @throws {DataError} the ledger could not be written, now or before: open it anew. Whether the query was charged is then in the ledger.
   */
  query(actor: string, query: AggregatorQuery): Promise<AggregatorAnswer>;
  /** Logs what was refused before it came to a query: no key, no right, too many at once. @param asked - text to keep the SHA-256 of */
  recordRefusal(actor: string, reason: RefusalReason, asked?: string): Promise<LogHead>;
  /** Last entry of the audit log: who keeps it can prove later that nothing before it was changed. */
  readonly head: LogHead;
  /** Entries of the audit log from number `from` on, at most `limit` (default 100, at most 10 000), in order. */
  entries(from: number, limit?: number): AuditEntry[];
  /** ε of the person who has spent most. */
  readonly largestSpend: number;
  /** Answers what waits, then lets go of the ledger. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens an aggregator over a table of labels.
 *
 * Labels are clipped to public bounds and rounded to whole steps; a bag's sum gets exact discrete Laplace noise of scale Δ/ε that was drawn before anybody asked, and is divided by the size.
 * Refused are: ids without a label, an id twice in a query, a bag below `minBag`, a bag that overlaps another of its stage, ε above `epsilonPerRelease`, and whatever takes a person above `budget`.
 * No refusal reads a label.
 *
 * @throws {InvalidArgumentError} an option leaves its range
 * @throws {DataError} the table is not as described; the ledger was made for other ids or parameters, is damaged, or is open elsewhere
 *
 * Opening: O(n log n) for the ids, O(members) for the ledger. A query: O(ids · log size). Memory: some 20 bytes a sample, the ids, and 2 to 3 bytes for each member ever answered.
 * Reference: label privacy of arXiv 2402.04987; what is protected and what is not: docs/privacy.md.
 */
export async function openAggregator(options: AggregatorOptions, run: RunOptions = {}): Promise<Aggregator> {
  run.signal?.throwIfAborted();
  const resolved = resolveAggregatorOptions(options);
  const store = createLabelStore(options.labels, resolved.grid);
  if (resolved.minBag > store.size) {
    throw new InvalidArgumentError(
      `openAggregator: minBag is ${resolved.minBag} and there are ${store.size} labels; expected at most as many, or nothing could be asked.`,
    );
  }
  const { minUnits, maxUnits, maxBags, grid } = resolved;
  const noise = new NoiseStock(grid, minUnits, maxUnits, 2 * Math.max(2048, maxBags));
  const parameters = parametersOf(store, resolved);
  const file = LedgerFile.open(options.ledger, parameters, store.people);
  try {
    if (options.head !== undefined && !file.holds(options.head)) {
      throw new DataError(
        `openAggregator: no entry of the ledger ${options.ledger} has the hash ${options.head.slice(0, 80)}; expected the log it was kept from. It was rolled back, cut or rewritten: go on with the right file, or what was spent since is spent again.`,
      );
    }
    const books = await replay(file, parameters, store, resolved, noise, run);
    file.begin(parameters, resolved.clock());
    return new LedgeredAggregator({ store, options: resolved, noise, file, books });
  } catch (error) {
    file.close();
    throw error;
  }
}
