// From logits to the tokens that may come and their weights: temperature, top-k, top-p, min-p.

import { largestIndices } from './largest.ts';
import type { Logits } from './logits.ts';
import { nucleus } from './nucleus.ts';
import type { CompleteSampling } from './options.ts';

/** Tokens that may come, in the order of their ids. */
export interface Choices {
  /** Shape (m,), ascending; undefined for all tokens. */
  ids: Uint32Array | undefined;
  /** Shape (m,): probabilities up to one common factor, the largest being 1; 0 where e^x underflows. */
  weights: Float64Array;
}

type Truncation = Pick<CompleteSampling, 'temperature' | 'topK' | 'topP' | 'minP'>;

/**
 * @param logits - shape (V,), checked
 * @param best - index of the largest
 * @param options - temperature > 0
 * @param scratch - shape (V,); weights of all tokens are put here, and may be what is returned
 *
 * Time O(V); V exponentials unless top-k or min-p leaves fewer tokens to begin with.
 */
export function chooseTokens(
  logits: Logits,
  best: number,
  options: Truncation,
  scratch: Float64Array = new Float64Array(logits.length),
): Choices {
  const { temperature, topK, topP, minP } = options;
  const largest = logits[best];
  const weigh = (ids: Uint32Array): Float64Array => {
    const weights = new Float64Array(ids.length);
    for (let i = 0; i < ids.length; i++) weights[i] = Math.exp((logits[ids[i]] - largest) / temperature);
    return weights;
  };
  // exp((x − largest) / T) ≥ minP, without exponentials for the many that fail.
  const least = minP > 0 ? largest + temperature * Math.log(minP) : -Infinity;

  let ids: Uint32Array;
  if (topK > 0 && topK < logits.length) {
    ids = largestIndices(logits, topK);
    if (topP < 1) ids = ids.subarray(0, lengthOfShare(weigh(ids), topP));
  } else if (topP < 1) {
    const weights = weighAll(logits, largest, temperature, scratch);
    ids = nucleus(weights, total(weights), topP);
  } else if (minP > 0) {
    ids = idsFrom(logits, least);
    return { ids, weights: weigh(ids) };
  } else {
    return { ids: undefined, weights: weighAll(logits, largest, temperature, scratch) };
  }
  ids = ids.filter((id) => logits[id] >= least).sort();
  return { ids, weights: weigh(ids) };
}

/** Sum of weights. All are ≥ 0, so the relative error is below V · 2⁻⁵³. */
export function total(weights: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i];
  return sum;
}

function weighAll(logits: Logits, largest: number, temperature: number, weights: Float64Array): Float64Array {
  for (let id = 0; id < logits.length; id++) weights[id] = Math.exp((logits[id] - largest) / temperature);
  return weights;
}

/** How many of the first weights hold the share; they come heaviest first. */
function lengthOfShare(weights: Float64Array, share: number): number {
  const wanted = share * total(weights);
  let mass = 0;
  let length = 0;
  while (length < weights.length && mass < wanted) mass += weights[length++];
  return Math.max(1, length);
}

function idsFrom(logits: Logits, least: number): Uint32Array {
  const ids = new Uint32Array(logits.length);
  let count = 0;
  for (let id = 0; id < logits.length; id++) if (logits[id] >= least) ids[count++] = id;
  return ids.slice(0, count);
}
