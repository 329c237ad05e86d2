import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomProfile, randomSetting, tiedProfile } from '../../../test/autobid-settings.ts';
import { createRng } from '../../core/rng.ts';
import { poaInstance } from '../generators/poa-instance.ts';
import { AUCTION_FORMATS, type MixedProfile, type Setting } from '../types.ts';
import { bidsOfRows, runMarket } from './run-market.ts';
import { verifyProfile } from './verify-profile.ts';

/** What advertiser i gets with `row`, everybody else bidding `profile`. */
async function replyOf(setting: Setting, profile: Float64Array, i: number, row: Float64Array) {
  const { count } = setting.buckets;
  const rowOf = (q: number) => (q === i ? row : profile.subarray(q * count, (q + 1) * count));
  const { value, spend } = await runMarket(setting, bidsOfRows('test', setting, rowOf));
  return { value: value[i], spend: spend[i] };
}

const variants = [
  {},
  { rich: true },
  { shared: true },
  { mixed: true, advertisers: 6, auctions: 20 },
  { tied: true },
  { rich: true, shared: true, mixed: true, advertisers: 6, auctions: 20 },
];

describe('verifyProfile', () => {
  it('accepts the worst case of the second-price rules, refutes it in first price, accepts it there with two buckets', async () => {
    const { market, uniform, split, uniformProfile, splitProfile, maxMultiplier } = poaInstance(0.1);
    for (const format of ['gsp', 'vcg'] as const) {
      const setting = { market, buckets: uniform, rules: { format }, maxMultiplier };
      const { value, certificate } = await verifyProfile(setting, uniformProfile, { maxRegret: 0 });
      assert.equal(value.verdict, 'accepted');
      assert.equal(certificate.bound.value, 0);
      assert.ok(Math.abs(value.outcome.welfare / value.outcome.optimum - 0.55) < 1e-15);
    }
    const first = { market, buckets: uniform, rules: { format: 'fpa' as const }, maxMultiplier };
    const refuted = (await verifyProfile(first, uniformProfile)).value;
    assert.equal(refuted.verdict, 'rejected');
    const [target] = refuted.objections;
    assert.ok(target.kind === 'target' && target.advertiser === 0);
    assert.match(target.message, /^A spends 12\.1 for a value of 1\.1: its target is missed by 1000 %/);
    const accepted = await verifyProfile({ ...first, buckets: split }, splitProfile, { maxRegret: 0 });
    assert.equal(accepted.value.verdict, 'accepted');
    assert.ok(Math.abs(accepted.value.outcome.welfare / 2 - 0.55) < 1e-15);
  });

  it('shows a better reply by running every auction with it', async () => {
    const { market, uniform, maxMultiplier } = poaInstance(0.1);
    // A bids too little to win the second auction, though it may in GSP: it gains 0.1 on 1.
    const setting = { market, buckets: uniform, rules: { format: 'gsp' as const }, maxMultiplier };
    const { value } = await verifyProfile(setting, Float64Array.of(1, 1), { maxRegret: 0.05 });
    const [objection] = value.objections;
    assert.ok(objection.kind === 'deviation' && objection.advertiser === 0);
    assert.ok(Math.abs(objection.gain - 0.1) < 1e-12);
    assert.deepEqual({ value: objection.value, spend: objection.spend }, { value: 1.1, spend: 1 });
    const again = await replyOf(setting, Float64Array.of(1, 1), 0, objection.deviation);
    assert.deepEqual(again, { value: 1.1, spend: 1 });
    assert.equal(
      (await verifyProfile(setting, Float64Array.of(1, 1), { maxRegret: 0.11 })).value.verdict,
      'accepted',
    );
  });

  it('counts a tie as won in first price: a reply may cost all of its value', async () => {
    const { market, uniform } = poaInstance(0.5);
    const setting = {
      market: { ...market, values: Float64Array.of(1, 1, 1) },
      buckets: uniform,
      rules: { format: 'fpa' as const },
    };
    const { value } = await verifyProfile(setting, Float64Array.of(0.5, 1));
    // A wins the first auction at half its value; at 1, both at all of it. B has no reply.
    const [objection] = value.objections;
    assert.ok(objection.kind === 'deviation' && objection.advertiser === 0 && value.objections.length === 1);
    assert.equal(objection.value, 2);
    assert.ok(objection.spend > 2 && objection.spend <= 2 * (1 + 2e-9));
  });

  it('accepts multipliers 1 in first price with one bucket, and refutes one that is 5 % off', async () => {
    for (let seed = 0; seed < 5; seed++) {
      const setting = randomSetting(seed, { format: 'fpa', buckets: 1 });
      const ones = new Float64Array(4).fill(1);
      const { value } = await verifyProfile(setting, ones);
      assert.equal(value.verdict, 'accepted');
      assert.ok(Math.abs(value.outcome.profit / value.outcome.optimum - 1) < 1e-12);
      const claims = { profit: value.outcome.profit, value: value.outcome.totals.value, maxRegret: 1e-6 };
      assert.equal((await verifyProfile(setting, ones, { claims })).value.verdict, 'accepted');
      for (const factor of [0.95, 1.05]) {
        const tampered = (await verifyProfile(setting, ones.with(2, factor), { claims })).value;
        assert.equal(tampered.verdict, 'rejected');
        const kinds = tampered.objections.map(({ kind }) => kind);
        assert.ok(kinds.includes('claim'));
        // Above 1 the target is missed; below, some advertiser can gain or nobody cares, but the profit is another one.
        if (factor > 1) assert.ok(kinds.includes('target'));
      }
    }
  });

  it('refutes a regret stated too small and welfare that is not there', async () => {
    const setting = randomSetting(3, { format: 'gsp' });
    const profile = randomProfile(setting, 3);
    const found = (await verifyProfile(setting, profile, { maxRegret: 1e9, maxOverspend: 1e9 })).value;
    assert.equal(found.verdict, 'accepted');
    const { maxRegret } = found.gap;
    assert.ok(maxRegret > 0.01);
    const loose = { maxRegret: 1e9, maxOverspend: 1e9 };
    const claimed = async (claims: object) =>
      (await verifyProfile(setting, profile, { ...loose, claims })).value;
    assert.equal((await claimed({ maxRegret: 1.001 * maxRegret })).verdict, 'accepted');
    const small = await claimed({ maxRegret: 0.9 * maxRegret });
    assert.equal(small.verdict, 'rejected');
    assert.match(small.objections[0].message, /^maxRegret is stated as .*; the verifier finds/);
    assert.equal((await claimed({ welfare: found.outcome.welfare * (1 + 1e-6) })).verdict, 'rejected');
    assert.equal((await claimed({ spend: found.outcome.totals.spend.slice(1) })).verdict, 'rejected');
  });

  it('bounds whatever any reply reaches, and reaches its own best, for all rules and bidders', async () => {
    for (const [v, variant] of variants.entries()) {
      for (const format of AUCTION_FORMATS) {
        const setting = randomSetting(10 + v, { format, ...variant });
        const profile = 'tied' in variant ? tiedProfile(setting, v) : randomProfile(setting, v);
        const { count } = setting.buckets;
        const { value } = await verifyProfile(setting, profile);
        const rng = createRng(v).fork(format);
        for (const [i, regret] of value.gap.advertisers.entries()) {
          const bidder = setting.bidders?.[i] ?? { kind: 'value' };
          if (bidder.kind !== 'value' && bidder.kind !== 'utility') {
            assert.equal(regret.regretBound, 0);
            continue;
          }
          const { budget = Infinity } = bidder;
          const reach = async (row: Float64Array, slack: number) => {
            const { value: got, spend } = await replyOf(setting, profile, i, row);
            const allowed =
              spend <= budget * (1 + slack) && (bidder.kind === 'utility' || spend <= got * (1 + slack));
            return allowed ? (bidder.kind === 'utility' ? got - spend : got) : 0;
          };
          const label = `${format} ${JSON.stringify(variant)} advertiser ${i}`;
          // What is shown in first price bids 1e-9 above the infimum, and pays for it.
          assert.ok(
            regret.bestBound <= regret.best + 1e-9 * (1 + 4 * regret.value),
            `${label}: search was not exact`,
          );
          if (regret.regret > 0) {
            const reached = await reach(regret.deviation, 1e-8);
            assert.ok(Math.abs(reached - regret.best) <= 1e-12 * regret.best, `${label}: ${reached}`);
          }
          for (let trial = 0; trial < 40; trial++) {
            // Powers of two tie with rivals, where values do.
            const step = trial % 2 === 0 ? rng.integer(5) / 4 : rng.next();
            const row = Float64Array.from({ length: count }, () => 4 ** (2 * step - 1));
            const reached = await reach(row, 0);
            assert.ok(
              reached <= regret.bestBound * (1 + 1e-12) + 1e-12,
              `${label}: ${reached} > ${regret.bestBound}`,
            );
          }
        }
      }
    }
  });

  it('takes expectations of mixed profiles exactly, and bounds replies to them', async () => {
    for (const format of AUCTION_FORMATS) {
      for (const variant of [{}, { rich: true }, { shared: true }, { tied: true }]) {
        const setting = randomSetting(5, { format, advertisers: 3, auctions: 12, ...variant });
        const { count } = setting.buckets;
        const rowsOf = 'tied' in variant ? tiedProfile : randomProfile;
        const mixed: MixedProfile = [0, 1, 2].map((i) => ({
          weights: Float64Array.of(0.5, 0.3, 0.2),
          multipliers: Float64Array.from(
            [0, 1, 2].flatMap((r) => [...rowsOf(setting, 10 * i + r).slice(i * count, (i + 1) * count)]),
          ),
        }));
        const { value } = await verifyProfile(setting, mixed);
        const expected = async (strategies: MixedProfile) => {
          const totals = {
            value: new Float64Array(3),
            spend: new Float64Array(3),
            wins: new Float64Array(3),
          };
          const rows = strategies.map(({ weights }) => weights.length);
          for (let at = 0; at < rows[0] * rows[1] * rows[2]; at++) {
            const picked = [
              at % rows[0],
              Math.floor(at / rows[0]) % rows[1],
              Math.floor(at / rows[0] / rows[1]),
            ];
            const chance = picked.reduce((product, row, i) => product * strategies[i].weights[row], 1);
            const rowOf = (i: number) =>
              strategies[i].multipliers.subarray(picked[i] * count, (picked[i] + 1) * count);
            const run = await runMarket(setting, bidsOfRows('test', setting, rowOf));
            for (const key of ['value', 'spend', 'wins'] as const) {
              run[key].forEach((x, i) => {
                totals[key][i] += chance * x;
              });
            }
          }
          return totals;
        };
        const oracle = await expected(mixed);
        for (const key of ['value', 'spend', 'wins'] as const) {
          oracle[key].forEach((x, i) => {
            assert.ok(Math.abs(value.outcome.totals[key][i] - x) <= 1e-12 * (1 + x), `${format} ${key} ${i}`);
          });
        }
        const rng = createRng(1).fork(format);
        for (const [i, regret] of value.gap.advertisers.entries()) {
          const replyWith = async (row: Float64Array) => {
            const replied = mixed.map((mix, q) =>
              q === i ? { weights: Float64Array.of(1), multipliers: row } : mix,
            );
            const { value: got, spend } = await expected(replied);
            return { value: got[i], spend: spend[i] };
          };
          if (regret.regret > 0) {
            const reply = await replyWith(regret.deviation);
            assert.ok(Math.abs(reply.value - regret.best) <= 1e-12 * regret.best);
            assert.ok(reply.spend <= reply.value * (1 + 1e-8));
          }
          for (let trial = 0; trial < 10; trial++) {
            const reply = await replyWith(
              Float64Array.from({ length: count }, () => 4 ** (2 * rng.next() - 1)),
            );
            if (reply.spend <= reply.value) assert.ok(reply.value <= regret.bestBound * (1 + 1e-12));
          }
        }
      }
    }
  });

  it('names what it cannot use', async () => {
    const setting = randomSetting(1, { format: 'gsp' });
    const profile = randomProfile(setting, 1);
    await assert.rejects(verifyProfile(setting, profile.with(3, Number.NaN)), {
      code: 'INVALID_ARGUMENT',
      message: /multiplier of advertiser 1 in bucket 1 is NaN; expected/,
    });
    await assert.rejects(verifyProfile(setting, profile.slice(1)), { code: 'SHAPE' });
    const above = (await verifyProfile(setting, profile.with(3, 5), { maxRegret: 1e9, maxOverspend: 1e9 }))
      .value;
    assert.equal(above.objections[0].kind, 'cap');
    await assert.rejects(verifyProfile(setting, profile, { maxRegret: -1 }), /maxRegret is -1/);
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await assert.rejects(verifyProfile(setting, profile, { signal: controller.signal }), /enough/);
  });
});
