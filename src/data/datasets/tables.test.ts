import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { defaultCacheFolder } from './cache-folder.ts';
import { parseCsvColumns } from './csv-columns.ts';
import { loadBreastCancer, loadFair, loadRandHie } from './fetched-tables.ts';
import { loadBoston, loadCpsWages } from './npm-tables.ts';
import { type ResponseTable, standardizer, takeTableRows, trainTestSplit } from './response-table.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'provably-tables-'));
});
after(() => rm(folder, { recursive: true }));

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

function requireSound({ features, columns, response }: ResponseTable, rows: number, cols: number): void {
  assert.deepEqual([features.rows, features.cols, columns.length], [rows, cols, cols]);
  assert.equal(features.data.length, rows * cols);
  assert.equal(new Set(columns).size, cols);
  assert.equal(response.length, rows);
  assert.ok(features.data.every(Number.isFinite) && response.every(Number.isFinite));
}

const column = ({ features, columns }: ResponseTable, name: string) =>
  Float64Array.from(
    { length: features.rows },
    (_, i) => features.data[i * features.cols + columns.indexOf(name)],
  );

describe('loadBoston', () => {
  it('leaves out the racially derived column, and says so', async () => {
    const table = await loadBoston();
    requireSound(table, 506, 12);
    assert.ok(!table.columns.includes('b'));
    assert.deepEqual(
      table.dropped.map((one) => one.column),
      ['b'],
    );
    // Mean and one column's mean as published with the set.
    assert.ok(Math.abs(mean(table.response) - 22.532806) < 1e-6);
    assert.ok(Math.abs(mean(column(table, 'lstat')) - 12.653063) < 1e-6);
  });

  it('keeps it when asked, with the other columns as they were', async () => {
    const [table, kept] = await Promise.all([loadBoston(), loadBoston({ racial: 'keep' })]);
    requireSound(kept, 506, 13);
    assert.deepEqual(kept.dropped, []);
    for (const name of table.columns) assert.deepEqual(column(kept, name), column(table, name));
    assert.equal(column(kept, 'b')[0], 396.9);
  });
});

describe('loadCpsWages', () => {
  it('takes the logarithm of dollars and gives text columns one column a level but the base', async () => {
    const table = await loadCpsWages();
    requireSound(table, 534, 13);
    assert.ok(Math.abs(mean(table.response.map(Math.exp)) - 9.0240637) < 1e-6);
    assert.equal(
      column(table, 'gender=female').reduce((sum, value) => sum + value),
      245,
    );
    assert.deepEqual(
      table.dropped.map((one) => one.column),
      ['age', 'race'],
    );
    const kept = await loadCpsWages({ racial: 'keep' });
    requireSound(kept, 534, 15);
    assert.ok(kept.columns.includes('race=hispanic'));
  });
});

describe('tables that a script fetches', () => {
  const cached = join(defaultCacheFolder(), 'datasets');
  const skip = ['randhie', 'fair', 'breast_cancer'].every((name) => existsSync(join(cached, `${name}.csv`)))
    ? false
    : 'not fetched: node scripts/fetch-tables.mjs';

  it('hold what their sources say', { skip }, async () => {
    const logs = await loadRandHie();
    requireSound(logs, 20_190, 9);
    const visits = await loadRandHie({ response: 'visits' });
    assert.deepEqual([visits.kind, logs.kind], ['count', 'regression']);
    assert.ok(visits.response.every((value) => Number.isInteger(value) && value >= 0));
    assert.deepEqual(logs.response, visits.response.map(Math.log1p));

    const fair = await loadFair();
    requireSound(fair, 6366, 8);
    assert.equal(
      fair.response.reduce((sum, value) => sum + value),
      2053,
    );

    const cancer = await loadBreastCancer();
    requireSound(cancer, 569, 30);
    assert.equal(
      cancer.response.reduce((sum, value) => sum + value),
      212,
    );
    assert.equal(column(cancer, 'mean radius')[0], 17.99);
  });

  it('are named with the command that fetches them when missing', async () => {
    for (const [load, file] of [
      [loadRandHie, 'randhie.csv'],
      [loadFair, 'fair.csv'],
      [loadBreastCancer, 'breast_cancer.csv'],
    ] as const) {
      await assert.rejects(load({ folder }), {
        code: 'MISSING_DEPENDENCY',
        message: new RegExp(`no ${file}.*Run: node scripts/fetch-tables.mjs`),
      });
    }
  });

  it('are refused when damaged, with the place', async () => {
    const header =
      '"rate_marriage","age","yrs_married","children","religious","educ","occupation","occupation_husb","affairs"\n';
    await writeFile(join(folder, 'fair.csv'), `${header}3,32,9,3,3,17,2,5,0.1\n3,27,13,3,1,14,3,4,0\n`);
    const small = await loadFair({ folder });
    requireSound(small, 2, 8);
    assert.deepEqual(small.response, Float64Array.of(1, 0));
    for (const [rows, message] of [
      ['', /there are no rows/],
      ['3,32,9,3,3,17,2,5\n', /row 0 has 8 fields; expected 9/],
      ['3,32,9,3,3,17,2,5,0\n3,32,9,x,3,17,2,5,0.1\n', /"children" is "x" in row 1/],
      ['3,32,9,,3,17,2,5,0.1\n', /"children" is "" in row 0/],
    ] as const) {
      await writeFile(join(folder, 'fair.csv'), header + rows);
      await assert.rejects(loadFair({ folder }), { code: 'DATA', message });
    }
    await writeFile(join(folder, 'fair.csv'), 'age\n3\n');
    await assert.rejects(loadFair({ folder }), { code: 'DATA', message: /no column "rate_marriage"/ });
  });
});

describe('CsvColumns', () => {
  it('tells a level from a text that is none', () => {
    const csv = parseCsvColumns('test', 'sex\nmale\nfemale\n');
    assert.deepEqual(csv.indicator('sex', 'female', ['male']), Float64Array.of(0, 1));
    assert.throws(() => csv.indicator('sex', 'female', []), { code: 'DATA', message: /"male" in row 0/ });
  });
});

describe('trainTestSplit', () => {
  it('deals every row to one part, by the seed', async () => {
    const table = await loadBoston();
    const { train, test } = trainTestSplit(table, { seed: 3 });
    requireSound(train, 379, 12);
    requireSound(test, 127, 12);
    const rowsOf = ({ features, response }: ResponseTable) =>
      Array.from(response, (value, i) => [
        value,
        ...features.data.subarray(i * features.cols, (i + 1) * features.cols),
      ]).map(String);
    assert.deepEqual([...rowsOf(train), ...rowsOf(test)].sort(), rowsOf(table).sort());
    assert.deepEqual(trainTestSplit(table, { seed: 3 }), { train, test });
    assert.notDeepEqual(trainTestSplit(table, { seed: 4 }).test.response, test.response);
  });

  it('leaves a row for each part, and refuses what cannot be split', async () => {
    const table = takeTableRows(await loadBoston(), [5, 7]);
    const { train, test } = trainTestSplit(table, { testShare: 0.99 });
    assert.deepEqual([train.features.rows, test.features.rows], [1, 1]);
    assert.throws(() => trainTestSplit(train), { code: 'INVALID_ARGUMENT', message: /has 1 rows/ });
    assert.throws(() => trainTestSplit(table, { testShare: 1 }), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => takeTableRows(table, [2]), { message: /ids\[0\] is 2/ });
  });
});

describe('standardizer', () => {
  it('gives mean 0 and spread 1, and the same map to other rows', () => {
    const rng = createRng(1);
    // A mean 10⁸ times the spread leaves 8 digits of it.
    const data = Float64Array.from({ length: 300 }, (_, i) =>
      i % 3 === 2 ? 7 : 1e8 * (i % 3) + rng.normal(),
    );
    const learned = standardizer({ data, rows: 100, cols: 3 });
    const scaled = learned.apply({ data, rows: 100, cols: 3 });
    for (const j of [0, 1]) {
      const values = Float64Array.from({ length: 100 }, (_, i) => scaled.data[i * 3 + j]);
      assert.ok(Math.abs(mean(values)) < 1e-6);
      assert.ok(Math.abs(mean(values.map((value) => value * value)) - 1) < 1e-6);
    }
    assert.equal(learned.scales[2], 1, 'a constant column is only moved');
    const other = learned.apply({ data: data.slice(0, 3), rows: 1, cols: 3 });
    assert.deepEqual(other.data, scaled.data.slice(0, 3));
    assert.throws(() => learned.apply({ data, rows: 150, cols: 2 }), {
      code: 'SHAPE',
      message: /length 3; expected 2/,
    });
    assert.throws(() => standardizer({ data: new Float64Array(0), rows: 0, cols: 3 }), {
      message: /has no row/,
    });
  });
});
