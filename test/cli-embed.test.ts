// `provably embed` as a process, with the model of the tree, and `provably select` on what it writes.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTable, readNpy, readTensor } from '../src/data/index.ts';
import { interruptAtWork, runCli, runInProcess } from './run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'provably-embed-'));
after(() => rmSync(folder, { recursive: true }));
const inFolder = (name: string) => join(folder, name);
const model = fileURLToPath(new URL('../models/tiny-lm', import.meta.url));

const nouns = ['river', 'market', 'committee', 'winter', 'machine', 'garden'];
const verbs = ['was quiet', 'grew every year', 'could not be found', 'cost a fortune'];
const texts = nouns.flatMap((noun) =>
  verbs.flatMap((verb) => [`The ${noun} ${verb}.`, `No ${noun} ${verb} that day, he said.`]),
);
const lines = inFolder('texts.txt');
writeFileSync(lines, `${texts.join('\r\n')}\r\n`);
const table = inFolder('texts.jsonl');
writeFileSync(
  table,
  texts.map((text, id) => JSON.stringify({ id: `t${id}`, text, loss: (id % 7) / 7 })).join('\n'),
);
const embed = (...words: string[]) => runCli(['embed', ...words, '-m', model]);

describe('provably embed', () => {
  it('writes the same vectors to every kind of file', async () => {
    const [npy, tensors, parquet] = ['a.npy', 'a.safetensors', 'a.parquet'].map(inFolder);
    const [first, ...others] = await Promise.all([
      embed(lines, '--out', npy, '--json'),
      embed(table, '--out', tensors),
      embed(table, '--out', parquet, '--copy'),
    ]);
    for (const { code, stderr } of [first, ...others]) assert.equal(code, 0, stderr);
    const report = JSON.parse(first.stdout);
    assert.deepEqual(
      [report.rows, report.cols, report.truncated, report.pooling, report.normalised],
      [texts.length, 128, 0, 'mean', true],
    );
    assert.match(others[0].stdout, /48 texts as vectors of 128 numbers\n\d+ tokens in/);
    const { data, shape } = await readNpy(npy);
    assert.deepEqual(shape, [texts.length, 128]);
    for (let row = 0; row < texts.length; row++) {
      const length = Math.hypot(...data.subarray(128 * row, 128 * (row + 1)));
      assert.ok(Math.abs(length - 1) < 1e-5, `row ${row}: ${length}`);
    }
    const tensor = await readTensor(tensors, { names: ['embedding'] });
    assert.deepEqual(Float64Array.from(tensor.data), data);
    await using copied = await openTable(parquet);
    assert.deepEqual(
      copied.columns.map(({ name }) => name),
      ['id', 'text', 'loss', 'embedding'],
    );
    let row = 0;
    for await (const { points } of (await copied.rowSource('embedding')).blocks()) {
      assert.deepEqual(Float64Array.from(points.data), data.subarray(128 * row, 128 * (row + points.rows)));
      row += points.rows;
    }
    assert.equal(row, texts.length);
    assert.deepEqual(await copied.readText('text'), texts);
  });

  it('feeds select and cluster', async () => {
    const [parquet, npy, picked] = ['b.parquet', 'b.npy', 'picked.jsonl'].map(inFolder);
    const written = await Promise.all([
      embed(table, '--out', parquet, '--copy', '--pooling', 'last'),
      embed(lines, '--out', npy, '--no-normalise'),
    ]);
    for (const { code, stderr } of written) assert.equal(code, 0, stderr);
    const size = ['--size', '8', '-k', '4', '--id', 'id', '--out', picked];
    const [select, cluster] = await Promise.all([
      runCli(['select', parquet, '--column', 'embedding', '--losses', 'loss', ...size]),
      runCli(['cluster', npy, '--k', '3', '--json']),
    ]);
    assert.equal(select.code, 0, select.stderr);
    const rows = readFileSync(picked, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(rows.length, 8);
    for (const { id, weight } of rows) assert.ok(/^t\d+$/.test(id) && weight > 0);
    assert.equal(cluster.code, 0, cluster.stderr);
  });

  it('names the line that is too long or empty', async () => {
    const long = inFolder('long.txt');
    writeFileSync(long, `short\n${'a river and a market '.repeat(200)}\n`);
    const empty = inFolder('empty.txt');
    writeFileSync(empty, 'one\n\nthree\n');
    const out = ['--out', inFolder('none.npy')];
    const cases: [string[], number, RegExp][] = [
      [[long, ...out], 1, /long\.txt: line 2 has \d+ tokens; expected at most 512.*--truncate/],
      [[empty, ...out], 1, /empty\.txt: line 2 is empty/],
      [[inFolder('none.txt'), ...out], 1, /none\.txt cannot be read/],
      [[table, '--column', 'words', ...out], 1, /no column "words"; expected one of id/],
    ];
    await Promise.all(
      cases.map(async ([words, code, message]) => {
        const run = await runInProcess(['embed', ...words, '-m', model]);
        assert.equal(run.code, code, `${words.join(' ')}: ${run.stderr}`);
        assert.match(run.stderr, message);
        assert.doesNotMatch(run.stderr, /\n {4}at /);
      }),
    );
    assert.ok(!existsSync(inFolder('none.npy')));
    const cut = await runInProcess([
      'embed',
      long,
      '-m',
      model,
      '--truncate',
      '--json',
      '--out',
      inFolder('cut.npy'),
    ]);
    assert.equal(JSON.parse(cut.stdout).truncated, 1, cut.stderr);
  });

  it('leaves nothing on Ctrl-C', async () => {
    const many = inFolder('many.txt');
    writeFileSync(many, `${'It was the best of times, it was the worst of times.\n'.repeat(30_000)}`);
    const words = ['embed', many, '-m', model, '--out', inFolder('many.npy')];
    const { code, stderr } = await runCli(words, { during: interruptAtWork });
    assert.equal(code, 130, stderr);
    assert.match(stderr, /no partial file is left/);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('many')),
      ['many.txt'],
    );
  });
});
