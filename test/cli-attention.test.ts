// `provably attention` on real files, as a process.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { patchAttention, pictureSheet } from '../src/attention/reproduce/patches.ts';
import { loadFashionMnist } from '../src/data/datasets/index.ts';
import { readTensor, writeNpy, writeSafetensors } from '../src/data/index.ts';
import { runCli } from './run-cli.ts';

const cwd = mkdtempSync(join(tmpdir(), 'provably-attention-'));
after(() => rmSync(cwd, { recursive: true }));

const rows = 1568;
const cols = 25;

before(async () => {
  // Two pictures as squares of 5 × 5 pixels: rows of the upper half of a sheet of four.
  const { input } = patchAttention(pictureSheet(await loadFashionMnist(), 2), 2, 12);
  const data = (input.queries.data as Float32Array).slice(0, rows * cols);
  for (const name of ['q', 'k', 'v'])
    await writeNpy(join(cwd, `${name}.npy`), { data, shape: [1, rows, cols] });
  const matrix = { data, rows, cols };
  await writeSafetensors(join(cwd, 'qkv.safetensors'), { Query: matrix, keys: matrix, content: matrix });
});

const small = ['--scale', '12', '--min-sequence', '1', '--block', '64', '--samples', '64'];

describe('provably attention', () => {
  it('runs both on files, tells times, error and certificate, and writes the output in the shape of its input', async () => {
    const words = ['attention', 'q.npy', 'k.npy', 'v.npy', ...small, '--out', 'o.npy'];
    const { code, stdout, stderr } = await runCli(words, { cwd });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /1 head, 1568 queries and keys, d = 25 {2}q\.npy k\.npy v\.npy/);
    for (const line of [
      /^exact +\S+ s, 2458624 pairs/m,
      /^hyper +\S+ s, \d+ pairs \(\S+ %\)/m,
      /^speed-up +\S+×/m,
      /^error +0\.\d+ = ‖Õ − O‖_F/m,
      /^certificate ‖Õ − O‖_op .* with probability ≥ 0\.95.*\n {2}assumptions: .* measured .* slack/m,
    ])
      assert.match(stdout, line);
    assert.deepEqual((await readTensor(join(cwd, 'o.npy'))).shape, [1, rows, cols]);
  });

  it('reads named tensors, and prints one JSON object with --json that repeats bit for bit', async () => {
    const words = ['attention', 'qkv.safetensors', '--values', 'content', ...small, '--causal', '--json'];
    const runs = [await runCli(words, { cwd }), await runCli(words, { cwd, env: { PROVABLY_THREADS: '1' } })];
    const [first, second] = runs.map(({ stdout, stderr }) => JSON.parse(stdout || stderr));
    assert.equal(first.system, 'attention');
    assert.deepEqual(
      [first.input.queries, first.input.dim, first.input.causal, first.value.exactPairs],
      [rows, cols, true, (rows * (rows + 1)) / 2],
    );
    assert.ok(first.figures.relativeError > 0 && first.figures.relativeError < 1);
    assert.ok(first.figures.speedUp > 0);
    assert.match(
      first.certificate.audit.sample,
      /^256 sampled rows, at least \(about 0\.\d+ estimated for all\)$/,
    );
    assert.equal(second.figures.relativeError, first.figures.relativeError);
    assert.deepEqual(second.certificate.bound, first.certificate.bound);
  });

  it('gives exact attention where all keys fit into one block', async () => {
    const words = [
      'attention',
      '--planted',
      'gaussian',
      '-n',
      '256',
      '--heads',
      '2',
      '--dim',
      '16',
      '--json',
    ];
    const { figures, certificate } = JSON.parse((await runCli(words, { cwd })).stdout);
    assert.equal(figures.pairsShare, 1);
    assert.ok(figures.relativeError < 1e-6);
    assert.equal(certificate.bound.value, 0);
  });

  it('finds parameters, reports heads, and measures on some rows without exact attention', async () => {
    const words = ['attention', '--planted', 'clustered', '-n', '1024', '--heads', '2', '--dim', '32'];
    const { code, stdout, stderr } = await runCli(
      [...words, '--tune', '0.3', '--report-heads', '--no-exact'],
      { cwd },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /← best/);
    assert.match(stdout, /batch +head +α +κ/);
    assert.match(stdout, /not run, \d+ pairs; ask for it with --exact/);
    assert.match(stdout, /on 256 rows of the worst head/);
    const { value } = JSON.parse(
      (await runCli([...words, '--tune', '0.3', '--report-heads', '--no-exact', '--json'], { cwd })).stdout,
    );
    assert.ok(value.tuned.best.relativeError <= 0.3);
    assert.deepEqual(
      value.heads.map(({ report }: { report: { head: number } }) => report.head),
      [0, 1],
    );
  });

  it('exits with 2 on bad usage, 1 on a missing or misshapen file, and leaves nothing behind', async () => {
    const files = readdirSync(cwd).sort();
    const usage: [string[], RegExp][] = [
      [[], /needs files with Q, K and V, or --planted/],
      [['q.npy', 'k.npy'], /2 files are given; expected one \.safetensors, or Q\.npy K\.npy V\.npy/],
      [['q.npy', 'k.npy', 'v.npy', '--n', '3'], /--n goes with --planted only/],
      [['q.npy', 'k.npy', 'v.npy', '--queries', 'a'], /--queries a names a tensor of a \.safetensors file/],
      [['--planted', 'gaussian', '--noise', '1'], /--noise does not go with --planted gaussian/],
      [
        ['--planted', 'few-heavy', '--tune', '0.1', '--min-sequence', '9'],
        /--min-sequence does not go with --tune/,
      ],
      [['--planted', 'few-heavy', '--window', '9'], /--window goes with --causal only/],
      [['--planted', 'few-heavy', '--out', 'o.csv'], /--out o\.csv; expected a name that ends in \.npy/],
    ];
    for (const [words, message] of usage) {
      const { code, stderr, stdout } = await runCli(['attention', ...words], { cwd });
      assert.match(stderr, message);
      assert.deepEqual([code, stdout], [2, '']);
    }
    const missing = await runCli(['attention', 'q.npy', 'none.npy', 'v.npy'], { cwd });
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^provably: .*none\.npy cannot be opened.*\n$/);
    const unnamed = await runCli(['attention', 'qkv.safetensors', '--json'], { cwd });
    assert.equal(unnamed.code, 1);
    assert.match(JSON.parse(unnamed.stderr).error.message, /no tensor "v" or "values".*content F32/);
    assert.deepEqual(readdirSync(cwd).sort(), files);
  });

  it('stops on Ctrl-C without a file', async () => {
    const words = ['attention', '--planted', 'few-heavy', '--n', '65536', '--exact', '--out', 'late.npy'];
    const { code, stderr, stdout } = await runCli(words, {
      cwd,
      during: (child) => setTimeout(() => child.kill('SIGINT'), 3000),
    });
    assert.equal(code, 130, stderr);
    assert.match(stderr, /interrupted/);
    assert.equal(stdout, '');
    assert.ok(!readdirSync(cwd).some((name) => name.includes('late')));
  });
});
