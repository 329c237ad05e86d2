// E6: the quantities of HyperAttention's theorem in the heads of a model.

import type { HeadFigures } from '../../../llm/reproduce/head-parameters.ts';
import { median } from '../../../llm/reproduce/head-parameters.ts';
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
import { openSubject, openText } from './subject.ts';

export const headParameters: Experiment = {
  id: 'E6',
  title: "Language model: the theorem's quantities in its heads",
  expectedSeconds: { full: 6, quick: 2 },
  async run(options) {
    const { reproduceHeadParameters } = await import('../../../llm/reproduce/head-parameters.ts');
    return describe(
      await reproduceHeadParameters({
        ...{ ...runOptions(options), subject: await openSubject(options), text: await openText(options) },
        ...{ tokens: options.quick ? 256 : undefined, seeds: runSeeds(options, 1) },
      }),
    );
  },
};

function describe(report: ProtocolReport<HeadFigures[]>): ExperimentResult {
  const { figures, verdicts } = report;
  const longest = Math.max(...figures.map(({ length }) => length));
  const own = figures.filter(({ length }) => length === longest);
  const middle = (rows: readonly HeadFigures[], of: (row: HeadFigures) => number) => median(rows.map(of));
  const lengths = [...new Set(figures.map(({ length }) => length))];
  return {
    value: { figures, verdicts },
    figures: {
      ...Object.fromEntries(
        lengths.map((length) => [
          `alphaMedian n=${length}`,
          middle(
            figures.filter((row) => row.length === length),
            ({ alpha }) => alpha,
          ),
        ]),
      ),
      recallMedian: middle(own, ({ recall }) => recall),
      relativeErrorMedian: middle(own, ({ relativeError }) => relativeError),
      ...verdictFigures(verdicts),
    },
    section: {
      title: 'Language model: heads',
      question: 'Does the theorem’s α stay small in a real model, and where does the error come from?',
      answer: `With ${longest} tokens α of the median head is ${middle(own, ({ alpha }) => alpha).toFixed(0)} (1: uniform attention), and its blocks hold ${(100 * middle(own, ({ recall }) => recall)).toFixed(0)} % of the mass. ${verdictSentence(verdicts)}`,
      input: settingLine(report),
      figures: [],
      charts: [alphaChart(figures, lengths), errorChart(own)],
      tables: [verdictTable(verdicts), { caption: `Layers, ${longest} tokens`, table: layerTable(own) }],
      certificates: [],
    },
  };
}

function alphaChart(figures: readonly HeadFigures[], lengths: readonly number[]): Chart {
  const points = lengths.map((x) => {
    const sorted = figures
      .filter(({ length }) => length === x)
      .map(({ alpha }) => alpha)
      .sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))];
    return { x, y: median(sorted), low: at(0.25), high: at(0.75) };
  });
  const [first] = points;
  return {
    kind: 'line',
    title: 'α as the text gets longer',
    description:
      'n times the largest squared column norm of P, the first 32 keys left out: 1 for uniform attention, n where each key has one query of its own, n² where one key takes all. The band holds the middle half of the heads.',
    x: { label: 'tokens n', scale: 'log' },
    y: { label: 'α', scale: 'log' },
    series: [
      { name: 'median head', points },
      {
        name: 'as fast as n',
        role: 'reference',
        points: points.map(({ x }) => ({ x, y: (first.y * x) / first.x })),
      },
    ],
  };
}

function errorChart(own: readonly HeadFigures[]): Chart {
  return {
    kind: 'scatter',
    title: 'Error of a head against what its blocks hold',
    description: 'A dot a head. Heads whose mass the blocks hold err little.',
    x: { label: 'mass in blocks (%)' },
    y: { label: 'relative error of the output' },
    points: own.map(({ recall, relativeError }) => ({ x: 100 * recall, y: relativeError })),
  };
}

function layerTable(own: readonly HeadFigures[]): Table {
  const layers = [...new Set(own.map(({ layer }) => layer))];
  return {
    columns: ['layer', 'α', 'κ', 'srank V', 'recall (%)', 'entropy (nats)', 'error'],
    rows: layers.map((layer) => {
      const heads = own.filter((row) => row.layer === layer);
      const of = (read: (row: HeadFigures) => number) => median(heads.map(read));
      return [
        ...[layer, of(({ alpha }) => alpha), of(({ kappa }) => kappa), of(({ valueRank }) => valueRank)],
        ...[of(({ recall }) => 100 * recall), of(({ entropy }) => entropy)],
        of(({ relativeError }) => relativeError),
      ];
    }),
    note: 'Medians over the heads of a layer.',
  };
}
