// S6: perplexity of the rest of a text after its beginning was compressed.

import type { CompressionFigures } from '../../../llm/reproduce/prefix-compression.ts';
import type { Chart } from '../../../report/index.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import { describeBytes } from '../../llm/describe.ts';
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

export const prefixCompression: Experiment = {
  id: 'S6',
  title: 'Language model: perplexity after a compressed prefix',
  expectedSeconds: { full: 12, quick: 3 },
  async run(options) {
    const { reproducePrefixCompression } = await import('../../../llm/reproduce/prefix-compression.ts');
    return describe(
      await reproducePrefixCompression({
        ...{ ...runOptions(options), subject: await openSubject(options), text: await openText(options) },
        ...{ pieces: options.quick ? 1 : 4, seeds: runSeeds(options, 1) },
      }),
    );
  },
};

function describe(report: ProtocolReport<CompressionFigures[]>): ExperimentResult {
  const { figures, verdicts } = report;
  const [full] = figures;
  const shares = [...new Set(figures.map(({ share }) => share))].filter((share) => share < 1);
  const best = (share: number) =>
    figures.filter((row) => row.share === share).reduce((a, b) => (b.nats < a.nats ? b : a));
  return {
    value: { figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.map(({ policy, share, perplexity }) => [`perplexity ${policy} ${share}`, perplexity]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Language model: compressed prefixes',
      question: 'A text is read and compressed. How well is the rest of it predicted?',
      answer: `Perplexity is ${full.perplexity.toFixed(1)} with all kept; ${shares.map((share) => `${best(share).perplexity.toFixed(1)} in ${100 * share} % of the bytes (${best(share).policy})`).join(', ')}. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: shares.map((share) => lossChart(figures, share, String(report.setting.recommended))),
      tables: [
        verdictTable(verdicts),
        {
          caption: 'All caches',
          table: {
            columns: ['cache', 'of full bytes (%)', 'held', 'perplexity', 'nats more', '±'],
            rows: figures.map(({ policy, share, bytes, perplexity, loss }) => [
              ...[policy, 100 * share, describeBytes(bytes), perplexity, loss.mean, loss.standardError],
            ]),
            note: 'Nats more: than with all kept, mean of the differences token by token, with its standard error.',
          },
        },
      ],
      certificates: [],
    },
  };
}

function lossChart(figures: readonly CompressionFigures[], share: number, emphasis: string): Chart {
  return {
    kind: 'bars',
    title: `What ${100 * share} % of the bytes cost`,
    description: 'Nats a token more than with all kept. Whiskers are two standard errors of the differences.',
    value: { label: 'nats a token more' },
    bars: figures
      .filter((row) => row.share === share)
      .toSorted((a, b) => a.loss.mean - b.loss.mean)
      .map(({ policy, loss: { mean, standardError } }) => ({
        ...{ label: policy, value: mean, emphasis: policy === emphasis },
        ...{ low: mean - 2 * standardError, high: mean + 2 * standardError },
      })),
  };
}
