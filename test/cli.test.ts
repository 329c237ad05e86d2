// The frame of the command line: help, versions, bad usage, pipes.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { runCli, runInProcess } from './run-cli.ts';

const commands = [
  'tour',
  'attention',
  'cache',
  'select',
  'cluster',
  'aggregate',
  'model',
  'pull',
  'embed',
  'serve',
  'api-key',
  'reproduce',
  'info',
];

describe('provably', () => {
  it('lists its commands, and shows an example for each', async () => {
    const { code, stdout } = await runCli(['--help']);
    assert.equal(code, 0);
    for (const command of commands) {
      assert.match(stdout, new RegExp(`^ {2}${command}`, 'm'));
      const help = await runInProcess([command, '--help']);
      assert.equal(help.code, 0);
      assert.match(help.stdout, new RegExp(`Examples?:\\n {2}\\$ .*provably ${command}`));
      assert.match(help.stdout, /--json/);
    }
  });

  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    assert.deepEqual(await runCli(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('exits with 2 on bad usage and says what was meant', async () => {
    const cases: [string[], RegExp][] = [
      [[], /Usage: provably/],
      [['clutser'], /unknown command 'clutser'\n\(Did you mean cluster\?\)/],
      [['cluster', 'x.npy', '--kk', '3'], /unknown option '--kk'/],
      [['cluster', 'x.npy'], /cluster needs the number of clusters: give --k/],
      [['cluster', 'x.npy', '--k', '0'], /'0' is invalid. Expected an integer ≥ 1/],
      [['cluster', 'x.npy', '--k', '3', '--algorithm', 'fast'], /Allowed choices are auto, lloyd/],
      [
        ['cluster', 'x.npy', '--k', '3', '--algorithm', 'mini-batch', '--restarts', '2'],
        /--restarts does not go with/,
      ],
      [['cluster', 'x.npy', '--k', '3', '--out', 'x.xls'], /--out x\.xls; expected .*\.parquet/],
      [['select', 'x.npy', '--losses', 'l', '--out', 'o.csv'], /give --size .* or --epsilon/],
      [['select', 'x.npy', '--losses', 'l', '--size', '1%'], /give --out, or --json/],
      [
        ['select', 'x.npy', '--size', '1%', '--out', 'o.csv', '--report', 'r.pdf'],
        /--report r\.pdf; expected a name that ends in \.json, \.html/,
      ],
      [['embed', 'x.txt', '--column', 'text', '--out', 'x.npy'], /has lines and no columns/],
      [['embed', 'x.txt', '--copy', '--out', 'x.npy'], /--copy does not go with/],
      [['embed', '-', '--copy', '--out', 'x.csv'], /standard input comes once/],
      [['embed', 'x.txt', '--out', 'x.xls'], /expected a name that ends in \.npy/],
      [['embed', 'x.txt', '--pooling', 'max', '--out', 'x.npy'], /Allowed choices are mean, last/],
      [['embed', 'x.txt'], /required option.*--out/],
      [['pull', 'tiny'], /expected owner\/name/],
      [['pull', 'a/b:Q8_0', '--file', 'x.gguf'], /give one of them/],
      [['pull', 'a/b@v1', '--revision', 'v2'], /give one of them/],
      [['pull', 'a/b', '--revision', '../x'], /expected a branch/],
      [['pull', 'a/b', '--token', 'x'], /unknown option '--token'/],
      [['reproduce', 'selction'], /Allowed choices are selection/],
      [['reproduce', 'selection', '--only', 'X99'], /X99; selection has .*X2b/],
      [['tour', '--only', 'sorting'], /sorting; expected some of selection/],
    ];
    for (const [words, message] of cases) {
      const { code, stdout, stderr } = await runInProcess(words);
      assert.match(stderr, message);
      assert.equal(code, 2, `${words}: ${stderr}`);
      assert.equal(stdout, '');
    }
  });

  it('exits with the code of the run', async () => {
    assert.equal((await runCli(['clutser'])).code, 2);
  });

  it('puts errors into one JSON object on standard error with --json', async () => {
    const usage = await runCli(['cluster', 'x.npy', '--json']);
    assert.equal(JSON.parse(usage.stderr).error.code, 'USAGE');
    const missing = await runCli(['cluster', 'no-such-file.npy', '--k', '2', '--json']);
    assert.equal(missing.code, 1);
    assert.match(JSON.parse(missing.stderr).error.message, /no-such-file\.npy/);
    assert.equal(missing.stdout, '');
  });

  it('names a missing file in one line, without a stack', async () => {
    const { code, stderr } = await runCli(['cluster', 'no-such-file.parquet', '--k', '2']);
    assert.equal(code, 1);
    assert.match(stderr, /^provably: .*no-such-file\.parquet.*\n$/);
  });

  it('is quiet when its reader goes away', async () => {
    const { code, stderr } = await runCli(['info'], { during: (child) => child.stdout?.destroy() });
    assert.equal(stderr, '');
    assert.equal(code, 0);
  });
});

describe('provably info', () => {
  it('tells kernels, versions and optional packages', async () => {
    const { code, stdout } = await runCli(['info']);
    assert.equal(code, 0);
    for (const part of [
      'kernels',
      'threads',
      'Backends',
      'wasm',
      process.versions.node,
      '@duckdb/node-api',
    ]) {
      assert.ok(stdout.includes(part), `${part} not in ${stdout}`);
    }
  });

  it('obeys PROVABLY_KERNELS and says so in JSON', async () => {
    const { stdout } = await runCli(['info', '--json'], { env: { PROVABLY_KERNELS: 'ts' } });
    const { kernels, packages } = JSON.parse(stdout);
    assert.equal(kernels.backend, 'ts');
    for (const { levels, reason } of kernels.backends) assert.ok(levels.length > 0 || reason);
    assert.ok(packages.some(({ name }: { name: string }) => name === 'linkedom'));
  });
});
