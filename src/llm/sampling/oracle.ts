// Sampling as its definition reads: every step on all tokens, by full sorts. Slow and obvious.

import type { SamplingOptions } from './options.ts';

/**
 * Probabilities of the next token by id, in the order of steps that SamplingOptions states.
 *
 * @param output - ids taken so far @param prompt - ids before them
 * Time O(V log V).
 */
export function oracleProbabilities(
  logits: ArrayLike<number>,
  options: SamplingOptions,
  output: readonly number[] = [],
  prompt: readonly number[] = [],
): number[] {
  const {
    temperature = 1,
    topK = 0,
    topP = 1,
    minP = 0,
    repetitionPenalty = 1,
    repetitionWindow = Infinity,
  } = options;
  const { frequencyPenalty = 0, presencePenalty = 0, logitBias = new Map<number, number>() } = options;
  const all = [...prompt, ...output];
  const seen = new Set(all.slice(Math.max(0, all.length - repetitionWindow)));

  const adjusted = Array.from(logits, (logit, id) => {
    let value = logit + (logitBias.get(id) ?? 0);
    if (seen.has(id)) value = value > 0 ? value / repetitionPenalty : value * repetitionPenalty;
    const count = output.filter((taken) => taken === id).length;
    if (count > 0) value -= count * frequencyPenalty + presencePenalty;
    return value;
  });
  const order = adjusted.map((_, id) => id).sort((a, b) => adjusted[b] - adjusted[a] || a - b);
  if (temperature === 0) return adjusted.map((_, id) => (id === order[0] ? 1 : 0));

  const softmax = (ids: number[]): Map<number, number> => {
    const weights = ids.map((id) => Math.exp((adjusted[id] - adjusted[order[0]]) / temperature));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return new Map(ids.map((id, i) => [id, weights[i] / sum]));
  };
  let kept = topK > 0 ? order.slice(0, topK) : order;
  if (topP < 1) {
    const probabilities = softmax(kept);
    let mass = 0;
    kept = kept.filter((id, i) => {
      const wanted = i === 0 || mass < topP;
      mass += probabilities.get(id)!;
      return wanted;
    });
  }
  const bar = adjusted[order[0]] + temperature * Math.log(minP);
  kept = kept.filter((id) => adjusted[id] >= bar);
  const probabilities = softmax(kept);
  return adjusted.map((_, id) => probabilities.get(id) ?? 0);
}
