import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import highsModule from 'highs';
import { createRng } from '../../core/rng.ts';
import type { Market } from '../types.ts';
import { verifyProfile } from '../verify/index.ts';
import { firstPricePacing } from './first-price-pacing.ts';

const literal: Market = {
  auctions: 3,
  advertisers: 2,
  offsets: Uint32Array.of(0, 2, 4, 6),
  advertiserOf: Uint32Array.of(0, 1, 0, 1, 0, 1),
  values: Float64Array.of(4, 2, 2, 3, 1, 1.5),
  discounts: Float64Array.of(1),
};

function randomMarket(
  seed: number,
  advertisers: number,
  auctions: number,
): { market: Market; budgets: Float64Array } {
  const rng = createRng(seed);
  const offsets = [0];
  const advertiserOf: number[] = [];
  for (let j = 0; j < auctions; j++) {
    for (let i = 0; i < advertisers; i++) if (rng.next() < 0.6) advertiserOf.push(i);
    offsets.push(advertiserOf.length);
  }
  const market = {
    ...{ auctions, advertisers, discounts: Float64Array.of(0.8, 0) },
    offsets: Uint32Array.from(offsets),
    advertiserOf: Uint32Array.from(advertiserOf),
    values: Float64Array.from(advertiserOf, () => Math.exp(rng.normal())),
  };
  // From far too little to more than enough.
  const budgets = Float64Array.from(
    { length: advertisers },
    (_, i) => ((i + 1) / advertisers ** 2) * auctions * 2 * rng.next() + 1e-3,
  );
  return { market, budgets };
}

/** min Σ p + Σ B y over p ≥ β v, β ≤ 1, y ≥ the tangents of −ln at every β of `cuts`: a lower bound of the programme. */
function tangentProgramme(
  { auctions, advertisers, offsets, advertiserOf, values, discounts }: Market,
  budgets: Float64Array,
  cuts: number[][],
) {
  const lines: string[] = [];
  for (let j = 0; j < auctions; j++) {
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      lines.push(`p${j} - ${discounts[0] * values[e]} b${advertiserOf[e]} >= 0`);
    }
  }
  const range = Array.from({ length: advertisers }, (_, i) => i);
  for (const i of range) for (const b of cuts[i]) lines.push(`y${i} + ${1 / b} b${i} >= ${1 - Math.log(b)}`);
  const prices = Array.from({ length: auctions }, (_, j) => `p${j}`);
  return [
    `Minimize obj: ${[...prices, ...range.map((i) => `${budgets[i]} y${i}`)].join(' + ')}`,
    `Subject To\n${lines.join('\n')}`,
    `Bounds\n${range.map((i) => `0 <= b${i} <= 1\ny${i} free`).join('\n')}\nEnd`,
  ].join('\n');
}

describe('firstPricePacing', () => {
  it('solves the example by hand', async () => {
    const { value, certificate } = await firstPricePacing(literal, Float64Array.of(2, 2.5));
    const near = (found: Float64Array, expected: number[]) =>
      expected.forEach((x, i) => {
        assert.ok(Math.abs(found[i] - x) <= 1e-14 * x, `${found[i]} is not ${x}`);
      });
    near(value.multipliers, [1 / 2, 5 / 9]);
    near(value.prices, [2, 5 / 3, 5 / 6]);
    near(value.spend, [2, 2.5]);
    assert.deepEqual(value.shares, Float64Array.of(1, 0, 0, 1, 0, 1));
    assert.ok(certificate.bound.value < 1e-6);
  });

  it('is an equilibrium of value maximisers with these budgets, by the verifier', async () => {
    const budgets = [2, 2.5];
    const { value } = await firstPricePacing(literal, Float64Array.from(budgets));
    const setting = {
      market: literal,
      buckets: { count: 1, ofEntry: new Uint16Array(6) },
      rules: { format: 'fpa' as const },
      bidders: budgets.map((budget) => ({ kind: 'value' as const, budget })),
    };
    const verified = await verifyProfile(setting, value.multipliers, { maxOverspend: 1e-12 });
    assert.equal(verified.value.verdict, 'accepted');
    const poorer = {
      ...setting,
      bidders: budgets.map((budget) => ({ kind: 'value' as const, budget: 0.9 * budget })),
    };
    const kinds = (await verifyProfile(poorer, value.multipliers)).value.objections.map(({ kind }) => kind);
    assert.deepEqual(kinds, ['budget', 'budget']);
  });

  it('splits a slot where two budgets must share it', async () => {
    const market = {
      ...literal,
      auctions: 1,
      offsets: Uint32Array.of(0, 2),
      advertiserOf: Uint32Array.of(0, 1),
      values: Float64Array.of(4, 2),
    };
    // Price 3 = 4 β₀ = 2 β₁ would need β₁ > 1; so β₁ = 1, price 2, and 1 keeps half of its money.
    const { value } = await firstPricePacing(market, Float64Array.of(1.5, 1));
    assert.deepEqual([...value.multipliers], [0.5, 1]);
    assert.ok(Math.abs(value.shares[0] - 0.75) < 1e-9 && Math.abs(value.spend[1] - 0.5) < 1e-9);
  });

  it('meets the conditions of the equilibrium on random markets', async () => {
    for (let seed = 0; seed < 12; seed++) {
      const { market, budgets } = randomMarket(seed, 2 + seed, 40);
      const { value, certificate } = await firstPricePacing(market, budgets);
      for (const { status, measure, measured } of certificate.assumptions) {
        assert.equal(status, 'checked', `seed ${seed}: ${measure} is ${measured}`);
      }
      assert.ok(value.gap >= 0 && value.gap <= 1e-10 * value.profit, `gap ${value.gap}`);
      assert.ok(value.multipliers.every((beta) => beta > 0 && beta <= 1));
      assert.ok(Math.abs(value.spend.reduce((a, b) => a + b, 0) - value.profit) <= 1e-10 * value.profit);
    }
  });

  it('has the optimum of HiGHS on the programme cut by tangents', async () => {
    // Its types declare the default of an ES module; to Node it is a CommonJS module whose export is the loader itself.
    const highs = await (highsModule as unknown as typeof highsModule.default)();
    for (let seed = 20; seed < 24; seed++) {
      const { market, budgets } = randomMarket(seed, 5, 15);
      const { value } = await firstPricePacing(market, budgets);
      const { multipliers, prices } = value;
      const objective =
        prices.reduce((a, b) => a + b, 0) -
        multipliers.reduce((sum, beta, i) => sum + budgets[i] * Math.log(beta), 0);
      const grid = Array.from({ length: 30 }, (_, t) => 0.8 ** t);
      const cuts = Array.from(multipliers, (beta) => [beta, ...grid]);
      const solution = highs.solve(tangentProgramme(market, budgets, cuts));
      // The tangent at β touches: the two optima are equal only if β is optimal.
      assert.ok(
        Math.abs(solution.ObjectiveValue - objective) <= 1e-6 * Math.abs(objective),
        `${solution.ObjectiveValue} against ${objective}`,
      );
      // Tangents elsewhere leave a gap: the comparison can fail.
      const elsewhere = Array.from(multipliers, (beta) => [Math.min(1, 1.1 * beta), ...grid]);
      const loose = highs.solve(tangentProgramme(market, budgets, elsewhere)).ObjectiveValue;
      assert.ok(loose < objective - 1e-5 * Math.abs(objective), `${loose} against ${objective}`);
    }
  });

  it('keeps multipliers 1 without budgets, and null ones for those who take no part', async () => {
    const market = { ...literal, advertisers: 3 };
    const { value } = await firstPricePacing(market, Float64Array.of(Infinity, 100, 5));
    assert.deepEqual(value.multipliers, Float64Array.of(1, 1, Number.NaN));
    assert.deepEqual(value.prices, Float64Array.of(4, 3, 1.5));
    assert.equal(value.spend[2], 0);
  });

  it('does not depend on the unit of money or the order of advertisers', async () => {
    const { market, budgets } = randomMarket(40, 4, 30);
    const { value } = await firstPricePacing(market, budgets);
    const scaled = await firstPricePacing(
      { ...market, values: market.values.map((v) => 1024 * v) },
      budgets.map((b) => 1024 * b),
    );
    value.multipliers.forEach((beta, i) => {
      assert.ok(Math.abs(scaled.value.multipliers[i] / beta - 1) <= 1e-9);
    });
  });

  it('refuses what it cannot solve', async () => {
    await assert.rejects(firstPricePacing(literal, Float64Array.of(1, 0)), {
      code: 'INVALID_ARGUMENT',
      message: /budgets\[1\] is 0; expected a number > 0/,
    });
    await assert.rejects(
      firstPricePacing({ ...literal, discounts: Float64Array.of(1, 0.5) }, Float64Array.of(1, 1)),
      /expected one slot/,
    );
    await assert.rejects(firstPricePacing(literal, Float64Array.of(1)), { code: 'SHAPE' });
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(firstPricePacing(literal, Float64Array.of(1, 1), { signal }), /enough/);
  });
});
