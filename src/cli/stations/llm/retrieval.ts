// S5: which caches still find a line.

import type { RetrievalRow } from '../../../llm/index.ts';
import type { Chart, Table } from '../../../report/index.ts';
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
import { openSubject } from './subject.ts';

export const retrieval: Experiment = {
  id: 'S5',
  title: 'Language model: lines found against the bytes of the cache',
  expectedSeconds: { full: 20, quick: 4 },
  async run(options) {
    const { reproduceRetrieval } = await import('../../../llm/reproduce/retrieval.ts');
    const quick = options.quick ? { records: 2, shares: [0.5, 0.25] } : {};
    const subject = await openSubject(options);
    return describe(
      await reproduceRetrieval({ ...runOptions(options), subject, ...quick, seeds: runSeeds(options, 1) }),
    );
  },
};

function describe(report: ProtocolReport<RetrievalRow[]>): ExperimentResult {
  const { figures, verdicts } = report;
  const { recommended } = report.setting;
  const [full] = figures;
  const shares = [...new Set(figures.map(({ share }) => share))].filter((share) => share < 1);
  return {
    value: { rows: figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.map(({ policy, share, accuracy }) => [`accuracy ${policy} ${share}`, accuracy]),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Language model: line retrieval',
      question: 'A record of lines is read, then one line is asked for. Which caches still know it?',
      answer: `With all kept the model finds ${full.right} of ${full.asked} lines. ${shares.map((share) => bestAt(figures, share)).join(' ')} ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [
        budgetChart(figures, String(recommended)),
        ...shares.map((share) => accuracyChart(figures, share, String(recommended))),
      ],
      tables: [verdictTable(verdicts), { caption: 'All caches', table: retrievalTable(figures) }],
      certificates: [],
    },
  };
}

/** As many as can be told apart. */
const mostSeries = 8;

/** Every policy from its least bytes to the full cache. */
function budgetChart(rows: readonly RetrievalRow[], first: string): Chart {
  const [full] = rows;
  const most = (name: string) =>
    Math.max(...rows.filter((row) => row.policy === name).map(({ right }) => right));
  const names = [...new Set(rows.map(({ policy }) => policy))]
    .filter((name) => name !== full.policy)
    .sort((a, b) => Number(b === first) - Number(a === first) || most(b) - most(a))
    .slice(0, mostSeries);
  return {
    kind: 'line',
    title: 'Lines found against the bytes of the cache',
    description: 'All lines meet at the full cache, on the right. At most eight caches are drawn.',
    x: { label: 'of the full cache’s bytes (%)' },
    y: { label: 'right (%)', include: [0, 100] },
    series: (names.length > 0 ? names : [full.policy]).map((name) => ({
      name,
      points: [...rows.filter(({ policy }) => policy === name), full]
        .map(({ bytesShare, accuracy }) => ({ x: 100 * bytesShare, y: 100 * accuracy }))
        .sort((a, b) => a.x - b.x),
    })),
  };
}

function bestAt(rows: readonly RetrievalRow[], share: number): string {
  const best = rows.filter((row) => row.share === share).reduce((a, b) => (b.right > a.right ? b : a));
  return `With ${100 * share} % of the bytes the best cache, ${best.policy}, finds ${best.right}.`;
}

export function accuracyChart(rows: readonly RetrievalRow[], share: number, emphasis: string): Chart {
  return {
    kind: 'bars',
    title: `Lines found with ${100 * share} % of the bytes`,
    description: 'Whiskers are 95 % intervals, as if questions were independent.',
    value: { label: 'right (%)' },
    bars: rows
      .filter((row) => row.share === 1 || row.share === share)
      .toSorted((a, b) => b.right - a.right)
      .map(({ policy, accuracy, interval }) => ({
        ...{ label: policy, value: 100 * accuracy, emphasis: policy === emphasis },
        ...{ low: 100 * interval.low, high: 100 * interval.high },
        ...(policy === 'full' ? { role: 'reference' as const } : {}),
      })),
  };
}

export function retrievalTable(rows: readonly RetrievalRow[]): Table {
  return {
    columns: ['cache', 'storage', 'at most (%)', 'of full bytes (%)', 'held', 'right', 'of', '95 % interval'],
    rows: rows.map(({ policy, storage, share, bytesShare, bytes, right, asked, interval }) => [
      ...[policy, storage, 100 * share, 100 * bytesShare, describeBytes(bytes), right, asked],
      `${interval.low.toFixed(2)} … ${interval.high.toFixed(2)}`,
    ]),
    note: 'Held: after a record, keys, values and bookkeeping.',
  };
}
