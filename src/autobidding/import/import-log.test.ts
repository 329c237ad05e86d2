import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createRng, shuffle } from '../../core/rng.ts';
import { openTable, writeTable } from '../../data/index.ts';
import { temporaryDirectory } from '../../data/temporary.ts';
import { provablyGenerator } from '../generators/provably-generator.ts';
import { labelBuckets, topicBuckets } from '../market/buckets.ts';
import { type ImportLogOptions, importLog } from './import-log.ts';
import { LOG_COLUMN_NAMES, type LogColumns } from './log-columns.ts';

/** Two auctions, three advertisers, two slots. */
const small = {
  auction: ['q1', 'q1', 'q2', 'q2', 'q2'],
  advertiser: ['b', 'a', 'a', 'c', 'b'],
  value: [3, 2, 1, 4, 0.5],
  positionWeight: [2, 1, 1, 2, 0],
} satisfies LogColumns;

describe('importLog', () => {
  it('groups rows by auction, numbers advertisers by id, reads discounts off the weights', () => {
    const { market, auctionIds, report, recorded } = importLog(small);
    assert.deepEqual(auctionIds, ['q1', 'q2']);
    assert.deepEqual(market.names, ['a', 'b', 'c']);
    assert.deepEqual([...market.offsets], [0, 2, 5]);
    assert.deepEqual([...market.advertiserOf], [0, 1, 0, 1, 2]);
    assert.deepEqual([...market.values], [2, 3, 1, 0.5, 4]);
    assert.deepEqual([...market.rowOf], [1, 0, 2, 4, 3]);
    assert.deepEqual([...market.discounts], [1, 0.5]);
    assert.deepEqual([...(recorded.weights ?? [])], [1, 2, 1, 0, 2]);
    assert.deepEqual(report, { rows: 5, entries: 5, auctions: 2, advertisers: 3, dropped: [] });
  });

  it('does not hang on the order of the rows, but for the order of the auctions', () => {
    const order = shuffle([0, 1, 2, 3, 4], createRng(3));
    const pick = <T>(column: readonly T[]) => order.map((row) => column[row]);
    const shuffled = importLog({
      auction: pick(small.auction),
      advertiser: pick(small.advertiser),
      value: pick(small.value),
      positionWeight: pick(small.positionWeight),
    });
    assert.deepEqual(entriesById(shuffled), entriesById(importLog(small)));
    assert.deepEqual(shuffled.market.names, ['a', 'b', 'c']);
  });

  it('orders numbers as numbers, also those that are text', () => {
    const { market } = importLog(
      { auction: [1, 1, 1], advertiser: ['10', '9', 'x'], value: [1, 2, 3] },
      { discounts: [1] },
    );
    assert.deepEqual(market.names, ['9', '10', 'x']);
    assert.deepEqual([...market.values], [2, 1, 3]);
  });

  it('divides by the targets and hands over labels, owners, bids and prices', () => {
    const { market, bucketLabels, owners, recorded } = importLog({
      ...small,
      target: [2, 4, 4, '1', 2],
      bucket: ['x', 'x', 'y', 'y', 'y'],
      owner: ['o', 'o', null, '', 'o'],
      bid: ['3', 2, null, 4, 1],
      price: new Float64Array([2, 1, 0.5, 1, 0]),
    });
    assert.deepEqual([...(market.targets ?? [])], [4, 2, 1]);
    assert.deepEqual([...market.values], [0.5, 1.5, 0.25, 0.25, 4]);
    assert.deepEqual(bucketLabels, ['x', 'x', 'y', 'y', 'y']);
    assert.ok(owners && owners[0] === owners[1] && owners[2] !== owners[0]);
    assert.deepEqual([...(recorded.bids ?? [])], [2, 3, Number.NaN, 1, 4]);
    assert.deepEqual([...(recorded.prices ?? [])], [1, 2, 0.5, 0, 1]);
  });

  it('leaves out rows of value 0 and counts them, with their advertisers and auctions kept', () => {
    const { market, report } = importLog(
      { auction: [1, 1, 2], advertiser: ['a', 'b', 'c'], value: [1, 0, '0'] },
      { discounts: [1] },
    );
    assert.deepEqual([...market.offsets], [0, 1, 1]);
    assert.equal(market.advertisers, 3);
    assert.deepEqual(report.dropped, [
      {
        reason: 'value 0: no participant',
        count: 2,
        examples: [
          { row: 1, found: '0' },
          { row: 2, found: '"0"' },
        ],
      },
    ]);
  });

  const bad: [unknown, RegExp, string][] = [
    [-1, /row 2 has value -1; expected a finite number ≥ 0/, 'negative value'],
    [Number.NaN, /row 2 has value NaN/, 'value that is no number'],
    ['12,5', /row 2 has value "12,5"/, 'value that is no number'],
    [Infinity, /row 2 has value Infinity/, 'infinite value'],
    [null, /row 2 has value empty/, 'no value'],
    ['', /row 2 has value empty/, 'no value'],
    [1e30, /row 2 has value 1e\+30; expected a number between/, 'value beyond e^±50'],
    [1e-30, /row 2 has value 1e-30/, 'value beyond e^±50'],
  ];
  for (const [value, message, reason] of bad) {
    it(`refuses the value ${JSON.stringify(value)} (${reason}), or leaves its row out`, () => {
      const columns = {
        auction: [1, 1, 1, 2],
        advertiser: [1, 2, 3, 1],
        value: [1, 2, value as number, 5],
      };
      assert.throws(() => importLog(columns, { discounts: [1] }), { code: 'DATA', message });
      const { market, report } = importLog(columns, { discounts: [1], onInvalid: 'drop' });
      assert.deepEqual([...market.values], [1, 2, 5]);
      assert.deepEqual(
        report.dropped.map((drop) => [drop.reason, drop.count, drop.examples[0].row]),
        [[reason, 1, 2]],
      );
    });
  }

  it('keeps the first examples of each reason', () => {
    const { report } = importLog(
      { auction: [1, null, 2, 3, 4, 5], advertiser: [1, 1, null, 1, 1, 1], value: [1, 1, 1, -1, -2, -3] },
      { discounts: [1], onInvalid: 'drop' },
    );
    assert.deepEqual(
      report.dropped.map(({ reason, count }) => [reason, count]),
      [
        ['no auction_id', 1],
        ['no advertiser_id', 1],
        ['negative value', 3],
      ],
    );
    assert.equal(report.entries, 1);
  });

  it('hands over what advertisers are after and may spend, empty cells as nothing said', () => {
    const budget = ['', 7, '', null, 5];
    const bidderKind = ['utility', '', 'value', '', 'utility'];
    assert.deepEqual(importLog({ ...small, budget, bidderKind }).bidders, [
      { kind: 'value', budget: 7 },
      { kind: 'utility', budget: 5 },
      { kind: 'value' },
    ]);
    assert.equal(importLog(small).bidders, undefined);
  });

  const refused: [string, Partial<LogColumns>, ImportLogOptions, RegExp][] = [
    ['columns of different lengths', { value: [1] }, {}, /column value has 1 rows; expected 5/],
    ['an empty auction id', { auction: ['q1', '', 'q2', 'q2', 'q2'] }, {}, /row 1 has auction_id empty/],
    ['a target of 0', { target: [1, 0, 1, 1, 1] }, {}, /target of row 1 \(advertiser "a"\) is 0/],
    ['a target that is no number', { target: [1, 'x', 1, 1, 1] }, {}, /target of row 1 .* is "x"/],
    [
      'targets that differ',
      { target: [1, 1, 2, 1, 1] },
      {},
      /target of row 2 is 2; expected 1, as in .* "?a/,
    ],
    [
      'a negative budget',
      { budget: [1, -1, 1, 1, 1] },
      {},
      /budget of row 1 .* is -1; expected .* ≥ 0 or nothing/,
    ],
    ['two budgets', { budget: [1, 1, 2, 1, 1] }, {}, /budget of row 2 is 2; expected 1, as in other rows/],
    [
      'an unknown kind of bidder',
      { bidderKind: ['roas', '', '', '', ''] },
      {},
      /bidder_kind of row 0 is "roas"/,
    ],
    ['an advertiser without target', { target: [1, 1, 1, null, 1] }, {}, /advertiser "c" has no target/],
    ['owners that differ', { owner: ['o', 'o', 'p', 'o', 'o'] }, {}, /owner of row 2 is "p"; expected "o"/],
    ['a negative bid', { bid: [1, 1, -1, 1, 1] }, {}, /bid of row 2 is -1/],
    ['a price that is no number', { price: [1, 1, 'free', 1, 1] }, {}, /price of row 2 is "free"/],
    ['a row without segment', { bucket: ['x', 'x', '', 'x', 'x'] }, {}, /bucket of row 2 is empty/],
    [
      'two rows of one advertiser',
      { advertiser: ['b', 'a', 'a', 'a', 'b'] },
      {},
      /rows 2 and 3 are both advertiser "a" in auction "q2".*multiEntry/,
    ],
    [
      'two rows of one entry',
      { advertiser: ['b', 'a', 'a', 'a', 'b'], entry: [1, 1, 1, 1, 2] },
      {},
      /rows 2 and 3 are both entry 1 of advertiser "a"/,
    ],
    ['an empty entry', { entry: [1, 1, null, 1, 2] }, {}, /entry of row 2 is empty/],
    ['neither discounts nor weights', { positionWeight: undefined }, {}, /neither discounts nor/],
    ['rising discounts', {}, { discounts: [0.5, 1] }, /discounts\[1\] is 1/],
    ['discounts above 1', {}, { discounts: [2] }, /discounts\[0\] is 2/],
    ['no discounts', {}, { discounts: [] }, /discounts are empty/],
    ['discounts that are no numbers', {}, { discounts: [1, Number.NaN] }, /discounts\[1\] is NaN/],
    [
      'weights of losers only',
      { positionWeight: [0, 0, 0, null, ''] },
      {},
      /position_weight is 0 or empty everywhere/,
    ],
    ['a negative weight', { positionWeight: [2, 1, -1, 2, 0] }, {}, /position_weight of row 2 is -1/],
    [
      'a slot given away before a better one',
      { positionWeight: [2, 1, 1, 0, 0] },
      {},
      /auction "q2" gave away a slot of position_weight 1 and 0 of weight 2; expected 1/,
    ],
  ];
  for (const [what, columns, options, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => importLog({ ...small, ...columns }, options), message);
    });
  }

  it('refuses weights that are no slots', () => {
    const rows = 100;
    const each = (of: (row: number) => number) => Float64Array.from({ length: rows }, (_, row) => of(row));
    assert.throws(
      () =>
        importLog({
          auction: each((row) => row),
          advertiser: each(() => 1),
          value: each(() => 1),
          positionWeight: each((row) => 1 / (row + 1)),
        }),
      /more than 64 different values, at row 64 \(auction 64\)/,
    );
  });

  it('takes equal weights of one auction for as many slots', () => {
    const { market } = importLog({
      auction: [1, 1, 1, 2],
      advertiser: [1, 2, 3, 1],
      value: [1, 1, 1, 1],
      // Computed in another way, and so a little off.
      positionWeight: [0.3, 0.1 + 0.2, 0.15, 0.3],
    });
    assert.deepEqual(
      [...market.discounts].map((discount) => Number(discount.toFixed(12))),
      [1, 1, 0.5],
    );
  });

  it('lets an advertiser have several entries where there is an entry column, or when told so', () => {
    const columns = { auction: [1, 1, 1], advertiser: ['a', 'a', 'b'], value: [1, 2, 3] };
    for (const [entry, options] of [
      [['x', 'y', 'x'], {}],
      [undefined, { multiEntry: true }],
    ] as const) {
      const { market } = importLog({ ...columns, entry }, { discounts: [1], ...options });
      assert.deepEqual([...market.advertiserOf], [0, 0, 1]);
    }
  });

  it('brings a market through CSV and Parquet unchanged', async () => {
    const generated = provablyGenerator({ auctions: 500, targetSpread: 0.3, seed: 4 });
    const { market } = generated;
    const { targets } = market;
    assert.ok(targets);
    const buckets = topicBuckets(generated, 8);
    const auction = new Uint32Array(market.values.length);
    for (let j = 0; j < market.auctions; j++) auction.fill(j, market.offsets[j], market.offsets[j + 1]);
    const columns = {
      auction_id: auction,
      advertiser_id: market.advertiserOf,
      // Powers of two: what is multiplied here is divided there without rounding.
      value: market.values.map((v, e) => v * powerOfTwo(targets[market.advertiserOf[e]])),
      target: Float64Array.from(market.advertiserOf, (i) => powerOfTwo(targets[i])),
      bucket: Array.from(buckets.ofEntry, (bucket) => `segment ${bucket}`),
    };
    await using directory = await temporaryDirectory();
    for (const extension of ['csv', 'parquet']) {
      const path = join(directory.path, `log.${extension}`);
      await writeTable(path, columns);
      await using table = await openTable(path);
      const read = async (role: keyof LogColumns) => table.readColumn(LOG_COLUMN_NAMES[role]);
      const imported = importLog(
        {
          auction: await read('auction'),
          advertiser: await read('advertiser'),
          value: await read('value'),
          target: await read('target'),
          bucket: await read('bucket'),
        },
        { discounts: market.discounts },
      );
      assert.deepEqual(imported.market.offsets, market.offsets);
      assert.deepEqual(imported.market.advertiserOf, market.advertiserOf);
      assert.deepEqual(imported.market.values, market.values);
      assert.deepEqual(imported.market.discounts, market.discounts);
      assert.deepEqual(imported.market.targets, targets.map(powerOfTwo));
      assert.deepEqual(labelBuckets(imported.market, imported.bucketLabels ?? []).buckets, buckets);
    }
  });
});

function powerOfTwo(x: number): number {
  return 2 ** Math.round(Math.log2(x));
}

function entriesById({ market, auctionIds }: ReturnType<typeof importLog>): string[] {
  return auctionIds
    .flatMap((id, j) =>
      Array.from(market.values.subarray(market.offsets[j], market.offsets[j + 1]), (value, at) =>
        [id, market.names?.[market.advertiserOf[market.offsets[j] + at]], value].join(' '),
      ),
    )
    .sort();
}
