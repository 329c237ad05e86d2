// S4: whether a token like no other is kept, against the rows there are.

import type { NeedleFigures } from '../../../kv-cache/reproduce/needle.ts';
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

export const needle: Experiment = {
  id: 'S4',
  title: 'Caches: whether a token like no other is kept',
  expectedSeconds: { full: 5, quick: 1 },
  async run(options) {
    const { reproduceNeedle } = await import('../../../kv-cache/reproduce/needle.ts');
    const seeds = runSeeds(options, options.quick ? 4 : 20);
    return describe(await reproduceNeedle({ ...runOptions(options), seeds }));
  },
};

function describe(report: ProtocolReport<NeedleFigures[]>): ExperimentResult {
  const { figures, verdicts } = report;
  const names = [...new Set(figures.map(({ policy }) => policy))];
  const first = figures.find(({ policy, kept }) => policy === 'k-center' && kept.mean === 1);
  return {
    value: { figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.map(({ policy, chosen, kept }) => [`keptShare ${policy} K=${chosen}`, kept.mean]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Caches: needle',
      question: 'How many rows does it take to keep a token like no other?',
      answer: `${first ? `From ${first.chosen} centers on k-center keeps it in every run` : 'k-center keeps it in no run of these'}. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Runs that keep the token',
          description:
            'A key far from all others becomes a center of its own as soon as there are more centers than clusters. A uniform sample keeps it with probability K / n, a window never.',
          x: { label: 'rows chosen from the older tokens, K' },
          y: { label: 'runs that keep it (%)', include: [0, 100] },
          series: names.map((name) => ({
            name,
            points: figures
              .filter(({ policy }) => policy === name)
              .map(({ chosen, kept }) => ({ x: chosen, y: 100 * kept.mean })),
          })),
        },
      ],
      tables: [verdictTable(verdicts)],
      certificates: [],
    },
  };
}
