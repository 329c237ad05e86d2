import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countedOracle, memoryLossCache } from './loss-oracle.ts';

const ids = (...values: number[]): Uint32Array => Uint32Array.from(values);

describe('countedOracle', () => {
  it('asks every id once, in batches, and answers in order with repeats', async () => {
    const calls: number[][] = [];
    const oracle = countedOracle(
      async (batch) => {
        calls.push([...batch]);
        return batch.map((id) => 10 * id);
      },
      { batchSize: 2 },
    );
    assert.deepEqual([...(await oracle.ask(ids(5, 3, 5, 1), 'a'))], [50, 30, 50, 10]);
    assert.deepEqual([...(await oracle.ask(ids(3, 8), 'b'))], [30, 80]);
    assert.deepEqual(calls, [[5, 3], [1], [8]]);
    assert.equal(oracle.queries, 4);
  });

  it('goes on from a cache where a run was stopped, and keeps models apart', async () => {
    const cache = memoryLossCache();
    let allowed = 2;
    const flaky = (batch: Uint32Array): Float64Array => {
      if (allowed-- <= 0) throw new Error('out of budget');
      return Float64Array.from(batch);
    };
    const options = { cache, batchSize: 3, retries: 0, modelId: 'checkpoint 7' };
    await assert.rejects(countedOracle(flaky, options).ask(ids(1, 2, 3, 4, 5, 6, 7), 'a'), {
      code: 'DATA',
      message: /out of budget/,
    });
    allowed = 9;
    const second = countedOracle(flaky, options);
    assert.deepEqual([...(await second.ask(ids(1, 2, 3, 4, 5, 6, 7), 'a'))], [1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual([second.queries, second.cacheHits], [1, 6]);
    const other = countedOracle(flaky, { ...options, modelId: 'checkpoint 8' });
    await other.ask(ids(1, 2), 'a');
    assert.deepEqual([other.queries, other.cacheHits], [2, 0]);
  });

  it('tries again what throws, as often as told, and counts the query once', async () => {
    let calls = 0;
    const oracle = countedOracle(
      (batch) => {
        if (++calls < 3) throw new Error('busy');
        return batch;
      },
      { retries: 2, retryDelay: 0 },
    );
    assert.deepEqual([...(await oracle.ask(ids(4), 'a'))], [4]);
    assert.deepEqual([calls, oracle.queries], [3, 1]);
    const failing = countedOracle(() => Promise.reject(new Error('busy')), { retries: 1, retryDelay: 0 });
    await assert.rejects(failing.ask(ids(9, 4), 'a'), {
      code: 'DATA',
      message: /failed 2 times on rows 9 … 4: busy/,
    });
  });

  it('refuses a wrong count, NaN, infinities and negative losses, without a second try', async () => {
    const bad: [() => unknown, RegExp][] = [
      [() => [1], /returned 1 values for 2 ids/],
      [() => [1, 2, 3], /returned 3 values for 2 ids/],
      [() => undefined, /returned undefined values for 2 ids/],
      [() => [1, Number.NaN], /loss of row 9 is NaN/],
      [() => [Number.POSITIVE_INFINITY, 1], /loss of row 7 is Infinity/],
      [() => [1, -0.5], /loss of row 9 is -0.5/],
    ];
    for (const [answer, message] of bad) {
      let calls = 0;
      const oracle = countedOracle(
        () => {
          calls++;
          return answer() as number[];
        },
        { retryDelay: 0 },
      );
      await assert.rejects(oracle.ask(ids(7, 9), 'a'), { message });
      assert.equal(calls, 1);
    }
    const dropping = countedOracle(() => [1, Number.NaN], { onInvalid: 'drop' });
    assert.deepEqual([...(await dropping.ask(ids(7, 9), 'a'))], [1, Number.NaN]);
    const signed = countedOracle(() => [-1, 2], { signed: true });
    assert.deepEqual([...(await signed.ask(ids(7, 9), 'a'))], [-1, 2]);
  });

  it('stops while it waits for a retry', async () => {
    const controller = new AbortController();
    const oracle = countedOracle(
      () => {
        setTimeout(() => controller.abort(new Error('stop')), 5);
        throw new Error('busy');
      },
      { retryDelay: 60_000, signal: controller.signal },
    );
    await assert.rejects(oracle.ask(ids(1), 'a'), { message: 'stop' });
  });

  it('lets the callee change what it was given', async () => {
    const oracle = countedOracle((batch) => {
      const losses = Float64Array.from(batch);
      batch.fill(0);
      return losses;
    });
    assert.deepEqual([...(await oracle.ask(ids(3, 4), 'a'))], [3, 4]);
  });
});
