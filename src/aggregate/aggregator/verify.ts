// Verifies a ledger from its file alone, without labels: by an auditor, or by anybody who was given a copy.

import type { Certified } from '../../core/certificate.ts';
import { type RunOptions, yieldToEventLoop } from '../../core/progress.ts';
import { epsilonUnits, unitsToEpsilon } from '../privacy/epsilon.ts';
import { SampleSet } from '../privacy/sample-set.ts';
import { type LogHead, NO_DIGEST } from './audit-chain.ts';
import { checkEntry, type ReadBag } from './check-entry.ts';
import {
  countOrphans,
  findBag,
  openForReading,
  readEntries,
  readParameters,
  readPeople,
  type StoredEntry,
} from './ledger-reading.ts';
import { type LedgerParameters, peopleDigest } from './parameters.ts';

export interface VerifyOptions extends RunOptions {
  /** Hash of an entry that somebody kept: it must still be in the log. Without one a log that was rewritten as a whole, or cut at its end, looks as good as the true one. */
  head?: string | undefined;
}

/** What a ledger holds, and whether it is sound. */
export interface LedgerReport {
  /** True when nothing is wrong. */
  valid: boolean;
  /** The first thing that is wrong. */
  problem?: { entry: number; message: string };
  /** Entries looked at, and of which kind. */
  entries: number;
  answers: number;
  refusals: number;
  bagsCharged: number;
  bagsRepeated: number;
  stages: number;
  /** People whose label was in an answer, and the ε of the one who has spent most. */
  peopleCharged: number;
  largestSpend: number;
  budget: number;
  minBag: number;
  /** Last entry that is sound. */
  head: LogHead;
}

/** Entries between two looks at the signal. */
const STEP = 2000;

/**
 * Verifies the ledger of an aggregator, also while that runs: recomputes the chain of hashes, what was asked and answered in each entry, the spending of every
 * person, the disjointness of bags within stages and their least size, and stops at the first entry that is broken.
 *
 * @returns the report; the certificate bounds the ε of every person by the budget and says what it rests on
 * @throws {DataError} the file cannot be opened, or is no ledger
 *
 * O(members ever answered) time; memory 8 bytes a person and at most a bit for each sample and stage.
 */
export async function verifyLedger(
  path: string,
  { head, signal, onProgress }: VerifyOptions = {},
): Promise<Certified<LedgerReport>> {
  const db = openForReading(path);
  try {
    db.exec('BEGIN'); // one state of the file, whatever is added meanwhile
    const parameters = readParameters(db);
    const people = readPeople(db);
    const audit = new Audit(parameters, people);
    const total = Number(db.prepare('SELECT count(*) AS n FROM entry').get()!.n);
    if (peopleDigest(people) !== parameters.people)
      audit.fail(0, 'the people of the ledger are not those it was made for');
    const find = findBag(db);
    for (const stored of readEntries(db, 0)) {
      if (audit.problem) break;
      audit.add(stored, checkEntry(stored, { parameters, previous: audit.head, find }), head);
      if (stored.entry.entry % STEP === 0) {
        await yieldToEventLoop();
        signal?.throwIfAborted();
        onProgress?.({ phase: 'entries verified', done: stored.entry.entry, total });
      }
    }
    const orphans = countOrphans(db);
    if (orphans > 0) audit.fail(audit.head.entry, `${orphans} bags were charged without an entry`);
    if (head !== undefined && !audit.sawHead) {
      audit.fail(
        audit.head.entry,
        `no entry has the kept hash ${head.slice(0, 80)}: the log was rewritten or cut`,
      );
    }
    return certify(audit, head);
  } finally {
    db.close();
  }
}

/** Spending and disjointness, counted again in the simplest way. */
class Audit {
  problem: { entry: number; message: string } | undefined;
  head: LogHead = { entry: -1, hash: NO_DIGEST };
  sawHead = false;
  readonly counts = { answers: 0, refusals: 0, bagsCharged: 0, bagsRepeated: 0, peopleCharged: 0 };
  readonly parameters: LedgerParameters;
  readonly asked = new Map<string, SampleSet>();
  largest = 0; // units
  private readonly people: Uint32Array | undefined;
  private readonly spent: Float64Array;
  private readonly budgetUnits: number;
  private readonly maxUnits: number;

  constructor(parameters: LedgerParameters, people: Uint32Array | undefined) {
    this.parameters = parameters;
    this.people = people;
    this.spent = new Float64Array(parameters.samples);
    this.budgetUnits = epsilonUnits('ledger: budget', parameters.budget, 'down');
    this.maxUnits = epsilonUnits('ledger: epsilonPerRelease', parameters.epsilonPerRelease, 'down');
  }

  /** Keeps the first problem. */
  fail(entry: number, message: string): void {
    this.problem ??= { entry, message };
  }

  add({ entry }: StoredEntry, bags: ReadBag[] | string, keptHead: string | undefined): void {
    if (typeof bags === 'string') {
      this.fail(entry.entry, bags);
      return;
    }
    if (entry.kind === 'refusal') this.counts.refusals++;
    if (entry.kind === 'answer') {
      this.counts.answers++;
      if (!(entry.units >= 1 && entry.units <= this.maxUnits)) {
        this.fail(
          entry.entry,
          `its epsilon is ${unitsToEpsilon(entry.units)}; one release has at most ${this.parameters.epsilonPerRelease}`,
        );
      }
      for (const [position, bag] of bags.entries()) this.addBag(entry, position, bag);
    }
    if (this.problem) return;
    this.head = { entry: entry.entry, hash: entry.hash };
    if (entry.hash === keptHead) this.sawHead = true;
  }

  private addBag(
    { entry, stage, units }: StoredEntry['entry'],
    position: number,
    { charged, rows }: ReadBag,
  ): void {
    if (!charged) {
      this.counts.bagsRepeated++;
      return;
    }
    this.counts.bagsCharged++;
    let asked = this.asked.get(stage);
    if (!asked) {
      asked = new SampleSet(this.parameters.samples);
      this.asked.set(stage, asked);
    }
    for (const row of rows) {
      if (asked.has(row)) this.fail(entry, `bag ${position} overlaps an earlier bag of stage ${stage}`);
      asked.add(row);
      const person = this.people ? this.people[row] : row;
      if (this.spent[person] === 0) this.counts.peopleCharged++;
      this.spent[person] += units;
      if (this.spent[person] > this.largest) this.largest = this.spent[person];
      if (this.spent[person] > this.budgetUnits) {
        this.fail(
          entry,
          `a person in bag ${position} has spent ${unitsToEpsilon(this.spent[person])}, above the budget of ${this.parameters.budget}`,
        );
      }
    }
  }
}

function certify(audit: Audit, head: string | undefined): Certified<LedgerReport> {
  const { parameters, problem } = audit;
  const { budget, minBag } = parameters;
  const valid = problem === undefined;
  const status = valid ? 'checked' : 'violated';
  const broken = { measured: valid ? 0 : 1, measure: 'broken entries found before stopping' };
  const largestSpend = unitsToEpsilon(audit.largest);
  const value: LedgerReport = {
    valid,
    ...(problem && { problem }),
    entries: audit.head.entry + 1,
    ...audit.counts,
    ...{ stages: audit.asked.size, largestSpend, budget, minBag, head: audit.head },
  };
  return {
    value,
    certificate: {
      statement:
        'label-DP ε that the answers in the ledger cost any person, for replacing one label (or all labels of that person)',
      source:
        'parallel composition within and sequential composition across stages, arXiv 2402.04987 (label privacy); chain of SHA-256 hashes, derived',
      assumptions: [
        { statement: 'every entry has the hash of its fields and of the entry before it', status, ...broken },
        {
          statement:
            'every answer has its charge and every charge its answer; bags of a stage are disjoint and not too small',
          status,
          ...broken,
        },
        head === undefined
          ? {
              statement: 'the log was not rewritten as a whole or cut at its end (no kept hash was given)',
              status: 'assumed',
            }
          : {
              statement: 'the log still holds the entry whose hash was kept',
              status: audit.sawHead ? 'checked' : 'violated',
              measured: Number(audit.sawHead),
              measure: 'entries with the kept hash',
            },
        {
          statement: 'labels are read by nobody but the aggregator, whose noise is exact and secret',
          status: 'assumed',
        },
      ],
      bound: { value: valid ? largestSpend : Infinity, unit: 'ε', failureProbability: 0, scale: budget },
      seed: 0,
      backend: 'none',
      warnings: problem ? [`entry ${problem.entry}: ${problem.message}`] : [],
    },
  };
}
