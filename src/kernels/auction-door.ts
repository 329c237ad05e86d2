// The door's check of auctions.

import { requireInteger, requireNumber } from '../core/check.ts';
import { InvalidArgumentError } from '../core/errors.ts';
import { AUCTIONS_PER_CHUNK, type AuctionBids, type AuctionKernels } from './auction-types.ts';
import { requireArray } from './require-array.ts';

export function checkedAuctions(kernels: AuctionKernels): AuctionKernels {
  return {
    runAuctions: async (task) => {
      const { first, end, discounts, values, advertisers, value, spend, wins, counts } = task;
      requireInteger('runAuctions: advertisers', advertisers, 0, 0xffffffff);
      const entries = checkBids('runAuctions', task, first, end, advertisers);
      if (first % AUCTIONS_PER_CHUNK !== 0) {
        throw new InvalidArgumentError(
          `runAuctions: first is ${first}; expected a multiple of ${AUCTIONS_PER_CHUNK}, where a chunk starts.`,
        );
      }
      requireArray('runAuctions: discounts', discounts, Float64Array, 0);
      requireArray('runAuctions: values', values, Float64Array, entries);
      requireArray('runAuctions: value', value, Float64Array, advertisers);
      requireArray('runAuctions: spend', spend, Float64Array, advertisers);
      requireArray('runAuctions: wins', wins, Float64Array, advertisers);
      requireArray('runAuctions: counts', counts, Float64Array, 2);
      const sold = (end - first) * discounts.length;
      if (task.winners) requireArray('runAuctions: winners', task.winners, Uint32Array, sold);
      if (task.payments) requireArray('runAuctions: payments', task.payments, Float64Array, sold);
      await kernels.runAuctions(task);
      // Found on the way, where it is free: reading all advertisers first would take half as long as the auctions.
      if (Number.isNaN(counts[0])) requireAdvertisers('runAuctions', task, first, end, advertisers);
    },
    bidThresholds: async (task) => {
      const { first, end, slots, thresholds, offsets } = task;
      requireInteger('bidThresholds: slots', slots, 0);
      checkBids('bidThresholds', task, first, end, task.owners?.length ?? 0xffffffff);
      requireArray(
        'bidThresholds: thresholds',
        thresholds,
        Float64Array,
        (offsets[end] - offsets[first]) * slots,
      );
      await kernels.bidThresholds(task);
    },
  };
}

/** @returns entries before the end of the last auction that is run */
function checkBids(name: string, task: AuctionBids, first: number, end: number, advertisers: number): number {
  const { offsets, advertiserOf, bids, reserve, factors, boosts, owners, tieSeed } = task;
  requireArray(`${name}: offsets`, offsets, Uint32Array, 1);
  requireInteger(`${name}: end`, end, 0, offsets.length - 1);
  requireInteger(`${name}: first`, first, 0, end);
  for (let j = first; j < end; j++) {
    if (offsets[j + 1] < offsets[j]) {
      throw new InvalidArgumentError(
        `${name}: offsets[${j + 1}] is ${offsets[j + 1]}; expected at least ${offsets[j]}, as ascending offsets are.`,
      );
    }
  }
  const entries = offsets[end];
  requireArray(`${name}: advertiserOf`, advertiserOf, Uint32Array, entries);
  requireArray(`${name}: bids`, bids, Float64Array, entries);
  if (typeof reserve === 'number') requireNumber(`${name}: reserve`, reserve, 0);
  else requireArray(`${name}: reserve`, reserve, Float64Array, end);
  if (factors) requireArray(`${name}: factors`, factors, Float64Array, entries);
  if (boosts) requireArray(`${name}: boosts`, boosts, Float64Array, entries);
  if (owners) {
    requireArray(`${name}: owners`, owners, Uint32Array, advertisers);
    requireAdvertisers(name, task, first, end, advertisers);
  }
  if (tieSeed !== undefined) requireInteger(`${name}: tieSeed`, tieSeed, 0, 0xffffffff);
  return entries;
}

function requireAdvertisers(
  name: string,
  { offsets, advertiserOf }: AuctionBids,
  first: number,
  end: number,
  advertisers: number,
): void {
  let greatest = -1;
  for (let e = offsets[first]; e < offsets[end]; e++)
    if (advertiserOf[e] > greatest) greatest = advertiserOf[e];
  if (greatest < advertisers) return;
  throw new InvalidArgumentError(
    `${name}: advertiserOf names advertiser ${greatest}; expected numbers below ${advertisers}.`,
  );
}
