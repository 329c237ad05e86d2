// E6: the quantities that the theorem is about.

import type { ParameterFigures } from '../../../attention/reproduce/parameters.ts';
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

export const parameters: Experiment = {
  id: 'E6',
  title: 'Attention: the quantities of the theorem, measured',
  expectedSeconds: { full: 12, quick: 4 },
  async run(options) {
    const { reproduceParameters } = await import('../../../attention/reproduce/parameters.ts');
    const quick = options.quick
      ? { gaussianRows: [256, 512, 1024], plantedRows: 2048, sampledRows: 128 }
      : {};
    return describe(
      await reproduceParameters({ ...runOptions(options), ...quick, seeds: runSeeds(options, 1) }),
    );
  },
};

function describe(report: ProtocolReport<ParameterFigures[]>): ExperimentResult {
  const { figures, verdicts } = report;
  const named = figures.map((row) => ({ ...row, name: `${row.input} n=${row.length}` }));
  const heavy = figures.find(({ input }) => input === 'few heavy keys')!;
  return {
    value: { figures, verdicts },
    figures: {
      ...Object.fromEntries(
        named.flatMap(({ name, alpha, kappa, recall, entropy, valueRank, relativeError }) => [
          [`alpha ${name}`, alpha],
          [`kappa ${name}`, kappa],
          [`recall ${name}`, recall],
          [`entropyNats ${name}`, entropy],
          [`valueRank ${name}`, valueRank],
          [`relativeError ${name}`, relativeError],
        ]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Attention: the theorem’s quantities',
      question: 'Is α small, as the theorem asks, and what if it is not?',
      answer: `α is small where attention is spread and large where few keys are heavy; there the blocks hold ${(100 * heavy.recall).toFixed(0)} % of the mass. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'bars',
          title: 'Mass that the blocks hold',
          description: 'Mean over the rows of each input; a block is 128 keys.',
          value: { label: 'share of the mass (%)' },
          bars: named.map(({ name, recall }) => ({ label: name, value: 100 * recall })),
        },
      ],
      tables: [
        verdictTable(verdicts),
        {
          caption: 'Quantities',
          table: {
            columns: [
              'input',
              'n',
              'α',
              'mean column',
              'κ',
              'srank V',
              'recall (%)',
              'entropy (nats)',
              'error',
            ],
            rows: figures.map((row) => [
              ...[row.input, row.length, row.alpha, row.meanColumn, row.kappa, row.valueRank],
              ...[100 * row.recall, row.entropy, row.relativeError],
            ]),
            note: 'α: n times the largest squared column norm of P, 1 for uniform attention; mean column: the same of the mean. κ: largest over smallest row sum Σ eˢ outside the blocks.',
          },
        },
      ],
      certificates: [],
    },
  };
}
