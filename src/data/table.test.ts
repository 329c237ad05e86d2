import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { RowSource } from '../core/matrix.ts';
import { openTable } from './table.ts';
import { temporaryDirectory } from './temporary.ts';
import { writeTable } from './write-table.ts';

const golden = new URL('../../test/golden/', import.meta.url).pathname;

/** All rows of a source, read in blocks of a given size. */
async function gather(source: RowSource, maxRows?: number): Promise<number[][]> {
  const rows: number[][] = [];
  for await (const { start, points } of source.blocks(maxRows)) {
    assert.equal(start, rows.length);
    for (let i = 0; i < points.rows; i++) {
      rows.push([...points.data.subarray(i * points.cols, (i + 1) * points.cols)]);
    }
  }
  return rows;
}

async function withText<T>(name: string, text: string, use: (path: string) => Promise<T>): Promise<T> {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, name);
  await writeFile(path, text);
  return await use(path);
}

describe('openTable', () => {
  it('reads a Parquet file of pyarrow: columns, numbers, text, vectors', async () => {
    await using table = await openTable(`${golden}table.parquet`);
    assert.equal(table.rowCount, 3);
    const kinds = Object.fromEntries(table.columns.map(({ name, kind }) => [name, kind]));
    assert.deepEqual(kinds, {
      id: 'number',
      loss: 'number',
      text: 'text',
      flag: 'boolean',
      emb: 'vector',
      ragged: 'vector',
      half: 'number',
      kind: 'text',
    });
    assert.deepEqual(await table.readNumbers('id'), Float64Array.of(0, 1, 2));
    assert.deepEqual(await table.readNumbers('flag'), Float64Array.of(1, 0, 1));
    assert.deepEqual(await table.readNumbers('half'), Float64Array.of(1, 2.5, -3));
    assert.deepEqual(await table.readText('text'), ['a', 'b', null]);
    assert.deepEqual(await table.readText('id'), ['0', '1', '2']);
    assert.deepEqual(await table.readColumn('kind'), ['x', 'y', 'x']);
    const vectors = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    assert.deepEqual(await gather(await table.rowSource('emb')), vectors);
    const side = [
      [0, 1],
      [1, 0],
      [2, 1],
    ];
    assert.deepEqual(await gather(await table.rowSource(['id', 'flag'])), side);
    assert.deepEqual(await gather(await table.rowSource('id')), [[0], [1], [2]]);
  });

  for (const name of ['table-lz4.feather', 'table-zstd.feather']) {
    it(`reads ${name} of pyarrow`, async () => {
      await using table = await openTable(golden + name);
      assert.deepEqual(
        table.columns.map(({ type }) => type),
        ['INTEGER', 'DOUBLE', 'VARCHAR', 'BOOLEAN', 'FLOAT[]', 'DOUBLE[]', 'FLOAT', 'VARCHAR'],
      );
      assert.deepEqual(await table.readNumbers('id'), Float64Array.of(0, 1, 2));
      assert.deepEqual(await table.readNumbers('half'), Float64Array.of(1, 2.5, -3));
      assert.deepEqual(await table.readNumbers('flag'), Float64Array.of(1, 0, 1));
      assert.deepEqual(await table.readText('text'), ['a', 'b', null]);
      assert.deepEqual(await table.readText('kind'), ['x', 'y', 'x']);
      assert.deepEqual(await table.readText('ragged'), ['[1.5]', null, '[2.5, 3.5]']);
      assert.deepEqual(await gather(await table.rowSource('emb')), [
        [1, 2],
        [3, 4],
        [5, 6],
      ]);
      await assert.rejects(table.readNumbers('loss'), {
        code: 'DATA',
        message: /"loss".* is NULL at row 1;/,
      });
    });
  }

  it('reads LZ4 with copies that overlap', async () => {
    await using table = await openTable(`${golden}numbers-lz4.feather`);
    assert.deepEqual(
      await table.readNumbers('x'),
      Float64Array.from({ length: 20_000 }, (_, i) => i % 50),
    );
  });

  it('reads CSV, lists as text included, and types from all rows', async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => `${i},${i < 29_000 ? 1 : 1.5},"[${i}, 0.5]"`);
    await withText('t.csv', `id,loss,emb\n${rows.join('\n')}\n`, async (path) => {
      await using table = await openTable(path);
      const loss = await table.readNumbers('loss');
      assert.deepEqual([loss[0], loss[29_999]], [1, 1.5]); // guessed from the first rows, 1.5 would be read as 2
      const vectors = await gather(await table.rowSource('emb'), 7_001);
      assert.deepEqual([vectors.length, vectors[29_999]], [30_000, [29_999, 0.5]]);
    });
  });

  it('keeps text of CSV columns that look like numbers, when told to', async () => {
    await withText('keys.csv', 'key,a "b",n\n0x1f,007,1\n0x20,8,2\n', async (path) => {
      await using guessed = await openTable(path);
      assert.deepEqual(await guessed.readText('key'), ['31', '32']);
      await using table = await openTable(path, { textColumns: ['key', 'a "b"', 'no column'] });
      assert.deepEqual(await table.readText('key'), ['0x1f', '0x20']);
      assert.deepEqual(await table.readText('a "b"'), ['007', '8']);
      assert.deepEqual(await table.readNumbers('n'), Float64Array.of(1, 2));
    });
  });

  it('reads JSON lines and JSON, types from all rows', async () => {
    const objects = Array.from({ length: 30_000 }, (_, i) => ({
      id: i,
      loss: i < 29_000 ? 1 : 1.5,
      emb: [i, 1],
    }));
    await withText('t.jsonl', objects.map((o) => JSON.stringify(o)).join('\n'), async (path) => {
      await using table = await openTable(path);
      assert.equal((await table.readNumbers('loss'))[29_999], 1.5);
      assert.deepEqual((await gather(await table.rowSource('emb')))[29_999], [29_999, 1]);
    });
    await withText('t.json', JSON.stringify(objects.slice(0, 3)), async (path) => {
      await using table = await openTable(path);
      assert.deepEqual(await table.readNumbers('id'), Float64Array.of(0, 1, 2));
    });
  });

  it('reads standard input, CSV or JSON lines', async () => {
    const input = async function* (text: string) {
      for (const letter of text) yield new TextEncoder().encode(letter);
    };
    for (const text of ['a,b\n1,2\n3,4\n', ' \n{"a":1,"b":2}\n{"a":3,"b":4}\n']) {
      await using table = await openTable('-', { stdin: input(text) });
      assert.deepEqual(await table.readNumbers('b'), Float64Array.of(2, 4));
    }
    await assert.rejects(openTable('-', { stdin: input('') }), {
      code: 'DATA',
      message: /standard input.*is empty/,
    });
  });

  it('reads a path that looks like a pattern as a path', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'a1.csv'), 'x\n1\n');
    await writeFile(join(directory.path, "a[1]*'?.csv"), 'x\n2\n');
    await using table = await openTable(join(directory.path, "a[1]*'?.csv"));
    assert.deepEqual(await table.readNumbers('x'), Float64Array.of(2));
  });

  it('takes any text as a name of a column', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 't.parquet');
    const name = `a"; DROP TABLE x; --'`;
    await writeTable(path, { [name]: Float64Array.of(1, 2) });
    await using table = await openTable(path);
    assert.deepEqual(await table.readNumbers(name), Float64Array.of(1, 2));
  });

  it('says what is wrong with a file', async () => {
    await using directory = await temporaryDirectory();
    const file = (name: string, text: string) => {
      writeFileSync(join(directory.path, name), text);
      return join(directory.path, name);
    };
    const whole = join(directory.path, 'whole.parquet');
    await writeTable(whole, { x: Float64Array.of(1, 2) });
    const cut = file('cut.parquet', '');
    await writeFile(cut, await readFile(whole));
    await truncate(cut, 200);
    const cases: [string, string, RegExp][] = [
      [join(directory.path, 'none.csv'), 'DATA', /none\.csv cannot be opened; expected a readable file/],
      [directory.path, 'UNSUPPORTED', /has no extension that is read here; expected one of \.parquet/],
      [file('x.xlsx', 'x'), 'UNSUPPORTED', /x\.xlsx has no extension/],
      [file('x.parquet.gz', 'x'), 'UNSUPPORTED', /has no extension/],
      [file('m.npy', 'x'), 'UNSUPPORTED', /holds a matrix, not a table/],
      [file('empty.csv', ''), 'DATA', /empty\.csv is empty/],
      [file('empty.parquet', ''), 'DATA', /empty\.parquet is empty/],
      [
        file('text.parquet', 'this is no Parquet file at all'),
        'DATA',
        /cannot be read as parquet\. DuckDB: /,
      ],
      [cut, 'DATA', /cannot be read as parquet/],
      [file('bad.jsonl', '{"a":1}\n{"a":\n'), 'DATA', /cannot be read as jsonl.*line/],
      [file('text.arrow', 'this is no Arrow file'), 'DATA', /Arrow/],
    ];
    for (const [path, code, message] of cases) await assert.rejects(openTable(path), { code, message }, path);
  });

  it('says which columns there are, and what they hold', async () => {
    await withText('t.csv', 'id,name\n1,a\n2,b\n', async (path) => {
      await using table = await openTable(path);
      const missing = {
        code: 'DATA',
        message: /has no column "nme"; expected one of id BIGINT, name VARCHAR/,
      };
      await assert.rejects(table.readNumbers('nme'), missing);
      await assert.rejects(table.readText('nme'), missing);
      await assert.rejects(table.rowSource('nme'), missing);
      await assert.rejects(table.readNumbers('name'), {
        code: 'DATA',
        message: /type VARCHAR; expected numbers/,
      });
      await assert.rejects(table.rowSource(['id', 'name']), {
        code: 'DATA',
        message: /"name".*expected a number/,
      });
      await assert.rejects(table.rowSource([]), { code: 'INVALID_ARGUMENT' });
      await assert.rejects(table.rowSource('name'), { code: 'DATA', message: /no list at row 0; expected/ });
    });
  });

  it('leaves nothing behind, closed, failed or aborted', async () => {
    await using directory = await temporaryDirectory();
    await using scratch = await temporaryDirectory();
    const path = join(directory.path, 't.csv');
    await writeFile(path, `x\n${'1\n'.repeat(1000)}`);
    const usual = process.env.TMPDIR;
    process.env.TMPDIR = scratch.path; // only what is opened here is in there
    try {
      const table = await openTable(path);
      assert.equal((await readdir(scratch.path)).length, 1);
      await table.close();
      await table.close();
      await assert.rejects(table.readNumbers('x'), { code: 'DATA', message: /closed/ });
      const reason = new Error('enough');
      await assert.rejects(openTable(path, { signal: AbortSignal.abort(reason) }), reason);
      await writeFile(join(directory.path, 'bad.parquet'), 'no Parquet file');
      await assert.rejects(openTable(join(directory.path, 'bad.parquet')));
      assert.deepEqual(await readdir(scratch.path), []);
    } finally {
      if (usual === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = usual;
    }
  });

  it('names the package that is missing', () => {
    const script = `
      import { registerHooks } from 'node:module';
      registerHooks({ resolve: (name, context, next) => {
        if (name === '@duckdb/node-api') throw Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' });
        return next(name, context);
      } });
      const { openTable } = await import(${JSON.stringify(new URL('./table.ts', import.meta.url).href)});
      await openTable(${JSON.stringify(`${golden}table.parquet`)}).catch((error) => console.log(error.code + ' ' + error.message));
    `;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    assert.match(output, /^MISSING_DEPENDENCY .*npm install @duckdb\/node-api/);
  });
});

describe('rowSource', () => {
  it('gives the same rows in every pass, for any size of block, and overlapping passes', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 't.parquet');
    const [rows, cols] = [10_000, 3];
    const data = Float32Array.from({ length: rows * cols }, (_, i) => Math.sin(i));
    await writeTable(path, { v: { data, rows, cols } });
    await using table = await openTable(path);
    const source = await table.rowSource('v');
    assert.deepEqual([source.rows, source.cols], [rows, cols]);
    for (const size of [1_000, 2_048, 2_049, 9_999, 10_000, 50_000, undefined]) {
      assert.deepEqual((await gather(source, size)).flat(), [...data]);
    }
    const [a, b] = await Promise.all([gather(source, 100), gather(source, 3_000)]);
    assert.deepEqual(a, b);
    for await (const { points } of source.blocks(10)) {
      assert.equal(points.rows, 10);
      break; // a pass may be left early
    }
    assert.equal((await gather(source)).length, rows);
  });

  it('names the row of what is no vector of finite numbers', async () => {
    const good = Array.from({ length: 5_000 }, () => '{"v":[1,2]}');
    const cases: [string, RegExp][] = [
      ['{"v":null}', /is NULL at row 4000; expected 2 finite numbers/],
      ['{"v":[1,2,3]}', /is a list of 3 at row 4000/],
      ['{"v":[]}', /is a list of 0 at row 4000/],
      ['{"v":[1,null]}', /is NULL in entry 1 at row 4000/],
      ['{"v":[1,1e39]}', /is not in the range of float32, or no list at row 4000/],
    ];
    for (const [line, message] of cases) {
      await withText('t.jsonl', good.with(4_000, line).join('\n'), async (path) => {
        await using table = await openTable(path);
        await assert.rejects(gather(await table.rowSource('v'), 1_500), { code: 'DATA', message }, line);
      });
    }
    for (const [value, message] of [
      ['nan', /is NaN in entry 1 at row 3000/],
      ['inf', /is Infinity in entry 1 at row 3000/],
      ['', /is NULL in entry 1 at row 3000/],
    ] as const) {
      await withText('t.csv', `a,b\n${'1,2\n'.repeat(3_000)}1,${value}\n3,4\n`, async (path) => {
        await using table = await openTable(path);
        const source = await table.rowSource(['a', 'b']);
        await assert.rejects(gather(source, 500), { code: 'DATA', message });
        await assert.rejects(gather(source), { code: 'DATA', message });
      });
    }
    await withText('t.jsonl', '{"v":null}\n{"v":[1]}\n', async (path) => {
      await using table = await openTable(path);
      await assert.rejects(table.rowSource('v'), { code: 'DATA', message: /is NULL at row 0/ });
    });
  });

  it('is empty for a table of no rows', async () => {
    await withText('t.csv', 'a,b\n', async (path) => {
      await using table = await openTable(path);
      assert.equal(table.rowCount, 0);
      assert.deepEqual(await table.readText('a'), []);
    });
  });

  it('stops with the reason of the signal, between blocks and while DuckDB works', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 't.parquet');
    await writeTable(path, { v: { data: new Float32Array(60_000), rows: 20_000, cols: 3 } });
    const controller = new AbortController();
    const reason = new Error('enough');
    await using table = await openTable(path, { signal: controller.signal });
    const seen: number[] = [];
    const source = await table.rowSource('v', { onProgress: ({ done, total }) => seen.push(done / total) });
    const pass = (async () => {
      for await (const { start } of source.blocks(2_000)) if (start === 4_000) controller.abort(reason);
    })();
    await assert.rejects(pass, reason);
    assert.deepEqual(seen.slice(0, 2), [0.1, 0.2]);
    await assert.rejects(table.readNumbers('v'), { code: 'DATA' });
    await assert.rejects(gather(source), reason);
  });
});
