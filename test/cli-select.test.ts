// `provably select` on real files, as a process: three sources of losses, reports, Ctrl-C and going on afterwards.

import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createFixture, parseCsv } from './cli-fixtures.ts';
import { runCli } from './run-cli.ts';

const fixture = createFixture();
const { folder: cwd, rows, losses } = fixture;
after(() => fixture[Symbol.dispose]());

const read = (file: string): string => readFileSync(join(cwd, file), 'utf8');
const meanLoss = losses.reduce((sum, loss) => sum + loss, 0) / rows;

// A model as a program: answers from losses.csv, notes every id it is asked in asked.txt, and may be slow.
writeFileSync(
  join(cwd, 'model.mjs'),
  `import { appendFileSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
const losses = new Map(readFileSync('losses.csv', 'utf8').trim().split('\\n').slice(1).map((line) => line.split(',')));
for await (const id of createInterface({ input: process.stdin })) {
  appendFileSync('asked.txt', id + '\\n');
  if (process.argv[2]) await new Promise((resolve) => setTimeout(resolve, Number(process.argv[2])));
  console.log(losses.get(id));
}
`,
);
const model = (delay = ''): string => `"${process.execPath}" model.mjs ${delay}`.trim();

describe('provably select', () => {
  it('picks a share of the rows by losses of a column, with weights that stand for all', async () => {
    const { code, stdout, stderr } = await runCli(
      [
        'select',
        'rows.jsonl',
        '--column',
        'embedding',
        '--losses',
        'loss',
        '--id',
        'id',
        '--size',
        '25%',
        '--audit',
        '--out',
        'picked.csv',
      ],
      { cwd },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /60 of 240 rows \(25 %\) → picked\.csv/);
    assert.match(stdout, /certificate .*arXiv 2402\.17327/);
    assert.match(stdout, /measured .* on all 240 rows/);
    const picked = parseCsv(read('picked.csv'));
    assert.deepEqual(Object.keys(picked[0]), ['id', 'weight']);
    assert.equal(new Set(picked.map(({ id }) => id)).size, 60);
    const rowsOf = picked.map(({ id }) => Number(id.slice(4)));
    assert.deepEqual(
      rowsOf,
      rowsOf.toSorted((a, b) => a - b),
    ); // in the order of the table
    const estimate =
      picked.reduce((sum, { weight }, i) => sum + Number(weight) * losses[rowsOf[i]], 0) / rows;
    // Losses of a group differ by a tenth and the weights follow them: the estimate cannot be far off.
    assert.ok(Math.abs(estimate - meanLoss) < 0.2 * meanLoss, `${estimate} for ${meanLoss}`);
  });

  it('picks the same rows with the same weights by any kernels and any number of threads', async () => {
    const words = 'select rows.jsonl --column embedding --losses loss --size 60 --seed 3'.split(' ');
    const picks = [];
    for (const env of [
      { PROVABLY_THREADS: '1' },
      { PROVABLY_THREADS: '2' },
      { PROVABLY_KERNELS: 'wasm' },
      { PROVABLY_KERNELS: 'ts' },
    ]) {
      const { code, stderr } = await runCli([...words, '--out', 'threads.csv'], { cwd, env });
      assert.equal(code, 0, stderr);
      picks.push(read('threads.csv'));
    }
    assert.equal(new Set(picks).size, 1);
  });

  it('gives the same rows for the same seed from a column, a file and a command, in text and JSON', async () => {
    const sources = [
      ['--losses', 'loss'],
      ['--losses', 'losses.csv'],
      ['--loss-command', model(), '--journal', 'same.jsonl'],
    ];
    const picks: string[] = [];
    for (const source of sources) {
      const { code, stdout, stderr } = await runCli(
        ['select', 'rows.jsonl', ...source, '--id', 'id', '--size', '20', '--seed', '5', '--json'],
        { cwd },
      );
      assert.equal(code, 0, stderr);
      const { value, certificate, figures, recipe, system } = JSON.parse(stdout);
      assert.equal(system, 'selection');
      assert.equal(value.ids.length, 20);
      assert.equal(certificate.seed, 5);
      assert.ok(figures.lossQueries > 0 && figures.lossQueries < rows);
      assert.match(recipe.command, /^provably select rows\.jsonl --size 20 .*--seed 5/);
      picks.push(JSON.stringify([value.ids, value.weights]));
    }
    assert.equal(new Set(picks).size, 1);
  });

  it('copies the picked rows with all their columns, and reads what it wrote', async () => {
    const words = [
      'select',
      'rows.jsonl',
      '--losses',
      'loss',
      '--size',
      '12',
      '--copy',
      '--out',
      'copy.parquet',
    ];
    assert.equal((await runCli(words, { cwd })).code, 0);
    const again = await runCli(
      ['cluster', 'copy.parquet', '--k', '2', '--column', 'embedding', '--weights', 'weight', '--json'],
      { cwd },
    );
    assert.equal(again.code, 0, again.stderr);
    assert.equal(JSON.parse(again.stdout).input.rows, 12);
    const named = await runCli(['cluster', 'copy.parquet', '--k', '2', '--column', 'nothing'], { cwd });
    assert.match(named.stderr, /id VARCHAR, embedding .*, loss DOUBLE, text VARCHAR, weight DOUBLE/);
  });

  it('writes repeats as counts, and a report as JSON or as a page', async () => {
    const words = [
      'select',
      'rows.npy',
      '--losses',
      'losses.csv',
      '--size',
      '50',
      '--scheme',
      'hansen-hurwitz',
      '--out',
      'draws.csv',
    ];
    assert.equal((await runCli([...words, '--report', 'r.json'], { cwd })).code, 0);
    const draws = parseCsv(read('draws.csv'));
    assert.deepEqual(Object.keys(draws[0]), ['row', 'weight', 'count']);
    assert.equal(
      draws.reduce((sum, { count }) => sum + Number(count), 0),
      50,
    );
    const report = JSON.parse(read('r.json'));
    for (const name of ['scoreTotal', 'phi', 'phiLambda', 'effectiveSize', 'predictedRelativeError']) {
      assert.ok(report.figures[name] >= 0, name);
    }
    assert.ok(report.value.estimate.interval.low < report.value.estimate.value);
    assert.equal((await runCli([...words, '--report', 'r.html'], { cwd })).code, 0);
    assert.match(read('r.html'), /<svg .*aria-label=/);
  });

  it('asks a command each id once, in one run per stage, and the next run nothing', async () => {
    writeFileSync(join(cwd, 'asked.txt'), '');
    const words = [
      'select',
      'rows.jsonl',
      '--id',
      'id',
      '--loss-command',
      model(),
      '--size',
      '20',
      '--out',
      'once.csv',
    ];
    const first = await runCli([...words, '--json'], { cwd });
    assert.equal(first.code, 0, first.stderr);
    const asked = read('asked.txt').trim().split('\n');
    assert.equal(new Set(asked).size, asked.length);
    assert.equal(JSON.parse(first.stdout).figures.lossQueries, asked.length);
    const second = await runCli([...words, '--json'], { cwd });
    const { figures } = JSON.parse(second.stdout);
    assert.deepEqual([figures.lossQueries, figures.lossesFromJournal], [0, asked.length]);
    assert.equal(read('asked.txt').trim().split('\n').length, asked.length);
  });

  it('leaves only the journal on Ctrl-C, exits with 130, and goes on from there', async () => {
    writeFileSync(join(cwd, 'asked.txt'), '');
    const words = (delay: string) => [
      ...['select', 'rows.jsonl', '--id', 'id', '--loss-command', model(delay), '--model', 'm1'],
      ...['--size', '20', '--out', 'stopped.csv'],
    ];
    const before = readdirSync(cwd);
    const journal = join(cwd, 'stopped.csv.losses.jsonl');
    const stopped = await runCli(words('40'), {
      cwd,
      during(child) {
        const timer = setInterval(() => {
          if (!existsSync(journal) || readFileSync(journal, 'utf8').split('\n').length < 6) return;
          clearInterval(timer);
          child.kill('SIGINT');
        }, 10);
        child.once('close', () => clearInterval(timer));
      },
    });
    assert.equal(stopped.code, 130, stopped.stderr);
    assert.match(stopped.stderr, /interrupted/);
    assert.deepEqual(
      readdirSync(cwd).filter((file) => !before.includes(file)),
      ['stopped.csv.losses.jsonl'],
    );
    const kept = readFileSync(journal, 'utf8').trim().split('\n');
    assert.ok(kept.length >= 5);
    appendFileSync(journal, '{"model":"m1","id":"do'); // as if killed in the middle of a line

    writeFileSync(join(cwd, 'asked.txt'), '');
    const resumed = await runCli([...words(''), '--json'], { cwd });
    assert.equal(resumed.code, 0, resumed.stderr);
    const asked = read('asked.txt').trim().split('\n');
    const known = new Set(kept.map((line) => JSON.parse(line).id));
    assert.deepEqual(
      asked.filter((id) => known.has(id)),
      [],
    );
    assert.equal(JSON.parse(resumed.stdout).figures.lossesFromJournal, known.size);
    assert.equal(parseCsv(read('stopped.csv')).length, 20);
  });

  it('says what is wrong with losses, ids and columns, and writes nothing', async () => {
    writeFileSync(join(cwd, 'short.csv'), 'loss\n1\n2\n');
    writeFileSync(join(cwd, 'negative.csv'), `loss\n${[...losses].map((loss) => -loss).join('\n')}\n`);
    const cases: [string[], number, RegExp][] = [
      [
        ['--losses', 'nothing'],
        2,
        /nothing is neither a column of rows\.jsonl \(it has id, embedding, loss, text\) nor a file/,
      ],
      [[], 2, /give --losses .* or --loss-command/],
      [['--losses', 'short.csv'], 1, /it has 2 rows, rows\.jsonl has 240/],
      [['--losses', 'negative.csv'], 1, /negative|≥ 0/],
      [['--losses', 'loss', '--id', 'nothing'], 1, /no column "nothing"/],
      [['--loss-command', 'exit 3'], 1, /exited with code 3/],
    ];
    for (const [words, exit, message] of cases) {
      const { code, stderr } = await runCli(
        ['select', 'rows.jsonl', '--size', '10', '--out', 'bad.csv', ...words],
        { cwd },
      );
      assert.match(stderr, message);
      assert.equal(code, exit, stderr);
      assert.equal(existsSync(join(cwd, 'bad.csv')), false);
    }
  });
});
