// The ledger in memory, with the place in the file of each answer.

import { DataError } from '../../core/errors.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { type AnsweredEntry, type LedgerDecision, PrivacyLedger } from '../privacy/ledger.ts';
import type { BagAnswers } from '../types.ts';
import { type LogHead, NO_DIGEST } from './audit-chain.ts';
import { checkEntry } from './check-entry.ts';
import type { LabelStore } from './label-store.ts';
import type { LedgerFile } from './ledger-file.ts';
import type { NoiseStock } from './noise-stock.ts';
import type { ResolvedAggregatorOptions } from './options.ts';
import type { LedgerParameters } from './parameters.ts';

/** Where an answered bag lies in the file. */
export interface Place {
  ofEntry: number;
  ofPosition: number;
}

export class Books {
  readonly ledger: PrivacyLedger;
  private readonly places = new Map<AnsweredEntry, Place>();

  constructor(ledger: PrivacyLedger) {
    this.ledger = ledger;
  }

  placeOf(answered: AnsweredEntry): Place {
    return this.places.get(answered)!;
  }

  /** Charges a decided query that entry `ofEntry` of the file holds. */
  record(decision: LedgerDecision, answers: BagAnswers, ofEntry: number): void {
    let next = this.ledger.entries.length;
    this.ledger.record(decision, answers);
    decision.bags.forEach(({ earlier }, ofPosition) => {
      if (!earlier) this.places.set(this.ledger.entries[next++], { ofEntry, ofPosition });
    });
  }

  /** Charges a bag that the file holds. @throws {RefusedError} it breaks the rules */
  restore(answered: AnsweredEntry, rows: Uint32Array, place: Place): void {
    this.ledger.restore(answered, rows);
    this.places.set(answered, place);
  }
}

/** Entries replayed between two reports and looks at the signal. */
const REPLAY_STEP = 5000;

/**
 * The books as the file tells them.
 *
 * @throws {DataError} the file breaks the rules of the ledger
 *
 * O(members ever answered).
 */
export async function replay(
  file: LedgerFile,
  parameters: LedgerParameters,
  store: LabelStore,
  { budget, onRepeat }: ResolvedAggregatorOptions,
  noise: NoiseStock,
  { signal, onProgress }: RunOptions,
): Promise<Books> {
  const { size: samples, people, nameOf } = store;
  const books = new Books(new PrivacyLedger({ samples, budget, people, onRepeat, nameOf }));
  let previous: LogHead = { entry: -1, hash: NO_DIGEST };
  const find = file.finder();
  for (const stored of file.read(0)) {
    const { entry } = stored;
    if (entry.entry % REPLAY_STEP === 0) {
      onProgress?.({ phase: 'replay the ledger', done: entry.entry, total: file.head.entry + 1 });
      await yieldToEventLoop();
      signal?.throwIfAborted();
    }
    const checked = checkEntry(stored, { parameters, previous, find });
    if (typeof checked === 'string') throw damaged(entry.entry, checked);
    previous = entry;
    for (const [position, bag] of stored.bags.entries()) {
      if (!('members' in bag)) continue;
      const { rows } = checked[position];
      try {
        const noiseVariance = noise.varianceOf(entry.units, rows.length);
        books.restore(
          {
            ...{ stage: entry.stage, members: bag.members, size: rows.length, units: entry.units },
            ...{ answer: bag.mean, noiseVariance },
          },
          rows,
          { ofEntry: entry.entry, ofPosition: position },
        );
      } catch (error) {
        throw damaged(entry.entry, (error as Error).message);
      }
    }
  }
  return books;
}

function damaged(entry: number, message: string): DataError {
  return new DataError(
    `openAggregator: entry ${entry} of the ledger is broken (${message}); expected a ledger as an aggregator left it. Verify it, and go back to a copy that verifies.`,
  );
}
