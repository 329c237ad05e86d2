// How an open aggregator works: batches of queries, each batch one commit, answers on the beat after it.

import { requireInteger } from '../../core/check.ts';
import { DataError, InvalidArgumentError } from '../../core/errors.ts';
import { unitsToEpsilon } from '../privacy/epsilon.ts';
import { meanOfSteps } from '../privacy/label-grid.ts';
import type { LedgerDecision } from '../privacy/ledger.ts';
import { encodeMembers } from '../privacy/member-codec.ts';
import type {
  AggregatorAnswer,
  AggregatorInfo,
  AggregatorQuery,
  AnsweredBag,
  RefusalReason,
} from '../protocol.ts';
import { RefusedError } from '../refused-error.ts';
import type { Aggregator } from './aggregator.ts';
import {
  type AuditEntry,
  answerDigest,
  type LogHead,
  NO_DIGEST,
  queryDigest,
  type ReleasedBag,
  textDigest,
} from './audit-chain.ts';
import type { Books } from './books.ts';
import { Cadence, type Settle } from './cadence.ts';
import { type CheckedQuery, checkQuery, isStage } from './check-query.ts';
import type { LabelStore } from './label-store.ts';
import type { LedgerFile } from './ledger-file.ts';
import type { StoredBag } from './ledger-reading.ts';
import type { NoiseStock } from './noise-stock.ts';
import type { ResolvedAggregatorOptions } from './options.ts';

/** A refusal as the log keeps it. */
interface Refusal {
  reason: RefusalReason;
  stage: string;
  /** SHA-256 of what was asked. */
  query: string;
}

interface Waiting<T> {
  actor: string;
  resolve(value: T): void;
  reject(error: Error): void;
}

type Job =
  | ({ kind: 'query'; asked: CheckedQuery } & Waiting<AggregatorAnswer>)
  | ({ kind: 'refused'; refusal: Refusal; error: RefusedError } & Waiting<AggregatorAnswer>)
  | ({ kind: 'note'; refusal: Refusal } & Waiting<LogHead>);

/** Ids that one batch, and so one commit, may hold together. */
const BATCH_IDS = 200_000;
const MOST_ENTRIES = 10_000;
const ACTOR = /^[\x20-\x7e]{1,128}$/;

export interface AggregatorParts {
  store: LabelStore;
  options: ResolvedAggregatorOptions;
  noise: NoiseStock;
  file: LedgerFile;
  books: Books;
}

export class LedgeredAggregator implements Aggregator {
  private readonly parts: AggregatorParts;
  private readonly cadence: Cadence<Job>;
  private closing: Promise<void> | undefined;
  private failure: DataError | undefined;

  constructor(parts: AggregatorParts) {
    this.parts = parts;
    this.cadence = new Cadence<Job>({
      period: parts.options.cadence,
      work: (jobs) => this.commit(jobs),
      weight: (job) => (job.kind === 'query' ? job.asked.bags.members.length : 1),
      maxWeight: BATCH_IDS,
    });
  }

  info(): AggregatorInfo {
    const { grid, minBag, budget, maxUnits, maxBags } = this.parts.options;
    return {
      ...{
        samples: this.parts.store.size,
        minBag,
        budget,
        epsilonPerRelease: unitsToEpsilon(maxUnits),
        maxBags,
      },
      ...{ bounds: [grid.low, grid.high], grid: grid.step, private: true },
    };
  }

  query(actor: string, query: AggregatorQuery): Promise<AggregatorAnswer> {
    return new Promise((resolve, reject) => {
      this.requireUsable(actor);
      const waiting = { actor, resolve, reject };
      try {
        const asked = checkQuery(query, this.parts.options, this.parts.store);
        this.cadence.add({ kind: 'query', asked, ...waiting });
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        const stage = isStage(query?.stage) ? query.stage : '';
        const refusal = { reason: error.reason, stage, query: digestOfAnything(query) };
        this.cadence.add({ kind: 'refused', refusal, error, ...waiting });
      }
    });
  }

  recordRefusal(actor: string, reason: RefusalReason, asked: string = ''): Promise<LogHead> {
    return new Promise((resolve, reject) => {
      this.requireUsable(actor);
      const refusal = { reason, stage: '', query: textDigest(asked) };
      this.cadence.add({ kind: 'note', actor, refusal, resolve, reject });
    });
  }

  get head(): LogHead {
    return this.parts.file.head;
  }

  get largestSpend(): number {
    return this.parts.books.ledger.largestSpend;
  }

  entries(from: number, limit: number = 100): AuditEntry[] {
    this.requireOpen('entries');
    requireInteger('entries: from', from, 0);
    requireInteger('entries: limit', limit, 1, MOST_ENTRIES);
    return Array.from(this.parts.file.read(from, limit), ({ entry }) => entry);
  }

  close(): Promise<void> {
    this.closing ??= this.cadence.idle().then(() => this.parts.file.close());
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private requireUsable(actor: string): void {
    if (this.failure) throw this.failure;
    this.requireOpen('query');
    if (!ACTOR.test(actor)) {
      throw new InvalidArgumentError(
        `query: actor is ${JSON.stringify(actor)?.slice(0, 80)}; expected 1 to 128 printable ASCII characters.`,
      );
    }
  }

  private requireOpen(name: string): void {
    if (this.closing) {
      throw new InvalidArgumentError(`${name}: the aggregator is closed; expected an open one.`);
    }
  }

  /** Works on a batch in one transaction. Nobody is told anything before it is on the disk. */
  private commit(jobs: Job[]): Settle {
    const settled: Settle[] = [];
    if (!this.failure) {
      try {
        this.parts.file.transaction(() => {
          for (const job of jobs) settled.push(this.work(job));
        });
        return () => {
          for (const settle of settled) settle();
          // After the answers have left, so that nobody waits for noise to be drawn.
          setImmediate(() => this.parts.noise.refill());
        };
      } catch (error) {
        // Memory may now be ahead of the file; the file is right, and is what the next one to open it reads.
        this.failure = new DataError(
          `query: the ledger could not be written (${(error as Error).message}); expected a disk with room. Nothing is answered until the aggregator is opened anew.`,
          { cause: error },
        );
      }
    }
    const failure = this.failure;
    return () => {
      for (const job of jobs) job.reject(failure);
    };
  }

  /** Does one job within the transaction. @returns how it is told */
  private work(job: Job): Settle {
    if (job.kind === 'note') {
      const head = this.refuse(job.actor, job.refusal);
      return () => job.resolve(head);
    }
    if (job.kind === 'refused') {
      this.refuse(job.actor, job.refusal);
      return () => job.reject(job.error);
    }
    const { stage, units, bags } = job.asked;
    let decision: LedgerDecision;
    try {
      decision = this.parts.books.ledger.decide(stage, bags, unitsToEpsilon(units));
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.refuse(job.actor, { reason: error.reason, stage, query: digestOfRows(job.asked) });
      return () => job.reject(error);
    }
    const answer = this.answer(job.actor, decision);
    return () => job.resolve(answer);
  }

  private refuse(actor: string, { reason, stage, query }: Refusal): LogHead {
    const nothing = { units: 0, charged: 0, repeated: 0, answer: NO_DIGEST };
    return this.parts.file.append(
      { time: this.parts.options.clock(), actor, kind: 'refusal', stage, reason, query, ...nothing },
      [],
    );
  }

  /** The only place where labels are summed: the ledger has allowed it. */
  private answer(actor: string, decision: LedgerDecision): AggregatorAnswer {
    const { stage, units, bags } = decision;
    const { store, options, noise, file, books } = this.parts;
    const pool = noise.of(units);
    const means = new Float64Array(bags.length);
    const noiseVariance = new Float64Array(bags.length);
    bags.forEach(({ rows, earlier }, a) => {
      means[a] = earlier
        ? earlier.answer
        : meanOfSteps(options.grid, store.sumOf(rows) + pool.take(), rows.length);
      noiseVariance[a] = earlier ? earlier.noiseVariance : noise.varianceOf(units, rows.length);
    });
    const released: ReleasedBag[] = bags.map(({ rows, earlier }, a) => ({
      mean: means[a],
      size: rows.length,
      units: earlier ? 0 : units,
    }));
    const charged = bags.filter(({ earlier }) => !earlier).length;
    const stored: StoredBag[] = bags.map(({ members, earlier }, a) =>
      earlier ? books.placeOf(earlier) : { members, mean: means[a] },
    );
    const head = file.append(
      {
        ...{ time: options.clock(), actor, kind: 'answer', stage, units, reason: '' },
        ...{ charged, repeated: bags.length - charged },
        query: queryDigest(
          stage,
          units,
          bags.map(({ members }) => members),
        ),
        answer: answerDigest(released),
      },
      stored,
    );
    books.record(decision, { means, noiseVariance }, head.entry);
    return {
      ...{ stage, epsilon: unitsToEpsilon(units), neighbouring: 'replace-one-label' },
      bags: released.map(
        ({ mean, size, units: paid }, a): AnsweredBag => ({
          ...{ mean, noiseVariance: noiseVariance[a], size, charged: unitsToEpsilon(paid) },
        }),
      ),
      ...{ entry: head.entry, head: head.hash },
    };
  }
}

function digestOfRows({ stage, units, bags: { members, offsets } }: CheckedQuery): string {
  const bags = Array.from({ length: offsets.length - 1 }, (_, a) =>
    encodeMembers(members.slice(offsets[a], offsets[a + 1]).sort()),
  );
  return queryDigest(stage, units, bags);
}

/** SHA-256 of the JSON text of what was asked, or of nothing when it has none. */
function digestOfAnything(query: unknown): string {
  try {
    return textDigest(JSON.stringify(query) ?? '');
  } catch {
    return textDigest('');
  }
}
