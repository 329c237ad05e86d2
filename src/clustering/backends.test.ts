// The same clustering from every backend, SIMD level and thread count.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allKernels } from '../../test/each-backend.ts';
import { createRng } from '../core/rng.ts';
import { gaussianMixture } from '../data/datasets/index.ts';
import type { Kernels } from '../kernels/index.ts';
import { BoundedAssigner } from './bounded-assigner.ts';
import { MeanUpdate } from './center-update.ts';
import { iterate } from './iterate.ts';
import { measureMoments } from './moments.ts';
import { Rows } from './rows.ts';
import { chooseSeeds, SEEDING_METHODS } from './seeding/seed-centers.ts';

const { points } = gaussianMixture({ rows: 3000, cols: 19, clusters: 12, spread: 1.5, seed: 4 });

async function cluster(kernels: Kernels, init: (typeof SEEDING_METHODS)[number]) {
  const rows = new Rows('test', points, { tileRows: 1024 });
  const { cols } = rows;
  const { origin, scatter } = await measureMoments(rows, kernels, undefined);
  const context = { rows, kernels, weights: undefined, power: 2, origin };
  const { centers } = await chooseSeeds(context, 16, init, createRng(5));
  const labels = new Uint32Array(rows.rows);
  const shared = { kernels, cols, centerCount: 16, origin };
  const result = await iterate(rows, centers.data, {
    assigner: new BoundedAssigner(
      { ...shared, tileRows: rows.tileRows, labels },
      { algorithm: 'yinyang', groupCount: 4 },
    ),
    update: new MeanUpdate({ ...shared, weights: undefined, scatter, spherical: false }),
    labels,
    weights: undefined,
    power: 2,
    maxIterations: 100,
    maxShift: 0,
  });
  return { labels, centers: result.centers };
}

describe('clustering on every backend', async () => {
  const all = await allKernels();
  for (const init of SEEDING_METHODS) {
    it(`${init}: same labels and centers`, async () => {
      const [first, ...others] = all;
      const expected = await cluster(first.kernels, init);
      for (const { name, kernels } of others) {
        assert.deepEqual(await cluster(kernels, init), expected, `${name} against ${first.name}`);
      }
    });
  }
});
