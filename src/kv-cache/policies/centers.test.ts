import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { plantedStream } from '../../data/datasets/index.ts';
import { type CacheOptions, createCache } from '../create-cache.ts';
import { oracleAnswer } from '../oracle.ts';

const dim = 32;
const shape = { heads: 1, keyHeads: 1, dim, valueDim: dim, scale: 1, storage: 'float32' as const };

interface Outcome {
  /** Mean relative error over generic queries, and of one that looks for the needle. */
  generic: number;
  needle: number;
  /** Answers outside their interval, and the largest finite bound ÷ error. */
  violations: number;
  finite: number;
}

/** 64 clusters and one outlying token, as in the paper's protocol of policies. */
async function outcomeOf(options: CacheOptions, seeds: readonly number[]): Promise<Outcome> {
  const outcome = { generic: 0, needle: 0, violations: 0, finite: 0 };
  for (const seed of seeds) {
    const stream = plantedStream({ rows: 2000, dim, clusters: 64, seed });
    const rng = createRng(100 + seed);
    const normal = (size: number) => Float32Array.from({ length: dim }, () => size * rng.normal());
    const [keys, values] = [stream.keys.data.slice(), stream.values.data.slice()];
    const needle = normal(1.5);
    keys.set(needle, 700 * dim);
    values.set(normal(3), 700 * dim);
    const all = { keys, values, queries: keys };
    const cache = createCache(shape, options);
    await cache.append(keys, values);
    const ask = async (direction: Float32Array, length: number) => {
      const norm = Math.sqrt(direction.reduce((sum, x) => sum + x * x, 0));
      const query = direction.map((x) => (length * x) / norm);
      const { output, lse, interval } = await cache.attend(query, { interval: true });
      const exact = oracleAnswer(shape, all, 2000, 0, query);
      const error = Math.sqrt(output.reduce((sum, x, c) => sum + (x - exact.output[c]) ** 2, 0));
      if (interval) {
        const inside =
          exact.lse >= interval.lseLow[0] &&
          exact.lse <= interval.lseHigh[0] &&
          error <= interval.outputError[0];
        if (!inside) outcome.violations++;
        if (interval.outputError[0] < Infinity) outcome.finite++;
      }
      assert.ok(lse[0] < Infinity);
      return error / Math.sqrt(exact.output.reduce((sum, x) => sum + x * x, 0));
    };
    for (let q = 0; q < 20; q++) outcome.generic += (await ask(normal(1), 2)) / (20 * seeds.length);
    outcome.needle += (await ask(needle, 4)) / seeds.length;
  }
  return outcome;
}

describe('caches of centers', () => {
  const seeds = [0, 1, 2];
  const budget = { budget: 104, recent: 32 };

  it('keep the mass and the needle once there are more centers than clusters', async () => {
    // Elsewhere: select 0.42 / 0.27, weighted 0.31 / 0.05, merge 0.006 / 0.002, uniform 0.70 / 1.06.
    const select = await outcomeOf({ policy: 'k-center', ...budget }, seeds);
    const weighted = await outcomeOf({ policy: 'k-center', mode: 'weighted', ...budget }, seeds);
    const merge = await outcomeOf({ policy: 'k-center', mode: 'merge', ...budget }, seeds);
    const uniform = await outcomeOf({ policy: 'uniform', ...budget }, seeds);
    assert.ok(merge.generic < 0.02 && merge.needle < 0.02, JSON.stringify(merge));
    assert.ok(weighted.generic < select.generic && merge.generic < weighted.generic / 10);
    assert.ok(uniform.generic > 0.5 && uniform.needle > 0.5);
    const hybrid = await outcomeOf({ policy: 'hybrid', ...budget }, seeds);
    assert.ok(hybrid.generic <= 1.2 * merge.generic && hybrid.needle < 0.02, JSON.stringify(hybrid));
    const tooFew = await outcomeOf({ policy: 'k-center', mode: 'merge', budget: 72, recent: 32 }, seeds);
    assert.ok(tooFew.generic > 20 * merge.generic, 'the change at as many centers as clusters is sharp');
  });

  it('are never outside the interval they give', async () => {
    for (const options of [
      { policy: 'hybrid', ...budget },
      { policy: 'hybrid', budget: 60, recent: 20, secondOrder: false },
      { policy: 'k-center', mode: 'merge', budget: 80 },
    ] as const) {
      const { violations, finite } = await outcomeOf(options, seeds);
      assert.equal(violations, 0);
      assert.equal(finite, 63);
    }
    const select = await outcomeOf({ policy: 'k-center', ...budget }, [0]);
    assert.ok(
      select.violations === 0 && select.finite === 0,
      'first tokens say nothing certain of the others',
    );
  });
});
