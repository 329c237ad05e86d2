// The tour's station: two real tables whose labels are seen through bags only.

import type { RealTableFigures } from '../../../aggregate/reproduce/real-tables.ts';
import { shortNumber } from '../../../core/certificate.ts';
import type { Chart, LineSeries } from '../../../report/index.ts';
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

export const realTablesTour: Experiment = {
  id: 'tour',
  title: 'Learning without seeing labels: house prices and wages from bag means',
  expectedSeconds: { full: 5, quick: 2 },
  async run(options) {
    const { reproduceRealTables } = await import('../../../aggregate/reproduce/real-tables.ts');
    const seeds = runSeeds(options, options.quick ? 5 : 20);
    return describe(await reproduceRealTables({ ...runOptions(options), seeds }));
  },
};

function describe(report: ProtocolReport<RealTableFigures[]>): ExperimentResult {
  const { figures, verdicts, setting } = report;
  const epsilon = Number(setting.epsilon);
  return {
    value: { tables: figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.flatMap(({ table, mean, bySize }) => [
          [`testErrorMean ${table}`, mean.mean],
          ...bySize.flatMap(({ bagSize, exact, releasedPlanned }) => [
            [`testError ${table} k=${bagSize}`, exact.mean],
            [`testError ${table} k=${bagSize} ε=${epsilon}`, releasedPlanned.mean],
          ]),
        ]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Learning from bag means',
      question: 'Only means of groups may be seen, with or without privacy noise. What is still learned?',
      answer: `${figures.map((table) => answerOf(table, epsilon)).join(' ')} ${verdictSentence(verdicts)}`,
      input: `${settingLine(report)} · ${figures.map(({ table, rows, columns, dropped }) => `${table}: ${rows} rows, ${columns} columns, left out: ${dropped.join(', ')}`).join(' · ')}`,
      figures: figures.flatMap(({ table, bySize, mean }) => {
        const five = ofFive(bySize);
        return [
          {
            label: `${table}, bags of ${five.bagSize}`,
            value: shortNumber(five.exact.mean),
            note: `individual labels: ${shortNumber(bySize[0].exact.mean)}, mean: ${shortNumber(mean.mean)}`,
          },
          {
            label: `ε = ${epsilon}`,
            value: shortNumber(five.releasedPlanned.mean),
            note: `noised individual labels: ${shortNumber(bySize[0].releasedPlanned.mean)}`,
          },
        ];
      }),
      charts: figures.map((table) => chartOf(table, epsilon)),
      tables: [verdictTable(verdicts), ...figures.map((table) => tableOf(table, epsilon))],
      certificates: figures.flatMap(({ table, certificates: { fit, plan }, plans }) => [
        ...(fit ? [{ title: `${table}: coefficients`, value: 'from bags', certificate: fit }] : []),
        {
          title: `${table}: plan at ε = ${epsilon}`,
          value: `bags of ${plans.released.best.bagSize}, ρ = ${shortNumber(plans.released.best.rho)}`,
          certificate: plan,
        },
      ]),
    },
  };
}

function ofFive(bySize: RealTableFigures['bySize']) {
  return bySize.find(({ bagSize }) => bagSize >= 5) ?? bySize[bySize.length - 1];
}

function answerOf({ table, bySize, mean, plans, noise }: RealTableFigures, epsilon: number): string {
  const five = ofFive(bySize);
  const foretold = plans.exact.byBagSize.find(({ bagSize }) => bagSize === five.bagSize)!.risk + noise;
  const kept = (mean.mean - five.exactPlanned.mean) / (mean.mean - bySize[0].exact.mean);
  return (
    `${table}: means of ${five.bagSize} keep ${(100 * kept).toFixed(0)} % of what individual labels gain (planned error ${shortNumber(foretold)}, measured ${shortNumber(five.exactPlanned.mean)}); ` +
    `at ε = ${epsilon} they err by ${shortNumber(five.releasedPlanned.mean)}, noised individual labels by ${shortNumber(bySize[0].releasedPlanned.mean)}.`
  );
}

function chartOf(figures: RealTableFigures, epsilon: number): Chart {
  const { table, bySize, mean, plans, noise, responseName } = figures;
  const sizes = bySize.map(({ bagSize }) => bagSize);
  const measured = (name: string, of: (row: RealTableFigures['bySize'][number]) => Measured): LineSeries => ({
    name,
    points: bySize.map((row) => {
      const { mean: y, standardError } = of(row);
      return { x: row.bagSize, y, low: Math.max(0, y - 2 * standardError), high: y + 2 * standardError };
    }),
  });
  const planned = (name: string, { byBagSize }: RealTableFigures['plans']['exact']): LineSeries => ({
    name,
    role: 'bound',
    points: byBagSize
      .filter(({ risk }) => Number.isFinite(risk))
      .map(({ bagSize, risk }) => ({ x: bagSize, y: risk + noise })),
  });
  const level = (name: string, y: number): LineSeries => ({
    ...{ name, role: 'reference', points: sizes.map((x) => ({ x, y })) },
  });
  return {
    kind: 'line',
    title: table,
    description: `Squared test error of ${responseName}. Bands: two standard errors over the splits. Plans come before any label is seen, from the numbers of rows and columns, signal and noise.`,
    x: { label: 'bag size k', scale: 'log' },
    y: { label: 'mean squared test error', include: [0] },
    series: [
      measured('exact means, ρ by validation', ({ exact }) => exact),
      measured('exact means, ρ by the plan', ({ exactPlanned }) => exactPlanned),
      measured(`ε = ${epsilon}, ρ by the plan`, ({ releasedPlanned }) => releasedPlanned),
      measured(`ε = ${epsilon}, ρ by validation`, ({ released }) => released),
      planned('plan, exact means', plans.exact),
      planned(`plan, ε = ${epsilon}`, plans.released),
      level('individual labels', bySize[0].exact.mean),
      level('predicting the mean', mean.mean),
    ],
  };
}

function tableOf({ table, bySize, mean, plans, noise }: RealTableFigures, epsilon: number) {
  const foretold = (plan: RealTableFigures['plans']['exact'], size: number) => {
    const point = plan.byBagSize.find(({ bagSize }) => bagSize === size);
    return point ? shortNumber(point.risk + noise) : '–';
  };
  const cell = ({ mean: value, standardError }: Measured) =>
    `${shortNumber(value)} ± ${shortNumber(standardError)}`;
  return {
    caption: `${table}: mean squared test error`,
    table: {
      columns: [
        ...['bag size', 'exact, ρ by validation', 'ρ by plan', 'planned'],
        ...[`ε = ${epsilon}, ρ by validation`, 'ρ by plan', 'planned'],
      ],
      rows: bySize.map(({ bagSize, exact, exactPlanned, released, releasedPlanned }) => [
        ...[bagSize, cell(exact), cell(exactPlanned), foretold(plans.exact, bagSize)],
        ...[cell(released), cell(releasedPlanned), foretold(plans.released, bagSize)],
      ]),
      note: `Predicting the mean: ${cell(mean)}. ${plans.released.advice.join(' ')}`,
    },
  };
}
