// E1: error against cost where every query has few heavy keys.

import type { AccuracyFigures } from '../../../attention/reproduce/accuracy.ts';
import type { Chart } from '../../../report/index.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import {
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const accuracy: Experiment = {
  id: 'E1',
  title: 'Attention: error where every query has few heavy keys',
  expectedSeconds: { full: 4, quick: 1 },
  async run(options) {
    const { reproduceAccuracy } = await import('../../../attention/reproduce/accuracy.ts');
    const quick = options.quick ? { rows: 2048 } : {};
    const seeds = runSeeds(options, options.quick ? 1 : 3);
    return describe(await reproduceAccuracy({ ...runOptions(options), ...quick, seeds }));
  },
};

function describe(report: ProtocolReport<AccuracyFigures[]>): ExperimentResult {
  const { figures, verdicts } = report;
  const strengths = [...new Set(figures.map(({ strength }) => strength))];
  const at = (method: string) => {
    const own = figures.filter((row) => row.strength === strengths[0] && row.method === method);
    return own[own.length - 1].error.mean;
  };
  return {
    value: { figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.map(({ strength, method, size, error }) => [
          `relativeError β=${strength} ${method} b=m=${size}`,
          error.mean,
        ]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Attention: accuracy',
      question: 'Does hashing find the few keys that a query attends to?',
      answer: `With b = m = ${report.figures[report.figures.length - 1].size} the output is off by ${at('hash-aligned blocks').toFixed(2)} of its norm; as many keys without hashing leave ${at('samples only, as many keys').toFixed(2)}. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: strengths.map((strength) => errorChart(figures, strength)),
      tables: [verdictTable(verdicts)],
      certificates: [],
    },
  };
}

function errorChart(figures: readonly AccuracyFigures[], strength: number): Chart {
  const own = figures.filter((row) => row.strength === strength);
  const methods = [...new Set(own.map(({ method }) => method))];
  return {
    kind: 'line',
    title: `Error, heavy logits β = ${strength}`,
    description:
      'Every method meets as many keys a query: b in a block and m samples, or 2b samples. Blocks by hash hold the heavy keys; blocks at random do not; the estimator that the theorem is about leaves the numerator to samples. Bands are two standard errors.',
    x: { label: 'b = m (keys)', scale: 'log' },
    y: { label: 'relative error of the output', scale: 'log' },
    series: methods.map((name) => ({
      name,
      points: own
        .filter(({ method }) => method === name)
        .map(({ size, error: { mean, standardError } }) => ({
          ...{ x: size, y: mean },
          ...{ low: Math.max(mean / 10, mean - 2 * standardError), high: mean + 2 * standardError },
        })),
    })),
  };
}
