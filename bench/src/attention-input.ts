// Inputs of the attention benchmarks, whose exact answer is known at sampled rows, and the error against it.

import { type AttentionInput, type HeadTensor, oracleAttention } from '../../src/attention/index.ts';
import { createRng, sampleIndices } from '../../src/core/rng.ts';
import { plantedAttention } from '../../src/data/datasets/index.ts';

export interface InputShape {
  heads?: number;
  rows: number;
  /** Default: rows. The first ones are kept. */
  queryRows?: number;
  /** Keys of a query's own group, with logits of about 10: the fewer, the harder for samples. Default 64. */
  heavyKeys?: number;
  causal?: boolean;
}

/** `plantedAttention` of dimension 64 with another seed for each head. */
export function plantedInput({
  heads = 1,
  rows,
  queryRows = rows,
  heavyKeys = 64,
  causal = false,
}: InputShape): AttentionInput {
  const dim = 64;
  const tensor = (count: number): HeadTensor => ({
    ...{ data: new Float32Array(heads * count * dim), batch: 1, heads, rows: count, cols: dim },
  });
  const input = { queries: tensor(queryRows), keys: tensor(rows), values: tensor(rows), causal };
  for (let head = 0; head < heads; head++) {
    const planted = plantedAttention({ rows, dim, clusters: Math.ceil(rows / heavyKeys), seed: head });
    for (const part of ['queries', 'keys', 'values'] as const) {
      const length = input[part].rows * dim;
      input[part].data.set(planted[part].data.subarray(0, length), head * length);
    }
  }
  return input;
}

/**
 * Computes some rows of every head in float64.
 *
 * @returns a function of O: ‖O − exact‖_F / ‖exact‖_F over those rows
 */
export function errorAgainstOracle(input: AttentionInput, rows = 32): (output: Float32Array) => number {
  const { heads, rows: queryRows } = input.queries;
  const dim = input.values.cols;
  const sampled = sampleIndices(queryRows, Math.min(rows, queryRows), createRng(queryRows));
  const exact = oracleAttention(input, [...sampled]).output;
  return (output) => {
    let [difference, size] = [0, 0];
    for (let head = 0; head < heads; head++)
      for (const i of sampled) {
        const start = (head * queryRows + i) * dim;
        for (let x = start; x < start + dim; x++) {
          difference += (output[x] - exact[x]) ** 2;
          size += exact[x] ** 2;
        }
      }
    return Math.sqrt(difference / size);
  };
}

/**
 * A logit is off by at most (d + 3) · 2⁻²⁴ · scale · Σ|q k| ≤ 67 · 2⁻²⁴ · 10.2 = 4.1e-5 here (Cauchy–Schwarz), which moves a
 * probability by a factor within 1 ± 8.2e-5; sums over blocks of keys add some 2⁻²⁴ more.
 */
const MOST_EXACT_ERROR = 1e-4;

/** @returns the error. @throws {Error} it is more than rounding explains */
export function requireExact(who: string, error: number): number {
  if (!(error <= MOST_EXACT_ERROR))
    throw new Error(`${who}: relative error ${error} is above ${MOST_EXACT_ERROR}.`);
  return error;
}
