// S1: how many clusters a stream of keys has, as it grows.

import type { ClusterFigures } from '../../../kv-cache/reproduce/clusters.ts';
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

export const clusters: Experiment = {
  id: 'S1',
  title: 'Caches: clusters of a stream as it grows',
  expectedSeconds: { full: 3, quick: 1 },
  async run(options) {
    const { reproduceClusters } = await import('../../../kv-cache/reproduce/clusters.ts');
    const tokens = options.quick ? [250, 500, 1000] : [500, 1000, 2000, 4000];
    return describe(
      await reproduceClusters({ ...runOptions(options), tokens, seeds: runSeeds(options, 1) }),
      tokens,
    );
  },
};

function describe(report: ProtocolReport<ClusterFigures[]>, tokens: readonly number[]): ExperimentResult {
  const { figures, verdicts } = report;
  return {
    value: { figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.flatMap(({ stream, clusters: counts }) =>
          counts.map((count, i) => [`clusters ${stream} n=${tokens[i]}`, count]),
        ),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Caches: clusters',
      question: 'Does the number of clusters stay behind the number of tokens?',
      answer: `For keys that cluster it stays at ${figures[0].clusters[0]}, for normal keys it is the number of tokens. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Clusters against tokens',
          description:
            'A token joins the nearest cluster within δ, or opens one. Where keys do not cluster nothing can be saved.',
          x: { label: 'tokens', scale: 'log' },
          y: { label: 'clusters', scale: 'log' },
          series: figures.map(({ stream, clusters: counts }) => ({
            name: stream,
            points: counts.map((y, i) => ({ x: tokens[i], y })),
          })),
        },
      ],
      tables: [verdictTable(verdicts)],
      certificates: [],
    },
  };
}
