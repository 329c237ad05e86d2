// The tour's station: house prices from means of k homes.

import type { HouseErrors, HousePricesReport } from '../../../aggregate/reproduce/priorboost/house-prices.ts';
import { shortNumber } from '../../../core/certificate.ts';
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
import { errorSeries, HONEST_FINDING, levelSeries } from './shown.ts';

export const housePrices: Experiment = {
  id: 'tour',
  title: 'PriorBoost: house prices from means of several homes',
  expectedSeconds: { full: 5, quick: 2 },
  async run(options) {
    const { reproduceHousePrices } = await import('../../../aggregate/reproduce/priorboost/house-prices.ts');
    const seeds = runSeeds(options, options.quick ? 5 : 20);
    return describe(await reproduceHousePrices({ ...runOptions(options), seeds }));
  },
};

function describe(report: ProtocolReport<HousePricesReport>): ExperimentResult {
  const { figures, verdicts, setting } = report;
  const bagSizes = setting.bagSizes as readonly number[];
  const last = bagSizes.length - 1;
  const shown = (errors: HouseErrors, name: keyof HouseErrors['methods']) =>
    errors.methods[name][last].mean.toFixed(1);
  const { exact, certificate } = figures;
  return {
    value: { ...figures, verdicts },
    figures: {
      testErrorSingle: exact.single.mean,
      testErrorSinglePrivate: figures.private.single.mean,
      testErrorMean: figures.mean.mean,
      ...namedErrors('exact', exact, bagSizes),
      ...namedErrors(`ε=${setting.epsilon}`, figures.private, bagSizes),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'PriorBoost',
      question: `Only means of ${bagSizes[0]} to ${bagSizes[last]} home prices may be asked for. Which homes should share a mean?`,
      answer:
        `Homes that a model of earlier answers thinks alike. Asked for means of ${bagSizes[last]}, PriorBoost errs by ${shown(exact, 'PriorBoost')} (1000 $)²; random bags by ${shown(exact, 'random bags, ρ = 1')} with means as labels and by ${shown(exact, 'random bags, ρ = 0')} with the bag-level loss; ` +
        `single labels by ${exact.single.mean.toFixed(1)}. ${verdictSentence(verdicts)} ${HONEST_FINDING}`,
      input: settingLine(report),
      figures: [
        {
          label: `test error, PriorBoost, k = ${bagSizes[last]}`,
          value: `${shown(exact, 'PriorBoost')} (1000 $)²`,
        },
        { label: 'test error, single labels', value: `${exact.single.mean.toFixed(1)} (1000 $)²` },
      ],
      charts: [
        errorChart('Test error against the bag size, exact means', exact, figures.mean, bagSizes),
        errorChart(
          `Test error against the bag size, label privacy ε = ${setting.epsilon}`,
          figures.private,
          figures.mean,
          bagSizes,
        ),
      ],
      tables: [verdictTable(verdicts)],
      certificates: [
        {
          title: 'PriorBoost, one split',
          value: `mean squared error ≤ ${shortNumber(certificate.bound.value)} (1000 $)²`,
          certificate,
        },
      ],
    },
  };
}

function errorChart(title: string, errors: HouseErrors, mean: Measured, bagSizes: readonly number[]): Chart {
  return {
    kind: 'line',
    title,
    description:
      'Mean over random splits, bands two standard errors. Dotted lines: single labels, released in the same way, and predicting the mean price.',
    x: { label: 'homes a bag k', scale: 'log' },
    y: { label: 'test error, (1000 $)²', scale: 'log' },
    series: [
      ...Object.entries(errors.methods).map(([name, own]) => errorSeries(name, bagSizes, own)),
      levelSeries('single labels', bagSizes, errors.single),
      levelSeries('mean price', bagSizes, mean),
    ],
  };
}

function namedErrors(release: string, { methods }: HouseErrors, bagSizes: readonly number[]) {
  return Object.fromEntries(
    Object.entries(methods).flatMap(([name, errors]) =>
      bagSizes.map((k, j) => [`testError ${release} ${name} k=${k}`, errors[j].mean]),
    ),
  );
}
