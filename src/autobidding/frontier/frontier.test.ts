import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findEquilibrium } from '../equilibrium/find-equilibrium.ts';
import { gammaTopicGenerator } from '../generators/gamma-topic-generator.ts';
import { topicBuckets } from '../market/buckets.ts';
import { uniformBuckets } from '../market/uniform-buckets.ts';
import type { Setting } from '../types.ts';
import { frontier } from './frontier.ts';

const generated = gammaTopicGenerator({ auctions: 400, seed: 200 });
const { market } = generated;

function settingOf(format: Setting['rules']['format'], K = 1): Setting {
  return { market, buckets: topicBuckets(generated, K), rules: { format } };
}

describe('frontier', () => {
  it('raises the welfare of VCG by boosts, above what is guaranteed', async () => {
    const points = await frontier(settingOf('vcg'), {
      curves: [
        { policy: 'additive-boost', levels: [0, 2] },
        { policy: 'multiplicative-boost', levels: [0, 2] },
      ],
    });
    for (const { equilibrium, welfareShare, profitShare, guarantee } of points) {
      const { outcome, gap } = equilibrium.value;
      assert.equal(welfareShare, outcome.welfare / outcome.optimum);
      assert.equal(profitShare, outcome.profit / outcome.optimum);
      assert.ok(welfareShare >= guarantee.share && gap.maxOverspend <= 1e-4);
    }
    for (const [at, share] of [1 / 2, 3 / 4, 1 / 2, 27 / 31].entries()) {
      assert.ok(Math.abs(points[at].guarantee.undominatedShare - share) < 1e-12);
    }
    // The gain exceeds what the certificates leave open.
    const regret = (at: number) => points[at].equilibrium.value.gap.meanRegretBound;
    for (const at of [0, 2]) {
      const gain = points[at + 1].welfareShare - points[at].welfareShare;
      assert.ok(gain > regret(at) + regret(at + 1), `gain ${gain}, regrets ${regret(at)}, ${regret(at + 1)}`);
    }
  });

  it('knows first price with one multiplier exactly: boosts change nothing, reserves lose what is below', async () => {
    const points = await frontier(settingOf('fpa'), {
      curves: [
        { policy: 'additive-boost', levels: [0, 1] },
        { policy: 'reserve', levels: [0, 0.5] },
      ],
    });
    assert.deepEqual(
      points.map(({ welfareShare, efficient }) => [welfareShare > 1 - 1e-12, efficient]),
      [
        [true, true],
        [true, true],
        [true, true],
        [false, false],
      ],
    );
    const { offsets, values, discounts } = market;
    let kept = 0;
    for (let j = 0; j < market.auctions; j++) {
      const order = values
        .slice(offsets[j], offsets[j + 1])
        .sort()
        .reverse();
      for (const [s, discount] of discounts.entries()) if (order[s] >= 0.5) kept += discount * order[s];
    }
    const { outcome } = points[3].equilibrium.value;
    assert.ok(Math.abs(outcome.welfare / kept - 1) < 1e-12);
    assert.equal(points[3].guarantee.share, 0);
  });

  it('calls a point efficient just if no other has more of one and as much of the other', async () => {
    // A finder that returns what it is asked for: shares made up.
    const shares = [
      [3, 1],
      [2, 2],
      [1, 3],
      [1, 2],
      [3, 1],
    ];
    const base = await findEquilibrium(settingOf('fpa'));
    let call = 0;
    const points = await frontier(settingOf('fpa'), {
      curves: [{ policy: 'reserve', levels: [0, 1, 2, 3, 4] }],
      find: async () => {
        const [welfare, profit] = shares[call++];
        const outcome = { ...base.value.outcome, welfare, profit, optimum: 4 };
        return { ...base, value: { ...base.value, outcome } };
      },
    });
    assert.deepEqual(
      points.map(({ efficient }) => efficient),
      [true, true, true, false, true],
    );
  });

  it('refuses no level and bad ones before it searches, and can be cancelled', async () => {
    const setting = { ...settingOf('fpa'), buckets: uniformBuckets(market) };
    await assert.rejects(frontier(setting, { curves: [] }), /curves have no level/);
    const find = () => assert.fail('searched');
    const curves = [{ policy: 'reserve' as const, levels: [0, -1] }];
    await assert.rejects(frontier(setting, { curves, find }), /level of reserve is -1/);
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(
      frontier(setting, { curves: [{ policy: 'reserve', levels: [0] }], signal }),
      /enough/,
    );
  });
});
