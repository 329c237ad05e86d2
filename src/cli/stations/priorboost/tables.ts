// P5: real tables.

import type { TablesReport } from '../../../aggregate/reproduce/priorboost/tables.ts';
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
import {
  errorSeries,
  errorWithSpread,
  HONEST_FINDING,
  levelSeries,
  REFERENCE_NOTE,
  referenceText,
} from './shown.ts';

/** Methods that the independent implementation has figures for, in the order of its figures. */
const REFERENCED = ['random, ρ = 1', 'two stages, pool last', 'two stages, pool all, last ρ = 0.03'];

export const tables: Experiment = {
  id: 'P5',
  title: 'Real tables',
  expectedSeconds: { full: 20, quick: 6 },
  async run(options) {
    const { reproduceTables } = await import('../../../aggregate/reproduce/priorboost/tables.ts');
    const seeds = runSeeds(options, options.quick ? 3 : 10);
    return describe(await reproduceTables({ ...runOptions(options), seeds }));
  },
};

function describe(report: ProtocolReport<TablesReport>): ExperimentResult {
  const { figures, verdicts } = report;
  const skipped = figures.skipped.map(({ table, reason }) => `Left out: ${table}. ${reason}`).join(' ');
  return {
    value: { ...figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.tables.flatMap(({ table, single, mean, sizes }) => [
          [`testError ${table} single labels`, single.mean],
          [`testError ${table} mean`, mean.mean],
          ...sizes.flatMap(({ bagSize, errors }) =>
            Object.entries(errors).map(([name, error]) => [
              `testError ${table} ${name} k=${bagSize}`,
              error.mean,
            ]),
          ),
        ]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'PriorBoost: real tables',
      question: 'Does it hold where answers come from people and no model is true?',
      answer: [verdictSentence(verdicts), HONEST_FINDING, skipped].filter((part) => part !== '').join(' '),
      input: settingLine(report),
      figures: [],
      charts: figures.tables.map(({ table, unit, single, mean, sizes }) => {
        const bagSizes = sizes.map(({ bagSize }) => bagSize);
        return {
          kind: 'line' as const,
          title: `${table}: error against the bag size`,
          description:
            'Mean over random splits, bands two standard errors. Dotted lines: single labels, and predicting the mean.',
          x: { label: 'samples a bag k', scale: 'log' as const },
          y: { label: unit },
          series: [
            ...Object.keys(sizes[0].errors).map((name) =>
              errorSeries(
                name,
                bagSizes,
                sizes.map(({ errors }) => errors[name]),
              ),
            ),
            levelSeries('single labels', bagSizes, single),
            levelSeries('mean', bagSizes, mean),
          ],
        };
      }),
      tables: [
        ...figures.tables.map(({ table, unit, rows, columns, single, mean, sizes, reference }) => {
          const names = Object.keys(sizes[0].errors);
          const dashes = names.map(() => '–');
          return {
            caption: `${table}, ${rows} rows, ${columns} columns: ${unit}, beside the reference in brackets. ${REFERENCE_NOTE}`,
            table: {
              columns: ['k', 'single labels', 'mean', ...names],
              rows: [
                [
                  'any',
                  `${errorWithSpread(single)} (${referenceText(reference.single)})`,
                  `${errorWithSpread(mean)} (${referenceText(reference.mean)})`,
                  ...dashes,
                ],
                ...sizes.map(({ bagSize, errors, reference: known }) => [
                  bagSize,
                  '–',
                  '–',
                  ...names.map(
                    (name) =>
                      `${errorWithSpread(errors[name])} (${referenceText(known[REFERENCED.indexOf(name)])})`,
                  ),
                ]),
              ],
            },
          };
        }),
        verdictTable(verdicts),
      ],
      certificates: [],
    },
  };
}
