// P3: logistic models from soft labels.

import type { LogisticReport } from '../../../aggregate/reproduce/priorboost/logistic.ts';
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
import { errorSeries, errorWithSpread, levelSeries, REFERENCE_NOTE, referenceText } from './shown.ts';

export const logistic: Experiment = {
  id: 'P3',
  title: 'Logistic models',
  expectedSeconds: { full: 15, quick: 5 },
  async run(options) {
    const { reproduceLogistic } = await import('../../../aggregate/reproduce/priorboost/logistic.ts');
    const seeds = runSeeds(options, options.quick ? 2 : 6);
    return describe(await reproduceLogistic({ ...runOptions(options), seeds }));
  },
};

function describe(report: ProtocolReport<LogisticReport>): ExperimentResult {
  const { figures, verdicts, setting } = report;
  const { single, sizes } = figures;
  const bagSizes = setting.bagSizes as readonly number[];
  const names = Object.keys(sizes[0].boosted);
  const [first] = sizes;
  return {
    value: { ...figures, verdicts },
    figures: {
      excessLogLossSingleNats: single.mean,
      ...Object.fromEntries(
        sizes.flatMap(({ bagSize, random, boosted }) => [
          [`excessLogLossNats random k=${bagSize}`, random.mean],
          ...names.map((name) => [`excessLogLossNats ${name} k=${bagSize}`, boosted[name].mean]),
        ]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'PriorBoost: logistic models',
      question: 'Does it work where learners take soft labels only?',
      answer: `With bags of ${first.bagSize}, random bags cost ${first.random.mean.toFixed(4)} nats of log-loss, PriorBoost ${first.boosted[names[0]].mean.toFixed(5)}, single labels ${single.mean.toFixed(5)}. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Excess log-loss against the bag size',
          description:
            'Expected log-loss above that of the true probabilities, mean over the seeds, bands two standard errors. The dotted line is single labels.',
          x: { label: 'samples a bag k', scale: 'log' },
          y: { label: 'excess log-loss (nats)', scale: 'log' },
          series: [
            errorSeries(
              'random bags',
              bagSizes,
              sizes.map(({ random }) => random),
            ),
            ...names.map((name) =>
              errorSeries(
                `PriorBoost, ${name}`,
                bagSizes,
                sizes.map(({ boosted }) => boosted[name]),
              ),
            ),
            levelSeries('single labels', bagSizes, single),
          ],
        },
      ],
      tables: [
        {
          caption: `Excess log-loss (nats), beside the reference. ${REFERENCE_NOTE}`,
          table: {
            columns: ['k', 'random', 'reference', ...names.flatMap((name) => [name, 'reference'])],
            rows: sizes.map(({ bagSize, random, boosted, reference }) => [
              bagSize,
              errorWithSpread(random),
              referenceText(reference?.random),
              ...names.flatMap((name) => [
                errorWithSpread(boosted[name]),
                referenceText(reference?.settings === name ? reference.boosted : undefined),
              ]),
            ]),
          },
        },
        verdictTable(verdicts),
      ],
      certificates: [],
    },
  };
}
