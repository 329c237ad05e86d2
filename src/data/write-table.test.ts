import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { matrixSource, type RowSource } from '../core/matrix.ts';
import { openTable } from './table.ts';
import { temporaryDirectory } from './temporary.ts';
import { copyRows, writeTable, writeTableBatches } from './write-table.ts';

const EXTENSIONS = [
  'parquet',
  'csv',
  'tsv',
  'jsonl',
  'json',
  'arrow',
  'arrows',
  'feather',
  'csv.gz',
  'jsonl.gz',
];

const rows = 5_000;
const vectors = { data: Float32Array.from({ length: rows * 3 }, (_, i) => i / 7), rows, cols: 3 };
const columns = {
  id: Uint32Array.from({ length: rows }, (_, i) => 2 * i),
  text: Array.from({ length: rows }, (_, i) => (i % 100 ? `${i} "quoted", 'and'\nbroken\tå` : null)),
  loss: Float64Array.from({ length: rows }, (_, i) => i / 3),
  flag: Array.from({ length: rows }, (_, i) => i % 2 === 0),
  vector: vectors,
};

async function vectorsOf(source: RowSource): Promise<number[]> {
  const all: number[] = [];
  for await (const { points } of source.blocks()) all.push(...points.data);
  return all;
}

describe('writeTable and openTable', () => {
  for (const extension of EXTENSIONS) {
    it(`bring everything through .${extension} unchanged`, async () => {
      await using directory = await temporaryDirectory();
      const path = join(directory.path, `t.${extension}`);
      assert.equal(await writeTable(path, columns), rows);
      assert.deepEqual(await readdir(directory.path), [`t.${extension}`]);
      await using table = await openTable(path);
      assert.deepEqual(
        table.columns.map(({ name }) => name),
        Object.keys(columns),
      );
      assert.equal(table.rowCount, rows);
      assert.deepEqual(await table.readNumbers('id'), Float64Array.from(columns.id));
      assert.deepEqual(await table.readNumbers('loss'), columns.loss); // 17 digits where it is text
      assert.deepEqual(await table.readText('text'), columns.text);
      assert.deepEqual(await table.readNumbers('flag'), Float64Array.from(columns.flag, Number));
      assert.deepEqual(await vectorsOf(await table.rowSource('vector')), [...vectors.data]);
    });
  }
});

describe('writeTableBatches', () => {
  it('writes batch after batch, and refuses none and other columns', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'batches.parquet');
    async function* batches() {
      for (const at of [0, 3000]) {
        yield {
          id: Uint32Array.from({ length: 3000 }, (_, i) => at + i),
          name: Array(3000).fill(`from ${at}`),
        };
      }
    }
    assert.equal(await writeTableBatches(path, batches()), 6000);
    await using table = await openTable(path);
    assert.deepEqual(
      [...(await table.readNumbers('id'))],
      Array.from({ length: 6000 }, (_, i) => i),
    );
    assert.equal((await table.readText('name'))[3000], 'from 3000');
    async function* none() {}
    await assert.rejects(writeTableBatches(path, none()), /no batches/);
  });
});

describe('writeTable', () => {
  it('keeps the types of typed arrays', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 't.parquet');
    await writeTable(path, {
      a: Int8Array.of(-1),
      b: Uint8Array.of(200),
      c: Int16Array.of(-300),
      d: Uint16Array.of(60_000),
      e: Int32Array.of(-70_000),
      f: BigInt64Array.of(-(2n ** 60n)),
      g: BigUint64Array.of(2n ** 63n),
      h: Float32Array.of(0.1),
      i: [1, 2.5].slice(1),
    });
    await using table = await openTable(path);
    assert.deepEqual(
      table.columns.map(({ type }) => type),
      ['TINYINT', 'UTINYINT', 'SMALLINT', 'USMALLINT', 'INTEGER', 'BIGINT', 'UBIGINT', 'FLOAT', 'DOUBLE'],
    );
    const values = await Promise.all(table.columns.map(({ name }) => table.readText(name)));
    assert.deepEqual(values.flat(), [
      '-1',
      '200',
      '-300',
      '60000',
      '-70000',
      String(-(2n ** 60n)),
      String(2n ** 63n),
      '0.1',
      '2.5',
    ]);
  });

  it('streams a source as a column beside others', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 't.parquet');
    const { blocks, ...shape } = matrixSource(vectors);
    const source = { ...shape, blocks: () => blocks(1_234) };
    await writeTable(path, { id: columns.id, vector: source });
    await using table = await openTable(path);
    assert.deepEqual(await vectorsOf(await table.rowSource('vector')), [...vectors.data]);
    assert.deepEqual(await table.readNumbers('id'), Float64Array.from(columns.id));
    await assert.rejects(writeTable(path, { a: source, b: source }), {
      code: 'INVALID_ARGUMENT',
      message: /"a" and "b"/,
    });
  });

  it('writes tables of no rows', async () => {
    await using directory = await temporaryDirectory();
    for (const extension of ['parquet', 'csv', 'arrow']) {
      const path = join(directory.path, `t.${extension}`);
      assert.equal(await writeTable(path, { x: new Float64Array(0) }), 0);
      await using table = await openTable(path);
      assert.deepEqual([table.rowCount, table.columns[0].name], [0, 'x']);
    }
  });

  it('leaves the old file and nothing else when it fails or is aborted', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 't.csv');
    await writeFile(path, 'old');
    const broken: RowSource = {
      rows: 10,
      cols: 3,
      async *blocks() {
        yield { start: 0, points: { data: new Float32Array(15), rows: 5, cols: 3 } };
        throw new Error('disk on fire');
      },
    };
    await assert.rejects(writeTable(path, { v: broken }), /disk on fire/);
    const reason = new Error('enough');
    const controller = new AbortController();
    const aborting: RowSource = {
      ...broken,
      async *blocks() {
        yield { start: 0, points: { data: new Float32Array(30), rows: 10, cols: 3 } };
        controller.abort(reason);
      },
    };
    await assert.rejects(writeTable(path, { v: aborting }, { signal: controller.signal }), reason);
    await assert.rejects(writeTable(join(directory.path, 't.xlsx'), columns), { code: 'UNSUPPORTED' });
    assert.deepEqual(await readdir(directory.path), ['t.csv']);
    assert.equal(await readFile(path, 'utf8'), 'old');
  });

  it('refuses columns that do not fit', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 't.csv');
    const a = Float64Array.of(1, 2);
    await assert.rejects(writeTable(path, { a, b: Float64Array.of(1) }), {
      code: 'SHAPE',
      message: /"b" has 1 rows/,
    });
    await assert.rejects(writeTable(path, {}), { code: 'INVALID_ARGUMENT', message: /no columns/ });
    await assert.rejects(writeTable(path, { a: ['x', true] }), {
      code: 'INVALID_ARGUMENT',
      message: /mixes kinds/,
    });
    await assert.rejects(writeTable(path, { a: { data: new Float32Array(5), rows: 2, cols: 3 } }), {
      code: 'SHAPE',
    });
    await assert.rejects(writeTable(path, { a: 5 as never }), {
      code: 'INVALID_ARGUMENT',
      message: /no known kind/,
    });
  });
});

describe('copyRows', () => {
  for (const extension of EXTENSIONS) {
    it(`picks rows of .${extension} in the order of the input, with columns added`, async () => {
      await using directory = await temporaryDirectory();
      const [input, output] = [join(directory.path, `in.${extension}`), join(directory.path, 'out.parquet')];
      await writeTable(input, columns);
      const added = { weight: Float64Array.of(1, 2, 3), why: ['a', 'b', 'c'] };
      assert.equal(await copyRows(input, output, Uint32Array.of(4_000, 3, 2_500), added), 3);
      await using table = await openTable(output);
      assert.deepEqual(
        table.columns.map(({ name }) => name),
        [...Object.keys(columns), 'weight', 'why'],
      );
      assert.deepEqual(await table.readNumbers('id'), Float64Array.of(6, 5_000, 8_000));
      assert.deepEqual(await table.readNumbers('weight'), Float64Array.of(2, 3, 1));
      assert.deepEqual(await table.readText('why'), ['b', 'c', 'a']);
      const picked = [3, 2_500, 4_000].flatMap((i) => [...vectors.data.subarray(3 * i, 3 * i + 3)]);
      assert.deepEqual(await vectorsOf(await table.rowSource('vector')), picked);
    });
  }

  it('keeps the order of the input however many rows are picked, and in whatever order they are named', async () => {
    await using directory = await temporaryDirectory();
    const [path, out] = [join(directory.path, 't.parquet'), join(directory.path, 'o.parquet')];
    await writeTable(path, columns);
    const every = Uint32Array.from({ length: rows }, (_, i) => (i * 1_237) % rows); // a permutation: 1237 and 5000 share no factor
    await copyRows(path, out, every, { place: every });
    await using table = await openTable(out);
    assert.deepEqual(await table.readNumbers('id'), Float64Array.from(columns.id));
    assert.deepEqual(
      await table.readNumbers('place'),
      Float64Array.from({ length: rows }, (_, i) => i),
    );
  });

  it('writes over its own input, and copies no rows', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 't.parquet');
    await writeTable(path, columns);
    await copyRows(path, path, [7]);
    {
      await using table = await openTable(path);
      assert.deepEqual(await table.readNumbers('id'), Float64Array.of(14));
    }
    await copyRows(path, path, []);
    await using table = await openTable(path);
    assert.deepEqual([table.rowCount, table.columns.length], [0, 5]);
  });

  it('refuses ids that are no rows or come twice, and names that are taken', async () => {
    await using directory = await temporaryDirectory();
    const [path, out] = [join(directory.path, 't.csv'), join(directory.path, 'o.csv')];
    await writeTable(path, { row_id: Int32Array.of(5, 6, 7) });
    const invalid = (message: RegExp) => ({ code: 'INVALID_ARGUMENT', message });
    await assert.rejects(copyRows(path, out, [3]), invalid(/ids\[0\] is 3; expected a row of .*, 0 to 2/));
    await assert.rejects(copyRows(path, out, [0, -1]), invalid(/ids\[1\] is -1/));
    await assert.rejects(copyRows(path, out, [0.5]), invalid(/ids\[0\] is 0.5/));
    await assert.rejects(copyRows(path, out, [1, 1]), invalid(/ids\[1\] is 1, which came before/));
    await assert.rejects(copyRows(path, out, [1], { row_id: [1] }), invalid(/"row_id" already/));
    await assert.rejects(copyRows(path, out, [1], { w: [1, 2] }), {
      code: 'SHAPE',
      message: /"w" has length 2/,
    });
    await assert.rejects(copyRows(join(directory.path, 'no.csv'), out, [1]), {
      code: 'DATA',
      message: /^copyRows: /,
    });
    assert.deepEqual(await readdir(directory.path), ['t.csv']);
    await copyRows(path, out, [2], { weight: [1.5] }); // a column may be named like our own
    assert.equal(await readFile(out, 'utf8'), 'row_id,weight\n7,1.5\n');
  });
});
