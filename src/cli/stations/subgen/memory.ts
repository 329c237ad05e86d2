// The tour's station: pictures remembered in fewer bytes.

import type { PictureMemoryFigures } from '../../../kv-cache/reproduce/picture-memory.ts';
import type { Chart, Table } from '../../../report/index.ts';
import type { ProtocolReport } from '../../../reproduce/protocol.ts';
import { comparisonTable, errorLines } from '../../cache/charts.ts';
import {
  runOptions,
  runSeeds,
  settingLine,
  verdictFigures,
  verdictSentence,
  verdictTable,
} from '../common.ts';
import type { Experiment, ExperimentResult } from '../station.ts';

export const memoryTour: Experiment = {
  id: 'tour',
  title: 'Caches: pictures remembered in fewer bytes',
  expectedSeconds: { full: 10, quick: 4 },
  async run(options) {
    const { reproducePictureMemory } = await import('../../../kv-cache/reproduce/picture-memory.ts');
    const quick = options.quick ? { rows: 1024, asked: 200, compression: 8 } : {};
    return describe(
      await reproducePictureMemory({ ...runOptions(options), ...quick, seeds: runSeeds(options, 1) }),
    );
  },
};

function describe(report: ProtocolReport<PictureMemoryFigures>): ExperimentResult {
  const { figures, verdicts } = report;
  const { rows, accuracy, shown, certificate, planted, kept } = figures;
  const percent = (name: string): string => `${(100 * accuracy[name]).toFixed(0)} %`;
  const last = (name: string) => rows.findLast((row) => row.name === name)!;
  const saving = last('full').bytes / last(shown).bytes;
  return {
    value: { shown, accuracy, rows, kept, verdicts },
    figures: {
      ...Object.fromEntries(
        Object.entries(accuracy).map(([name, share]) => [`accuracyPercent ${name}`, 100 * share]),
      ),
      ...Object.fromEntries(
        [...new Set(rows.map(({ name }) => name))].map((name) => [
          `relativeError ${name}`,
          last(name).relativeError,
        ]),
      ),
      timesLessMemory: saving,
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Key-value caches',
      question: `Attention over ${last('full').tokens} labelled pictures names new ones. Must it keep them all?`,
      answer: `Kept whole, they name ${percent('full')} of new pictures right; the cache “${shown}” names ${percent(shown)} in a ${saving.toFixed(0)}th of the bytes, a window ${percent('sink-window')}. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [
        { label: 'All kept', value: percent('full'), note: `${last('full').bytes} bytes` },
        { label: shown, value: percent(shown), note: `${last(shown).bytes} bytes` },
        { label: 'Window', value: percent('sink-window'), note: 'as many bytes' },
        {
          label: 'Answers changed',
          value: `≤ ${(100 * certificate.bound.value).toFixed(0)} %`,
          note: `by ${shown}, with probability ${1 - certificate.bound.failureProbability}`,
        },
      ],
      charts: [accuracyChart(figures), errorLines(rows), keptChart(figures)],
      tables: [
        verdictTable(verdicts),
        { caption: 'All policies, at equal bytes', table: policyTable(figures) },
      ],
      certificates: [
        {
          title: 'Names given by the cache and by all pictures',
          value: `${shown}, ${percent(shown)} right`,
          certificate,
        },
        {
          title: 'Answers of the hybrid cache on a planted stream',
          value: '104 rows for 2000 tokens in 64 clusters',
          certificate: planted,
        },
      ],
    },
  };
}

function accuracyChart({ accuracy, shown }: PictureMemoryFigures): Chart {
  return {
    kind: 'bars',
    title: 'New pictures named right',
    description:
      'The stream shows one class after the other, so what keeps the latest forgets the first classes. All but the full cache hold as many bytes.',
    value: { label: 'right (%)' },
    bars: Object.entries(accuracy)
      .toSorted(([, a], [, b]) => b - a)
      .map(([name, share]) => ({
        ...{ label: name, value: 100 * share, emphasis: name === shown },
        ...(name === 'full' ? { role: 'reference' as const } : {}),
      })),
  };
}

function keptChart({ kept }: PictureMemoryFigures): Chart {
  const names = Object.keys(kept);
  return {
    kind: 'heat-map',
    title: 'Which tokens are kept',
    description: 'Share of what each policy keeps, by the part of the stream it came from.',
    value: 'kept tokens (%)',
    rowLabel: 'policy',
    columnLabel: 'eighth of the stream',
    rows: names,
    columns: Array.from({ length: 8 }, (_, i) => String(i + 1)),
    values: names.flatMap((name) => kept[name].map((share) => Math.round(100 * share))),
  };
}

function policyTable({ rows, accuracy }: PictureMemoryFigures): Table {
  const table = comparisonTable(rows);
  return {
    columns: [...table.columns, 'right (%)'],
    rows: table.rows.map((cells) => [...cells, 100 * accuracy[String(cells[0])]]),
    ...(table.note ? { note: table.note } : {}),
  };
}
