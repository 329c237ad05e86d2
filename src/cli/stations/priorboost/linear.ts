// P1: linear models from random bags, sorted bags and single labels.

import type { LinearReport } from '../../../aggregate/reproduce/priorboost/linear.ts';
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
import { errorSeries, errorWithSpread, HONEST_FINDING, REFERENCE_NOTE, referenceText } from './shown.ts';

export const linear: Experiment = {
  id: 'P1',
  title: 'Linear models: random bags, sorted bags, single labels',
  expectedSeconds: { full: 25, quick: 6 },
  async run(options) {
    const { reproduceLinear } = await import('../../../aggregate/reproduce/priorboost/linear.ts');
    const seeds = runSeeds(options, options.quick ? 3 : 8);
    const bagSizes = options.quick ? [8, 64] : [2, 4, 8, 16, 32, 64];
    return describe(await reproduceLinear({ ...runOptions(options), seeds, bagSizes }));
  },
};

function describe(report: ProtocolReport<LinearReport>): ExperimentResult {
  const { figures, verdicts, setting } = report;
  const { methods, within } = figures;
  const bagSizes = setting.bagSizes as readonly number[];
  const eight = Math.max(0, bagSizes.indexOf(8));
  const at = (name: string) => methods.find(({ method }) => method === name)!.error[eight].mean;
  const k = bagSizes[eight];
  const both = [8, 64].map((size) => bagSizes.indexOf(size));
  return {
    value: { methods, within, verdicts },
    figures: {
      ...Object.fromEntries(
        methods.flatMap(({ method, error }) =>
          bagSizes.map((size, j) => [`squaredError ${method} k=${size}`, error[j].mean]),
        ),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'PriorBoost: linear models',
      question:
        'How much of what averaging hides comes back when bags are sorted by a model of earlier answers?',
      answer:
        `With bags of ${k} and ρ = 1, random bags leave a squared error of ${at('random, ρ = 1').toFixed(3)}, two-stage PriorBoost ${at('pool last, prior ρ = 1').toFixed(4)}; ` +
        `bag means alone (ρ = 0) on random bags ${at('random, ρ = 0').toFixed(4)}, preset best ${at('preset best').toFixed(4)}. ${verdictSentence(verdicts)} ${HONEST_FINDING}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Squared error of the coefficients against the bag size',
          description:
            'Mean over the seeds, bands two standard errors; ‖θ‖ = 1, so an error of 1 is nothing learnt. Bags sorted by the true means beat single labels, since averaging equals removes noise.',
          x: { label: 'samples a bag k', scale: 'log' },
          y: { label: '‖θ̂ − θ‖²', scale: 'log' },
          series: methods
            .filter(({ method }) => method !== 'pool all, prior ρ = 1')
            .map(({ method, error }) => errorSeries(method, bagSizes, error)),
        },
      ],
      tables: [
        {
          caption: `Squared error, beside the reference. ${REFERENCE_NOTE}`,
          table: {
            columns: ['method', 'k = 8', 'reference', 'k = 64', 'reference'],
            rows: methods.map(({ method, error, reference }) => [
              method,
              ...both.flatMap((j, which) => [
                j < 0 ? '–' : errorWithSpread(error[j]),
                referenceText(reference?.[which]),
              ]),
            ]),
          },
        },
        {
          caption: 'Share of the spread of the true means that is left within bags',
          table: {
            columns: ['k', 'stage 1, random', 'stage 2, sorted'],
            rows: bagSizes.map((size, j) => [
              size,
              errorWithSpread(within[j].first),
              errorWithSpread(within[j].second),
            ]),
          },
        },
        verdictTable(verdicts),
      ],
      certificates: [],
    },
  };
}
