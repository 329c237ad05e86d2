import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allKernels, offsetView } from '../../test/each-backend.ts';
import { createRng } from '../core/rng.ts';
import { auctionsReference } from './auction-reference.ts';
import { AUCTIONS_PER_CHUNK, type AuctionBids, type AuctionsTask, type ThresholdsTask } from './index.ts';

interface Shape {
  auctions: number;
  /** Entries of an auction at most. */
  most: number;
  slots: number;
  /** Bids are whole numbers: they tie. */
  whole?: boolean;
  extras?: boolean;
  hashed?: boolean;
  grouped?: boolean;
}

const ADVERTISERS = 40;

const shapes: Record<string, Shape> = {
  'up to 4 entries': { auctions: 200, most: 4, slots: 1, whole: true },
  'up to 8 entries': { auctions: 300, most: 8, slots: 4 },
  'up to 8 entries that tie': { auctions: 300, most: 8, slots: 4, whole: true },
  'up to 16 entries': { auctions: 300, most: 16, slots: 5, whole: true, extras: true },
  'up to 30 entries': { auctions: 200, most: 30, slots: 3, whole: true },
  'more slots than are compared at once': { auctions: 100, most: 30, slots: 20, extras: true },
  'ties by hash': { auctions: 300, most: 9, slots: 3, whole: true, hashed: true },
  'owners of several entries': { auctions: 300, most: 9, slots: 4, whole: true, extras: true, grouped: true },
  'owners, ties by hash': { auctions: 300, most: 9, slots: 4, whole: true, hashed: true, grouped: true },
  'no entries': { auctions: 3, most: 0, slots: 2 },
  'several chunks': { auctions: 2 * AUCTIONS_PER_CHUNK + 77, most: 5, slots: 2, hashed: true },
};

function randomBids(seed: number, { auctions, most, whole, extras, hashed, grouped }: Shape): AuctionBids {
  const rng = createRng(seed);
  const offsets = offsetView(new Uint32Array(auctions + 1));
  for (let j = 0; j < auctions; j++) offsets[j + 1] = offsets[j] + (most > 0 ? rng.integer(most + 1) : 0);
  const entries = offsets[auctions];
  const each = (make: () => number) => offsetView(new Float64Array(entries)).map(make);
  return {
    offsets,
    advertiserOf: offsetView(new Uint32Array(entries)).map(() => rng.integer(ADVERTISERS)),
    bids: each(() => (whole ? rng.integer(4) : Math.max(0, rng.normal()))),
    reserve: seed % 2 === 0 ? 0.3 : new Float64Array(auctions).map(() => rng.integer(2)),
    factors: extras ? each(() => 0.5 + rng.next()) : undefined,
    boosts: extras ? each(() => rng.integer(3)) : undefined,
    owners: grouped ? new Uint32Array(ADVERTISERS).map((_, i) => i % 6) : undefined,
    grouped: grouped ?? false,
    tieSeed: hashed ? seed : undefined,
  };
}

function auctionsTask(
  format: AuctionsTask['format'],
  bids: AuctionBids,
  { auctions, slots }: Shape,
): AuctionsTask {
  const total = () => offsetView(new Float64Array(ADVERTISERS)).fill(0.1);
  return {
    ...bids,
    format,
    discounts: Float64Array.from({ length: slots }, (_, s) => 0.8 ** s),
    values: bids.bids.map((bid) => 1 + bid / 3),
    advertisers: ADVERTISERS,
    first: 0,
    end: auctions,
    value: total(),
    spend: total(),
    wins: total(),
    counts: new Float64Array(2),
    winners: offsetView(new Uint32Array(auctions * slots)),
    payments: offsetView(new Float64Array(auctions * slots)),
  };
}

function thresholdsTask(bids: AuctionBids, { auctions, slots }: Shape): ThresholdsTask {
  const first = Math.floor(auctions / 3);
  const count = bids.offsets[auctions] - bids.offsets[first];
  return { ...bids, slots, first, end: auctions, thresholds: offsetView(new Float64Array(count * slots)) };
}

for (const { name, kernels } of await allKernels()) {
  describe(`runAuctions and bidThresholds, ${name}`, () => {
    for (const [kind, shape] of Object.entries(shapes)) {
      it(`give the bits of the reference: ${kind}`, async () => {
        for (let seed = 0; seed < 2; seed++) {
          const bids = randomBids(seed, shape);
          for (const format of ['fpa', 'gsp', 'vcg'] as const) {
            const [task, wanted] = [auctionsTask(format, bids, shape), auctionsTask(format, bids, shape)];
            await kernels.runAuctions(task);
            await auctionsReference.runAuctions(wanted);
            assert.deepEqual(task, wanted);
          }
          const [task, wanted] = [thresholdsTask(bids, shape), thresholdsTask(bids, shape)];
          await kernels.bidThresholds(task);
          await auctionsReference.bidThresholds(wanted);
          assert.deepEqual(task, wanted);
        }
      });
    }

    it('give the same bits in one call and in several', async () => {
      const shape = shapes['several chunks'];
      const bids = randomBids(5, shape);
      const [whole, parts] = [auctionsTask('gsp', bids, shape), auctionsTask('gsp', bids, shape)];
      await kernels.runAuctions(whole);
      const { winners, payments, ...totals } = parts;
      for (let first = 0; first < shape.auctions; first += AUCTIONS_PER_CHUNK) {
        await kernels.runAuctions({
          ...totals,
          first,
          end: Math.min(shape.auctions, first + AUCTIONS_PER_CHUNK),
        });
      }
      for (const total of ['value', 'spend', 'wins', 'counts'] as const)
        assert.deepEqual(parts[total], whole[total]);
    });

    it('refuse what would reach outside of arrays', async () => {
      const shape = shapes['up to 8 entries'];
      const task = auctionsTask('gsp', randomBids(0, shape), shape);
      const faults: [Partial<AuctionsTask>, RegExp][] = [
        [{ advertisers: 3 }, /advertiserOf names advertiser \d+; expected numbers below 3/],
        [{ bids: task.bids.subarray(1) }, /bids has length/],
        [{ end: shape.auctions + 1 }, /end is 301/],
        [{ first: 1 }, /first is 1; expected a multiple/],
        [{ offsets: task.offsets.toReversed() }, /offsets\[\d+\] is \d+; expected at least/],
        [{ winners: task.winners?.subarray(1) }, /winners has length/],
        [{ counts: new Float64Array(1) }, /counts has length 1/],
        [{ owners: new Uint32Array(3) }, /owners has length 3/],
        [{ advertisers: 3, owners: new Uint32Array(3) }, /advertiserOf names advertiser/],
      ];
      for (const [fault, message] of faults) {
        await assert.rejects(kernels.runAuctions({ ...task, ...fault }), message);
      }
      await assert.rejects(
        kernels.bidThresholds({ ...thresholdsTask(task, shape), thresholds: new Float64Array(1) }),
        /thresholds has length 1/,
      );
    });
  });
}
