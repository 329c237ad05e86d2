// `provably serve --labels`, `provably aggregate serve` and `verify` as processes.

import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { createAggregatorClient } from '../src/aggregate/index.ts';
import { type CliRun, runCli, runInProcess } from './run-cli.ts';
import { range } from './serving-labels.ts';

const folder = mkdtempSync(join(tmpdir(), 'provably-aggregate-serve-'));
after(() => rmSync(folder, { recursive: true }));
const labels = join(folder, 'labels.csv');
writeFileSync(
  labels,
  `id,spent\n${range(0, 20)
    .map((i) => `${i},${i % 2}`)
    .join('\n')}\n`,
);
const ledger = join(folder, 'ledger.db');
const guard = [
  ...['--labels', labels, '--id', 'id', '--label', 'spent', '--bounds', '0,1', '--grid', '1'],
  ...['--min-bag', '5', '--epsilon', '2', '--epsilon-per-release', '1', '--port', '0', '--json'],
];

/** Runs a server, and `body` once it listens; then sends a signal. */
async function whileServing(
  words: string[],
  signal: NodeJS.Signals,
  body: (facts: { url: string; samples: number }) => Promise<void>,
): Promise<CliRun> {
  let outcome: Promise<void> | undefined;
  const run = await runCli(words, {
    during: (child) => {
      child.stdout?.once('data', (text) => {
        outcome = body(JSON.parse(text)).finally(() => child.kill(signal));
      });
    },
  });
  assert.ok(outcome, run.stderr);
  await outcome;
  return run;
}

const lines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('provably serve --labels', () => {
  it('answers, ends well on Ctrl-C, and goes on from its ledger', async () => {
    let kept = '';
    const bags = [range(0, 5), range(5, 10)];
    const first = await whileServing(['serve', ...guard, '--ledger', ledger], 'SIGINT', async (facts) => {
      assert.equal(facts.samples, 20);
      const answer = await createAggregatorClient(facts).query({ stage: 's', bags });
      assert.deepEqual(
        answer.bags.map(({ charged }) => charged),
        [1, 1],
      );
      kept = answer.head;
    });
    assert.equal(first.code, 0, first.stderr);
    const [open, request, stopped] = lines(first.stderr);
    assert.deepEqual([open.event, open.level], ['open', 'warn']);
    assert.match(String(open.message), /there are no API keys.*--role analyst/);
    assert.deepEqual([request.route, request.status], ['/v1/aggregator/query', 200]);
    assert.deepEqual([stopped.event, stopped.hash], ['stopped', kept]);

    const keys = join(folder, 'keys.txt');
    const made = await runInProcess(['api-key', '--name', 'ann', '--role', 'analyst', '--file', keys]);
    const again = ['aggregate', 'serve', ...guard, '--ledger', ledger, '--head', kept];
    again.push('--api-keys-file', keys, '--quiet');
    const second = await whileServing(again, 'SIGTERM', async ({ url }) => {
      const client = createAggregatorClient({ url, apiKey: made.stdout.trim(), retries: 0 });
      const repeated = await client.query({ stage: 's', bags });
      assert.deepEqual(
        repeated.bags.map(({ charged }) => charged),
        [0, 0],
      );
      await client.query({ stage: 't', bags });
      await assert.rejects(client.query({ stage: 'u', bags }), { reason: 'budget-exceeded' });
      await assert.rejects(createAggregatorClient({ url, retries: 0 }).info(), { reason: 'unauthorized' });
    });
    assert.equal(second.code, 0, second.stderr);
    assert.deepEqual(
      lines(second.stderr).map(({ event }) => event),
      ['stopped'],
    );

    const sound = await runCli(['aggregate', 'verify', ledger, '--head', kept, '--json']);
    assert.equal(sound.code, 0, sound.stderr);
    const report = JSON.parse(sound.stdout);
    const { valid, answers, refusals, bagsCharged, bagsRepeated, largestSpend } = report;
    assert.deepEqual(
      [valid, answers, refusals, bagsCharged, bagsRepeated, largestSpend],
      [true, 3, 2, 4, 2, 2],
    );
    assert.equal(report.certificate.bound.failureProbability, 0);
    const text = await runInProcess(['aggregate', 'verify', ledger]);
    assert.match(text.stdout, /ledger +sound\n.*3 answers, 2 refusals/);
  });

  it('finds what was changed, cut off or never there', async () => {
    const copy = join(folder, 'copy.db');
    copyFileSync(ledger, copy);
    const db = new DatabaseSync(copy);
    db.exec("DROP TRIGGER entry_no_update; UPDATE entry SET actor = 'bob' WHERE kind = 'answer'");
    db.close();
    const changed = await runInProcess(['aggregate', 'verify', copy, '--json']);
    assert.equal(changed.code, 1);
    assert.equal(JSON.parse(changed.stdout).valid, false);
    assert.equal(JSON.parse(changed.stderr).error.code, 'AUDIT');
    const cut = await runInProcess(['aggregate', 'verify', ledger, '--head', 'f'.repeat(64)]);
    assert.equal(cut.code, 1);
    assert.match(cut.stderr, /the log was rewritten or cut/);
    assert.match(cut.stdout, /NOT SOUND/);
    const older = await runInProcess(['serve', ...guard, '--ledger', ledger, '--head', 'f'.repeat(64)]);
    assert.deepEqual([older.code, older.stdout], [1, '']);
    assert.match(older.stderr, /no entry of the ledger .* has the hash f+; .*rolled back/);
    for (const path of [join(folder, 'none.db'), labels]) {
      const none = await runInProcess(['aggregate', 'verify', path]);
      assert.deepEqual([none.code, none.stdout], [1, '']);
      assert.match(none.stderr, /ledger: .*expected/);
    }
  });

  it('ends when its ledger cannot be written', async () => {
    const path = join(folder, 'spoilt.db');
    const run = await whileServing(['serve', ...guard, '--ledger', path], 'SIGCONT', async (facts) => {
      const db = new DatabaseSync(path);
      db.exec('DROP TABLE bag');
      db.close();
      const client = createAggregatorClient({ ...facts, retries: 0 });
      const asked = client.query({ stage: 's', bags: [range(0, 5)] });
      await assert.rejects(asked, (error: Error) => !error.message.includes('bag'));
    });
    assert.equal(run.code, 1);
    assert.match(run.stderr, /the ledger could not be written/);
  });

  it('refuses a mix of servers, what is missing, and open doors', async () => {
    const cases: [words: string[], code: number, message: RegExp][] = [
      [['serve', ...guard, '--ledger', ledger, '-m', 'x.gguf'], 2, /--model: not with --labels/],
      [['serve', ...guard, '--ledger', ledger, '--cache', 'full'], 2, /--cache: not with --labels/],
      [
        ['serve', '-m', 'x.gguf', '--min-bag', '5', '--ledger', 'l'],
        2,
        /--min-bag, --ledger: only with --labels/,
      ],
      [['serve', '--labels', labels], 2, /needs --id, --label, --bounds, --min-bag, --epsilon, --ledger too/],
      [['aggregate', 'serve', '--bounds', '1,0'], 2, /the lower one first/],
      [['aggregate', 'serve', ...guard], 2, /needs --ledger too/],
      [
        ['serve', ...guard, '--ledger', ledger, '--host', '0.0.0.0'],
        1,
        /there are no API keys; expected keys/,
      ],
      [['serve', ...guard, '--ledger', ledger, '--id', 'name'], 1, /has no column \\"name/],
      [['serve', ...guard, '--ledger', ledger, '--min-bag', '6'], 1, /ledger was made for minBag 5/],
      [
        ['serve', ...guard, '--ledger', join(folder, 'other.db'), '--epsilon', '0.5'],
        1,
        /epsilonPerRelease is 1 and budget 0.5/,
      ],
    ];
    for (const [words, code, message] of cases) {
      const run = await runInProcess(words);
      assert.match(run.stderr, message, words.join(' '));
      assert.deepEqual([run.code, run.stdout], [code, ''], words.join(' '));
    }
  });
});
