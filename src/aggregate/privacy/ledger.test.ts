import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Bags } from '../bags/bags.ts';
import { RefusedError } from '../refused-error.ts';
import { type LedgerOptions, PrivacyLedger } from './ledger.ts';
import { type LedgerState, ledgerFromJSON } from './ledger-state.ts';

function ask(ledger: PrivacyLedger, stage: string, lists: number[][], epsilon: number): number[] {
  const decision = ledger.decide(stage, bagsOf(lists, ledger.samples), epsilon);
  const means = Float64Array.from(lists, (_, a) => ledger.entries.length + a + 1); // tells answers apart
  ledger.record(decision, { means, noiseVariance: means });
  return decision.bags.map(({ earlier }, a) => earlier?.answer ?? means[a]);
}

/** Bags as a forger may make them: samples twice or out of range. */
function bagsOf(lists: number[][], samples: number): Bags {
  const offsets = Uint32Array.of(0, ...lists.map((_, a) => lists.slice(0, a + 1).flat().length));
  return { samples, members: Uint32Array.from(lists.flat()), offsets };
}

const reasonOf = (work: () => unknown): string => {
  try {
    work();
    return 'answered';
  } catch (error) {
    assert.ok(error instanceof RefusedError, String(error));
    return error.reason;
  }
};

describe('PrivacyLedger', () => {
  it('costs ε for disjoint stages, 2ε for a second run on the same people, and then refuses', () => {
    const ledger = new PrivacyLedger({ samples: 40, budget: 2 });
    for (let t = 0; t < 4; t++) {
      const first = 10 * t;
      ask(
        ledger,
        `stage-${t}`,
        [
          [first, first + 1, first + 2],
          [first + 3, first + 4],
        ],
        1,
      );
    }
    assert.equal(ledger.largestSpend, 1); // T disjoint stages: not T ε
    for (let t = 0; t < 4; t++) ask(ledger, `again-${t}`, [[10 * t + 1, 10 * t + 3]], 1);
    assert.equal(ledger.largestSpend, 2);
    assert.deepEqual([ledger.spentOf(0), ledger.spentOf(1), ledger.spentOf(9)], [1, 2, 0]);
    assert.equal(
      reasonOf(() => ask(ledger, 'third', [[1]], 1e-9)),
      'budget-exceeded',
    );
    assert.equal(ledger.largestSpend, 2);
  });

  it('adds tenths without loss', () => {
    const ledger = new PrivacyLedger({ samples: 1, budget: 1 });
    for (let i = 0; i < 10; i++) ask(ledger, `s${i}`, [[0]], 0.1);
    assert.equal(ledger.spentOf(0), 1);
    assert.equal(
      reasonOf(() => ask(ledger, 'more', [[0]], 0.1)),
      'budget-exceeded',
    );
  });

  it('charges a person for each of their rows, in one query too', () => {
    const people = [0, 0, 0, 1, 1, 2];
    const ledger = new PrivacyLedger({ samples: 6, budget: 3, people });
    ask(ledger, 'a', [[0, 1, 5], [3]], 1); // two rows of person 0: 2ε
    assert.deepEqual(
      [0, 3, 5].map((row) => ledger.spentOf(row)),
      [2, 1, 1],
    );
    assert.equal(
      reasonOf(() => ask(ledger, 'b', [[0], [1]], 1)),
      'budget-exceeded',
    );
    assert.equal(ledger.spentOf(0), 2);
    ask(ledger, 'b', [[2]], 1);
    assert.equal(ledger.spentOf(0), 3);
  });

  it('repeats an answer for nothing, whatever the order of its ids, but not at another epsilon', () => {
    const ledger = new PrivacyLedger({ samples: 9, budget: 5 });
    const [first] = ask(ledger, 'a', [[3, 1, 2]], 1);
    assert.deepEqual(
      ask(
        ledger,
        'a',
        [
          [2, 3, 1],
          [4, 5],
        ],
        1,
      ),
      [first, 3],
    );
    assert.equal(ledger.spentOf(1), 1);
    assert.equal(
      reasonOf(() => ask(ledger, 'a', [[1, 2, 3]], 0.5)),
      'overlap',
    );
    assert.equal(
      reasonOf(() => ask(ledger, 'a', [[1, 2]], 1)),
      'overlap',
    );
    assert.equal(
      reasonOf(() => ask(ledger, 'a', [[1, 2, 3, 8]], 1)),
      'overlap',
    );
    const strict = new PrivacyLedger({ samples: 9, budget: 5, onRepeat: 'refuse' });
    ask(strict, 'a', [[1, 2]], 1);
    assert.equal(
      reasonOf(() => ask(strict, 'a', [[1, 2]], 1)),
      'overlap',
    );
  });

  it('records a decision once, and only the last one', () => {
    const ledger = new PrivacyLedger({ samples: 9, budget: 5 });
    const answers = { means: Float64Array.of(1) };
    const old = ledger.decide('a', bagsOf([[1, 2]], 9), 1);
    const last = ledger.decide('a', bagsOf([[2, 3]], 9), 1);
    assert.throws(() => ledger.record(old, answers), /not the last one/);
    ledger.record(last, answers);
    assert.throws(() => ledger.record(last, answers), /recorded before/);
    assert.equal(ledger.largestSpend, 1);
  });

  it('says which sample, and that it may have a name', () => {
    const ledger = new PrivacyLedger({ samples: 5, budget: 1, nameOf: (row) => `"p${row}"` });
    const message = (lists: number[][]) => assert.throws(() => ask(ledger, 'a', lists, 1), RefusedError);
    message([[1, 1]]);
    assert.throws(() => ask(ledger, 'a', [[0], [2, 0]], 1), /sample "p0" of bag 1 is in the query twice/);
    assert.throws(() => ask(ledger, 'a', [[7]], 1), /bag 0 holds sample 7/);
    assert.throws(
      () => ask(ledger, 'a', [[1]], 2),
      /"p1" in bag 0 has spent epsilon 0 and would have spent 2/,
    );
    assert.throws(() => new PrivacyLedger({ samples: 2, budget: 1, people: [0, 2] }), /people\[1\] is 2/);
    assert.throws(() => new PrivacyLedger({ samples: 2, budget: 0 }), /budget is 0/);
  });

  it('does what an obvious ledger does, for any queries, and comes back from JSON at any moment', () => {
    const samples = 8;
    const bag = fc.array(fc.integer({ min: 0, max: samples }), { minLength: 1, maxLength: 3 });
    const query = fc.record({
      stage: fc.constantFrom('a', 'b', 'c'),
      lists: fc.array(bag, { minLength: 1, maxLength: 3 }),
      epsilon: fc.constantFrom(0.1, 0.3, 1),
    });
    const seen = new Set<string>();
    const property = fc.property(
      fc.array(query, { maxLength: 25 }),
      fc.boolean(),
      fc.constantFrom('answer' as const, 'refuse' as const),
      fc.nat(24),
      (queries, grouped, onRepeat, saveAt) => {
        const people = grouped ? [0, 0, 1, 1, 1, 2, 3, 4] : undefined;
        const options = { samples, budget: 1.3, people, onRepeat };
        let ledger = new PrivacyLedger(options);
        const oracle = new ObviousLedger(options);
        for (const [i, { stage, lists, epsilon }] of queries.entries()) {
          const expected = oracle.ask(stage, lists, epsilon);
          assert.equal(
            reasonOf(() => ask(ledger, stage, lists, epsilon)),
            expected,
          );
          seen.add(expected);
          for (let row = 0; row < samples; row++) {
            assert.equal(Math.round(ledger.spentOf(row) * 10), oracle.spentOf(row));
          }
          if (i === saveAt) {
            const before = ledger.entries;
            ledger = ledgerFromJSON(JSON.parse(JSON.stringify(ledger)) as LedgerState);
            assert.deepEqual(ledger.entries, before);
          }
        }
      },
    );
    fc.assert(property, { seed: 5, numRuns: 400 });
    assert.deepEqual([...seen].sort(), [
      'answered',
      'budget-exceeded',
      'overlap',
      'repeated-sample',
      'unknown-sample',
    ]);
  });
});

/** Keeps every answered bag in a list and looks through all of it. */
class ObviousLedger {
  private readonly options: LedgerOptions;
  private readonly answered: { stage: string; rows: number[]; tenths: number }[] = [];

  constructor(options: LedgerOptions) {
    this.options = options;
  }

  spentOf(row: number): number {
    const { people } = this.options;
    const person = (other: number) => (people ? people[other] : other);
    return this.answered.reduce(
      (sum, { rows, tenths }) => sum + tenths * rows.filter((other) => person(other) === person(row)).length,
      0,
    );
  }

  ask(stage: string, lists: number[][], epsilon: number): string {
    const tenths = Math.round(epsilon * 10);
    const fresh: number[][] = [];
    const query: number[] = [];
    for (const list of lists) {
      for (const row of list.toSorted((a, b) => a - b)) {
        if (row >= this.options.samples) return 'unknown-sample';
        if (query.includes(row)) return 'repeated-sample';
        query.push(row);
      }
      const rows = list.toSorted((a, b) => a - b);
      const inStage = this.answered.filter((bag) => bag.stage === stage);
      const same = inStage.find((bag) => String(bag.rows) === String(rows));
      if (same && this.options.onRepeat === 'answer' && same.tenths === tenths) continue;
      if (same || inStage.some((bag) => bag.rows.some((row) => rows.includes(row)))) return 'overlap';
      fresh.push(rows);
    }
    this.answered.push(...fresh.map((rows) => ({ stage, rows, tenths })));
    const over = query.some((row) => this.spentOf(row) > this.options.budget * 10 + 1e-9);
    // Rows whose bags are repeats cannot be over: they were not when they were answered.
    if (over) {
      this.answered.length -= fresh.length;
      return 'budget-exceeded';
    }
    return 'answered';
  }
}

describe('ledgerFromJSON', () => {
  it('refuses forged states', () => {
    const ledger = new PrivacyLedger({ samples: 6, budget: 1 });
    ask(ledger, 'a', [[0, 1], [2]], 0.5);
    ask(ledger, 'b', [[0]], 0.5);
    const state = JSON.parse(JSON.stringify(ledger)) as LedgerState;
    const bad = (change: object, message: RegExp) =>
      assert.throws(() => ledgerFromJSON({ ...state, ...change } as LedgerState), { code: 'DATA', message });
    const [first, ...rest] = state.bags;
    bad({ kind: 'other' }, /no state of a privacy ledger/);
    bad({ budget: 0.7 }, /bag 2 breaks the rules.*budget|would have spent/);
    bad({ bags: [first, first] }, /bag 1 breaks the rules/);
    bad({ bags: [{ ...first, members: [0, 9] }, ...rest] }, /bag 0 breaks the rules/);
    bad({ bags: [{ ...first, members: [1, 1] }] }, /bag 0 breaks the rules/);
    bad({ bags: [{ ...first, members: [] }] }, /bag 0 breaks the rules/);
    bad({ bags: [{ ...first, answer: null }] }, /bag 0 has stage a, answer null/);
    bad({ bags: [{ ...first, epsilon: -1 }] }, /bag 0 breaks the rules/);
    assert.throws(() => ledgerFromJSON(null as unknown as LedgerState), { code: 'DATA' });
  });
});
