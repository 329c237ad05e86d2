// X6: how many clusters?

import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import type { ClusterCountFigures } from '../../../selection/reproduce/k-sweep.ts';
import {
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const clusterCounts: Experiment = {
  id: 'X6',
  title: 'The number of clusters',
  expectedSeconds: { full: 90, quick: 25 },
  async run(options) {
    const { reproduceClusterCounts } = await import('../../../selection/reproduce/k-sweep.ts');
    return describe(
      await reproduceClusterCounts({
        ...runOptions(options),
        seeds: runSeeds(options, options.quick ? 1 : 3),
      }),
    );
  },
};

function describe(report: ProtocolReport<ClusterCountFigures[]>): ExperimentResult {
  const { figures, verdicts, setting } = report;
  const paid = figures.filter(({ errorAtFixedQueries }) => Number.isFinite(errorAtFixedQueries));
  const best = paid.reduce((a, b) => (b.errorAtFixedQueries < a.errorAtFixedQueries ? b : a));
  return {
    value: { clusterCounts: figures, verdicts },
    figures: { bestClusterCount: best.k, ...verdictFigures(verdicts) },
    section: {
      title: 'Number of clusters',
      question: 'More clusters make sharper scores, and each costs a loss. How many are worth it?',
      answer: `When representatives and probes are paid from ${setting.queryBudget} losses, ${best.k} clusters are best here. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Error against the number of clusters',
          description:
            'Relative standard error of the estimated sum, exact. With a fixed number of draws more clusters help; paid from one budget of losses they do not for ever.',
          x: { label: 'clusters k', scale: 'log' },
          y: { label: 'relative error', include: [0] },
          series: [
            {
              name: `${setting.draws} draws`,
              points: figures.map(({ k, errorAtFixedDraws: { mean, standardError } }) => ({
                ...{ x: k, y: mean, low: mean - 2 * standardError, high: mean + 2 * standardError },
              })),
            },
            {
              name: `${setting.queryBudget} losses in all`,
              points: paid.map(({ k, errorAtFixedQueries }) => ({ x: k, y: errorAtFixedQueries })),
            },
          ],
        },
        {
          kind: 'line',
          title: 'How loose the scores are',
          description:
            'T/Σℓ: what the theorem pays for not knowing the losses. 1 would be perfect knowledge.',
          x: { label: 'clusters k', scale: 'log' },
          y: { label: 'T / Σℓ', include: [1] },
          series: [
            { name: 'T/Σℓ', points: figures.map(({ k, looseness }) => ({ x: k, y: looseness.mean })) },
            { name: 'perfect', role: 'reference', points: figures.map(({ k }) => ({ x: k, y: 1 })) },
          ],
        },
      ],
      tables: [verdictTable(verdicts)],
      certificates: [],
    },
  };
}
