// `provably aggregate` on the Boston table: plan, bags, answers in every format, a model, and PriorBoost at once and in two phases.

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { conversionValue, outputDomain, skanSteps, toContribution } from '../src/aggregate/index.ts';
import { loadBoston } from '../src/data/datasets/index.ts';
import { encodeAvro } from '../src/data/index.ts';
import { parseCsv } from './cli-fixtures.ts';
import { interruptAtWork, runCli, runInProcess } from './run-cli.ts';

const cwd = mkdtempSync(join(tmpdir(), 'provably-aggregate-'));
after(() => rmSync(cwd, { recursive: true }));
const at = (file: string): string => join(cwd, file);
const read = (file: string): string => readFileSync(at(file), 'utf8');

const boston = await loadBoston();
const rows = boston.response.length;
const ids = Array.from({ length: rows }, (_, i) => `tract-${i}`);
const rowText = (i: number): string =>
  [ids[i], ...boston.features.data.subarray(i * 12, (i + 1) * 12), boston.response[i]].join(',');
writeFileSync(
  at('boston.csv'),
  `id,${boston.columns.join(',')},medv\n${ids.map((_, i) => rowText(i)).join('\n')}\n`,
);
const labelOf = new Map(ids.map((id, i) => [id, boston.response[i]]));

/** What the tests read of the JSON that subcommands print. */
interface Printed {
  input: Record<string, number>;
  value: {
    byBagSize: unknown[];
    best: { bagSize: number };
    coefficients: { value: number }[];
    notes: string[];
    model: unknown;
    privacy: { statement: string };
    stages: { origin: string; within?: { share: number } }[];
  };
  figures: Record<string, number>;
  recipe: { command: string };
  valid: boolean;
  largestSpend: number;
}

/** Runs a subcommand here and parses what it prints. */
async function aggregate(words: string[]): Promise<Printed> {
  const { code, stdout, stderr } = await runInProcess(['aggregate', ...words, '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Bags of a file by their key: responses of their members. */
function responsesByKey(file: string): Map<string, number[]> {
  const byKey = new Map<string, number[]>();
  for (const { id, bag, key = bag } of parseCsv(read(file))) {
    byKey.set(key, [...(byKey.get(key) ?? []), labelOf.get(id) as number]);
  }
  return byKey;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const fitWords = (...more: string[]): string[] => [
  ...['fit', at('boston.csv'), '--id', 'id', '--all-but', 'medv', '--bags', at('bags.csv')],
  ...more,
];

/** What the tests below begin with: random bags and their means, sorted bags with keys, sources, and a model. */
before(async () => {
  const bag = (...words: string[]) =>
    aggregate(['bag', at('boston.csv'), '--id', 'id', '--k', '10', ...words]);
  await bag('--out', at('bags.csv'));
  await bag(
    ...['--method', 'chunk', '--by', 'lstat', '--out', at('chunks.csv')],
    ...['--format', 'attribution', '--key-base', '0xff00'],
  );
  await bag('--format', 'skan', '--out', at('skan.csv'));
  writeFileSync(
    at('means.csv'),
    `bag,count,mean\n${[...responsesByKey('bags.csv')]
      .map(([key, values]) => `${key},${values.length},${sum(values) / values.length}`)
      .join('\n')}\n`,
  );
  writeFileSync(at('short.csv'), read('means.csv').split('\n').slice(0, 20).join('\n'));
  await aggregate(fitWords('--answers', at('means.csv'), '--rho', '0.01', '--out', at('model.json')));
});

describe('provably aggregate', () => {
  it('shows an example for each subcommand', async () => {
    for (const name of ['plan', 'bag', 'fit', 'boost']) {
      const { code, stdout } = await runInProcess(['aggregate', name, '--help']);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`Examples?:\\n {2}\\$ provably aggregate ${name} `));
      assert.match(stdout, /--json/);
    }
  });
});

describe('provably aggregate plan', () => {
  it('finds bag size and ρ, tells the advice, and draws the curve', async () => {
    const setting = '--n 2000 --d 10 --snr 1 --noise 1 --max-bag 8 --repeats 4'.split(' ');
    const { code, stdout, stderr } = await runCli(['aggregate', 'plan', ...setting, '--out', 'plan.svg'], {
      cwd,
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /bags of 1, ρ = 0.*individual labels/s);
    assert.match(stdout, /^bag size +best ρ +risk/m);
    assert.match(stdout, /plain bag-level loss on random bags/i);
    assert.match(stdout, /certificate .*derived/);
    assert.match(read('plan.svg'), /^<svg [\s\S]*Expected error by bag size/);
    const record = await aggregate([
      ...['plan', ...setting, '--epsilon', '1', '--bounds', '-4,4'],
      ...['--report', at('plan.html')],
    ]);
    assert.equal(record.value.byBagSize.length, 8);
    assert.equal(record.figures.bagSize, record.value.best.bagSize);
    assert.match(record.recipe.command, /^provably aggregate plan .*--epsilon 1.*--bounds -4,4/);
    assert.match(read('plan.html'), /<svg /);
  });
});

describe('provably aggregate bag', () => {
  it('puts every row into one bag of at least k', async () => {
    const words = ['bag', 'boston.csv', '--id', 'id', '--k', '10', '--out', 'own.csv'];
    const { code, stdout, stderr } = await runCli(['aggregate', ...words], { cwd });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /50 bags of 506 rows → own\.csv/);
    const bags = parseCsv(read('own.csv'));
    assert.deepEqual(Object.keys(bags[0]), ['id', 'bag']);
    assert.deepEqual(new Set(bags.map(({ id }) => id)), new Set(ids));
    const sizes = [...responsesByKey('own.csv').values()].map(({ length }) => length);
    assert.ok(sizes.every((size) => size >= 10));
    assert.equal(sum(sizes), rows);
  });

  it('cuts an order where bags are most alike, or groups rows by their features', async () => {
    const spread = async (...words: string[]): Promise<number> => {
      const { figures } = await aggregate([
        ...['bag', at('boston.csv'), '--id', 'id', '--k', '10', '--out', at('some.csv')],
        ...words,
      ]);
      assert.ok(figures.smallest >= 10);
      return figures.withinShare;
    };
    const [sliced, chunked] = [
      await spread('--method', 'slice', '--by', 'lstat'),
      await spread('--method', 'chunk', '--by', 'lstat'),
    ];
    assert.ok(sliced <= chunked, `${sliced} > ${chunked}`);
    await spread('--method', 'kmeans', '--all-but', 'medv');
    // Rooms were among the features: bags of like homes are alike in it.
    const rooms = new Map(
      ids.map((id, i) => [id, boston.features.data[i * 12 + boston.columns.indexOf('rm')]]),
    );
    const bags = new Map<string, number[]>();
    for (const { id, bag } of parseCsv(read('some.csv'))) {
      bags.set(bag, [...(bags.get(bag) ?? []), rooms.get(id) as number]);
    }
    const squares = (values: number[]): number => {
      const mean = sum(values) / values.length;
      return sum(values.map((value) => (value - mean) ** 2));
    };
    assert.ok(sum([...bags.values()].map(squares)) < 0.7 * squares([...rooms.values()]));
  });

  it('cuts an order into runs, and names bags as platforms do', async () => {
    const { figures } = await aggregate([
      ...['bag', at('boston.csv'), '--id', 'id', '--k', '10', '--method', 'chunk', '--by', 'lstat'],
      ...[
        '--format',
        'attribution',
        '--key-base',
        '0xff00',
        '--domain',
        at('d.avro'),
        '--out',
        at('keys.csv'),
      ],
    ]);
    assert.ok(figures.withinShare < 0.05, `${figures.withinShare}`);
    const keys = [...responsesByKey('keys.csv').keys()];
    assert.deepEqual([keys.length, keys[1]], [50, `0x${'ff01'.padStart(32, '0')}`]);
    assert.equal(readFileSync(at('d.avro')).toString('latin1', 0, 3), 'Obj');
    assert.equal([...responsesByKey('skan.csv').keys()][7], '07');
  });
});

describe('provably aggregate fit', () => {
  const exact = (): [string, number[]][] => [...responsesByKey('bags.csv')];
  const coefficientsOf = (record: Printed): number[] => record.value.coefficients.map(({ value }) => value);

  it('learns from means, sums and proportions of bags alike, and writes model and predictions', async () => {
    const words = ['--answers', 'means.csv', '--rho', '0.01', '--out', 'own.json', '--predict', 'p.csv'];
    const { code, stdout, stderr } = await runCli(
      ['aggregate', ...fitWords(...words, '--report', 'fit.html')],
      { cwd },
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /linear model from 50 bags of 506 rows → own\.json/);
    assert.match(stdout, /^rm +\d.* … /m);
    assert.match(stdout, /certificate .*arXiv 2401\.11081/);
    assert.match(read('fit.html'), /<svg /);
    const predictions = parseCsv(read('p.csv'));
    assert.deepEqual(
      predictions.map(({ id }) => id),
      ids,
    );
    // Means of 10 homes teach a model that explains most of single homes: individual labels leave 26 % unexplained, this fit about a third.
    const mean = sum([...boston.response]) / rows;
    const squares = (of: (i: number) => number): number => sum(ids.map((_, i) => of(i) ** 2));
    const left = squares((i) => boston.response[i] - Number(predictions[i].prediction));
    assert.ok(left / squares((i) => boston.response[i] - mean) < 0.45);

    writeFileSync(
      at('sums.jsonl'),
      exact()
        .map(([key, values]) => JSON.stringify({ area: key, value: sum(values) }))
        .join('\n'),
    );
    const [fromMeans, fromSums] = await Promise.all([
      aggregate(fitWords('--answers', at('means.csv'), '--rho', '0.01')),
      aggregate(fitWords('--answers', at('sums.jsonl'), '--responses', 'sum', '--rho', '0.01')),
    ]);
    coefficientsOf(fromSums).forEach((value, j) => {
      const wanted = coefficientsOf(fromMeans)[j];
      // Sum ÷ size differs from the mean in the last digit; the system magnifies that by its condition, below 10⁴.
      assert.ok(Math.abs(value - wanted) < 1e-9 * Math.max(1, Math.abs(wanted)));
    });
    const model = JSON.parse(read('own.json'));
    assert.deepEqual(model.columns, boston.columns);
  });

  it('orders new bags by a model it wrote', async () => {
    const { figures } = await aggregate([
      ...['bag', at('boston.csv'), '--id', 'id', '--k', '10', '--method', 'chunk'],
      ...['--model', at('model.json'), '--out', at('sorted.csv')],
    ]);
    assert.ok(figures.withinShare < 0.05);
    const within = [...responsesByKey('sorted.csv').values()].flatMap((values) => {
      const mean = sum(values) / values.length;
      return values.map((value) => (value - mean) ** 2);
    });
    const mean = sum([...boston.response]) / rows;
    // Bags sorted by the model are alike in the labels too, which it never saw.
    assert.ok(sum(within) < 0.5 * sum([...boston.response].map((value) => (value - mean) ** 2)));
  });

  it('reads summary reports and postbacks', async () => {
    const chunks = [...responsesByKey('chunks.csv')];
    const scale = { maxResponse: 50 };
    writeFileSync(
      at('report.json'),
      JSON.stringify(
        chunks.map(([bucket, values]) => ({
          bucket,
          metric: sum(values.map((value) => toContribution(value, scale))),
        })),
      ),
    );
    const attribution = await aggregate([
      ...['fit', at('boston.csv'), '--id', 'id', '--all-but', 'medv', '--bags', at('chunks.csv')],
      ...[
        '--answers',
        at('report.json'),
        '--format',
        'attribution',
        '--epsilon',
        '10',
        '--max-response',
        '50',
      ],
      ...['--rho', '1', '--weighting', 'precision'],
    ]);
    assert.equal(attribution.input.bags, 50);
    const { schema } = outputDomain(['0x0']);
    const records = chunks.map(([bucket, values]) => ({
      ...outputDomain([bucket]).records[0],
      metric: sum(values.map((value) => toContribution(value, scale))),
    }));
    const fields = [...schema.fields, { name: 'metric', type: 'long' }];
    writeFileSync(at('report.avro'), await encodeAvro({ ...schema, fields }, records));
    const fromAvro = await aggregate([
      ...['fit', at('boston.csv'), '--id', 'id', '--all-but', 'medv', '--bags', at('chunks.csv')],
      ...[
        '--answers',
        at('report.avro'),
        '--format',
        'attribution',
        '--epsilon',
        '10',
        '--max-response',
        '50',
      ],
      ...['--rho', '1', '--weighting', 'precision'],
    ]);
    assert.deepEqual(coefficientsOf(fromAvro), coefficientsOf(attribution));
    const postbacks = [...responsesByKey('skan.csv')].flatMap(([source, values]) =>
      values.map((value) => ({
        version: '4.0',
        'source-identifier': source,
        'conversion-value': conversionValue(value, skanSteps(50)),
      })),
    );
    writeFileSync(at('postbacks.jsonl'), postbacks.map((postback) => JSON.stringify(postback)).join('\n'));
    const skan = await aggregate([
      ...['fit', at('boston.csv'), '--id', 'id', '--all-but', 'medv', '--bags', at('skan.csv')],
      ...['--answers', at('postbacks.jsonl'), '--format', 'skan', '--max-response', '50', '--rho', '0'],
    ]);
    // The same random bags, with responses rounded to 50/63: close to the fit from exact means.
    const plain = await aggregate(fitWords('--answers', at('means.csv'), '--rho', '0'));
    const predict = (record: Printed): number =>
      coefficientsOf(record)[0] +
      sum(
        coefficientsOf(record)
          .slice(1)
          .map((c, j) => c * boston.features.data[j]),
      );
    assert.ok(Math.abs(predict(skan) - predict(plain)) < 1.5);
  });

  it('fits proportions by a logistic model', async () => {
    const high = new Map(ids.map((id, i) => [id, boston.response[i] > 21 ? 1 : 0]));
    const shares = new Map<string, number[]>();
    for (const { id, bag } of parseCsv(read('bags.csv'))) {
      shares.set(bag, [...(shares.get(bag) ?? []), high.get(id) as number]);
    }
    writeFileSync(
      at('shares.csv'),
      `bag,proportion\n${[...shares].map(([bag, values]) => `${bag},${sum(values) / values.length}`).join('\n')}\n`,
    );
    await aggregate(
      fitWords(
        ...['--answers', at('shares.csv'), '--family', 'logistic', '--rho', '0', '--ridge', '1'],
        ...['--predict', at('high.csv')],
      ),
    );
    const predictions = parseCsv(read('high.csv')).map(({ prediction }) => Number(prediction));
    assert.ok(predictions.every((p) => p > 0 && p < 1));
    const right = ids.filter((id, i) => predictions[i] > 0.5 === (high.get(id) === 1)).length;
    assert.ok(right / rows > 0.75, `${right}`);
  });

  it('names what is wrong with files, keys and columns, and writes nothing', async () => {
    writeFileSync(at('unsaid.csv'), read('means.csv').replace('mean', 'value'));
    writeFileSync(at('counts.csv'), read('means.csv').replace('\n0,10,', '\n0,11,'));
    writeFileSync(at('twice.csv'), `${read('bags.csv')}tract-5,49\n`);
    const cases: [string[], number, RegExp][] = [
      [fitWords('--answers', at('none.csv')), 1, /none\.csv/],
      [fitWords('--answers', at('short.csv')), 1, /no answer for key "19" \(bag 19/],
      [fitWords('--answers', at('unsaid.csv')), 2, /does not say what its numbers are/],
      [fitWords('--answers', at('counts.csv')), 1, /key "0" was answered for 11 samples, its bag has 10/],
      [fitWords('--answers', at('means.csv'), '--format', 'attribution'), 2, /needs --epsilon/],
      [fitWords('--answers', at('means.csv'), '--rho', '-1'), 2, /Expected cv, theory or a number ≥ 0/],
      [
        fitWords('--answers', at('means.csv'), '--rho', 'theory', '--family', 'poisson'),
        2,
        /--rho theory is for linear models/,
      ],
      [fitWords('--answers', at('means.csv'), '--features', 'rm'), 2, /give --features or --all-but/],
      [
        ['fit', at('boston.csv'), '--features', 'id', '--bags', at('bags.csv'), '--answers', at('means.csv')],
        1,
        /column "id" is VARCHAR; features are numbers/,
      ],
      [
        [
          'fit',
          at('boston.csv'),
          '--id',
          'id',
          '--features',
          'rm',
          '--bags',
          at('twice.csv'),
          '--answers',
          at('means.csv'),
        ],
        1,
        /"tract-5" is in bags \d+ and 49/,
      ],
      [['bag', at('boston.csv'), '--k', '600', '--out', at('x.csv')], 1, /506 samples cannot make a bag/],
      [['bag', at('boston.csv'), '--k', '5', '--method', 'chunk', '--out', at('x.csv')], 2, /needs an order/],
      [
        ['bag', at('boston.csv'), '--id', 'key', '--k', '5', '--out', at('x.csv')],
        2,
        /have a column of that name/,
      ],
      [['bag', at('none.parquet'), '--k', '5', '--out', at('x.csv')], 1, /none\.parquet/],
      [['plan', '--n', '100', '--d', '5', '--snr', '1', '--epsilon', '1'], 2, /needs --bounds L,U/],
      [['plan', '--n', '100', '--d', '5'], 2, /Give one of --snr, --r2 and --signal/],
      [['fti'], 2, /unknown command 'fti'/],
    ];
    for (const [words, exit, message] of cases) {
      const { code, stderr } = await runInProcess(['aggregate', ...words]);
      assert.match(stderr, message);
      assert.equal(code, exit, `${words}: ${stderr}`);
    }
    assert.equal(existsSync(at('x.csv')), false);
    assert.equal((await runInProcess(['aggregate'])).code, 2);
  });

  it('leaves out bags that were not answered when told to', async () => {
    const { input, value } = await aggregate(fitWords('--answers', at('short.csv'), '--missing', 'drop'));
    assert.equal(input.bags, 19);
    assert.match(value.notes.join(), /31 of 50 bags have no answer.*are in no answered bag/);
  });
});

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
    const words = ['boost', ...table, ...setting, '--label', 'medv', '--prior', at('model.json')];
    const { value } = await aggregate(words);
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

describe('Ctrl-C', () => {
  it('stops a plan, and leaves no file', async () => {
    const words = 'aggregate plan --n 6000 --d 60 --snr 1 --max-bag 50 --repeats 4000 --out c.svg';
    const { code, stderr } = await runCli(words.split(' '), { cwd, during: interruptAtWork });
    assert.equal(code, 130, stderr);
    assert.equal(existsSync(at('c.svg')), false);
  });

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
