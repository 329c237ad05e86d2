// All entries of one auction in order: what the few best ones do not tell when an owner has several, or when a hash breaks ties.

import { threefry2x32 } from '../core/rng.ts';
import type { AuctionBids, AuctionsTask } from './auction-types.ts';

/** Second word of the key that breaks ties: its streams are not those of `createRng(seed)`. */
const TIE_KEY = 0x74696573;

/** The least bid of an entry that does not fall behind `score` nor the reserve; rounding never takes it above its own bid. */
export function leastBid(
  { bids, factors, boosts }: Pick<AuctionsTask, 'bids' | 'factors' | 'boosts'>,
  entry: number,
  score: number,
  reserve: number,
): number {
  let least = score;
  if (boosts) least -= boosts[entry];
  if (factors) least /= factors[entry];
  if (least > bids[entry]) least = bids[entry];
  return least > reserve ? least : reserve;
}

/** Ranks one auction after the other. */
export class FullRanking {
  /** Entries that take part, best first. */
  readonly entries: number[] = [];
  private readonly task: AuctionBids & Partial<Pick<AuctionsTask, 'format' | 'discounts'>>;
  private readonly scores: number[] = [];
  private readonly hashes: number[] = [];
  private readonly words = new Uint32Array(2);

  constructor(task: AuctionBids & Partial<Pick<AuctionsTask, 'format' | 'discounts'>>) {
    this.task = task;
  }

  rank(auction: number, reserve: number): void {
    const { entries, scores, hashes, task } = this;
    const { offsets, bids, factors, boosts, tieSeed } = task;
    entries.length = scores.length = hashes.length = 0;
    for (let e = offsets[auction]; e < offsets[auction + 1]; e++) {
      let score = bids[e];
      if (!(score > 0) || score < reserve) continue;
      if (factors) score *= factors[e];
      if (boosts) score += boosts[e];
      const hash = tieSeed === undefined ? 0 : this.hash(tieSeed, auction, task.advertiserOf[e]);
      let r = entries.length;
      for (; r > 0 && (scores[r - 1] < score || (scores[r - 1] === score && hashes[r - 1] > hash)); r--) {
        entries[r] = entries[r - 1];
        scores[r] = scores[r - 1];
        hashes[r] = hashes[r - 1];
      }
      entries[r] = e;
      scores[r] = score;
      hashes[r] = hash;
    }
  }

  /** What the entry at rank s pays: the owner's own entries below it are as if they were not there. */
  payment(s: number, reserve: number): number {
    const { entries, scores, task } = this;
    const { format, discounts = new Float64Array(0), bids } = task;
    const entry = entries[s];
    if (format === 'fpa') return discounts[s] * bids[entry];
    const below: number[] = [];
    for (let r = s + 1; r < entries.length; r++) {
      if (!this.sameOwner(entries[r], entry)) below.push(scores[r]);
    }
    if (format === 'gsp') return discounts[s] * leastBid(task, entry, below[0] ?? 0, reserve);
    let sum = 0;
    for (let t = discounts.length - 1; t >= s; t--) {
      const next = t + 1 < discounts.length ? discounts[t + 1] : 0;
      sum += (discounts[t] - next) * leastBid(task, entry, below[t - s] ?? 0, reserve);
    }
    return sum;
  }

  /** Whether one of the first `slots` entries has the score of the next one, which is another owner's. */
  decidesTie(slots: number): boolean {
    const { entries, scores } = this;
    for (let s = 0; s < slots && s + 1 < entries.length; s++) {
      if (scores[s] === scores[s + 1] && !this.sameOwner(entries[s], entries[s + 1])) return true;
    }
    return false;
  }

  private sameOwner(a: number, b: number): boolean {
    const { advertiserOf, owners } = this.task;
    const [left, right] = [advertiserOf[a], advertiserOf[b]];
    return owners ? owners[left] === owners[right] : left === right;
  }

  private hash(seed: number, auction: number, advertiser: number): number {
    threefry2x32(seed, TIE_KEY, auction, advertiser, this.words);
    return this.words[0];
  }
}
