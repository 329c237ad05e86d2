// W1: how many rows of a hybrid cache should be recent tokens.

import type { WindowShareFigures } from '../../../kv-cache/reproduce/window-share.ts';
import type { Table } from '../../../report/index.ts';
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

export const windowShare: Experiment = {
  id: 'W1',
  title: 'Caches: how many rows should be recent tokens',
  expectedSeconds: { full: 12, quick: 3 },
  async run(options) {
    const { reproduceWindowShare } = await import('../../../kv-cache/reproduce/window-share.ts');
    const seeds = runSeeds(options, options.quick ? 2 : 10);
    return describe(await reproduceWindowShare({ ...runOptions(options), seeds }));
  },
};

function describe(report: ProtocolReport<WindowShareFigures[]>): ExperimentResult {
  const { figures, verdicts } = report;
  const kinds = [...new Set(figures.map(({ kind }) => kind))];
  const ofShares = figures.filter(({ share }) => share !== undefined);
  return {
    value: { figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.map(({ kind, cache, error }) => [`relativeError ${kind}, ${cache}`, error.mean]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Caches: recent tokens',
      question: 'How much of a budget should recent tokens have?',
      answer: `A small part: groups of older tokens need the rows more. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        {
          kind: 'line',
          title: 'Error against the share of recent tokens',
          description: 'All hold as many bytes. Bands are two standard errors.',
          x: { label: 'share of the rows that sinks leave', scale: 'log' },
          y: { label: 'relative error', scale: 'log' },
          series: kinds.map((name) => ({
            name,
            points: ofShares
              .filter(({ kind }) => kind === name)
              .map(({ share = 1, error: { mean, standardError } }) => ({
                ...{ x: share, y: mean },
                ...{ low: Math.max(mean / 10, mean - 2 * standardError), high: mean + 2 * standardError },
              })),
          })),
        },
      ],
      tables: [
        verdictTable(verdicts),
        { caption: 'Relative error of all caches, mean and standard error', table: tableOf(figures) },
      ],
      certificates: [],
    },
  };
}

function tableOf(figures: readonly WindowShareFigures[]): Table {
  return {
    columns: ['stream', 'cache', 'error', 'standard error'],
    rows: figures.map(({ kind, cache, error }) => [kind, cache, error.mean, error.standardError]),
  };
}
