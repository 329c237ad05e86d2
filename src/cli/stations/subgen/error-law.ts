// S2: how SubGen's error falls with its samples.

import type { ErrorLawFigures } from '../../../kv-cache/reproduce/error-law.ts';
import type { Chart } from '../../../report/index.ts';
import type { Measured, ProtocolReport } from '../../../reproduce/protocol.ts';
import {
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const errorLaw: Experiment = {
  id: 'S2',
  title: 'Caches: how the error falls with the samples',
  expectedSeconds: { full: 8, quick: 2 },
  async run(options) {
    const { reproduceErrorLaw } = await import('../../../kv-cache/reproduce/error-law.ts');
    const seeds = runSeeds(options, options.quick ? 2 : 10);
    const quick = options.quick ? { rows: 1000 } : {};
    return describe(await reproduceErrorLaw({ ...runOptions(options), ...quick, seeds }));
  },
};

function describe(report: ProtocolReport<ErrorLawFigures>): ExperimentResult {
  const { figures, verdicts } = report;
  const { theorem, denominator } = figures;
  const [first, last] = [theorem[0], theorem[theorem.length - 1]];
  return {
    value: { ...figures, verdicts },
    figures: {
      ...Object.fromEntries(
        theorem.map(({ valueSamples, error }) => [`theoremError s=${valueSamples}`, error.mean]),
      ),
      ...Object.fromEntries(
        denominator.map(({ clusterSamples, error }) => [`denominatorError t=${clusterSamples}`, error.mean]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Caches: error law',
      question: 'Does SubGen err as its theorem says?',
      answer: `From s = ${first.valueSamples} to ${last.valueSamples} samples the error falls from ${first.error.mean.toFixed(2)} to ${last.error.mean.toFixed(2)} of ‖softmax‖₂ ‖V‖. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        lawChart(
          'Error of the answer',
          'value samples s',
          '‖õ − o‖ / (‖softmax‖₂ ‖V‖_op)',
          theorem.map(({ valueSamples, error }) => ({ x: valueSamples, error })),
        ),
        lawChart(
          'Error of the denominator',
          'samples per cluster t',
          '|τ / Σ − 1|',
          denominator.map(({ clusterSamples, error }) => ({ x: clusterSamples, error })),
        ),
      ],
      tables: [verdictTable(verdicts)],
      certificates: [],
    },
  };
}

function lawChart(title: string, x: string, y: string, points: { x: number; error: Measured }[]): Chart {
  const [first] = points;
  return {
    kind: 'line',
    title,
    description:
      'Both axes are logarithmic; the dotted line falls as one over the square root. Bands are two standard errors.',
    x: { label: x, scale: 'log' },
    y: { label: y, scale: 'log' },
    series: [
      {
        name: 'measured',
        points: points.map(({ x: at, error: { mean, standardError } }) => ({
          ...{ x: at, y: mean },
          ...{ low: Math.max(mean / 10, mean - 2 * standardError), high: mean + 2 * standardError },
        })),
      },
      {
        name: 'one over the square root',
        role: 'reference',
        points: points.map(({ x: at }) => ({ x: at, y: first.error.mean * Math.sqrt(first.x / at) })),
      },
    ],
  };
}
