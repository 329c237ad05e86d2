import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { runAuctions } from '../auction/run-auctions.ts';
import { provablyGenerator } from '../generators/provably-generator.ts';
import { landscapeOf } from '../landscape/index.ts';
import { topicBuckets } from '../market/buckets.ts';
import { uniformBuckets } from '../market/uniform-buckets.ts';
import { bestResponse } from '../response/index.ts';
import { largestStep } from '../response/oracle.ts';
import { AUCTION_FORMATS, type AuctionFormat, type Bidder, type Buckets, type Setting } from '../types.ts';
import { bucketExternality } from './externality.ts';
import { holdOutBuckets } from './hold-out.ts';
import { learnBuckets } from './learn-buckets.ts';
import { bestSplit } from './split.ts';

interface Instance {
  setting: Setting;
  bids: Float64Array;
  groups: Buckets;
}

function instance(format: AuctionFormat, seed: number, topics = 5, bidders?: readonly Bidder[]): Instance {
  const generated = provablyGenerator({ advertisers: 5, auctions: 150, participants: 4, topics, seed });
  const { market } = generated;
  return {
    setting: { market, buckets: uniformBuckets(market), rules: { format }, bidders },
    bids: market.values,
    groups: topicBuckets(generated, topics),
  };
}

/** Every way to put `count` groups into at most K buckets, bucket of group 0 being 0. */
function* partitions(count: number, K: number, found: number[] = []): Generator<number[]> {
  if (found.length === count) {
    yield found;
    return;
  }
  const used = Math.max(-1, ...found);
  for (let k = 0; k <= Math.min(K - 1, used + 1); k++) yield* partitions(count, K, [...found, k]);
}

/** Best value of advertiser 0 with its groups merged as told. */
function valueWith({ setting, bids, groups }: Instance, bucketOfGroup: ArrayLike<number>): number {
  const ofEntry = setting.buckets.ofEntry.map((k, e) =>
    setting.market.advertiserOf[e] === 0 ? bucketOfGroup[groups.ofEntry[e]] : k,
  );
  const landscape = landscapeOf({ ...setting, buckets: { count: groups.count, ofEntry } }, bids, 0);
  return bestResponse(landscape, { kind: 'value' }, { format: setting.rules.format }).value;
}

describe('learnBuckets', () => {
  it('is near the best of all partitions into two, and never above it', async () => {
    let [reached, best, uniform] = [0, 0, 0];
    for (const format of ['fpa', 'gsp'] as const) {
      for (let seed = 0; seed < 8; seed++) {
        const one = instance(format, seed);
        const { value } = await learnBuckets(one.setting, one.bids, 0, { count: 2, groups: one.groups });
        assert.ok(Math.abs(valueWith(one, value.bucketOfGroup) - value.levels[1]) < 1e-9);
        const most = Math.max(...[...partitions(5, 2)].map((partition) => valueWith(one, partition)));
        assert.ok(value.levels[1] <= most * (1 + 1e-6), `${value.levels[1]} ${most}`);
        assert.ok(most <= value.bound * (1 + 1e-9), 'the bound holds against all partitions');
        reached += value.levels[1];
        best += most;
        uniform += value.levels[0];
      }
    }
    // Deterministic; measured 0.936 of what the best partitions gain.
    assert.ok((reached - uniform) / (best - uniform) > 0.8, `${(reached - uniform) / (best - uniform)}`);
  });

  it('refines level by level, gains with each, and says how much more there could be', async () => {
    for (const format of AUCTION_FORMATS) {
      const one = instance(format, 3, 10);
      const learn = (count: number) => learnBuckets(one.setting, one.bids, 0, { count, groups: one.groups });
      const [coarse, fine] = [await learn(2), await learn(6)];
      const { levels, bucketOfGroup, bound, used, buckets } = fine.value;
      assert.deepEqual(levels.slice(0, 2), coarse.value.levels);
      // A fine bucket lies within one coarse bucket.
      const parent = new Map<number, number>();
      bucketOfGroup.forEach((bucket, g) => {
        const wanted = parent.get(bucket) ?? coarse.value.bucketOfGroup[g];
        assert.equal(coarse.value.bucketOfGroup[g], wanted);
        parent.set(bucket, wanted);
      });
      assert.ok(levels.every((level, k) => k === 0 || level >= levels[k - 1] * (1 - 1e-7)));
      assert.ok(levels[5] <= bound && used <= 6 && buckets.count === 6);
      const { certificate } = fine;
      assert.equal(certificate.bound.value, bound - levels[5]);
      assert.equal(certificate.bound.unit, 'money');
      // In VCG one multiplier is as good as many, but for a step.
      if (format === 'vcg') {
        const landscape = landscapeOf(one.setting, one.bids, 0);
        assert.ok(bound - levels[0] <= largestStep(landscape) + 1e-9);
      }
      if (format === 'fpa') assert.ok(levels[5] > levels[0]);
    }
  });

  it('leaves the buckets of the others, the setting and the bids alone', async () => {
    const one = instance('gsp', 5);
    const bids = one.bids.slice();
    const { value } = await learnBuckets(one.setting, bids, 2, { count: 3, groups: one.groups });
    one.setting.market.advertiserOf.forEach((i, e) => {
      if (i !== 2) assert.equal(value.buckets.ofEntry[e], 0);
    });
    assert.deepEqual(bids, one.bids);
    assert.ok(one.setting.buckets.ofEntry.every((k) => k === 0));
  });

  it('works for budgets and utility, and stops where nothing limits', async () => {
    const bidders: Bidder[] = [
      { kind: 'value', budget: 5 },
      { kind: 'utility' },
      { kind: 'utility', budget: 2 },
      { kind: 'value' },
      { kind: 'fixed', multiplier: 1 },
    ];
    const one = instance('fpa', 6, 5, bidders);
    for (const i of [0, 1, 2]) {
      const { value } = await learnBuckets(one.setting, one.bids, i, { count: 4, groups: one.groups });
      assert.ok(value.levels[3] >= value.levels[0] && value.levels[3] <= value.bound * (1 + 1e-12));
    }
    const alone = new Float64Array(one.bids.length);
    const { value, certificate } = await learnBuckets(one.setting, alone, 3, {
      count: 4,
      groups: one.groups,
    });
    assert.equal(value.used, 1);
    assert.match(certificate.warnings[0], /1 of 4 buckets are used/);
    assert.ok(certificate.bound.value <= 1e-12 * value.bound); // two orders of one sum
    await assert.rejects(learnBuckets(one.setting, one.bids, 4, { count: 2, groups: one.groups }), {
      code: 'INVALID_ARGUMENT',
      message: /advertiser 4 is a "fixed" bidder/,
    });
  });

  it('refuses options out of range and can be cancelled', async () => {
    const { setting, bids, groups } = instance('gsp', 7);
    await assert.rejects(learnBuckets(setting, bids, 0, { count: 0, groups }), /count is 0/);
    await assert.rejects(learnBuckets(setting, bids, 9, { count: 2, groups }), /advertiser is 9/);
    const short = { count: 2, ofEntry: new Uint16Array(3) };
    await assert.rejects(learnBuckets(setting, bids, 0, { count: 2, groups: short }), { code: 'SHAPE' });
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(learnBuckets(setting, bids, 0, { count: 2, groups, signal }), /enough/);
  });
});

describe('bestSplit', () => {
  it('is the best over all pairs of multipliers and all ways to part the rows', () => {
    const rng = createRng(1);
    for (let run = 0; run < 50; run++) {
      const [rows, size] = [5, 6];
      const worth = Float64Array.from({ length: rows * size }, () => rng.normal());
      const table = { groups: Uint32Array.of(0, 1, 2, 3, 4), size, worth };
      const mostOf = (chosen: number[]): number =>
        Math.max(
          ...Array.from({ length: size }, (_, at) =>
            chosen.reduce((sum, row) => sum + worth[row * size + at], 0),
          ),
        );
      const all = [0, 1, 2, 3, 4];
      let most = mostOf(all);
      for (const parts of partitions(rows, 2)) {
        const upper = all.filter((row) => parts[row] === 1);
        if (upper.length > 0)
          most = Math.max(most, mostOf(upper) + mostOf(all.filter((row) => parts[row] === 0)));
      }
      const split = bestSplit(table, all);
      assert.ok(Math.abs(split.gain - (most - mostOf(all))) < 1e-12);
      const lower = all.filter((row) => !split.upper.includes(row));
      if (split.gain > 0) assert.ok(Math.abs(mostOf(lower) + mostOf(split.upper) - most) < 1e-12);
    }
  });
});

describe('bucketExternality', () => {
  it('is what running the auctions shows, and the advertiser gains what was promised', async () => {
    const one = instance('fpa', 8);
    const learned = await learnBuckets(one.setting, one.bids, 1, { count: 4, groups: one.groups });
    const { levels, buckets, response } = learned.value;
    const effect = await bucketExternality(one.setting, one.bids, 1, buckets);
    // Bids are 10⁻⁹ above the thresholds, which costs so much.
    assert.ok(Math.abs(effect.before.value[1] - levels[0]) < 1e-6);
    assert.ok(Math.abs(effect.after.value[1] - levels[3]) < 1e-6);
    assert.ok(Math.abs(effect.after.spend[1] - response.spend) < 1e-6);
    const own = effect.after.value[1] - effect.before.value[1];
    assert.ok(own > 0 && Math.abs(effect.othersValue + own - effect.welfare) < 1e-9);
    const bids = one.bids.map((bid, e) => {
      const k = buckets.ofEntry[e];
      return one.setting.market.advertiserOf[e] === 1 ? bid * response.multipliers[k] * (1 + 1e-9) : bid;
    });
    const { totals } = await runAuctions(one.setting, { bids });
    assert.deepEqual(totals.value, effect.after.value);
  });
});

describe('holdOutBuckets', () => {
  it('gives the same for the same seed, and learned buckets gain where they were fitted', async () => {
    const one = instance('fpa', 9);
    const options = { count: 4, groups: one.groups, seed: 5 };
    const held = await holdOutBuckets(one.setting, one.bids, 0, options);
    assert.deepEqual(await holdOutBuckets(one.setting, one.bids, 0, options), held);
    assert.notDeepEqual(await holdOutBuckets(one.setting, one.bids, 0, { ...options, seed: 6 }), held);
    assert.deepEqual(held.auctions, [75, 75]);
    assert.ok(held.learned.fitted.value >= held.uniform.fitted.value);
    assert.ok(held.learned.refitted.value >= held.uniform.refitted.value);
    assert.ok(held.uniform.held.value > 0 && held.learned.held.value > 0);
    assert.ok(Math.abs(held.learned.held.value - held.uniform.held.value) > 1e-3, 'the learned row is bid');
    // Groups that were never met before are bid with the uniform multiplier: here all of those held out.
    const { market } = one.setting;
    const ofEntry = new Uint16Array(market.values.length);
    for (let j = 0; j < market.auctions; j++) ofEntry.fill(j, market.offsets[j], market.offsets[j + 1]);
    const strange = await holdOutBuckets(one.setting, one.bids, 0, {
      ...options,
      groups: { count: market.auctions, ofEntry },
    });
    assert.ok(strange.learned.fitted.value > strange.uniform.fitted.value);
    assert.ok(Math.abs(strange.learned.held.value - strange.uniform.held.value) < 1e-9);
    // First price with one multiplier of 1 keeps every target, fitted or held out.
    assert.ok(Math.abs(held.uniform.held.spend - held.uniform.held.value) < 1e-9);
  });

  it('scales budgets with the number of auctions and refuses empty parts', async () => {
    const bidders: Bidder[] = Array.from({ length: 5 }, () => ({ kind: 'value', budget: 8 }));
    const one = instance('gsp', 10, 5, bidders);
    const options = { count: 2, groups: one.groups, share: 0.25 };
    const { uniform } = await holdOutBuckets(one.setting, one.bids, 0, options);
    assert.ok(uniform.fitted.spend <= 2.05 && uniform.refitted.spend <= 6.05);
    await assert.rejects(
      holdOutBuckets(one.setting, one.bids, 0, { ...options, share: 1e-9 }),
      /leaves a part empty/,
    );
    await assert.rejects(holdOutBuckets(one.setting, one.bids, 0, { ...options, share: 1 }), /share is 1/);
  });
});
