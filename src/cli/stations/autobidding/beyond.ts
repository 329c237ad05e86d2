// B1, R1, N1: budgets, reserves and boosts, and better predictions.

import type { BudgetsFigures } from '../../../autobidding/reproduce/budgets.ts';
import type { PairedGain } from '../../../autobidding/reproduce/paired-gain.ts';
import type { PolicyRow } from '../../../autobidding/reproduce/policies.ts';
import type { PredictionRow } from '../../../autobidding/reproduce/predictions.ts';
import { shortNumber } from '../../../core/certificate.ts';
import type { Chart } from '../../../report/index.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import { percent, signedPercent } from '../../autobid/words.ts';
import { runOptions, settingLine, verdictFigures, verdictSentence, verdictTable } from '../common.ts';
import type { Experiment, ExperimentOptions, ExperimentResult } from '../station.ts';
import { OWN_DESIGN } from './shown.ts';

type Shown = Pick<ExperimentResult, 'value' | 'figures'> &
  Pick<ExperimentResult['section'], 'question' | 'charts' | 'tables'>;

export const budgets: Experiment = {
  id: 'B1',
  title: 'Budgets: the pacing equilibrium',
  expectedSeconds: { full: 1, quick: 1 },
  async run(options) {
    const { reproduceBudgets } = await import('../../../autobidding/reproduce/budgets.ts');
    const auctions = options.quick ? 300 : undefined;
    const report = await reproduceBudgets({ ...runOptions(options), auctions, seed: 200 + options.seed });
    return describe(report, budgetsShown(report.figures));
  },
};

export const policies: Experiment = {
  id: 'R1',
  title: 'Reserves and boosts: welfare against profit',
  expectedSeconds: { full: 60, quick: 6 },
  async run(options) {
    const { reproducePolicies } = await import('../../../autobidding/reproduce/policies.ts');
    const report = await reproducePolicies({ ...runOptions(options), ...sizes(options) });
    return describe(report, policiesShown(report.figures.rows));
  },
};

export const predictions: Experiment = {
  id: 'N1',
  title: 'Predictions: does knowing more pay?',
  expectedSeconds: { full: 60, quick: 6 },
  async run(options) {
    const { reproducePredictions } = await import('../../../autobidding/reproduce/predictions.ts');
    const report = await reproducePredictions({ ...runOptions(options), ...sizes(options) });
    return describe(report, predictionsShown(report.figures.rows));
  },
};

/** Seeds 200 … 209 by default; other seeds of the command shift them. */
function sizes({ seed, quick }: ExperimentOptions) {
  const seeds = Array.from({ length: quick ? 3 : 10 }, (_, s) => (200 + 1000 * seed + s) >>> 0);
  return { seeds, auctions: quick ? 200 : undefined };
}

function describe(report: ProtocolReport<unknown>, shown: Shown): ExperimentResult {
  const { verdicts, title } = report;
  const { value, figures, question, charts, tables } = shown;
  return {
    value: { ...value, verdicts },
    figures: { ...figures, ...verdictFigures(verdicts) },
    section: {
      ...{ title, question, charts },
      answer: `${verdictSentence(verdicts)} ${OWN_DESIGN}`,
      input: settingLine(report),
      figures: [],
      tables: [verdictTable(verdicts), ...tables],
      certificates: [],
    },
  };
}

function budgetsShown({ literal, larger }: BudgetsFigures): Shown {
  const { advertisers, paced, bound, unspent, iterations } = larger;
  return {
    value: { literal, larger },
    figures: { paced, multiplierBound: bound, unspent },
    question:
      'Advertisers in first price have budgets. At which multipliers does everybody spend what it has?',
    charts: [],
    tables: [
      {
        caption: 'By hand: v = [[4, 2, 1], [2, 3, 1.5]], budgets 2 and 2.5',
        table: {
          columns: ['advertiser', 'multiplier', 'spend'],
          rows: literal.multipliers.map((multiplier, i) => [i + 1, multiplier, literal.spend[i]]),
          note: `Prices: ${literal.prices.map(shortNumber).join(', ')}.`,
        },
      },
      {
        caption: 'The larger market',
        table: {
          columns: ['advertisers', 'below their value', 'certified error', 'off budget', 'iterations'],
          rows: [[advertisers, paced, shortNumber(bound), shortNumber(unspent), iterations]],
        },
      },
    ],
  };
}

function policiesShown(rows: readonly PolicyRow[]): Shown {
  return {
    value: { rows },
    figures: Object.fromEntries(
      rows.flatMap(({ format, policy, level, welfareGain, profitGain }) => [
        [`welfareGain ${format} ${policy} ${level}`, welfareGain.difference],
        [`profitGain ${format} ${policy} ${level}`, profitGain.difference],
      ]),
    ),
    question: 'Reserves and boosts move welfare and profit. Which way, once bidders have adapted?',
    charts: [
      {
        kind: 'scatter',
        title: 'Welfare against profit',
        description:
          'Each point a policy at a level, mean over markets. Up and right is better for everybody.',
        x: { label: 'profit ÷ optimum (%)' },
        y: { label: 'welfare ÷ optimum (%)' },
        points: rows.map(({ format, policy, welfare, profit }) => ({
          ...{ x: 100 * profit, y: 100 * welfare, category: `${format.toUpperCase()}, ${policy}` },
        })),
      },
    ],
    tables: [
      {
        caption: 'Against no reserve and no boost, paired by market',
        table: {
          columns: [
            'format',
            'policy',
            'level',
            'welfare',
            'change',
            'verdict',
            'profit',
            'change',
            'verdict',
          ],
          rows: rows.map(({ format, policy, level, welfare, profit, welfareGain, profitGain }) => [
            ...[format.toUpperCase(), policy, level, percent(welfare), ...gainText(welfareGain, level === 0)],
            ...[percent(profit), ...gainText(profitGain, level === 0)],
          ]),
          note: 'In brackets: 95 % interval over markets. Separated: it excludes 0, and the change exceeds the certified regret.',
        },
      },
    ],
  };
}

function predictionsShown(rows: readonly PredictionRow[]): Shown {
  const kinds = [...new Set(rows.map(({ market }) => market))];
  const chart = (measure: 'welfare' | 'profit'): Chart => ({
    kind: 'line',
    title: `${measure === 'welfare' ? 'Welfare' : 'Revenue'} by error of the predictions`,
    description:
      'Mean over markets. Left: bidders know their values; a line that rises to the right is revenue that knowledge costs.',
    x: { label: 'σ of ln v' },
    y: { label: `${measure === 'welfare' ? 'welfare' : 'revenue'} ÷ optimum (%)` },
    series: kinds.map((name) => ({
      name,
      points: rows
        .filter(({ market }) => market === name)
        .map((row) => ({ x: row.sigma, y: 100 * row[measure] })),
    })),
  });
  return {
    value: { rows },
    figures: Object.fromEntries(
      rows.flatMap(({ market, sigma, welfareGain, profitGain }) => [
        [`welfareGain ${market} σ=${sigma}`, welfareGain.difference],
        [`revenueGain ${market} σ=${sigma}`, profitGain.difference],
      ]),
    ),
    question: 'A platform predicts values better. Does it earn more?',
    charts: [chart('welfare'), chart('profit')],
    tables: [
      {
        caption: 'What exact predictions change, paired by market',
        table: {
          columns: [
            'market',
            'σ',
            'targets missed',
            'welfare gained',
            'verdict',
            'revenue gained',
            'verdict',
          ],
          rows: rows
            .filter(({ sigma }) => sigma > 0)
            .map(({ market, sigma, missed, welfareGain, profitGain }) => [
              ...[market, sigma, percent(missed)],
              ...[...gainText(welfareGain, false), ...gainText(profitGain, false)],
            ]),
          note: 'Instead of predictions of error σ. In brackets: 95 % interval over markets.',
        },
      },
    ],
  };
}

function gainText({ difference, interval, separated }: PairedGain, isBase: boolean): string[] {
  if (isBase) return ['', ''];
  return [
    `${signedPercent(difference)} (${signedPercent(interval.low).replace(' %', '')} … ${signedPercent(interval.high)})`,
    separated ? 'separated' : 'not separated',
  ];
}
