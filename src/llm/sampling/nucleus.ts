// Top-p without a sort: only tokens that may be in the nucleus are put in a heap, and only the nucleus is taken out.

import { goesBefore } from './largest.ts';

/**
 * The smallest set of tokens that holds at least the share p of all weight, taken from the heaviest down: at least one.
 *
 * Tokens lighter than (1 − p) total / n have less than (1 − p) total together, so the others hold more than p total, and the
 * nucleus is among them.
 *
 * @param weights - shape (n,), ≥ 0
 * @param total - their sum, > 0
 * @param share - p in (0, 1)
 * @returns indices, heaviest first, of equal ones the first index first
 *
 * Time O(n + m + s log m) for m tokens above that weight and a nucleus of s.
 */
export function nucleus(weights: Float64Array, total: number, share: number): Uint32Array {
  const least = ((1 - share) * total) / weights.length;
  const heap: number[] = [];
  for (let i = 0; i < weights.length; i++) if (weights[i] >= least && weights[i] > 0) heap.push(i);
  let size = heap.length;
  for (let at = (size >> 1) - 1; at >= 0; at--) sink(weights, heap, at, size);

  const taken: number[] = [];
  const wanted = share * total;
  let mass = 0;
  while (size > 0 && (mass < wanted || taken.length === 0)) {
    const heaviest = heap[0];
    taken.push(heaviest);
    mass += weights[heaviest];
    heap[0] = heap[--size];
    sink(weights, heap, 0, size);
  }
  return Uint32Array.from(taken);
}

/** Restores the heap of heaviest-first indices below `at`. */
function sink(weights: Float64Array, heap: number[], at: number, size: number): void {
  const moving = heap[at];
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && goesBefore(weights, heap[child + 1], heap[child])) child++;
    if (!goesBefore(weights, heap[child], moving)) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = moving;
}
