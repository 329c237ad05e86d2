import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseHTML } from 'linkedom';
import { runExperiments } from './run.ts';
import type { Experiment, ExperimentOptions } from './station.ts';

const folder = await mkdtemp(join(tmpdir(), 'provably-run-'));
after(() => rm(folder, { recursive: true }));

function experiment(id: string, work: (options: ExperimentOptions) => void = () => {}): Experiment {
  return {
    id,
    title: `Experiment ${id}`,
    expectedSeconds: { full: 9, quick: 1 },
    async run(options) {
      work(options);
      return {
        value: { best: 'ours' },
        figures: { accuracyPercent: 70 },
        section: {
          title: `Experiment ${id}`,
          question: 'Which?',
          answer: 'Ours.',
          input: 'ten rows',
          figures: [],
          charts: [],
          tables: [{ caption: 'All methods', table: { columns: ['method', '%'], rows: [['ours', 70.25]] } }],
          certificates: [
            {
              title: 'mean',
              value: '0.4 nats',
              certificate: {
                statement: 'error',
                source: 'derived',
                assumptions: [{ statement: 'ℓ ≤ σ', status: 'violated' }],
                bound: { value: Infinity, unit: 'nats', failureProbability: 0 },
                seed: options.seed,
                backend: 'none',
                warnings: ['look out'],
              },
            },
          ],
        },
      };
    },
  };
}

async function run(experiments: Experiment[], json: boolean, signal = new AbortController().signal) {
  const report = join(folder, `${experiments.map(({ id }) => id).join('-')}.html`);
  const said = { stdout: '', stderr: '' };
  const output = (name: keyof typeof said) => ({
    write(text: string) {
      said[name] += text;
    },
  });
  const context = {
    ...{ stdout: output('stdout'), stderr: output('stderr'), env: {}, signal, version: '1.2.3' },
    runtime: { node: '0', platform: 'test' },
  };
  const failure = await runExperiments(
    experiments.map((it) => ({ system: 'selection', experiment: it })),
    context,
    {
      ...{ title: 'Title', lead: 'Lead.', seed: 5, quick: true, json, report },
      commandOf: ({ experiment: { id } }) => `provably reproduce selection --only ${id} --seed 5`,
    },
  ).catch((error) => error);
  return { ...said, report, failure };
}

describe('runExperiments', () => {
  it('prints answer, table and certificate of each, and writes one report of all', async () => {
    const { stdout, stderr, report } = await run([experiment('A'), experiment('B')], false);
    assert.match(stderr, /1\/2 {2}Experiment A \(about 1 s\)/);
    for (const part of [
      'Experiment B',
      'Ours.',
      'ours    70.25',
      'mean: 0.4 nats',
      'violated ℓ ≤ σ',
      'warning look out',
      report,
    ]) {
      assert.ok(stdout.includes(part), `${part} not in ${stdout}`);
    }
    const { document } = parseHTML(await readFile(report, 'utf8'));
    assert.deepEqual(
      [...document.querySelectorAll('section')].map(({ id }) => id),
      ['selection-a', 'selection-b'],
    );
    assert.ok(document.querySelector('#selection-b pre')?.textContent?.includes('--only B --seed 5'));
    assert.ok(document.querySelector('footer')?.textContent?.includes('provably 1.2.3'));
  });

  it('prints one JSON object an experiment with --json, and nothing else', async () => {
    const { stdout } = await run([experiment('C'), experiment('D')], true);
    const records = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      records.map((record) => record.experiment),
      ['C', 'D'],
    );
    assert.deepEqual(Object.keys(records[0]), [
      'system',
      'experiment',
      'input',
      'value',
      'certificate',
      'seconds',
      'figures',
    ]);
    assert.equal(records[0].certificate.seed, 5);
    assert.equal(records[0].figures.accuracyPercent, 70);
  });

  it('stops between experiments and writes no report when it is interrupted', async () => {
    const stop = new AbortController();
    const stopping = experiment('E', () => stop.abort(new Error('interrupted')));
    const never = experiment('F', () => assert.fail('it went on'));
    const { failure, report } = await run([stopping, never], false, stop.signal);
    assert.match(failure.message, /interrupted/);
    assert.equal(existsSync(report), false);
  });
});
