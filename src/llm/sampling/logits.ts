// Logits of one token: where the largest is, and the normaliser of their softmax.

import { NumericalError } from '../../core/errors.ts';

/** Logits of one position, shape (V,): finite numbers, or −∞ for a token that cannot come. */
export type Logits = Float32Array | Float64Array;

/**
 * Index of the largest logit, the first of equal ones.
 *
 * @param where - names the caller in errors
 * @throws {NumericalError} a logit is NaN or +∞, or all are −∞ (or there are none)
 *
 * Time O(V), one pass.
 */
export function largestLogit(where: string, logits: Logits): number {
  let index = -1;
  let largest = -Infinity;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id];
    if (logit <= largest) continue; // NaN fails this, as a larger logit does: one comparison for most
    if (Number.isNaN(logit)) {
      throw new NumericalError(
        `${where}: logits[${id}] is NaN; expected a finite number or −∞. The model's weights or its cache are damaged.`,
      );
    }
    largest = logit;
    index = id;
  }
  if (index < 0) {
    throw new NumericalError(
      `${where}: all ${logits.length} logits are −∞; expected at least one token that can come. Loosen the bias or the mask.`,
    );
  }
  if (largest === Infinity) {
    throw new NumericalError(`${where}: logits[${index}] is ∞; expected a finite number or −∞.`);
  }
  return index;
}

/**
 * ln Σ exp(logit), in float64, stable for logits of any size.
 *
 * @param largest - the largest of them, finite
 *
 * Time O(V): one exponential each.
 */
export function logSumExp(logits: Logits, largest: number): number {
  let sum = 0;
  for (let id = 0; id < logits.length; id++) sum += Math.exp(logits[id] - largest);
  return largest + Math.log(sum);
}
