// E4: the length n₀ below which causal attention is exact.

import type { CausalFigures } from '../../../attention/reproduce/causal.ts';
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

export const causal: Experiment = {
  id: 'E4',
  title: 'Attention: how long the exact leaves of causal attention are',
  expectedSeconds: { full: 6, quick: 1 },
  async run(options) {
    const { reproduceCausal } = await import('../../../attention/reproduce/causal.ts');
    const quick = options.quick ? { rows: 4096, leaves: [256, 512, 1024, 2048] } : {};
    const seeds = runSeeds(options, options.quick ? 1 : 3);
    return describe(await reproduceCausal({ ...runOptions(options), ...quick, seeds }));
  },
};

function describe(report: ProtocolReport<CausalFigures[]>): ExperimentResult {
  const { figures, verdicts } = report;
  const [shortest, longest] = [figures[0], figures[figures.length - 1]];
  return {
    value: { figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.flatMap(({ leaf, seconds, error, pairsPerRow }) => [
          [`seconds n0=${leaf}`, seconds.mean],
          [`relativeError n0=${leaf}`, error.mean],
          [`pairsPerRow n0=${leaf}`, pairsPerRow],
        ]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Attention: causal leaves',
      question: 'What does the length n₀ of the exact leaves cost, and what does it buy?',
      answer: `From n₀ = ${shortest.leaf} to ${longest.leaf} the error falls from ${shortest.error.mean.toFixed(2)} to ${longest.error.mean.toFixed(2)} and the pairs rise ${(longest.pairsPerRow / shortest.pairsPerRow).toFixed(1)}-fold. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Error against time',
          description: `One dot for each n₀ from ${shortest.leaf} (left) to ${longest.leaf}.`,
          x: { label: 'seconds', include: [0] },
          y: { label: 'relative error of the output', include: [0] },
          series: [
            {
              name: 'n₀ doubles from dot to dot',
              points: figures
                .map(({ seconds, error }) => ({ x: seconds.mean, y: error.mean }))
                .toSorted((a, b) => a.x - b.x),
            },
          ],
        },
        {
          kind: 'line',
          title: 'Time against n₀',
          description:
            'Measured, and by the count of operations: so much for each pair, so much for each level of halving (hashing, sorting, gathering).',
          x: { label: 'n₀ (rows)', scale: 'log' },
          y: { label: 'seconds', include: [0] },
          series: [
            { name: 'measured', points: figures.map(({ leaf, seconds }) => ({ x: leaf, y: seconds.mean })) },
            {
              name: 'by the count',
              role: 'reference',
              points: figures.map(({ leaf, fittedSeconds }) => ({ x: leaf, y: fittedSeconds })),
            },
          ],
        },
      ],
      tables: [verdictTable(verdicts)],
      certificates: [],
    },
  };
}
