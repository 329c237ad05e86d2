// `provably cluster` on real files, as a process.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createFixture, parseCsv } from './cli-fixtures.ts';
import { runCli } from './run-cli.ts';

const fixture = createFixture();
const { folder: cwd, rows } = fixture;
after(() => fixture[Symbol.dispose]());

describe('provably cluster', () => {
  it('finds the groups of a table, and writes one row each and the centers', async () => {
    const { code, stdout, stderr } = await runCli(
      ['cluster', 'rows.jsonl', '--k', '6', '--id', 'id', '--out', 'labels.csv', '--centers', 'centers.npy'],
      { cwd },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /6 clusters of 240 rows/);
    const written = parseCsv(readFileSync(join(cwd, 'labels.csv'), 'utf8'));
    assert.deepEqual(Object.keys(written[0]), ['id', 'cluster', 'distance']);
    assert.deepEqual(
      written.map(({ id }) => id),
      fixture.ids,
    );
    // The groups are 8 standard deviations apart: rows of one group share a cluster, those of others do not.
    const groups = new Set(written.map(({ cluster }, row) => `${row % 6} ${cluster}`));
    assert.equal(groups.size, 6);
    assert.equal(readFileSync(join(cwd, 'centers.npy')).length, 128 + 6 * 4 * 4);
  });

  it('reads a matrix, and gives the same clusters by every algorithm', async () => {
    const labels = new Set<string>();
    for (const algorithm of ['auto', 'lloyd', 'hamerly', 'yinyang', 'elkan']) {
      const { code, stdout, stderr } = await runCli(
        ['cluster', 'rows.npy', '--k', '5', '--algorithm', algorithm, '--seed', '3', '--json'],
        { cwd },
      );
      assert.equal(code, 0, stderr);
      const { value, input, figures } = JSON.parse(stdout);
      assert.deepEqual(input, { table: 'rows.npy', rows });
      assert.equal(value.labels.length, rows);
      assert.ok(figures.inertia > 0);
      labels.add(value.labels.join());
    }
    assert.equal(labels.size, 1);
  });

  it('starts from given centers: with all rows as centers every distance is 0', async () => {
    const { stdout, stderr } = await runCli(
      ['cluster', 'rows.npy', '--k', String(rows), '--init-centers', 'rows.npy', '--json'],
      { cwd },
    );
    assert.equal(JSON.parse(stdout || stderr).figures?.inertia, 0);
  });

  it('lists the columns there are when one is not', async () => {
    const missing = await runCli(['cluster', 'rows.jsonl', '--k', '2', '--column', 'vector'], { cwd });
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /no column "vector"; expected one of id VARCHAR, embedding/);
    const none = await runCli(['cluster', 'losses.csv', '--k', '2'], { cwd });
    assert.equal(none.code, 2);
    assert.match(
      none.stderr,
      /no column of lists; it has id VARCHAR, loss DOUBLE. Name the numeric columns with --columns/,
    );
    assert.equal((await runCli(['cluster', 'losses.csv', '--k', '2', '--columns', 'loss'], { cwd })).code, 0);
  });

  it('leaves no file behind when it fails', async () => {
    const before = readdirSync(cwd).sort();
    const { code, stderr } = await runCli(
      ['cluster', 'rows.npy', '--k', '2', '--weights', 'w', '--out', 'never.csv'],
      { cwd },
    );
    assert.equal(code, 2, stderr);
    assert.equal(existsSync(join(cwd, 'never.csv')), false);
    assert.deepEqual(readdirSync(cwd).sort(), before);
  });
});
