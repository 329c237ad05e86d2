// Planted inputs as attention takes them, and approximations that the library has no use for but the experiments compare with.

import { createRng } from '../../core/rng.ts';
import { type PlantedAttentionOptions, plantedAttention } from '../../data/datasets/index.ts';
import type { Kernels } from '../../kernels/index.ts';
import { addQueries, sortKeys } from '../off-diagonal.ts';
import { completeOptions, type HyperOptions } from '../options.ts';
import { PlanBuilder, range } from '../plan-builder.ts';
import { checkProblem, emptyResult } from '../problem.ts';
import type { AttentionInput, AttentionResult, HeadTensor } from '../types.ts';

/** One head with planted structure: `plantedAttention` says which. */
export function plantedInput(
  options: PlantedAttentionOptions,
  { causal = false }: { causal?: boolean } = {},
): AttentionInput {
  const { queries, keys, values } = plantedAttention(options);
  const head = ({ data, rows, cols }: typeof queries): HeadTensor => ({
    ...{ data, rows, cols },
    ...{ batch: 1, heads: 1 },
  });
  return { queries: head(queries), keys: head(keys), values: head(values), causal };
}

/** One head of i.i.d. standard normal entries: the logits are nearly so too. */
export function gaussianInput(rows: number, dim: number, seed: number): AttentionInput {
  const rng = createRng(seed);
  const tensor = (label: string): HeadTensor => {
    const entries = rng.fork(label);
    const data = Float32Array.from({ length: rows * dim }, () => entries.normal());
    return { data, rows, cols: dim, batch: 1, heads: 1 };
  };
  return { queries: tensor('queries'), keys: tensor('keys'), values: tensor('values') };
}

/** The paper's blocks with queries and keys dealt to them at random instead of by hash, and the same samples: what hashing is worth. */
export async function randomBlockAttention(
  input: AttentionInput,
  options: HyperOptions,
  kernels: Kernels,
): Promise<AttentionResult> {
  const settings = completeOptions('randomBlockAttention', { ...options, blocks: 'rank' }, false);
  const problem = await checkProblem('randomBlockAttention', input, kernels);
  const { queryRows, keyRows } = problem.logits;
  const rng = createRng(settings.seed).fork('random blocks');
  const buckets = 1 << 16;
  const positions = range(0, buckets);
  const bucketsOf = (count: number, label: string) => {
    const draws = rng.fork(label);
    return { codes: Uint16Array.from({ length: count }, () => draws.integer(buckets)), positions };
  };
  const plan = new PlanBuilder();
  const all = { start: 0, end: keyRows, live: undefined, sinks: 0, windowStart: keyRows };
  const keys = sortKeys(plan, all, bucketsOf(keyRows, 'keys'), buckets);
  const queries = { head: 0, start: 0, end: queryRows, hash: bucketsOf(queryRows, 'queries') };
  addQueries(plan, queries, keys, settings, rng.fork('samples'));
  const result = emptyResult(problem, kernels);
  await kernels.attention({
    ...problem.logits,
    ...{ tiles: plan.build(), out: result.output.data, lse: result.lse },
  });
  return result;
}
