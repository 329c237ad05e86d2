// X3: rows to label for a linear regression.

import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import type { RegressionFigures } from '../../../selection/reproduce/regression.ts';
import {
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const regression: Experiment = {
  id: 'X3',
  title: 'Rows for a regression, against leverage scores',
  expectedSeconds: { full: 120, quick: 25 },
  async run(options) {
    const { reproduceRegression } = await import('../../../selection/reproduce/regression.ts');
    return describe(
      await reproduceRegression({ ...runOptions(options), seeds: runSeeds(options, options.quick ? 5 : 25) }),
    );
  },
};

function describe(report: ProtocolReport<RegressionFigures[]>): ExperimentResult {
  const { figures, verdicts, setting } = report;
  const sizes = setting.sizes as readonly number[];
  const last = sizes.length - 1;
  const named = figures.map(({ method, median }) => `${method} ${median[last].toFixed(2)}`);
  return {
    value: { methods: figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.flatMap(({ method, median }) =>
          sizes.map((size, i) => [`costRatio ${method} s=${size}`, median[i]]),
        ),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Regression',
      question:
        'Do clusters choose rows for a least-squares fit as well as leverage scores, which need a factorisation?',
      answer: `Cost over the least cost with ${sizes[last]} rows: ${named.join(', ')}. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Cost of the fit against rows labelled',
          description:
            'Cost on all rows ÷ least possible cost: median over the draws, bands from the lower to the upper quartile. The dotted line is the best fit there is.',
          x: { label: 'rows labelled s', scale: 'log' },
          y: { label: 'cost ÷ least cost', include: [1] },
          series: [
            ...figures.map(({ method, median, lowerQuartile, upperQuartile }) => ({
              name: method,
              points: sizes.map((x, i) => ({
                x,
                y: median[i],
                low: lowerQuartile[i],
                high: upperQuartile[i],
              })),
            })),
            { name: 'least cost', role: 'reference' as const, points: sizes.map((x) => ({ x, y: 1 })) },
          ],
        },
      ],
      tables: [verdictTable(verdicts)],
      certificates: [],
    },
  };
}
