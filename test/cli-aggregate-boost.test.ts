// `provably aggregate boost` on the Boston table: at once, in two phases, under a ledger, behind an aggregator.

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { aggregate, at, boston, cwd, ids, labelOf, read, responsesByKey, rows, sum } from './boston-table.ts';
import { parseCsv } from './cli-fixtures.ts';
import { runCli, runInProcess } from './run-cli.ts';

describe('provably aggregate boost', () => {
  const table = [at('boston.csv'), '--id', 'id'];
  const setting = ['--all-but', 'medv', '--k', '5', '--stages', '2', '--seed', '4'];
  const answer = (asked: string, answers: string): void => {
    const means = [...responsesByKey(asked)].map(([bag, values]) => `${bag},${sum(values) / values.length}`);
    writeFileSync(at(answers), `bag,mean\n${means.join('\n')}\n`);
  };

  it('gives one model, whether answers come at once or one stage after the other', async () => {
    const words = [...table, ...setting, '--label', 'medv', '--out', 'once.json', '--predict', 'once.csv'];
    const { code, stdout, stderr } = await runCli(
      ['aggregate', 'boost', ...words, '--report', 'boost.html'],
      { cwd },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /linear model from \d+ bags in 2 stages of 506 rows → once\.json/);
    assert.match(stdout, /^priorboost\.2 +slice/m);
    assert.match(stdout, /No label privacy/);
    assert.match(read('boost.html'), /<svg /);

    const state = ['--state', at('run.json')];
    await aggregate(['boost', ...table, ...setting, ...state, '--ask', at('ask-1.csv')]);
    answer('ask-1.csv', 'answers-1.csv');
    // A run under way keeps its settings, and asks the same again when it is not answered.
    const again = await runInProcess(['aggregate', 'boost', ...table, ...state, '--ask', at('ask-1b.csv')]);
    assert.equal(again.code, 0, again.stderr);
    assert.equal(read('ask-1b.csv'), read('ask-1.csv'));
    const changed = await runInProcess([
      'aggregate',
      'boost',
      ...table,
      '--k',
      '9',
      ...state,
      '--ask',
      'x.csv',
    ]);
    assert.equal(changed.code, 2);
    assert.match(changed.stderr, /keeps its settings; leave --k out/);
    await aggregate([
      ...['boost', ...table, ...state, '--answers', at('answers-1.csv'), '--ask', at('ask-2.csv')],
    ]);
    answer('ask-2.csv', 'answers-2.csv');
    const twice = [...responsesByKey('ask-1.csv').values(), ...responsesByKey('ask-2.csv').values()];
    assert.equal(sum(twice.map(({ length }) => length)), rows, 'every row is asked about once');
    const last = ['--answers', at('answers-2.csv'), '--out', at('later.json'), '--predict', at('later.csv')];
    await aggregate(['boost', ...table, ...state, ...last]);
    const numbers = (file: string): number[] =>
      parseCsv(read(file)).map(({ prediction }) => Number(prediction));
    // Means pass through decimal text, which keeps all digits.
    assert.deepEqual(numbers('later.csv'), numbers('once.csv'));
    const over = await runInProcess([
      'aggregate',
      'boost',
      ...table,
      ...state,
      '--answers',
      at('answers-2.csv'),
    ]);
    assert.match(over.stderr, /the run is complete/);
    assert.equal(over.code, 2);
  });

  it('charges a ledger, repeats what was answered, and refuses to overspend', async () => {
    const words = [
      ...[
        'boost',
        ...table,
        '--all-but',
        'medv',
        '--label',
        'medv',
        '--k',
        '20',
        '--stages',
        '2',
        '--preset',
        'best',
      ],
      ...['--epsilon', '2', '--bounds', '0,50', '--budget', '3', '--ledger', at('ledger.json')],
    ];
    const first = await aggregate(words);
    assert.equal(first.figures.spent, 2);
    assert.equal(first.figures.epsilon, 2);
    const ledger = read('ledger.json');
    // Noise of a new release would differ with probability 1; equal models show that the ledger answered.
    const second = await aggregate(words);
    assert.deepEqual(second.value.model, first.value.model);
    assert.equal(second.figures.spent, 2);
    assert.equal(read('ledger.json'), ledger);
    for (const [more, message] of [
      [['--run', 'another'], /REFUSED.*has spent epsilon 2.*expected at most 3/],
      [['--seed', '9'], /REFUSED.*expected disjoint bags within a stage/],
      [['--budget', '9'], /USAGE.*made for a budget of 3/],
    ] as const) {
      const refused = await runInProcess(['aggregate', ...words, ...more, '--json']);
      assert.equal(refused.code, more[0] === '--budget' ? 2 : 1);
      assert.match(refused.stderr, message);
    }
    assert.equal(read('ledger.json'), ledger);
  });

  it('repeats simulated noise by its seed, and says that it protects nobody', async () => {
    const words = [
      ...[
        'boost',
        ...table,
        ...setting,
        '--label',
        'medv',
        '--epsilon',
        '1',
        '--bounds',
        '0,50',
        '--simulate',
      ],
    ];
    const [first, second] = [await aggregate(words), await aggregate(words)];
    assert.deepEqual(first.value.model, second.value.model);
    assert.equal(first.figures.epsilon, undefined);
    assert.match(first.value.privacy.statement, /No label privacy/);
  });

  it('sorts stage 1 by a prior model', async () => {
    const words = ['boost', ...table, ...setting, '--label', 'medv'];
    await aggregate([...words, '--out', at('prior.json')]);
    const { value } = await aggregate([...words, '--prior', at('prior.json')]);
    assert.equal(value.stages[0].origin, 'slice');
    assert.ok((value.stages[0].within?.share ?? 1) < 0.05);
  });

  it('learns from an aggregator over HTTP', async () => {
    writeFileSync(
      at('labels.csv'),
      `id,medv\n${ids.map((id, i) => `${id},${boston.response[i]}`).join('\n')}\n`,
    );
    const serve = [
      ...[
        'aggregate',
        'serve',
        '--labels',
        'labels.csv',
        '--id',
        'id',
        '--label',
        'medv',
        '--bounds',
        '0,50',
      ],
      ...['--min-bag', '20', '--epsilon', '1', '--ledger', 'ledger.db', '--port', '0', '--json', '--quiet'],
    ];
    let work: Promise<void> | undefined;
    const server = await runCli(serve, {
      cwd,
      during: (child) => {
        child.stdout?.once('data', (text) => {
          const { url } = JSON.parse(text);
          const boost = async (k: string, run: string) =>
            runInProcess([
              ...[
                'aggregate',
                'boost',
                ...table,
                '--all-but',
                'medv',
                '--k',
                k,
                '--stages',
                '2',
                '--preset',
                'best',
              ],
              ...['--aggregator', url, '--run', run, '--json'],
            ]);
          work = (async () => {
            const { code, stdout, stderr } = await boost('20', 'a');
            assert.equal(code, 0, stderr);
            assert.match(JSON.parse(stdout).value.privacy.statement, /^1-label-DP/);
            const small = await boost('10', 'b');
            assert.match(small.stderr, /REFUSED/);
            assert.equal(small.code, 1);
          })().finally(() => child.kill('SIGINT'));
        });
      },
    });
    assert.ok(work, server.stderr);
    await work;
    const verified = await aggregate(['verify', at('ledger.db')]);
    assert.deepEqual([verified.valid, verified.largestSpend], [true, 1]);
  });

  it('says where labels may be, and which flags go together', async () => {
    const cases: [string[], RegExp][] = [
      [[], /where are the labels\?/],
      [['--label', 'medv', '--aggregator', 'http://x'], /not both/],
      [['--label', 'medv', '--epsilon', '1'], /go together/],
      [['--label', 'medv', '--simulate'], /need --epsilon/],
      [['--state', 'none.json', '--bounds', '0,1', '--ask', 'x.csv'], /--bounds is for labels in this table/],
      [['--state', 'none.json'], /give --ask, where bags go, or --answers/],
      [['--state', 'none.json', '--answers', 'x.csv'], /none\.json is not there/],
      [['--label', 'medv', '--ask', 'x.csv'], /others answer later/],
      [['--label', 'medv', '--api-key-file', 'x'], /are for --aggregator/],
      [['--label', 'rm', '--features', 'rm,lstat'], /"rm" is the label/],
    ];
    for (const [words, message] of cases) {
      const own = words.includes('--features') ? ['--k', '5'] : setting;
      const { code, stderr } = await runInProcess(['aggregate', 'boost', ...table, ...own, ...words]);
      assert.match(stderr, message);
      assert.equal(code, 2, stderr);
    }
  });
});

describe('Ctrl-C in provably aggregate boost', () => {
  it('stops a run of boost between its stages, which goes on from its state', async () => {
    let asked = 0;
    let answering = false;
    let child: ChildProcess | undefined;
    const server = createServer(async (request, response) => {
      if (request.url === '/v1/aggregator') {
        const info = { samples: rows, minBag: 5, budget: 1, epsilonPerRelease: 1, maxBags: 100 };
        response.end(JSON.stringify({ ...info, bounds: [0, 50], grid: 0.05, private: true }));
        return;
      }
      let text = '';
      for await (const part of request) text += part;
      const { stage, bags } = JSON.parse(text) as { stage: string; bags: string[][] };
      // The second stage is never answered the first time: Ctrl-C comes instead.
      if (++asked === 2 && !answering) {
        child?.kill('SIGINT');
        return;
      }
      const answers = bags.map((members) => ({
        mean: sum(members.map((id) => labelOf.get(id) as number)) / members.length,
        ...{ noiseVariance: 0, size: members.length, charged: 1 },
      }));
      const answer = { stage, epsilon: 1, bags: answers, neighbouring: 'replace-one-label', entry: asked };
      response.end(JSON.stringify({ ...answer, head: '00' }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const words = [
        'boost',
        at('boston.csv'),
        '--id',
        'id',
        '--aggregator',
        url,
        '--state',
        at('stopped.json'),
      ];
      const start = ['--all-but', 'medv', '--k', '20', '--stages', '2'];
      const stopped = await runCli(['aggregate', ...words, ...start, '--out', at('stopped-model.json')], {
        during: (started) => {
          child = started;
        },
      });
      assert.equal(stopped.code, 130, stopped.stderr);
      assert.match(stopped.stderr, /stopped\.json keeps the stages answered so far/);
      assert.equal(existsSync(at('stopped-model.json')), false);
      answering = true;
      const { value } = await aggregate([...words, '--out', at('stopped-model.json')]);
      assert.equal(asked, 3, 'the first stage is not asked again');
      const whole = await aggregate([
        ...['boost', at('boston.csv'), '--id', 'id', '--label', 'medv', ...start],
      ]);
      assert.deepEqual(value.model, whole.value.model);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
