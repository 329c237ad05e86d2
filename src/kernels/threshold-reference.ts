// The reference of bidThresholds: one pass over each auction finds its best scores, which are everybody's best others but for their own.

import { yieldToEventLoop } from '../core/progress.ts';
import type { ThresholdsTask } from './auction-types.ts';

/** Entries between two looks at the event loop: about 30 ms. */
const ENTRIES_PER_SLICE = 1 << 20;

export async function bidThresholdsReference(task: ThresholdsTask): Promise<void> {
  const { offsets, first, end } = task;
  const walk = new ThresholdWalk(task);
  let pause = offsets[first] + ENTRIES_PER_SLICE;
  for (let j = first; j < end; j++) {
    if (offsets[j] > pause) {
      await yieldToEventLoop();
      pause = offsets[j] + ENTRIES_PER_SLICE;
    }
    walk.auction(j);
  }
}

class ThresholdWalk {
  private readonly task: ThresholdsTask;
  // Scores that take part, best first, with their entries; all of them where owners have several, else the best slots + 1.
  private scores: Float64Array;
  private entries: Uint32Array;
  private kept = 0;

  constructor(task: ThresholdsTask) {
    this.task = task;
    this.scores = new Float64Array(task.slots + 2);
    this.entries = new Uint32Array(task.slots + 2);
  }

  auction(j: number): void {
    const { task } = this;
    const { offsets, slots, factors, boosts, thresholds, first } = task;
    const reserve = typeof task.reserve === 'number' ? task.reserve : task.reserve[j];
    this.rank(j, reserve);
    const { scores, entries } = this;
    let to = (offsets[j] - offsets[first]) * slots;
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      for (let s = 0, r = 0; s < slots; s++, r++, to++) {
        while (r < this.kept && this.own(entries[r], e)) r++;
        let least = r < this.kept ? scores[r] : 0;
        if (boosts) least -= boosts[e];
        if (factors) least /= factors[e];
        thresholds[to] = least > reserve ? least : reserve;
      }
    }
  }

  private rank(j: number, reserve: number): void {
    const { offsets, bids, slots, factors, boosts, grouped } = this.task;
    const most = grouped ? offsets[j + 1] - offsets[j] : slots + 1;
    if (most >= this.scores.length) {
      this.scores = new Float64Array(2 * most + 1);
      this.entries = new Uint32Array(2 * most + 1);
    }
    const { scores, entries } = this;
    let kept = 0;
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      let score = bids[e];
      if (!(score > 0) || score < reserve) continue;
      if (factors) score *= factors[e];
      if (boosts) score += boosts[e];
      if (kept === most) {
        if (score <= scores[most - 1]) continue;
        kept--;
      }
      let r = kept++;
      for (; r > 0 && scores[r - 1] < score; r--) {
        scores[r] = scores[r - 1];
        entries[r] = entries[r - 1];
      }
      scores[r] = score;
      entries[r] = e;
    }
    this.kept = kept;
  }

  private own(a: number, b: number): boolean {
    const { grouped, advertiserOf, owners } = this.task;
    if (!grouped) return a === b;
    const [left, right] = [advertiserOf[a], advertiserOf[b]];
    return owners ? owners[left] === owners[right] : left === right;
  }
}
