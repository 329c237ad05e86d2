// Auctions in WASM: the entries of a few chunks at a time are copied in, so that memory stays small however many auctions there are.

import { yieldToEventLoop } from '../core/progress.ts';
import {
  AUCTIONS_PER_CHUNK,
  type AuctionBids,
  type AuctionKernels,
  type AuctionsTask,
  NO_ENTRY,
  type ThresholdsTask,
} from './auction-types.ts';
import type { WasmModule } from './wasm-module.ts';

/** Entries from which a piece ends: 20 MiB of bids, values and advertisers, about 30 ms. */
const PIECE_ENTRIES = 1 << 20;

export function auctionsInWasm(wasm: WasmModule): AuctionKernels {
  return {
    runAuctions: (task) => runAuctions(wasm, task),
    bidThresholds: (task) => bidThresholds(wasm, task),
  };
}

async function runAuctions(wasm: WasmModule, task: AuctionsTask): Promise<void> {
  const { discounts, values, advertisers } = task;
  const slots = discounts.length;
  const totals = [task.value, task.spend, task.wins].map((total) => total.subarray(0, advertisers));
  const counts = task.counts.subarray(0, 2);
  for (const piece of piecesOf(task)) {
    if (piece.first > task.first) await yieldToEventLoop();
    wasm.scope(() => {
      const auctions = piece.end - piece.first;
      const at = totals.map((total) => wasm.put(total));
      const countsAt = wasm.put(counts);
      const winnersAt = task.winners ? wasm.call.allocate(4 * auctions * slots) : 0;
      const paymentsAt = task.payments ? wasm.call.allocate(8 * auctions * slots) : 0;
      const words = Uint32Array.of(
        ...putBids(wasm, task, piece),
        ['fpa', 'gsp', 'vcg'].indexOf(task.format),
        wasm.put(discounts),
        slots,
        wasm.put(values.subarray(piece.firstEntry, piece.endEntry)),
        advertisers,
        0,
        auctions,
        ...at,
        countsAt,
        winnersAt,
        paymentsAt,
      );
      wasm.call.runAuctions(wasm.put(words), reserveNumber(task));
      totals.forEach((total, i) => {
        wasm.get(at[i], total);
      });
      wasm.get(countsAt, counts);
      const [start, end] = [piece.first - task.first, piece.end - task.first].map(
        (auction) => auction * slots,
      );
      if (task.payments) wasm.get(paymentsAt, task.payments.subarray(start, end));
      if (!task.winners) return;
      const winners = wasm.get(winnersAt, task.winners.subarray(start, end));
      for (let w = 0; w < winners.length; w++) if (winners[w] !== NO_ENTRY) winners[w] += piece.firstEntry;
    });
  }
}

async function bidThresholds(wasm: WasmModule, task: ThresholdsTask): Promise<void> {
  const { slots, offsets, first, thresholds } = task;
  for (const piece of piecesOf(task)) {
    if (piece.first > first) await yieldToEventLoop();
    wasm.scope(() => {
      const { firstEntry, endEntry } = piece;
      const at = wasm.call.allocate(8 * (endEntry - firstEntry) * slots);
      const words = Uint32Array.of(...putBids(wasm, task, piece), slots, 0, piece.end - piece.first, at);
      wasm.call.bidThresholds(wasm.put(words), reserveNumber(task));
      wasm.get(
        at,
        thresholds.subarray((firstEntry - offsets[first]) * slots, (endEntry - offsets[first]) * slots),
      );
    });
  }
}

interface Piece {
  first: number;
  end: number;
  firstEntry: number;
  endEntry: number;
}

/** Whole chunks of auctions, with about PIECE_ENTRIES entries. */
function* piecesOf({ offsets, first, end }: AuctionsTask | ThresholdsTask): Generator<Piece> {
  for (let start = first; start < end; ) {
    let stop = start;
    do stop = Math.min(end, stop + AUCTIONS_PER_CHUNK);
    while (stop < end && offsets[stop] - offsets[start] < PIECE_ENTRIES);
    yield { first: start, end: stop, firstEntry: offsets[start], endEntry: offsets[stop] };
    start = stop;
  }
}

/** Copies a piece in. @returns the words of native/bindings/wasm.cc that describe it */
function putBids(wasm: WasmModule, task: AuctionBids, { first, end, firstEntry, endEntry }: Piece): number[] {
  const { offsets, advertiserOf, bids, reserve, factors, boosts, owners, grouped, tieSeed } = task;
  const entries = (array: Float64Array | undefined) => wasm.put(array?.subarray(firstEntry, endEntry));
  return [
    wasm.put(offsets.slice(first, end + 1).map((offset) => offset - firstEntry)),
    wasm.put(advertiserOf.subarray(firstEntry, endEntry)),
    entries(bids),
    typeof reserve === 'number' ? 0 : wasm.put(reserve.subarray(first, end)),
    entries(factors),
    entries(boosts),
    wasm.put(owners),
    Number(grouped),
    Number(tieSeed !== undefined),
    tieSeed ?? 0,
    first,
  ];
}

function reserveNumber({ reserve }: AuctionBids): number {
  return typeof reserve === 'number' ? reserve : 0;
}
