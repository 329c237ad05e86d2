// Who has spent how much: decides on a query before any label is read or noise drawn, and records what was answered.

import { requireInteger, requireLength } from '../../core/check.ts';
import { InvalidArgumentError } from '../../core/errors.ts';
import { type Bags, bagCount, bagMembers } from '../bags/bags.ts';
import { RefusedError } from '../refused-error.ts';
import type { BagAnswers } from '../types.ts';
import { epsilonUnits, unitsToEpsilon } from './epsilon.ts';
import type { LedgerState } from './ledger-state.ts';
import { decodeMembers, encodeMembers, sameMembers } from './member-codec.ts';
import { SampleSet } from './sample-set.ts';

export interface LedgerOptions {
  /** Number of samples with a label, n. */
  samples: number;
  /** ε that a person may spend in all, in [10⁻⁹, 10⁶]. */
  budget: number;
  /** Person of each sample, integers in 0 … n − 1, shape (n,). Default: every sample is a person of its own. */
  people?: ArrayLike<number> | undefined;
  /** A bag asked again in its stage: 'answer' it as before, for nothing, or 'refuse'. Default 'answer'. */
  onRepeat?: 'answer' | 'refuse' | undefined;
  /** What messages call a sample. Default: its number. */
  nameOf?: ((sample: number) => string) | undefined;
}

/** A bag that was answered. */
export interface AnsweredEntry {
  stage: string;
  /** Members in the form of `encodeMembers`. */
  members: Uint8Array;
  size: number;
  /** ε each label in it was charged, in units of 10⁻⁹. */
  units: number;
  /** Mean that was answered, and the variance of the noise in it. */
  answer: number;
  noiseVariance: number;
}

/** A query the ledger allows: nothing is charged until it is recorded. */
export interface LedgerDecision {
  readonly stage: string;
  readonly units: number;
  /** In the order of the query. */
  readonly bags: readonly DecidedBag[];
}

export interface DecidedBag {
  /** Ascending. */
  readonly rows: Uint32Array;
  readonly members: Uint8Array;
  /** Set when the bag was answered before: its answer is to be repeated. */
  readonly earlier: AnsweredEntry | undefined;
}

interface Stage {
  asked: SampleSet;
  /** Answered bags by their least sample: bags of a stage are disjoint, so it belongs to one only. */
  byLeast: Map<number, AnsweredEntry>;
}

/**
 * Spending of label privacy by person.
 *
 * Bags of one stage are disjoint, so a label is charged once a stage however many bags it has (parallel composition); stages add up (sequential composition).
 * A person is charged ε for each of their labels in the bags answered. ε counts in whole 10⁻⁹, rounded up. A refusal charges nothing and changes nothing.
 *
 * In memory; `toJSON` and `ledgerFromJSON` save and restore it. For a ledger that survives crashes use the aggregator.
 */
export class PrivacyLedger {
  readonly samples: number;
  readonly budgetUnits: number;
  readonly onRepeat: 'answer' | 'refuse';
  private readonly people: Uint32Array | undefined;
  private readonly nameOf: (sample: number) => string;
  private readonly spent: Float64Array; // units, whole numbers, by person
  private readonly stages = new Map<string, Stage>();
  private readonly answered: AnsweredEntry[] = [];
  private largest = 0;
  private latest: LedgerDecision | undefined;
  // Marks of the query being decided: an entry counts when its number is that of the query.
  private query = 0;
  private readonly seenIn: Uint32Array;
  private readonly chargedIn: Uint32Array;
  private readonly pending: Float64Array;

  /** @throws {InvalidArgumentError | ShapeError} an option leaves its range */
  constructor({ samples, budget, people, onRepeat = 'answer', nameOf = String }: LedgerOptions) {
    requireInteger('PrivacyLedger: samples', samples, 1, 0xfffffffe);
    if (people) {
      requireLength('PrivacyLedger: people', people, samples);
      for (let i = 0; i < samples; i++)
        requireInteger(`PrivacyLedger: people[${i}]`, people[i], 0, samples - 1);
    }
    this.samples = samples;
    this.budgetUnits = epsilonUnits('PrivacyLedger: budget', budget, 'down');
    this.onRepeat = onRepeat;
    this.people = people && Uint32Array.from(people);
    this.nameOf = nameOf;
    this.spent = new Float64Array(samples);
    this.seenIn = new Uint32Array(samples);
    this.chargedIn = new Uint32Array(people ? samples : 0);
    this.pending = new Float64Array(people ? samples : 0);
  }

  /** ε a person may spend in all. */
  get budget(): number {
    return unitsToEpsilon(this.budgetUnits);
  }

  /** ε of the person who has spent most: what the releases so far cost as a whole. */
  get largestSpend(): number {
    return unitsToEpsilon(this.largest);
  }

  /** Bags answered, in order. */
  get entries(): readonly AnsweredEntry[] {
    return this.answered;
  }

  /** ε that the person of a sample has spent. */
  spentOf(sample: number): number {
    requireInteger('spentOf: sample', sample, 0, this.samples - 1);
    return unitsToEpsilon(this.spent[this.personOf(sample)]);
  }

  /**
   * Decides on a query; changes nothing that counts.
   *
   * @param epsilon - ε of the release, per label, in [10⁻⁹, 10⁶]
   * @throws {RefusedError} 'unknown-sample', 'repeated-sample', 'overlap' or 'budget-exceeded', in the order of the bags, budget last
   *
   * O(size log size) for each bag.
   */
  decide(stage: string, bags: Bags, epsilon: number): LedgerDecision {
    const units = epsilonUnits('decide: epsilon', epsilon, 'up');
    this.latest = undefined;
    this.nextQuery();
    const state = this.stages.get(stage);
    const decided: DecidedBag[] = [];
    for (let a = 0; a < bagCount(bags); a++) {
      const rows = bagMembers(bags, a).slice().sort();
      this.requireNew(rows, a);
      const members = encodeMembers(rows);
      decided.push({
        rows,
        members,
        earlier: state && this.requireDisjoint(state, rows, members, { a, stage, units }),
      });
    }
    this.requireBudget(decided, units);
    this.latest = { stage, units, bags: decided };
    return this.latest;
  }

  /**
   * Charges a decided query and keeps its answers.
   *
   * @param decision - the last one that was made, not yet recorded: an older one may no longer be right
   * @param answers - of each bag of the decision; those of repeated bags are ignored
   */
  record(decision: LedgerDecision, { means, noiseVariance }: BagAnswers): void {
    if (decision !== this.latest) {
      throw new InvalidArgumentError(
        'record: the decision is not the last one, or was recorded before; expected the one that decide gave just now. Decide again.',
      );
    }
    const { stage, units, bags } = decision;
    requireLength('record: means', means, bags.length);
    this.latest = undefined;
    const state = this.stageOf(stage);
    bags.forEach(({ rows, members, earlier }, a) => {
      if (earlier) return;
      const variance = noiseVariance?.[a] ?? 0;
      this.charge(state, rows, {
        ...{ stage, members, size: rows.length, units },
        ...{ answer: means[a], noiseVariance: variance },
      });
    });
  }

  /**
   * Charges a bag that was answered before this ledger was made: how a saved ledger is read.
   *
   * @param rows - members of the bag, strictly ascending
   * @throws {RefusedError} it would have been refused, or is there already
   */
  restore(answered: AnsweredEntry, rows: Uint32Array): void {
    const { stage, units, members } = answered;
    if (rows.length === 0 || rows[rows.length - 1] >= this.samples) {
      throw new RefusedError(
        'unknown-sample',
        `restore: the bag has no samples, or some that are not below ${this.samples}.`,
      );
    }
    this.latest = undefined;
    this.nextQuery();
    const state = this.stageOf(stage);
    this.requireDisjoint(state, rows, undefined, { a: 0, stage, units });
    this.requireBudget([{ rows, members, earlier: undefined }], units);
    this.charge(state, rows, answered);
  }

  /** The ledger as plain JSON data, without names of samples. */
  toJSON(): LedgerState {
    const { samples, budget, onRepeat, people, answered } = this;
    return {
      kind: 'privacy-ledger',
      ...{ samples, budget, onRepeat },
      ...(people && { people: [...people] }),
      bags: answered.map(({ stage, members, units, answer, noiseVariance }) => ({
        stage,
        members: [...decodeMembers(members)],
        epsilon: unitsToEpsilon(units),
        answer,
        noiseVariance,
      })),
    };
  }

  private stageOf(stage: string): Stage {
    let state = this.stages.get(stage);
    if (!state) {
      state = { asked: new SampleSet(this.samples), byLeast: new Map() };
      this.stages.set(stage, state);
    }
    return state;
  }

  private charge(state: Stage, rows: Uint32Array, answered: AnsweredEntry): void {
    for (const row of rows) {
      state.asked.add(row);
      const person = this.personOf(row);
      this.spent[person] += answered.units;
      if (this.spent[person] > this.largest) this.largest = this.spent[person];
    }
    state.byLeast.set(rows[0], answered);
    this.answered.push(answered);
  }

  private personOf(sample: number): number {
    return this.people ? this.people[sample] : sample;
  }

  private nextQuery(): void {
    if (this.query === 0xffffffff) {
      this.seenIn.fill(0);
      this.chargedIn.fill(0);
      this.query = 0;
    }
    this.query++;
  }

  /** Rows exist and were in no bag of this query before. */
  private requireNew(rows: Uint32Array, a: number): void {
    for (const row of rows) {
      if (row >= this.samples) {
        throw new RefusedError(
          'unknown-sample',
          `query: bag ${a} holds sample ${row}; expected numbers below ${this.samples}. Ask about samples that have a label.`,
        );
      }
      if (this.seenIn[row] === this.query) {
        throw new RefusedError(
          'repeated-sample',
          `query: sample ${this.nameOf(row)} of bag ${a} is in the query twice; expected each at most once. Take it out of all bags but one.`,
        );
      }
      this.seenIn[row] = this.query;
    }
  }

  /** The earlier answer when this very bag has one; otherwise no member was asked about in this stage. */
  private requireDisjoint(
    { asked, byLeast }: Stage,
    rows: Uint32Array,
    members: Uint8Array | undefined,
    { a, stage, units }: { a: number; stage: string; units: number },
  ): AnsweredEntry | undefined {
    const earlier = byLeast.get(rows[0]);
    if (earlier && members && sameMembers(earlier.members, members)) {
      if (this.onRepeat === 'answer' && earlier.units === units) return earlier;
      const why =
        this.onRepeat === 'refuse'
          ? 'expected each bag once. Keep the first answer'
          : `expected its epsilon of then, ${unitsToEpsilon(earlier.units)}. Ask with that for the same answer, or in another stage`;
      throw new RefusedError('overlap', `query: bag ${a} was answered in stage ${stage} before; ${why}.`);
    }
    for (const row of rows) {
      if (asked.has(row)) {
        throw new RefusedError(
          'overlap',
          `query: sample ${this.nameOf(row)} of bag ${a} was in another bag of stage ${stage}; expected disjoint bags within a stage. Ask in another stage, which costs its own epsilon.`,
        );
      }
    }
    return undefined;
  }

  private requireBudget(bags: readonly DecidedBag[], units: number): void {
    for (const [a, { rows, earlier }] of bags.entries()) {
      if (earlier) continue;
      for (const row of rows) {
        const person = this.personOf(row);
        const needed = this.spent[person] + this.addPending(person, units);
        if (needed <= this.budgetUnits) continue;
        const spent = unitsToEpsilon(this.spent[person]);
        throw new RefusedError(
          'budget-exceeded',
          `query: the person of sample ${this.nameOf(row)} in bag ${a} has spent epsilon ${spent} and would have spent ${unitsToEpsilon(needed)}; expected at most ${this.budget}. Leave the sample out, or ask with a smaller epsilon.`,
        );
      }
    }
  }

  /** What this query charges a person so far, `units` included. */
  private addPending(person: number, units: number): number {
    // Without people every row is a person of its own, and is in the query once.
    if (!this.people) return units;
    if (this.chargedIn[person] !== this.query) {
      this.chargedIn[person] = this.query;
      this.pending[person] = 0;
    }
    this.pending[person] += units;
    return this.pending[person];
  }
}
