// X2b, and the tour's station: a long-tailed pool, where choosing rows pays most, and a mean loss told from few.

import { type Certificate, shortNumber } from '../../../core/certificate.ts';
import type { Chart, NamedCertificate } from '../../../report/index.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import type { LongTailFigures, LongTailReport } from '../../../selection/reproduce/long-tail.ts';
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
import type { Experiment, ExperimentOptions, ExperimentResult } from '../station.ts';

const confidence = 0.95;

/** Two arms, budget 500: what the tour has time for. */
export const longTailTour: Experiment = {
  id: 'tour',
  title: 'Data selection: what to label in a long-tailed pool',
  expectedSeconds: { full: 40, quick: 10 },
  async run(options) {
    const { reproduceLongTail } = await import('../../../selection/reproduce/long-tail.ts');
    const seeds = runSeeds(options, options.quick ? 2 : 8);
    return describe(await reproduceLongTail({ ...runOptions(options), seeds, confidence }), options);
  },
};

/** All arms, budgets 500 and 1 500. */
export const longTail: Experiment = {
  id: 'X2b',
  title: 'Accuracy from a long-tailed pool',
  expectedSeconds: { full: 240, quick: 30 },
  async run(options) {
    const { LONG_TAIL_ALL_ARMS, reproduceLongTail } = await import(
      '../../../selection/reproduce/long-tail.ts'
    );
    const seeds = runSeeds(options, options.quick ? 2 : 8);
    const budgets = options.quick ? [500] : [500, 1500];
    const settings = { ...runOptions(options), seeds, budgets, arms: LONG_TAIL_ALL_ARMS, confidence };
    return describe(await reproduceLongTail(settings), options);
  },
};

function describe(report: ProtocolReport<LongTailReport>, { seed }: ExperimentOptions): ExperimentResult {
  const { figures, verdicts } = report;
  const [first] = figures.budgets;
  const { uniform, sensitivity } = first.accuracy;
  const gain = first.gain.sensitivity;
  const [loss] = first.meanLoss;
  const selected = first.budget * 0.8;
  return {
    value: {
      budget: first.budget,
      accuracyPercent: { uniform: uniform.mean, sensitivity: sensitivity.mean },
      meanLoss: loss,
      budgets: figures.budgets,
      verdicts,
    },
    figures: {
      accuracyUniformPercent: uniform.mean,
      accuracySensitivityPercent: sensitivity.mean,
      gainPoints: gain.mean,
      gainStandardErrorPoints: gain.standardError,
      runs: gain.values.length,
      meanLossEstimateNats: loss.estimate,
      meanLossExactNats: loss.exact,
      lossesAsked: loss.losses,
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Data selection',
      question: `A budget pays for ${first.budget} labels. Which rows of a long-tailed pool should it buy?`,
      answer:
        `Rows picked by clustering and few losses train a classifier to ${sensitivity.mean.toFixed(1)} % test accuracy, ` +
        `as many uniform rows to ${uniform.mean.toFixed(1)} %: ${plusMinus(gain)} points more. ${verdictSentence(verdicts)}`,
      input: `${settingLine(report)} · the rarest class 50 times rarer than the commonest`,
      figures: [
        {
          label: 'Accuracy, selection',
          value: `${sensitivity.mean.toFixed(1)} %`,
          note: `± ${sensitivity.standardError.toFixed(1)}, ${gain.values.length} runs`,
        },
        {
          label: 'Accuracy, uniform',
          value: `${uniform.mean.toFixed(1)} %`,
          note: `± ${uniform.standardError.toFixed(1)}, same pilots`,
        },
        {
          label: 'Mean loss, estimated',
          value: `${shortNumber(loss.estimate)} nats`,
          note: `exact: ${shortNumber(loss.exact)}`,
        },
        {
          label: 'Losses looked at',
          value: String(loss.losses),
          note: `for ${loss.rows} rows, ${selected} of them picked`,
        },
      ],
      charts: [...figures.budgets.map(accuracyChart), classChart(first, figures), lossChart(first)],
      tables: [verdictTable(verdicts)],
      certificates: [lossCertificate(first, seed), selectionCertificate(first)],
    },
  };
}

function accuracyChart({ budget, accuracy }: LongTailFigures): Chart {
  return {
    kind: 'bars',
    title: `Test accuracy after training on ${budget} rows`,
    description: 'The test set is balanced, the pool is not. Whiskers are two standard errors over the runs.',
    value: { label: 'test accuracy (%)' },
    bars: measuredBars(accuracy, 'sensitivity'),
  };
}

function classChart({ budget, classCounts }: LongTailFigures, { classNames }: LongTailReport): Chart {
  const arms = Object.keys(classCounts);
  const classes = classCounts[arms[0]].length;
  return {
    kind: 'heat-map',
    title: 'Rows bought of each class',
    description: `Mean over the runs, ${budget} rows each. Uniform sampling copies the long tail; selection buys more of the rare classes on the right, where losses are large.`,
    value: 'rows',
    rowLabel: 'method',
    columnLabel: 'class, commonest first',
    rows: arms,
    columns: Array.from({ length: classes }, (_, c) => classNames?.[c] ?? String(c)),
    values: arms.flatMap((arm) => classCounts[arm].map(Math.round)),
  };
}

function lossChart({ meanLoss }: LongTailFigures): Chart {
  return {
    kind: 'intervals',
    title: 'The mean loss of all rows, told from the rows picked',
    description: `Each run asks ${meanLoss[0].losses} of ${meanLoss[0].rows} losses. ${100 * confidence} % of such intervals should hold the exact answer.`,
    value: { label: 'mean loss (nats)' },
    rows: meanLoss.map(({ seed, estimate, interval: { low, high }, exact }) => ({
      ...{ label: `run ${seed}`, value: estimate, low, high, exact },
    })),
  };
}

/** The interval of the first run as a certificate, audited against the exact mean. */
function lossCertificate({ meanLoss }: LongTailFigures, seed: number): NamedCertificate {
  const [{ estimate, exact, interval, losses, rows, certificate: selection }] = meanLoss;
  const value = Math.max(estimate - interval.low, interval.high - estimate);
  const error = Math.abs(estimate - exact);
  const coverage = meanLoss.reduce((sum, run) => sum + run.coverage, 0) / meanLoss.length;
  const certificate: Certificate = {
    statement: '|estimated − exact mean loss| is at most the wider half of the interval',
    source:
      'arXiv 2402.17327 for the sampling probabilities; the interval is derived: Horvitz-Thompson with Student t',
    assumptions: [
      { statement: 'every row is drawn with its stated inclusion probability, all > 0', status: 'proved' },
      {
        statement: 'the standardised estimate is close to Student t: the interval covers as often as it says',
        status: 'checked',
        measured: coverage,
        measure: `share of samples drawn anew, over ${meanLoss.length} runs, whose interval holds the exact mean`,
      },
    ],
    bound: { value, unit: 'nats', failureProbability: 1 - confidence, scale: estimate },
    seed,
    backend: selection.backend,
    warnings: [],
    audit: {
      error,
      sample: `all ${rows} rows`,
      slack: error === 0 ? Infinity : value / error,
      kept: error <= value,
    },
  };
  return {
    title: `Mean loss of ${rows} rows from ${losses} losses`,
    value: `${shortNumber(estimate)} nats`,
    certificate,
  };
}

/** The theorem's own promise for the total loss, from the first run. The library does not know the unit of a loss; here it is nats. */
function selectionCertificate({ meanLoss }: LongTailFigures): NamedCertificate {
  const [{ rows, certificate }] = meanLoss;
  const bound = { ...certificate.bound, unit: 'nats' };
  const value = bound.scale === undefined ? 'not known' : `about ${shortNumber(bound.scale)} nats`;
  return {
    title: `Total loss of ${rows} rows from the rows picked`,
    value,
    certificate: { ...certificate, bound },
  };
}
