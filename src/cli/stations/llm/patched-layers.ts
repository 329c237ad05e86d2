// E5: perplexity against the number of layers that read by HyperAttention.

import type { PatchedFigures } from '../../../llm/reproduce/patched-layers.ts';
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
import { openSubject, openText } from './subject.ts';

export const patchedLayers: Experiment = {
  id: 'E5',
  title: 'Language model: perplexity against patched layers',
  expectedSeconds: { full: 8, quick: 1 },
  async run(options) {
    const { reproducePatchedLayers } = await import('../../../llm/reproduce/patched-layers.ts');
    return describe(
      await reproducePatchedLayers({
        ...{ ...runOptions(options), subject: await openSubject(options), text: await openText(options) },
        ...{ pieces: options.quick ? 1 : 4, seeds: runSeeds(options, 1) },
      }),
    );
  },
};

function describe(report: ProtocolReport<PatchedFigures[]>): ExperimentResult {
  const { figures, verdicts } = report;
  const ends = ['last', 'first'] as const;
  const all = figures.filter(({ from }) => from === 'last');
  const whole = all[all.length - 1];
  return {
    value: { figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.map(({ from, patched, perplexity }) => [`perplexity ${from} ${patched}`, perplexity]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Language model: patched layers',
      question: 'How many layers can read by HyperAttention before predictions suffer?',
      answer: `Perplexity is ${all[0].perplexity.toFixed(1)} with exact attention and ${whole.perplexity.toFixed(1)} with all ${whole.patched} layers patched. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Perplexity against patched layers',
          description:
            'The last layers read by HyperAttention, as in the paper, or the first ones. Both begin and end at the same models.',
          x: { label: 'patched layers' },
          y: { label: 'perplexity' },
          series: ends.map((end) => ({
            name: `the ${end} layers`,
            points: figures
              .filter(({ from }) => from === end)
              .map(({ patched, perplexity }) => ({ x: patched, y: perplexity })),
          })),
        },
      ],
      tables: [
        verdictTable(verdicts),
        {
          caption: 'Perplexity',
          table: {
            columns: ['patched layers', 'of the model’s', 'nats a token', 'perplexity', 'ratio'],
            rows: figures.map(({ from, patched, nats, perplexity, ratio }) => [
              ...[patched, from, nats.mean, perplexity, ratio],
            ]),
          },
        },
      ],
      certificates: [],
    },
  };
}
