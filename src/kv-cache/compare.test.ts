import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../core/rng.ts';
import { plantedStream } from '../data/datasets/index.ts';
import { comparePolicies } from './index.ts';
import type { TokenStream } from './oracle.ts';

function streamOf(rows: number): TokenStream {
  const { keys, values, centers, groups } = plantedStream({ rows, dim: 16, clusters: 24, seed: 1 });
  const rng = createRng(2);
  const queries = keys.data.map(
    (_, i) => 2 * centers.data[groups[Math.floor(i / 16)] * 16 + (i % 16)] + 0.3 * rng.normal(),
  );
  return { keys: keys.data, values: values.data, queries };
}

const shape = { heads: 1, keyHeads: 1, dim: 16, valueDim: 16 };

describe('comparePolicies', () => {
  it('gives every policy the same bytes, and exact answers to the one that keeps all', async () => {
    const rows = await comparePolicies(shape, streamOf(400), {
      policies: [
        { policy: 'sink-window' },
        { policy: 'uniform', name: 'random' },
        { policy: 'h2o' },
        { policy: 'keydiff' },
        { policy: 'full' },
      ],
      ...{ budget: 64, checkpoints: [40, 200, 400], queries: 10, needle: 0 },
    });
    assert.equal(rows.length, 15);
    const limit = rows[0].bytes;
    for (const { policy, bytes, tokens, relativeError, theoremError, lseError, needle } of rows) {
      if (policy === 'full' || tokens === 40) {
        assert.ok(
          relativeError <= 1e-5 && theoremError <= 1e-5 && lseError <= 1e-5,
          `${policy} at ${tokens}: ${relativeError}`,
        );
      } else {
        assert.ok(relativeError > 1e-3, `${policy}: ${relativeError}`);
      }
      // Within one row, which of all of them the largest takes 230 bytes.
      if (policy !== 'full')
        assert.ok(bytes <= limit && bytes > limit - 240, `${policy}: ${bytes} of ${limit}`);
      assert.equal(needle, 1, 'token 0 is a sink');
    }
    assert.equal(rows[3].name, 'random');
    assert.equal(rows[14].rows, 400);
  });

  it('refuses what it cannot stream', async () => {
    const stream = streamOf(20);
    const policies = [{ policy: 'sink-window' as const }];
    await assert.rejects(comparePolicies(shape, stream, { policies }), {
      message: /neither bytes nor budget/,
    });
    await assert.rejects(comparePolicies(shape, stream, { policies, budget: 9, checkpoints: [5, 5] }), {
      message: /checkpoints are 5, 5/,
    });
    await assert.rejects(comparePolicies(shape, stream, { policies, budget: 9, checkpoints: [21] }), {
      message: /from 1 to 20/,
    });
  });
});
