import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMarket } from './create-market.ts';
import { optimalWelfare } from './optimal-welfare.ts';

const rows = { auction: [1, 0, 1, 0, 2], advertiser: [2, 1, 0, 0, 1], value: [5, 4, 3, 2, 0] };

describe('createMarket', () => {
  it('sorts rows by auction and advertiser and drops those without value', () => {
    const market = createMarket(rows, { discounts: [1, 0.5] });
    assert.equal(market.auctions, 3);
    assert.equal(market.advertisers, 3);
    assert.deepEqual([...market.offsets], [0, 2, 4, 4]);
    assert.deepEqual([...market.advertiserOf], [0, 1, 0, 2]);
    assert.deepEqual([...market.values], [2, 4, 3, 5]);
    assert.deepEqual([...market.rowOf], [3, 1, 2, 0]);
    assert.equal(market.dropped, 1);
  });

  it('gives the same market of several tables, and of typed arrays', () => {
    const part = (start: number, end: number) => ({
      auction: Uint32Array.from(rows.auction.slice(start, end)),
      advertiser: Uint32Array.from(rows.advertiser.slice(start, end)),
      value: Float64Array.from(rows.value.slice(start, end)),
    });
    const options = { discounts: [1, 0.5] };
    assert.deepEqual(createMarket([part(0, 2), part(2, 5)], options), createMarket(rows, options));
  });

  it('divides values by their advertisers’ targets', () => {
    const market = createMarket(rows, { discounts: [1], targets: [1, 2, 4], names: ['a', 'b', 'c'] });
    assert.deepEqual([...market.values], [2, 2, 3, 1.25]);
    assert.deepEqual(market.names, ['a', 'b', 'c']);
  });

  it('keeps the rows of one advertiser in one auction apart, where that is allowed', () => {
    const twice = { auction: [0, 0, 0], advertiser: [1, 0, 1], value: [1, 2, 3] };
    assert.throws(
      () => createMarket(twice, { discounts: [1] }),
      /rows 0 and 2 are both of advertiser 1 in auction 0/,
    );
    const market = createMarket(twice, { discounts: [1], multiEntry: true });
    assert.deepEqual([...market.advertiserOf], [0, 1, 1]);
    assert.deepEqual([...market.values], [2, 1, 3]);
  });

  it('sorts large auctions as small ones', () => {
    const count = 1000;
    const advertiser = Array.from({ length: count }, (_, i) => (i * 7) % count);
    const market = createMarket(
      { auction: new Uint8Array(count), advertiser, value: advertiser.map((i) => i + 1) },
      { discounts: [1] },
    );
    assert.deepEqual(
      [...market.values],
      Array.from({ length: count }, (_, i) => i + 1),
    );
    assert.ok(market.rowOf.every((row, e) => advertiser[row] === e));
  });

  it('names the discount that is wrong', () => {
    const faults: [number[], RegExp][] = [
      [[1, 0.5, 0.6], /discounts\[2\] is 0\.6; expected a number in \[0, 0\.5\]/],
      [[1.5], /discounts\[0\] is 1\.5/],
      [[1, -0.1], /discounts\[1\] is -0\.1/],
      [[1, NaN], /discounts\[1\] is NaN/],
      [[], /discounts are empty/],
    ];
    for (const [discounts, message] of faults) {
      assert.throws(() => createMarket(rows, { discounts }), { code: 'INVALID_ARGUMENT', message });
    }
  });

  it('names the row, target or number that is wrong', () => {
    const withValue = (value: number) => ({ ...rows, value: rows.value.with(2, value) });
    for (const value of [-1, NaN, Infinity, 1e30, 1e-30]) {
      assert.throws(() => createMarket(withValue(value), { discounts: [1] }), {
        code: 'INVALID_ARGUMENT',
        message: new RegExp(`value of row 2 is ${String(value).replace('+', '\\+')}`),
      });
    }
    for (const target of [0, -1, NaN, Infinity]) {
      assert.throws(() => createMarket(rows, { discounts: [1], targets: [1, target, 1] }), {
        message: /targets\[1\] is/,
      });
    }
    assert.throws(() => createMarket({ ...rows, auction: [1, 0, 1.5, 0, 2] }, { discounts: [1] }), {
      message: /auction of row 2 is 1\.5/,
    });
    assert.throws(() => createMarket(rows, { discounts: [1], advertisers: 2 }), {
      message: /advertiser of row 0 is 2/,
    });
    assert.throws(() => createMarket({ ...rows, value: [1] }, { discounts: [1] }), { code: 'SHAPE' });
    assert.throws(() => createMarket(rows, { discounts: [1], names: ['a'], advertisers: 3 }), {
      code: 'SHAPE',
    });
  });

  it('makes empty markets', () => {
    const market = createMarket({ auction: [], advertiser: [], value: [] }, { discounts: [1] });
    assert.deepEqual([market.auctions, market.advertisers, market.dropped], [0, 0, 0]);
    assert.equal(optimalWelfare(market), 0);
  });
});

describe('optimalWelfare', () => {
  it('gives the best slots to the largest values', () => {
    // 4 + 2/2 and 5 + 3/2.
    assert.equal(optimalWelfare(createMarket(rows, { discounts: [1, 0.5] })), 11.5);
    assert.equal(optimalWelfare(createMarket(rows, { discounts: [1, 0.5, 0.25, 0] })), 11.5);
  });
});
