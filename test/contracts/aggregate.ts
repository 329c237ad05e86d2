// How the contract suite calls the aggregate system: bags of a least size cut from predicted means.

import { sliceBags } from '../../src/aggregate/index.ts';
import { createRng } from '../../src/core/rng.ts';
import type { SystemContract } from '../contract.ts';

interface BagInput {
  values: Float64Array;
  minSize: number;
}

/** Few different values, so that the order of ties shows the seed. */
function rounded(count: number): Float64Array {
  const rng = createRng(11);
  return Float64Array.from({ length: count }, () => rng.integer(20) / 20);
}

export const aggregateContract: SystemContract<BagInput> = {
  name: 'aggregate',
  regular: () => ({ values: rounded(300), minSize: 8 }),
  smallest: () => ({ values: Float64Array.of(2), minSize: 1 }),
  empty: () => ({ values: new Float64Array(0), minSize: 1 }),
  withNaN() {
    const input = this.regular();
    input.values[17] = Number.NaN;
    return { input, where: /values\[17\] is NaN/ };
  },
  long: () => ({ values: rounded(1_000_000), minSize: 100 }),
  run: ({ values, minSize }, options) => sliceBags(values, { ...options, minSize }),
};
