// X2: accuracy after spending a labelling budget on a balanced pool.

import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import type { BudgetFigures } from '../../../selection/reproduce/accuracy.ts';
import {
  measuredBars,
  plusMinus,
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const accuracy: Experiment = {
  id: 'X2',
  title: 'Accuracy from a balanced pool',
  expectedSeconds: { full: 300, quick: 45 },
  async run(options) {
    const { reproduceAccuracy } = await import('../../../selection/reproduce/accuracy.ts');
    const seeds = runSeeds(options, options.quick ? 2 : 8);
    const budgets = options.quick ? [500] : [500, 2000];
    return describe(await reproduceAccuracy({ ...runOptions(options), seeds, budgets }));
  },
};

function describe(report: ProtocolReport<BudgetFigures[]>): ExperimentResult {
  const { figures, verdicts } = report;
  const gains = figures.map(({ budget, gain }) => `${plusMinus(gain.sensitivity)} points at ${budget} rows`);
  return {
    value: { budgets: figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.flatMap(({ budget, accuracy }) =>
          Object.entries(accuracy).map(([name, { mean }]) => [`accuracyPercent ${name} B=${budget}`, mean]),
        ),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Accuracy, balanced pool',
      question: 'Does selection still pay when every class is equally common?',
      answer: `Little, and less with a larger budget: over uniform sampling ${gains.join(', ')}. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: figures.map(({ budget, accuracy }) => ({
        kind: 'bars' as const,
        title: `Test accuracy after training on ${budget} rows`,
        description:
          'Whiskers are two standard errors over the runs. Picking the largest losses alone picks what is mislabelled.',
        value: { label: 'test accuracy (%)' },
        bars: measuredBars(accuracy, 'sensitivity'),
      })),
      tables: [verdictTable(verdicts)],
      certificates: [],
    },
  };
}
