// A4 and A6: linear models of real tables from exact bag means.

import type { LinearTableReport } from '../../../aggregate/reproduce/linear-tables.ts';
import { shortNumber } from '../../../core/certificate.ts';
import type { Chart } from '../../../report/index.ts';
import type { Measured } from '../../../reproduce/protocol.ts';
import {
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';
import { skippedWithout } from './skipped.ts';

export const bostonLinear: Experiment = {
  id: 'A4',
  title: 'Bags: Boston house prices by linear models',
  expectedSeconds: { full: 2, quick: 1 },
  async run(options) {
    const { reproduceBostonLinear } = await import('../../../aggregate/reproduce/linear-tables.ts');
    const seeds = runSeeds(options, options.quick ? 40 : 100);
    return describe(await reproduceBostonLinear({ ...runOptions(options), seeds }));
  },
};

export const randHie: Experiment = {
  id: 'A6',
  title: 'Bags: RAND health insurance by linear models',
  expectedSeconds: { full: 2, quick: 1 },
  async run(options) {
    const { reproduceRandHie } = await import('../../../aggregate/reproduce/linear-tables.ts');
    const seeds = runSeeds(options, options.quick ? 3 : 10);
    return skippedWithout('RAND health insurance', async () =>
      describe(await reproduceRandHie({ ...runOptions(options), seeds })),
    );
  },
};

function describe(report: LinearTableReport): ExperimentResult {
  const { figures, verdicts, setting } = report;
  const { individual, mean, cells, reference } = figures;
  const dropped = (setting.leftOut ?? []) as readonly string[];
  const share = (error: number, ofMean: number) => `${((100 * error) / ofMean).toFixed(0)} %`;
  const best = cells.reduce((a, b) => (b.error.mean < a.error.mean ? b : a));
  return {
    value: { ...figures, verdicts },
    figures: {
      testErrorIndividual: individual.mean,
      testErrorMean: mean.mean,
      ...Object.fromEntries(
        cells.map(({ bagSize, rho, error }) => [`testError k=${bagSize} ρ=${rho}`, error.mean]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: `${setting.dataset} from bag means`,
      question: 'How much of what individual labels teach is left in the means of random bags?',
      answer: `Test error of individual labels: ${shortNumber(individual.mean)}, ${share(individual.mean, mean.mean)} of that of predicting the mean; the best here, bags of ${best.bagSize} with ρ = ${best.rho}: ${shortNumber(best.error.mean)}. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [chartOf(report)],
      tables: [
        verdictTable(verdicts),
        {
          caption: 'Mean squared test error',
          table: {
            columns: ['labels', 'ρ', 'here', 'reference', 'of predicting the mean: here', 'reference'],
            rows: [
              row('individual', '–', individual, reference.individual),
              ...cells.map((cell) => row(`bags of ${cell.bagSize}`, cell.rho, cell.error, cell.reference)),
              row('mean of the training labels', '–', mean, reference.mean),
            ],
            note: `Reference: ten other random splits, by an independent implementation${dropped.length > 0 ? `, with all columns (here without ${dropped.join(', ')})` : ''}. Bag-level fits (ρ = 0) with about as many bags as columns have no stable mean.`,
          },
        },
      ],
      certificates: [],
    },
  };

  function row(labels: string, rho: number | string, error: Measured, theirs: number) {
    return [
      ...[labels, rho, `${shortNumber(error.mean)} ± ${shortNumber(error.standardError)}`, theirs],
      ...[share(error.mean, mean.mean), share(theirs, reference.mean)],
    ];
  }
}

function chartOf({ figures, setting }: LinearTableReport): Chart {
  const { individual, mean, cells } = figures;
  const sizes = setting.bagSizes as readonly number[];
  const rhos = setting.rhos as readonly number[];
  const level = (y: number) => sizes.map((x) => ({ x, y }));
  return {
    kind: 'line',
    title: 'Test error over bag size',
    description:
      'Bands are two standard errors over the splits. A small ρ > 0 keeps most; ρ = 1, which gives every sample the mean of its bag, shrinks the model to the mean.',
    x: { label: 'bag size k', scale: 'log' },
    y: { label: 'mean squared test error', include: [0] },
    series: [
      ...rhos.map((rho) => ({
        name: `ρ = ${rho}`,
        points: cells
          .filter((cell) => cell.rho === rho)
          .map(({ bagSize, error: { mean: y, standardError } }) => ({
            ...{ x: bagSize, y, low: Math.max(0, y - 2 * standardError), high: y + 2 * standardError },
          })),
      })),
      { name: 'individual labels', role: 'reference', points: level(individual.mean) },
      { name: 'predicting the mean', role: 'bound', points: level(mean.mean) },
    ],
  };
}
