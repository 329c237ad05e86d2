// X1: how well few losses tell the sum of all.

import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import type { EstimationFigures } from '../../../selection/reproduce/estimation.ts';
import {
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const estimation: Experiment = {
  id: 'X1',
  title: 'Summing all losses from few',
  expectedSeconds: { full: 60, quick: 15 },
  async run(options) {
    const { reproduceEstimation } = await import('../../../selection/reproduce/estimation.ts');
    const seeds = runSeeds(options, options.quick ? 1 : 3);
    const repeats = options.quick ? 50 : 200;
    return describe(await reproduceEstimation({ ...runOptions(options), seeds, repeats }));
  },
};

function describe(report: ProtocolReport<EstimationFigures[]>): ExperimentResult {
  const { figures, verdicts, setting } = report;
  const sizes = setting.sizes as readonly number[];
  const uniform = figures.find(({ method }) => method === 'uniform') ?? figures[0];
  const robust = figures.find(({ method }) => method === 'robust') ?? figures[0];
  const last = sizes.length - 1;
  const percent = (ratio: number): string => `${(100 * ratio).toFixed(1)} %`;
  return {
    value: { methods: figures, verdicts },
    figures: {
      ...Object.fromEntries(figures.map(({ method, slope }) => [`slope ${method}`, slope])),
      ...Object.fromEntries(
        figures.map(({ method, error }) => [`relativeError ${method} s=${sizes[last]}`, error[last].mean]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Estimation error',
      question: 'How far off is the sum of all losses when only s of them are looked at?',
      answer:
        `With ${sizes[last]} draws, robust scores are off by ${percent(robust.error[last].mean)}, uniform sampling by ` +
        `${percent(uniform.error[last].mean)}; the slope is ${robust.slope.toFixed(2)}. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Error against draws',
          description:
            'Root mean square error relative to the exact sum; bands are two standard errors over the models. The dotted line falls as 1/√s. The paper’s own constants, without a uniform floor, miss rare large losses.',
          x: { label: 'draws s', scale: 'log' },
          y: { label: 'relative error', scale: 'log' },
          series: [
            ...figures.map(({ method, error }) => ({
              name: method,
              points: sizes.map((x, i) => ({ x, y: error[i].mean, ...band(error[i]) })),
            })),
            {
              name: 'slope −½',
              role: 'reference' as const,
              points: sizes.map((x) => ({ x, y: uniform.error[0].mean * Math.sqrt(sizes[0] / x) * 1.25 })),
            },
          ],
        },
      ],
      tables: [verdictTable(verdicts)],
      certificates: [],
    },
  };
}

/** Two standard errors to either side, kept above zero for the logarithmic axis. */
function band({ mean, standardError }: { mean: number; standardError: number }): {
  low: number;
  high: number;
} {
  return { low: Math.max(mean / 10, mean - 2 * standardError), high: mean + 2 * standardError };
}
