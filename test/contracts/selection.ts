// How the contract suite calls data selection: mixture rows, losses that grow with the distance from the cluster.

import type { Matrix32 } from '../../src/core/matrix.ts';
import { createRng } from '../../src/core/rng.ts';
import { selectData } from '../../src/selection/index.ts';
import type { SystemContract } from '../contract.ts';

interface SelectionInput {
  points: Matrix32;
  losses: Float64Array;
  size: number;
  k: number;
}

function mixture(rows: number, cols: number, clusters: number): { points: Matrix32; losses: Float64Array } {
  const rng = createRng(17);
  const centers = Float64Array.from({ length: clusters * cols }, () => 10 * rng.normal());
  const data = new Float32Array(rows * cols);
  const losses = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let square = 0;
    for (let j = 0; j < cols; j++) {
      const noise = rng.normal();
      square += noise * noise;
      data[i * cols + j] = centers[(i % clusters) * cols + j] + noise;
    }
    losses[i] = 1 + 0.1 * square;
  }
  return { points: { data, rows, cols }, losses };
}

export const selectionContract: SystemContract<SelectionInput> = {
  name: 'selection',
  regular: () => ({ ...mixture(300, 4, 5), size: 40, k: 10 }),
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
  long: () => ({ ...mixture(20_000, 32, 50), size: 1000, k: 200 }),
  run: ({ points, losses, size, k }, options) =>
    selectData(points, { ...options, size, k, loss: (ids) => Array.from(ids, (id) => losses[id]) }),
};
