// Gradients of attention, exact or approximate: with blocks and samples held constant, HyperAttention is softmax attention over a weighted
// list of keys, so the same plans are walked again.

import { InvalidArgumentError, ShapeError } from '../core/errors.ts';
import type { RunOptions } from '../core/progress.ts';
import { loadKernels } from '../kernels/index.ts';
import { checkProblem, tensorLike } from './problem.ts';
import type { AttentionInput, AttentionResult, HeadTensor, HyperTrace } from './types.ts';

export interface ResultGradient {
  /** Gradient of the loss in O, shape of O. */
  output: Float32Array;
  /** Gradient in lse, shape of lse. Default: zeros. */
  lse?: Float64Array;
}

export interface InputGradients {
  queries: HeadTensor;
  keys: HeadTensor;
  values: HeadTensor;
}

/**
 * With p_ij = e^{s_ij − lse_i} and δ_i = ⟨dO_i, O_i⟩: dS_ij = p_ij (⟨dO_i, v_j⟩ − δ_i + dlse_i), dQ = scale · dS K, dK = scale · dSᵀ Q, dV = Pᵀ dO;
 * sampled keys collect from all rows. There is no gradient through hashing and sampling.
 *
 * @param result - of `exactAttention` or `hyperAttention` on this very input
 * @throws {ShapeError} a gradient has not the shape of its result
 * @throws {InvalidArgumentError} keys and values are stored as halves, or the input is refused as in the forward pass
 *
 * Time about 2.5 times the forward pass. Source: derived (arXiv 2310.05869 has no backward pass in its text).
 */
export async function attentionBackward(
  input: AttentionInput,
  result: AttentionResult & { trace?: HyperTrace },
  gradient: ResultGradient,
  { signal }: Pick<RunOptions, 'signal'> = {},
): Promise<InputGradients> {
  signal?.throwIfAborted();
  const kernels = await loadKernels();
  const { logits } = await checkProblem('attentionBackward', input, kernels);
  const { storage, keys, values } = logits;
  if (storage !== 'float32' || !(keys instanceof Float32Array) || !(values instanceof Float32Array)) {
    throw new InvalidArgumentError(
      `attentionBackward: keys and values are stored as ${storage}; expected float32. Convert them with fromHalf.`,
    );
  }
  requireShape('gradient.output', gradient.output.length, result.output.data.length);
  if (gradient.lse) requireShape('gradient.lse', gradient.lse.length, result.lse.length);
  const queryGradient = new Float32Array(logits.queries.length);
  const keyGradient = new Float32Array(keys.length);
  const valueGradient = new Float32Array(values.length);
  const plans = result.trace?.plans ?? [];
  for (const tiles of plans.length > 0 ? plans : [undefined]) {
    await kernels.attentionBackward({
      ...{ ...logits, storage, keys, values, tiles },
      ...{ out: result.output.data, lse: result.lse },
      ...{ outGradient: gradient.output, lseGradient: gradient.lse },
      ...{ queryGradient, keyGradient, valueGradient, accumulate: true },
    });
    signal?.throwIfAborted();
  }
  return {
    queries: tensorLike(queryGradient, input.queries),
    keys: tensorLike(keyGradient, input.keys),
    values: tensorLike(valueGradient, input.values),
  };
}

function requireShape(what: string, length: number, expected: number): void {
  if (length !== expected) {
    throw new ShapeError(`attentionBackward: ${what} has length ${length}; expected ${expected}.`);
  }
}
