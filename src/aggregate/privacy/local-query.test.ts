import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bagMeans, bagsFromLists } from '../bags/bags.ts';
import { noiseScale } from './discrete-laplace.ts';
import { PrivacyLedger } from './ledger.ts';
import { localBagQuery } from './local-query.ts';
import { NoisePool } from './noise-pool.ts';

const labels = Float64Array.from({ length: 12 }, (_, i) => i % 3);
const bags = bagsFromLists(
  [
    [0, 1, 2],
    [3, 5],
  ],
  12,
);
const secure = { bounds: [0, 2], epsilon: 1 } as const;

describe('localBagQuery', () => {
  it('answers exactly, without a variance', async () => {
    const answers = await localBagQuery(labels, { mode: 'exact' })(bags, 'a');
    assert.deepEqual(answers, { means: bagMeans(labels, bags) });
  });

  it('simulates noise of its own for each stage, the same for the same stage', async () => {
    const query = localBagQuery(labels, { mode: { simulate: { ...secure, seed: 4 } } });
    assert.deepEqual(await query(bags, 'a'), await query(bags, 'a'));
    assert.notDeepEqual(await query(bags, 'a'), await query(bags, 'b'));
  });

  it('charges the ledger, repeats answers for nothing, and refuses before it draws noise', async () => {
    const ledger = new PrivacyLedger({ samples: 12, budget: 2 });
    const query = localBagQuery(labels, { mode: { secure }, ledger });
    const first = await query(bags, 'a');
    assert.equal(first.noiseVariance?.length, 2);
    const more = await query(
      bagsFromLists(
        [
          [7, 8],
          [5, 3],
          [0, 1, 2],
        ],
        12,
      ),
      'a',
    );
    assert.deepEqual([more.means[2], more.means[1]], [...first.means]);
    assert.deepEqual([more.noiseVariance![2], more.noiseVariance![1]], [...first.noiseVariance!]);
    assert.equal(ledger.largestSpend, 1);
    await query(bags, 'b');
    const { getRandomValues } = crypto;
    let draws = 0;
    crypto.getRandomValues = ((array: Uint32Array<ArrayBuffer>) => {
      draws++;
      return getRandomValues.call(crypto, array);
    }) as typeof crypto.getRandomValues;
    try {
      await assert.rejects(query(bags, 'c'), { code: 'REFUSED', reason: 'budget-exceeded' });
      await assert.rejects(query(bagsFromLists([[0, 3]], 12), 'a'), { code: 'REFUSED', reason: 'overlap' });
      assert.equal(draws, 0);
      await query(bagsFromLists([[9, 10]], 12), 'c');
      assert.equal(draws, 1); // so that the count above can fail
    } finally {
      crypto.getRandomValues = getRandomValues;
    }
    assert.equal(ledger.largestSpend, 2);
  });

  it('charges nothing when the release itself is refused', async () => {
    const ledger = new PrivacyLedger({ samples: 12, budget: 2 });
    const broken = localBagQuery(
      labels.map((y, i) => (i === 5 ? Number.NaN : y)),
      { mode: { secure }, ledger },
    );
    await assert.rejects(broken(bags, 'a'), /labels\[5\] is NaN/);
    const wide = localBagQuery(labels, { mode: { secure: { ...secure, grid: 9 } }, ledger });
    await assert.rejects(wide(bags, 'a'), /grid is 9/);
    assert.equal(ledger.largestSpend, 0);
    await assert.rejects(wide(bags, 'a', { signal: AbortSignal.abort(new Error('stop')) }), /stop/);
  });

  it('has no ledger for answers without noise', () => {
    const ledger = new PrivacyLedger({ samples: 12, budget: 2 });
    assert.throws(() => localBagQuery(labels, { mode: 'exact', ledger }), { code: 'INVALID_ARGUMENT' });
    const simulate = { ...secure, epsilon: Infinity, seed: 1 };
    assert.throws(() => localBagQuery(labels, { mode: { simulate }, ledger }), { code: 'INVALID_ARGUMENT' });
  });
});

describe('NoisePool', () => {
  it('gives out what was drawn before, each value once, and draws when it is empty', () => {
    const pool = new NoisePool(noiseScale('test', 1_000_000, 0.001), 100);
    pool.fill(60);
    assert.equal(pool.size, 60);
    pool.fill();
    assert.equal(pool.size, 100);
    const values = Array.from({ length: 150 }, () => pool.take());
    assert.equal(pool.size, 0);
    assert.ok(new Set(values).size >= 149); // of 11 175 pairs two are equal with chance below 1e-10
    assert.throws(() => new NoisePool({ t: 1, s: 1 }, 0), /capacity is 0/);
  });
});
