// E3: time of HyperAttention against exact attention, and how it grows with the length.

import type { SpeedFigures } from '../../../attention/reproduce/speed.ts';
import { shortNumber } from '../../../core/certificate.ts';
import type { Chart, Table } from '../../../report/index.ts';
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

export const speed: Experiment = {
  id: 'E3',
  title: 'Attention: time against exact attention',
  expectedSeconds: { full: 40, quick: 2 },
  async run(options) {
    const { reproduceSpeed } = await import('../../../attention/reproduce/speed.ts');
    const quick = options.quick ? { rows: [2048, 4096, 8192], mostExact: 8192 } : {};
    return describe(await reproduceSpeed({ ...runOptions(options), ...quick, seeds: runSeeds(options, 1) }));
  },
};

function describe(report: ProtocolReport<SpeedFigures[]>): ExperimentResult {
  const { figures, verdicts } = report;
  const compared = figures.filter(({ causal, exactSeconds }) => !causal && exactSeconds !== undefined);
  const longest = compared[compared.length - 1];
  return {
    value: { figures, verdicts },
    figures: {
      ...Object.fromEntries(
        figures.flatMap(({ rows, causal, hyperSeconds, exactSeconds }) => {
          const name = `${causal ? 'causal ' : ''}n=${rows}`;
          return [
            [`hyperSeconds ${name}`, hyperSeconds],
            ...(exactSeconds === undefined ? [] : [[`speedUp ${name}`, exactSeconds / hyperSeconds]]),
          ];
        }),
      ),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Attention: speed',
      question: 'How much time does it save, and does time grow linearly with the length?',
      answer: `${longest.rows} queries and keys take ${shortNumber(longest.hyperSeconds)} s instead of ${shortNumber(longest.exactSeconds!)} s: ${(longest.exactSeconds! / longest.hyperSeconds).toFixed(1)} times faster, of ${longest.ideal.toFixed(0)} that the pairs alone would allow. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [timeChart(figures)],
      tables: [verdictTable(verdicts), { caption: 'Times', table: timeTable(figures) }],
      certificates: [],
    },
  };
}

function timeChart(figures: readonly SpeedFigures[]): Chart {
  return {
    kind: 'line',
    title: 'Seconds of one head',
    description:
      'Both axes are logarithmic: exact attention grows with the square of the length, HyperAttention with the length. Hashing and sorting are in its time.',
    x: { label: 'queries and keys n', scale: 'log' },
    y: { label: 'seconds', scale: 'log' },
    series: [false, true].flatMap((causal) => {
      const own = figures.filter((row) => row.causal === causal);
      const kind = causal ? ', causal' : '';
      return [
        {
          name: `HyperAttention${kind}`,
          points: own.map(({ rows, hyperSeconds }) => ({ x: rows, y: hyperSeconds })),
        },
        {
          name: `exact${kind}`,
          points: own.flatMap(({ rows, exactSeconds }) =>
            exactSeconds === undefined ? [] : [{ x: rows, y: exactSeconds }],
          ),
        },
      ];
    }),
  };
}

function timeTable(figures: readonly SpeedFigures[]): Table {
  return {
    columns: ['n', 'causal', 'exact (s)', 'hyper (s)', 'speed-up', 'ideal', 'error'],
    rows: figures.map(({ rows, causal, exactSeconds, hyperSeconds, ideal, error }) => [
      ...[rows, causal ? 'yes' : 'no', exactSeconds ?? '', hyperSeconds],
      ...[exactSeconds === undefined ? '' : exactSeconds / hyperSeconds, ideal, error ?? ''],
    ]),
    note: 'Median of interleaved rounds on a machine that may do other things, too. Error: relative, of the output.',
  };
}
