// How the contract suite calls data selection: rows in clusters, losses that stray with the distance from the center.

import type { Matrix32 } from '../../src/core/matrix.ts';
import { gaussianMixture } from '../../src/data/datasets/index.ts';
import { selectData } from '../../src/selection/index.ts';
import type { SystemContract } from '../contract.ts';

interface SelectionInput {
  points: Matrix32;
  losses: Float64Array;
  size: number;
  k: number;
}

export const selectionContract: SystemContract<SelectionInput> = {
  name: 'selection',
  regular: () => ({ ...gaussianMixture({ rows: 300, cols: 4, clusters: 5 }), size: 40, k: 10 }),
  smallest: () => ({
    points: { data: Float32Array.of(1, 2), rows: 1, cols: 2 },
    losses: Float64Array.of(3),
    size: 1,
    k: 1,
  }),
  empty: () => ({
    points: { data: new Float32Array(0), rows: 0, cols: 2 },
    losses: new Float64Array(0),
    size: 1,
    k: 1,
  }),
  withNaN() {
    const input = this.regular();
    input.points.data[4 * 7 + 2] = Number.NaN;
    return { input, where: /row 7/ };
  },
  long: () => ({ ...gaussianMixture({ rows: 20_000, cols: 32, clusters: 50 }), size: 1000, k: 200 }),
  run: ({ points, losses, size, k }, options) =>
    selectData(points, { ...options, size, k, loss: (ids) => Array.from(ids, (id) => losses[id]) }),
};
