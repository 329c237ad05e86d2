// A5: networks of Boston house prices from means of large bags.

import type { NetworkFigures } from '../../../aggregate/reproduce/network.ts';
import { shortNumber } from '../../../core/certificate.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import {
  plusMinus,
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const network: Experiment = {
  id: 'A5',
  title: 'Bags: Boston house prices by networks',
  expectedSeconds: { full: 400, quick: 15 },
  async run(options) {
    const { reproduceNetwork } = await import('../../../aggregate/reproduce/network.ts');
    const seeds = runSeeds(options, options.quick ? 2 : 10);
    const quick = options.quick ? { bagSizes: [20, 80], rhos: [0, 0.003, 1], epochs: 150 } : {};
    return describe(await reproduceNetwork({ ...runOptions(options), ...quick, seeds }));
  },
};

/** Where ρ = 0 is drawn on a logarithmic axis. */
const ZERO = 0.001;

function describe(report: ProtocolReport<NetworkFigures>): ExperimentResult {
  const { figures, verdicts } = report;
  const { individual, mean, bySize } = figures;
  const best = bySize.map(({ bagSize, bestRho }) => `ρ = ${bestRho} at bags of ${bagSize}`).join(', ');
  return {
    value: { ...figures, verdicts },
    figures: {
      testErrorIndividual: individual.mean,
      testErrorMean: mean.mean,
      ...Object.fromEntries(
        bySize.flatMap(({ bagSize, errors }) =>
          errors.map(({ rho, error }) => [`testError k=${bagSize} ρ=${rho}`, error.mean]),
        ),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Networks from bag means',
      question: 'Does the best ρ of a network grow with the bag size?',
      answer: `Best: ${best}. Individual labels: ${shortNumber(individual.mean)}; predicting the mean: ${shortNumber(mean.mean)}. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Test error of networks over ρ',
          description:
            'Bands are two standard errors over splits, bags and initial values. ρ = 0, the bag-level loss, is drawn at the left end.',
          x: { label: 'ρ', scale: 'log' },
          y: { label: 'mean squared test error', include: [0] },
          series: [
            ...bySize.map(({ bagSize, errors }) => ({
              name: `bags of ${bagSize}`,
              points: errors.map(({ rho, error: { mean: y, standardError } }) => ({
                ...{
                  x: Math.max(rho, ZERO),
                  y,
                  low: Math.max(0, y - 2 * standardError),
                  high: y + 2 * standardError,
                },
              })),
            })),
            {
              name: 'predicting the mean',
              role: 'bound',
              points: bySize[0].errors.map(({ rho }) => ({ x: Math.max(rho, ZERO), y: mean.mean })),
            },
            {
              name: 'individual labels',
              role: 'reference',
              points: bySize[0].errors.map(({ rho }) => ({ x: Math.max(rho, ZERO), y: individual.mean })),
            },
          ],
        },
      ],
      tables: [
        verdictTable(verdicts),
        {
          caption: 'Mean squared test error',
          table: {
            columns: ['bag size', ...bySize[0].errors.map(({ rho }) => `ρ = ${rho}`)],
            rows: bySize.map(({ bagSize, errors }) => [
              bagSize,
              ...errors.map(({ error }) => plusMinus(error)),
            ]),
          },
        },
      ],
      certificates: [],
    },
  };
}
