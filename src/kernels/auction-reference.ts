// The reference of runAuctions. Every other backend does the same operations on the same numbers in the same order, so all
// give the same bits.

import { yieldToEventLoop } from '../core/progress.ts';
import { AUCTIONS_PER_CHUNK, type AuctionKernels, type AuctionsTask, NO_ENTRY } from './auction-types.ts';
import { FullRanking, leastBid } from './full-ranking.ts';
import { bidThresholdsReference } from './threshold-reference.ts';

/** Entries between two looks at the event loop: about 30 ms. */
const ENTRIES_PER_SLICE = 1 << 20;

export const auctionsReference: AuctionKernels = {
  runAuctions: runAuctionsReference,
  bidThresholds: bidThresholdsReference,
};

async function runAuctionsReference(task: AuctionsTask): Promise<void> {
  const { offsets, first, end } = task;
  const walk = new AuctionWalk(task);
  let pause = offsets[first] + ENTRIES_PER_SLICE;
  for (let start = first; start < end; start += AUCTIONS_PER_CHUNK) {
    if (offsets[start] > pause) {
      await yieldToEventLoop();
      pause = offsets[start] + ENTRIES_PER_SLICE;
    }
    walk.chunk(start, Math.min(end, start + AUCTIONS_PER_CHUNK));
  }
}

class AuctionWalk {
  private readonly task: AuctionsTask;
  private readonly slots: number;
  // The best slots + 1 entries of an auction, best first, and their scores; 0 beyond those there are.
  private readonly scores: Float64Array;
  private readonly entries: Uint32Array;
  private readonly ranking: FullRanking;
  private readonly payments: Float64Array;
  // Sums of a chunk, shape (advertisers,) each.
  private readonly value: Float64Array;
  private readonly spend: Float64Array;
  private readonly wins: Float64Array;

  constructor(task: AuctionsTask) {
    this.task = task;
    this.slots = task.discounts.length;
    this.scores = new Float64Array(this.slots + 1);
    this.entries = new Uint32Array(this.slots + 1);
    this.payments = new Float64Array(this.slots);
    this.ranking = new FullRanking(task);
    [this.value, this.spend, this.wins] = [0, 1, 2].map(() => new Float64Array(task.advertisers));
  }

  chunk(first: number, end: number): void {
    const { slots, scores, entries, payments, value, spend, wins, task, ranking } = this;
    const { advertiserOf, values, discounts, grouped, tieSeed } = task;
    let [ties, sold] = [0, 0];
    value.fill(0);
    spend.fill(0);
    wins.fill(0);
    for (let j = first; j < end; j++) {
      const reserve = typeof task.reserve === 'number' ? task.reserve : task.reserve[j];
      const kept = this.rank(j, reserve);
      const winners = kept < slots ? kept : slots;
      let equal = false;
      for (let s = 0; s + 1 < kept; s++) equal ||= scores[s] === scores[s + 1];
      let winnerOf: ArrayLike<number> = entries;
      if ((equal && tieSeed !== undefined) || (grouped && this.repeatsOwner(kept))) {
        ranking.rank(j, reserve);
        winnerOf = ranking.entries;
        for (let s = 0; s < winners; s++) payments[s] = ranking.payment(s, reserve);
        equal &&= ranking.decidesTie(slots);
      } else if (winners > 0) this.price(winners, reserve);
      if (equal) ties++;
      sold += winners;
      for (let s = 0; s < winners; s++) {
        const entry = winnerOf[s];
        const advertiser = advertiserOf[entry];
        if (advertiser >= task.advertisers) {
          ties = NaN;
          continue;
        }
        value[advertiser] += discounts[s] * values[entry];
        spend[advertiser] += payments[s];
        wins[advertiser]++;
      }
      if (task.winners || task.payments) this.note(j, winners, winnerOf);
    }
    for (let i = 0; i < task.advertisers; i++) {
      task.value[i] += value[i];
      task.spend[i] += spend[i];
      task.wins[i] += wins[i];
    }
    task.counts[0] += ties;
    task.counts[1] += sold;
  }

  /** Finds the best slots + 1 entries by insertion: equal scores stay in the order of entries. @returns their number */
  private rank(j: number, reserve: number): number {
    const { slots, scores, entries } = this;
    const { offsets, bids, factors, boosts } = this.task;
    const end = offsets[j + 1];
    let kept = 0;
    scores[slots] = 0;
    for (let e = offsets[j]; e < end; e++) {
      let score = bids[e];
      if (!(score > 0) || score < reserve) continue;
      if (factors) score *= factors[e];
      if (boosts) score += boosts[e];
      if (kept > slots) {
        if (score <= scores[slots]) continue;
        kept = slots;
      }
      let s = kept++;
      for (; s > 0 && scores[s - 1] < score; s--) {
        scores[s] = scores[s - 1];
        entries[s] = entries[s - 1];
      }
      scores[s] = score;
      entries[s] = e;
    }
    for (let s = kept; s <= slots; s++) scores[s] = 0;
    return kept;
  }

  private price(winners: number, reserve: number): void {
    const { slots, scores, entries, payments } = this;
    const { format, discounts, bids, factors, boosts } = this.task;
    if (format === 'fpa') {
      for (let s = 0; s < winners; s++) payments[s] = discounts[s] * bids[entries[s]];
      return;
    }
    if (format === 'vcg' && !factors && !boosts) {
      let sum = 0; // the sums of all slots share their ends
      for (let t = slots - 1; t >= 0; t--) {
        const next = t + 1 < slots ? discounts[t + 1] : 0;
        sum += (discounts[t] - next) * (scores[t + 1] > reserve ? scores[t + 1] : reserve);
        payments[t] = sum;
      }
      return;
    }
    for (let s = 0; s < winners; s++) {
      const entry = entries[s];
      if (format === 'gsp') payments[s] = discounts[s] * leastBid(this.task, entry, scores[s + 1], reserve);
      else {
        let sum = 0;
        for (let t = slots - 1; t >= s; t--) {
          const next = t + 1 < slots ? discounts[t + 1] : 0;
          sum += (discounts[t] - next) * leastBid(this.task, entry, scores[t + 1], reserve);
        }
        payments[s] = sum;
      }
    }
  }

  private repeatsOwner(kept: number): boolean {
    const { advertiserOf, owners } = this.task;
    for (let s = 1; s < kept; s++) {
      const mine = advertiserOf[this.entries[s]];
      for (let r = 0; r < s; r++) {
        const other = advertiserOf[this.entries[r]];
        if (owners ? owners[mine] === owners[other] : mine === other) return true;
      }
    }
    return false;
  }

  private note(j: number, winners: number, winnerOf: ArrayLike<number>): void {
    const { slots, payments, task } = this;
    for (let s = 0, to = (j - task.first) * slots; s < slots; s++, to++) {
      if (task.winners) task.winners[to] = s < winners ? winnerOf[s] : NO_ENTRY;
      if (task.payments) task.payments[to] = s < winners ? payments[s] : 0;
    }
  }
}
