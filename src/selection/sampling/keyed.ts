// Schemes in which every row has a random number of its own: the same rows are drawn whatever order they come in.

import type { Rng } from '../../core/rng.ts';

/** Keeps each row with its own probability π. Time O(n). */
export function drawPoisson(inclusion: Float64Array, rng: Rng, keyOf: (row: number) => number): number[] {
  const kept: number[] = [];
  for (let e = 0; e < inclusion.length; e++) {
    const pi = inclusion[e];
    if (pi > 0 && (pi >= 1 || rng.at(keyOf(e)) < pi)) kept.push(e);
  }
  return kept;
}

export interface GumbelDraw {
  rows: number[];
  /** (s+1)-th smallest of the times −ln(1−U)/p; Infinity when there is none. */
  threshold: number;
}

/**
 * The `size` rows with the largest ln p + Gumbel noise, that is, with the smallest exponential times −ln(1−U)/p.
 *
 * Given the threshold time t*, row e is kept with probability 1 − exp(−p·t*) independently of the others.
 *
 * Time O(n + s log s log n) on rows in random order, memory O(s). Reference: Efraimidis and Spirakis 2006; weights as in
 * priority sampling (Duffield, Lund, Thorup 2007).
 */
export function drawGumbel(
  p: ArrayLike<number>,
  size: number,
  rng: Rng,
  keyOf: (row: number) => number,
): GumbelDraw {
  const heap = new LargestFirstHeap(size + 1);
  for (let e = 0; e < p.length; e++) {
    if (!(p[e] > 0)) continue;
    const u = rng.at(keyOf(e));
    // −ln(1−u) ≥ u: most rows are turned away without a logarithm.
    if (heap.full && u >= heap.largest * p[e]) continue;
    heap.offer(-Math.log1p(-u) / p[e], e);
  }
  if (!heap.full) return { rows: heap.items(), threshold: Infinity };
  const threshold = heap.largest;
  return { rows: heap.items().slice(1), threshold };
}

/** The `capacity` smallest of the values offered, largest on top. */
class LargestFirstHeap {
  private readonly values: Float64Array;
  private readonly rows: Uint32Array;
  private readonly capacity: number;
  private count = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.values = new Float64Array(capacity);
    this.rows = new Uint32Array(capacity);
  }

  get full(): boolean {
    return this.count === this.capacity;
  }

  get largest(): number {
    return this.values[0];
  }

  /** Rows held, the one with the largest value first. */
  items(): number[] {
    return Array.from(this.rows.subarray(0, this.count));
  }

  offer(value: number, row: number): void {
    if (!this.full) {
      let i = this.count++;
      while (i > 0) {
        const parent = (i - 1) >> 1;
        if (this.values[parent] >= value) break;
        this.values[i] = this.values[parent];
        this.rows[i] = this.rows[parent];
        i = parent;
      }
      this.values[i] = value;
      this.rows[i] = row;
    } else if (value < this.values[0]) {
      let i = 0;
      for (;;) {
        let child = 2 * i + 1;
        if (child >= this.count) break;
        if (child + 1 < this.count && this.values[child + 1] > this.values[child]) child++;
        if (this.values[child] <= value) break;
        this.values[i] = this.values[child];
        this.rows[i] = this.rows[child];
        i = child;
      }
      this.values[i] = value;
      this.rows[i] = row;
    }
  }
}
