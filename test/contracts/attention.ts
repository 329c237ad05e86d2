// How the contract suite calls HyperAttention: planted queries and keys, small enough blocks that something is left to sample.

import { type AttentionInput, hyperAttention } from '../../src/attention/index.ts';
import { plantedInput, randomInput } from '../attention-inputs.ts';
import type { SystemContract } from '../contract.ts';

export const attentionContract: SystemContract<AttentionInput> = {
  name: 'attention',
  regular: () => ({ ...plantedInput({ rows: 400, dim: 8, clusters: 20 }), causal: true }),
  smallest: () => randomInput({ queryRows: 1 }),
  withNaN() {
    const input = this.regular();
    input.keys.data[8 * 7 + 2] = Number.NaN;
    return { input, where: /row 7/ };
  },
  long: () => ({ ...plantedInput({ rows: 16_384, dim: 32 }), causal: true }),
  run: (input, options) =>
    hyperAttention(input, { ...options, blockSize: 32, sampleSize: 32, minSequence: 64 }),
};
