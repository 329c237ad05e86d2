// P4: under label differential privacy.

import type { LabelPrivacyReport } from '../../../aggregate/reproduce/priorboost/label-privacy.ts';
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

export const labelPrivacy: Experiment = {
  id: 'P4',
  title: 'Under label differential privacy',
  expectedSeconds: { full: 40, quick: 10 },
  async run(options) {
    const { reproduceLabelPrivacy } = await import(
      '../../../aggregate/reproduce/priorboost/label-privacy.ts'
    );
    const seeds = runSeeds(options, options.quick ? 5 : 10);
    const bagSizes = options.quick ? [1, 4, 64] : [1, 2, 4, 8, 16, 32, 64];
    return describe(await reproduceLabelPrivacy({ ...runOptions(options), seeds, bagSizes }));
  },
};

function describe(report: ProtocolReport<LabelPrivacyReport>): ExperimentResult {
  const { figures, verdicts, setting } = report;
  const { methods, single, prior } = figures;
  const bagSizes = setting.bagSizes as readonly number[];
  const least = (name: string) =>
    Math.min(...methods.find(({ method }) => method === name)!.error.map(({ mean }) => mean));
  return {
    value: { ...figures, verdicts },
    figures: {
      squaredErrorSingle: single.mean,
      squaredErrorPrior: prior.mean,
      ...Object.fromEntries(
        methods.flatMap(({ method, error }) =>
          bagSizes.map((size, j) => [`squaredError ${method} k=${size}`, error[j].mean]),
        ),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'PriorBoost: label privacy',
      question: 'What do sorted bags gain when every answer is noisy?',
      answer:
        `At ε = ${setting.epsilon}, noise on single labels leaves a squared error of ${single.mean.toFixed(3)}, two-stage PriorBoost at its best ${least('two stages, pool last, prior ρ = 1').toFixed(3)}: its own prior is too noisy to gain much. ` +
        `A prior from ${setting.priorRows} open labels brings ${least('prior from elsewhere').toFixed(4)}, the true order ${least('sorted by the truth').toExponential(1)}: the prior's quality is everything. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: `Squared error against the bag size at ε = ${setting.epsilon}`,
          description:
            'Mean over the seeds, bands two standard errors. Noise on a mean falls like 1/k, so with a good order larger bags are better; a prior trained under the same noise has its best bags in between. The dotted line is noise on single labels.',
          x: { label: 'samples a bag k', scale: 'log' },
          y: { label: '‖θ̂ − θ‖²', scale: 'log' },
          series: [
            ...methods.map(({ method, error }) => errorSeries(method, bagSizes, error)),
            levelSeries('single labels', bagSizes, single),
          ],
        },
      ],
      tables: [
        {
          caption: `Squared error, beside the reference; noise on single labels: ${errorWithSpread(single)}, reference 0.06 to 0.1. ${REFERENCE_NOTE}`,
          table: {
            columns: ['k', ...methods.flatMap(({ method }) => [method, 'reference'])],
            rows: bagSizes.map((size, j) => [
              size,
              ...methods.flatMap(({ error, reference }) => [
                errorWithSpread(error[j]),
                referenceText(reference[j]),
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
