// `provably cache` on real files, as a process.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseHTML } from 'linkedom';
import { patchAttention, pictureSheet } from '../src/attention/reproduce/patches.ts';
import { loadFashionMnist } from '../src/data/datasets/index.ts';
import { writeNpy, writeSafetensors } from '../src/data/index.ts';
import { interruptAtWork, runCli } from './run-cli.ts';

const cwd = mkdtempSync(join(tmpdir(), 'provably-cache-'));
after(() => rmSync(cwd, { recursive: true }));

const [heads, tokens, cols] = [2, 300, 25];

before(async () => {
  // Squares of 5 × 5 pixels of real pictures, in the order of the pixels, as two heads of keys.
  const { input } = patchAttention(pictureSheet(await loadFashionMnist(), 1), 2, 12);
  const data = (input.keys.data as Float32Array).slice(0, heads * tokens * cols);
  const shape = [heads, tokens, cols];
  for (const name of ['k', 'v']) await writeNpy(join(cwd, `${name}.npy`), { data, shape });
  const grouped = new Float32Array(2 * data.length);
  grouped.set(data);
  grouped.set(data, data.length);
  await writeNpy(join(cwd, 'q.npy'), { data: grouped, shape: [2 * heads, tokens, cols] });
  await writeNpy(join(cwd, 'short.npy'), { data: data.slice(0, 10 * cols), shape: [1, 10, cols] });
  const matrix = { data: data.slice(0, tokens * cols), rows: tokens, cols };
  await writeSafetensors(join(cwd, 'kv.safetensors'), { Keys: matrix, values: matrix });
});

const policies = 'full,sink-window,uniform,h2o';

describe('provably cache', () => {
  it('holds policies of equal bytes against exact attention, and writes a report', async () => {
    const words = [
      'cache',
      'q.npy',
      'k.npy',
      'v.npy',
      '--policies',
      policies,
      '--budget',
      '40',
      '--scale',
      '12',
    ];
    const { code, stdout, stderr } = await runCli(
      [...words, '--needle', '7', '--report', 'out/caches.html'],
      { cwd },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /300 tokens, heads: 4 \(2 of keys\), d = 25/);
    assert.match(stdout, /policy +rows +bytes +error +ε +lse error \(nats\) +needle kept \(%\)/);
    for (const policy of policies.split(',')) assert.match(stdout, new RegExp(`^${policy} +\\d+`, 'm'));
    const { document } = parseHTML(readFileSync(join(cwd, 'out/caches.html'), 'utf8'));
    assert.equal(document.querySelectorAll('figure').length, 2);
    assert.match(
      document.querySelector('pre')?.textContent ?? '',
      /^provably cache q\.npy k\.npy v\.npy .*--budget 40/,
    );
  });

  it('prints one JSON object with --json, and asks with the keys where there are no queries', async () => {
    const words = ['cache', 'kv.safetensors', '--policies', policies, '--bytes', '9000', '--json'];
    const { code, stdout, stderr } = await runCli([...words, '--checkpoints', '20,300', '--asks', '5'], {
      cwd,
    });
    assert.equal(code, 0, stderr);
    const { system, input, value, figures } = JSON.parse(stdout);
    assert.equal(system, 'kv-cache');
    assert.equal(input.tokens, tokens);
    assert.match(input.source, /every key as its own query/);
    assert.equal(value.rows.length, 8);
    for (const { policy, bytes, tokens: at, relativeError } of value.rows) {
      assert.ok(at === 20 || at === 300);
      if (policy === 'full' || at === 20) assert.ok(relativeError < 1e-4, `${policy}: ${relativeError}`);
      if (policy !== 'full') assert.ok(bytes <= 9000);
    }
    assert.ok(figures['relativeError uniform'] > 1e-3);
  });

  it('streams planted tokens, and tells whether the needle is kept', async () => {
    const words = [
      'cache',
      '--planted',
      '-n',
      '400',
      '--policies',
      'sink-window,full',
      '--budget',
      '32',
      '--json',
    ];
    const { value } = JSON.parse((await runCli(words, { cwd })).stdout);
    const needle = (policy: string) =>
      value.rows.findLast((row: { policy: string }) => row.policy === policy).needle;
    assert.deepEqual([needle('sink-window'), needle('full')], [0, 1]);
  });

  it('exits with 2 on bad usage, 1 on missing or misshapen files, and leaves nothing behind', async () => {
    const files = readdirSync(cwd).sort();
    const usage: [string[], RegExp][] = [
      [[], /needs files with K and V, or --planted/],
      [['k.npy'], /1 files are given; expected one \.safetensors, or K\.npy V\.npy/],
      [['k.npy', 'v.npy', '--n', '3'], /--n goes with --planted only/],
      [['--planted', '--budget', '9', '--bytes', '9'], /--budget and --bytes say the same/],
      [['--planted', '--policies', 'fifo'], /--policies names fifo; expected some of full, sink-window/],
      [['--planted', '--checkpoints', '9,3'], /expected ascending counts/],
      [['--planted', '--report', 'r.pdf'], /--report r\.pdf; expected a name that ends in \.html/],
    ];
    for (const [words, message] of usage) {
      const { code, stderr, stdout } = await runCli(['cache', ...words], { cwd });
      assert.match(stderr, message);
      assert.deepEqual([code, stdout], [2, '']);
    }
    const missing = await runCli(['cache', 'none.npy', 'v.npy', '--json'], { cwd });
    assert.equal(missing.code, 1);
    assert.match(JSON.parse(missing.stderr).error.message, /none\.npy cannot be opened/);
    const short = await runCli(['cache', 'k.npy', 'short.npy'], { cwd });
    assert.equal(short.code, 1);
    assert.match(short.stderr, /300 keys and 10 values; expected as many/);
    assert.deepEqual(readdirSync(cwd).sort(), files);
  });

  it('stops on Ctrl-C without a report', async () => {
    const words = [
      'cache',
      '--planted',
      '-n',
      '60000',
      '--policies',
      'keydiff,full',
      '--report',
      'late.html',
    ];
    const { code, stderr } = await runCli(words, { cwd, during: interruptAtWork });
    assert.equal(code, 130, stderr);
    assert.ok(!readdirSync(cwd).some((name) => name.startsWith('late')));
  });
});
